"""A real host in a process of its own, as a user starts it, for end-to-end and crash tests."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
from invariants import assert_invariants

LIMIT_S = 30.0


def eventually(read, accept, within_s=LIMIT_S):
    """Read until the value is accepted; fail with every value seen."""
    seen = []
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        value = read()
        if accept(value):
            return value
        if not seen or seen[-1] != value:
            seen.append(value)
        time.sleep(0.02)
    raise AssertionError(f"not within {within_s} s; seen: {seen}")


def durahost(folder, *arguments, env=None):
    """The command line, run to its end in this folder."""
    return subprocess.run(
        [sys.executable, "-m", "durahost", *arguments],
        cwd=folder,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class RunningHost:
    """`durahost start` on an app folder; use as a context manager."""

    def __init__(self, root: Path, *options: str, env=None, command=None):
        self.root = root
        self.lines = []
        self.base = ""
        self._options = options
        self._env = {**os.environ, **(env or {})}
        self._command = command or [sys.executable, "-m", "durahost"]
        self._queue = queue.Queue()

    def __enter__(self):
        self.launch()
        self.wait_for_line(r"Listening on (http://\S+)")
        self.base = re.search(r"Listening on (http://\S+)", "\n".join(self.lines))[1]
        self.client = httpx.Client(base_url=self.base.replace("localhost", "127.0.0.1"), timeout=30)
        return self

    def launch(self):
        """Start the process without waiting for it to serve."""
        arguments = [*self._command, "start", "--port", "0", *self._options]
        self.process = subprocess.Popen(
            arguments,
            cwd=self.root,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        if self.base:
            self.client.close()
        self._reader.join(5)
        self.process.stdout.close()
        for database in self.root.glob("**/.durahost/hub.db"):
            assert_invariants(database)

    def _read(self):
        for line in self.process.stdout:
            text = line.rstrip("\n")
            self.lines.append(text)
            self._queue.put(text)

    def wait_for_line(self, pattern, within_s=LIMIT_S):
        """The first line not yet waited for that matches; fails with the whole output."""
        until = time.monotonic() + within_s
        while True:
            try:
                line = self._queue.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                text = "\n".join(self.lines)
                raise AssertionError(f"no line like {pattern!r}; the output was:\n{text}") from None
            if re.search(pattern, line):
                return line

    def stop(self, signal_number=signal.SIGINT):
        """Ask it to stop and return its exit code."""
        self.process.send_signal(signal_number)
        return self.process.wait(LIMIT_S)

    def kill(self):
        """kill -9 of the host process alone."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(LIMIT_S)

    @property
    def children(self):
        """Pids of the worker children."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                if int(fields[1]) == self.process.pid and fields[0] != "Z":
                    found.append(int(entry.name))
        return found

    # What clients do ------------------------------------------------------------------------------

    def start(self, name, body=None):
        """Start an orchestration through HttpStart; its id."""
        content = b"" if body is None else json.dumps(body).encode()
        response = self.client.post(f"/api/orchestrators/{name}", content=content)
        assert response.status_code == 202, response.text
        return response.json()["id"]

    def status(self, instance_id, **query):
        path = f"/runtime/webhooks/durabletask/instances/{instance_id}"
        return self.client.get(path, params=query)

    def wait_for_status(self, instance_id, status, within_s=LIMIT_S):
        """The status payload once it is in this state."""

        def read():
            response = self.status(instance_id)
            return response.json() if response.content else {"runtimeStatus": None}

        return eventually(read, lambda payload: payload["runtimeStatus"] == status, within_s)

    def raise_event(self, instance_id, name, data):
        path = f"/runtime/webhooks/durabletask/instances/{instance_id}/raiseEvent/{name}"
        return self.client.post(path, json=data)
