"""One child process as the event loop reports it: its frames, its output, its end.

Callbacks only, no tasks, so that nothing has to be awaited or cancelled for it to be reaped. At its
end the whole process group is killed, and every open request fails with the reason.
"""

import asyncio
import logging
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import cast

from durahost.child.wire import GREETING, Decoder, Frame, ProtocolError, encode
from durahost.model.errors import WorkerExited
from durahost.worker.base import LogSink, WorkerLog
from durahost.worker.channel import Channel

PIPES_LIMIT_S = 1.0
"""How long a child may live without its pipe, and its pipes (in descendants outside the group)
without the child.
"""

STDERR_LINES = 50
STDERR_LINE_BYTES = 2**16
"""A longer line is shown in pieces."""


class ChildProcess(asyncio.SubprocessProtocol):
    """The process as the event loop reports it: callbacks, no tasks.

    ended: set once it is reaped and all it said is read, or at once when it never started.
    """

    def __init__(self, interpreter: str, sink: LogSink) -> None:
        self.channel = Channel(self._send, self.kill, sink)
        self.ended = asyncio.Event()
        self.ended.set()
        self.reason = WorkerExited("the worker process was never started")
        self.pid: int | None = None
        self._name = Path(interpreter).name
        self._sink = sink
        self._transport: asyncio.SubprocessTransport | None = None
        self._stdin: asyncio.WriteTransport | None = None
        self._before_greeting: bytes | None = b""
        self._decoder = Decoder()
        self._stderr = _Lines(self._show)
        self._stdout = _Lines(self._show)
        self._tail: deque[str] = deque(maxlen=STDERR_LINES)
        self._is_stopping = False
        self._killed_for: str | None = None
        self._last_call: asyncio.TimerHandle | None = None

    @property
    def is_standing(self) -> bool:
        """Whether it takes requests."""
        return self._stdin is not None

    def stop(self) -> None:
        """Tell it to stop and close its pipe."""
        pipe, self._stdin = self._stdin, None
        if pipe is not None:
            self._is_stopping = True
            pipe.write(encode(Frame("stop", {})))
            pipe.close()

    def kill(self, why: str) -> None:
        """Kill it and all of its group at once."""
        if self.ended.is_set():
            return
        self._killed_for = self._killed_for or why
        self._stdin = None
        self._kill_group()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It runs."""
        # Not isinstance: uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self._stdin = cast(asyncio.WriteTransport, self._transport.get_pipe_transport(0))
        self.pid = self._transport.get_pid()
        self.ended.clear()

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        """Frames on 1, lines on 2."""
        assert isinstance(data, bytes)
        if fd == 2:
            self._stderr.feed(data)
            return
        try:
            if self._before_greeting is not None:
                data = self._after_greeting(self._before_greeting + data)
            for frame in self._decoder.feed(data):
                self.channel.receive(frame)
        except (ProtocolError, KeyError, TypeError) as error:
            self.kill(f"the worker process broke the protocol: {error!r}")

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Without its pipe it is of no use, even when it still runs."""
        if fd != 2 and not self._is_stopping:
            self._stdin = None
            # Mostly it is about to exit, and its own code says more.
            text = "the worker process closed its pipe"
            asyncio.get_running_loop().call_later(PIPES_LIMIT_S, self.kill, text)

    def process_exited(self) -> None:
        """It is reaped; what it said may still be in its pipes."""
        self._is_stopping = True
        self._stdin = None
        self._kill_group()
        self._last_call = asyncio.get_running_loop().call_later(PIPES_LIMIT_S, self._finish)

    def connection_lost(self, exc: Exception | None) -> None:
        """All its pipes are read to their end."""
        self._finish()

    def _finish(self) -> None:
        if self.ended.is_set() or self._transport is None:
            return
        self._stdout.finish()
        self._stderr.finish()
        self.reason = WorkerExited(self._reason(), "\n".join(self._tail))
        if self._last_call is not None:
            self._last_call.cancel()
        self._transport.close()
        self.ended.set()
        self.channel.fail(self.reason)

    def _reason(self) -> str:
        """Why it ended. Text: Azure/azure-functions-host: WorkerProcess.cs (OnProcessExited)."""
        if self._killed_for is not None:
            return self._killed_for
        code = (self._transport.get_returncode() if self._transport else None) or 0
        # A signal is told as a shell tells it, which is what .NET reports.
        shown = code if code >= 0 else 128 - code
        return f"{self._name} exited with code {shown} (0x{shown:X})"

    def _send(self, frame: Frame) -> None:
        if self._stdin is None or self._stdin.is_closing():
            raise WorkerExited("the worker process takes no more calls")
        self._stdin.write(encode(frame))

    def _kill_group(self) -> None:
        if self.pid is None:
            return
        if sys.platform == "win32":
            if self._transport is not None:
                self._transport.kill()
            return
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            # Nobody is left in the group, or (macOS) only a zombie.
            return

    def _after_greeting(self, data: bytes) -> bytes:
        """Drop what the environment printed before the child took its pipe, and show it."""
        noise, greeting, rest = data.partition(GREETING)
        if not greeting:
            self._before_greeting = noise
            return b""
        self._before_greeting = None
        self._stdout.feed(noise)
        self._stdout.finish()
        return rest

    def _show(self, line: str) -> None:
        self._tail.append(line)
        self._sink(WorkerLog(level=_level(line), category="", message=line))


class _Lines:
    """Cuts bytes into lines of text."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Show the lines that are complete."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._show(_text(line))
        if len(self._rest) > STDERR_LINE_BYTES:
            self.finish()

    def finish(self) -> None:
        """Show what is left."""
        if self._rest:
            self._show(_text(self._rest))
            self._rest = b""


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r")


def _level(line: str) -> int:
    """The level of a stderr line. Source: Azure/azure-functions-host: WorkerProcess.cs."""
    lowered = line.lower()
    if "warn" in lowered:
        return logging.WARNING
    if any(word in lowered for word in ("error", "fail", "severe", "unhandled exception")):
        return logging.ERROR
    return logging.INFO
