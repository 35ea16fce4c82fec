"""The child as a process: stdin and stdout become the frame pipe, before user code exists.

Descriptor 0 then reads nothing, 1 is stderr, and `sys.stdout` sends its lines as log frames. The
pipe's end is the process's: nothing that user code blocks on can keep it alive.
"""

import atexit
import contextlib
import faulthandler
import io
import logging
import os
import signal
import sys
import threading
from collections import deque

from .logs import LogFrames, Scopes, StdoutLines
from .runtime import Runtime
from .wire import GREETING, Decoder, Frame, encode

EXIT_LIMIT_S = 2.0
"""How long exit functions of user code may take once the pipe is closed."""

READ_BYTES = 2**16
"""As much as a pipe holds; for a larger buffer each read would go to the system for memory."""

DEBUG_SETTING = "PYTHON_ENABLE_DEBUG_LOGGING"
TRUE_WORDS = frozenset({"1", "true", "t", "yes", "y"})


class Pipe:
    """The two descriptors of the frame pipe. Writing is safe from any thread.

    Every write lets another thread go on, and waits until that one does the same: with many calls
    at once it costs more than the call. So what is to be written while somebody writes is left to a
    thread that writes all of it at once. Frames keep their order; a host that is gone ends the
    process.
    """

    def __init__(self, reading: int, writing: int) -> None:
        self._reading = reading
        self._writing = writing
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque()
        self._is_left = threading.Event()

    def greet(self) -> None:
        """Mark where frames begin."""
        self._write(GREETING)

    def send(self, frame: Frame) -> None:
        """Have the frame written before this returns: the code that speaks may end the process.

        Errors: ProtocolError.
        """
        self._waiting.append(encode(frame))
        with self._lock:
            self._write_waiting()
        self._leave_rest()

    def answer(self, frame: Frame) -> None:
        """Have the frame written, now or by who is writing. Errors: ProtocolError."""
        self._waiting.append(encode(frame))
        if self._lock.acquire(blocking=False):
            try:
                self._write_waiting()
            finally:
                self._lock.release()
            self._leave_rest()

    def write_rest(self) -> None:
        """Write what is left while others write, on this thread. Never returns."""
        while True:
            self._is_left.wait()
            self._is_left.clear()
            while self._waiting:
                with self._lock:
                    self._write_waiting()

    def read(self) -> bytes:
        """The next bytes, empty when the host has closed the pipe."""
        return os.read(self._reading, READ_BYTES)

    def close(self) -> None:
        """Let go of both ends."""
        os.close(self._reading)
        os.close(self._writing)

    def _leave_rest(self) -> None:
        """After the lock is free: what came while it was not has nobody else to write it."""
        if self._waiting:
            self._is_left.set()

    def _write_waiting(self) -> None:
        """Only with the lock."""
        frames = [self._waiting.popleft() for _ in range(len(self._waiting))]
        self._write(b"".join(frames))

    def _write(self, data: bytes) -> None:
        try:
            sent = os.write(self._writing, data)
            while sent < len(data):
                sent += os.write(self._writing, memoryview(data)[sent:])
        except OSError:
            os._exit(0)


def serve() -> None:
    """Take the pipe, then answer its frames until it closes. Never returns."""
    pipe = _claim_stdio()
    pipe.greet()
    faulthandler.enable()
    scopes = Scopes()
    stdout = StdoutLines(pipe.send, scopes)
    sys.stdout = io.TextIOWrapper(stdout, "utf-8", "backslashreplace", "\n", write_through=True)
    handler = LogFrames(pipe.send, scopes)
    root = logging.getLogger()
    root.addHandler(handler)
    is_debug = os.environ.get(DEBUG_SETTING, "").strip().lower() in TRUE_WORDS
    root.setLevel(logging.DEBUG if is_debug else logging.INFO)
    # A source edited twice within a second would be taken for its stale bytecode on reload.
    sys.dont_write_bytecode = True
    exiting = Exit()
    runtime = Runtime(pipe.answer, exiting.leave, scopes, handler, stdout.finish)
    if sys.platform != "win32":
        os.register_at_fork(after_in_child=lambda: _disown(pipe, handler))
    reader = threading.Thread(
        target=_read, args=(pipe, runtime, exiting), name="frames", daemon=True
    )
    reader.start()
    threading.Thread(target=pipe.write_rest, name="answers", daemon=True).start()
    runtime.run()
    exiting.leave(0)


def _claim_stdio() -> Pipe:
    """Move the frame pipe away from descriptors 0 and 1, which user code and its children use."""
    pipe = Pipe(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return pipe


def _read(pipe: Pipe, runtime: Runtime, exiting: "Exit") -> None:
    """Hand over frames until the host says stop or is gone, then see that the process ends."""
    decoder = Decoder()
    is_told = False
    try:
        while not is_told and (data := pipe.read()):
            for frame in decoder.feed(data):
                if frame.kind == "stop":
                    is_told = True
                else:
                    runtime.receive(frame)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is said before the end
        with contextlib.suppress(OSError):
            os.write(2, f"durahost: the worker's pipe broke: {error!r}\n".encode())
    finally:
        # However this thread ends, nobody would see the host close the pipe any more.
        exiting.is_orphan = not is_told
        runtime.stop()
        exiting.leave_later(0)


class Exit:
    """The end of the process, which nothing of user code can prevent or delay without limit.

    is_orphan: the host is gone, so nobody else will end the processes that user code started.
    """

    def __init__(self) -> None:
        self.is_orphan = False

    def leave(self, code: int) -> None:
        """Run exit functions, whatever other threads do, and end."""
        try:
            # Without this thread (a limit of the system) nothing would limit exit functions.
            threading.Thread(target=self.leave_later, args=(code,), daemon=True).start()
            atexit._run_exitfuncs()
            sys.stderr.flush()
        finally:
            self._end(code)

    def leave_later(self, code: int) -> None:
        """End once the limit is over."""
        threading.Event().wait(EXIT_LIMIT_S)
        self._end(code)

    def _end(self, code: int) -> None:
        if self.is_orphan and sys.platform != "win32" and os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(code)


def _disown(pipe: Pipe, handler: LogFrames) -> None:
    """In a process forked by user code: leave the pipe alone and write to stderr instead."""
    pipe.close()
    logging.getLogger().removeHandler(handler)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", buffering=1, closefd=False)
