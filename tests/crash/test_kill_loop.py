"""kill -9 of a real host and of its children, at random moments, under mixed work.

DURAHOST_KILLS and DURAHOST_INSTANCES set the size, DURAHOST_SEED repeats a run's choices. A client
starts instances and raises events all the while, and asks again when it got no answer.
"""

import json
import os
import random  # noqa: TID251 - seeded, and the seed is printed
import signal
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing, suppress

import httpx
import pytest
from crash.kill_app import KINDS, counter_value, expected, write_app
from invariants import Watch, assert_invariants
from running_host import RunningHost, eventually

from durahost.model.events import EventKind

KILLS = int(os.environ.get("DURAHOST_KILLS", "30"))
INSTANCES = int(os.environ.get("DURAHOST_INSTANCES", "100"))
SEED = int(os.environ.get("DURAHOST_SEED", str(time.time_ns() % 1_000_000)))
MANAGEMENT = "/runtime/webhooks/durabletask"
STARTS = f"{MANAGEMENT}/orchestrators/"
END_LIMIT_S = 180.0


class Client(threading.Thread):
    """Starts instances and raises events, at whichever address the host has now.

    `allowed`: how many instances may have been started. A request without an answer is repeated, so
    an event may arrive twice; `requests` counts what was tried, by path.
    """

    def __init__(self):
        super().__init__(daemon=True)
        self.base = None
        self.allowed = 0
        self.started = {}
        self.requests = Counter()
        self.is_stopping = False
        self.error = None

    def run(self):
        try:
            for number in range(INSTANCES):
                while number >= self.allowed and not self.is_stopping:
                    time.sleep(0.01)
                kind = KINDS[number % len(KINDS)]
                own = f"{kind}-{number}"
                self._post(f"{STARTS}{kind}/{own}", {202, 409})
                self.started[own] = kind
                if kind == "Events":
                    for name in ("first", "second"):
                        self._post(f"{MANAGEMENT}/instances/{own}/raiseEvent/{name}", {202}, name)
        except Exception as error:  # noqa: BLE001 - told by the test
            self.error = error

    def _post(self, path, accepted, body=None):
        until = time.monotonic() + END_LIMIT_S
        while time.monotonic() < until:
            if self.requests[path] and path.startswith(STARTS):
                # Once more, when the instance has ended by now, it would run again.
                status = self._status(path.rpartition("/")[2])
                if status in {200, 202}:
                    return
                if status != 404:
                    time.sleep(0.02)
                    continue
            self.requests[path] += 1
            with suppress(httpx.TransportError):
                response = httpx.post(f"{self.base}{path}", json=body, timeout=5)
                if response.status_code in accepted:
                    return
                # The event of an earlier try ended the instance.
                if response.status_code == 410 and self.requests[path] > 1:
                    return
                # Nothing else is answered, but that the host is starting or stopping.
                assert response.status_code == 503, f"{path}: {response.status_code}"
            time.sleep(0.02)
        raise AssertionError(f"no answer to {path}")

    def _status(self, own):
        """How the host answers for the instance; None when it does not."""
        with suppress(httpx.TransportError):
            path = f"{MANAGEMENT}/instances/{own}"
            return httpx.get(f"{self.base}{path}", timeout=5).status_code


class KillLoop:
    """One host after the other on one app."""

    def __init__(self, root):
        self.root = root
        self.random = random.Random(SEED)
        self.watch = Watch()
        self.client = Client()
        self.kills = Counter()
        self.lives = 0

    @property
    def database(self):
        return self.root / ".durahost" / "hub.db"

    def run(self):
        self.client.start()
        while self.kills.total() < KILLS:
            if self.random.random() < 0.2:
                self.kill_at_start()
            else:
                self.live()
            self.look()

    def kill_at_start(self):
        host = RunningHost(self.root).launch()
        time.sleep(self.random.uniform(0, 0.8))
        host.kill()
        host.__exit__()
        self.count("starting host")

    def live(self):
        """A host whose children are killed some times, before it is."""
        with RunningHost(self.root) as host:
            self.lives += 1
            self.client.base = str(host.client.base_url).rstrip("/")
            for _ in range(self.random.randint(0, 3)):
                self.pass_time()
                for child in host.children:
                    with suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)
                self.count("child")
                self.look()
            self.pass_time()
            host.kill()
            self.count("host")

    def pass_time(self):
        time.sleep(self.random.uniform(0, 0.6))

    def count(self, what):
        self.kills[what] += 1
        self.client.allowed = INSTANCES * self.kills.total() // KILLS

    def look(self):
        assert_invariants(self.database)
        self.watch.assert_kept(self.database)

    def finish(self):
        """A last host that is let alone, until all has ended."""
        self.client.allowed = INSTANCES
        with RunningHost(self.root) as host:
            self.client.base = str(host.client.base_url).rstrip("/")
            self.client.join(END_LIMIT_S)
            assert self.client.error is None
            assert len(self.client.started) == INSTANCES
            for own, kind in self.client.started.items():
                payload = host.wait_for_status(own, "Completed", END_LIMIT_S)
                assert payload["output"] == expected(kind, own)
            tallies = list(self.client.started.values()).count("Tally")
            total = 3 * tallies or None
            eventually(lambda: counter_value(host), lambda value: value == total, END_LIMIT_S)
        self.look()

    def recorded(self):
        """All events of all instances, from an unharmed file."""
        with closing(sqlite3.connect(self.database)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return database.execute(
                "SELECT id, kind, task_id, payload FROM history JOIN instance USING (instance_row)"
            ).fetchall()


@pytest.mark.slow
@pytest.mark.feature("Exactly once", "`kill -9` of host or child")
def test_all_ends_well_however_often_hosts_and_children_are_killed(default_app, write_function):
    print(f"seed {SEED}: {KILLS} kills, {INSTANCES} instances")
    write_app(default_app, write_function)
    begun = time.monotonic()
    loop = KillLoop(default_app)
    try:
        loop.run()
        loop.finish()
    finally:
        loop.client.is_stopping = True
    rows = loop.recorded()
    by_kind = Counter(EventKind(kind).name for _, kind, _, _ in rows)
    answers = Counter(
        (own, task_id)
        for own, kind, task_id, _ in rows
        if kind in (EventKind.TASK_COMPLETED, EventKind.TASK_FAILED)
    )
    scheduled = {(own, n) for own, kind, n, _ in rows if kind == EventKind.TASK_SCHEDULED}
    assert set(answers) == scheduled
    assert set(answers.values()) == {1}
    raised = Counter(
        (own, json.loads(text)["Name"])
        for own, kind, _, text in rows
        if kind == EventKind.EVENT_RAISED and own.startswith("Events")
    )
    for (own, name), count in raised.items():
        tries = loop.client.requests[f"{MANAGEMENT}/instances/{own}/raiseEvent/{name}"]
        assert 1 <= count <= tries
    executed = len((default_app / "runs").read_text().split())
    print(
        f"killed {dict(loop.kills)} in {loop.lives} lives, {time.monotonic() - begun:.0f} s; "
        f"{sum(loop.client.requests.values())} requests for {INSTANCES} starts and "
        f"{len(raised)} events; {executed} activity executions; recorded: {dict(by_kind)}"
    )
