"""What user code writes, as log frames: records of `logging`, and lines of stdout.

The invocation a line belongs to is found as the real worker finds it: what the code runs in, else
the thread-local storage that `context.thread_local_storage` gives to user threads.
Source: Azure/azure-functions-python-worker: dispatcher.py (AsyncLoggingHandler,
get_current_invocation_id), logging.py (is_system_log_category).
"""

import io
import logging
import threading
from collections.abc import Callable
from contextvars import ContextVar

from .wire import Frame

Send = Callable[[Frame], None]

SYSTEM_LOGGERS = ("azure_functions_worker", "azure.functions")
"""Loggers of the platform: the host's own log, not the function's."""


MAX_CHARACTERS = 2**20
"""A longer message is cut: logs are read by people, and a frame's header holds the message."""


class Scopes:
    """Which invocation the running code belongs to, and which function that is."""

    def __init__(self) -> None:
        self.thread_local = threading.local()
        self._current: ContextVar[str | None] = ContextVar("invocation", default=None)
        self._functions: dict[str, str] = {}

    def enter(self, invocation_id: str, function: str) -> "_Scope":
        """The code in this block, and the tasks it starts, belong to the invocation."""
        return _Scope(self._current, self._functions, invocation_id, function)

    def adopt(self, invocation_id: str) -> None:
        """The rest of the running task belongs to the invocation, as long as that lasts."""
        self._current.set(invocation_id)

    def current(self) -> tuple[str | None, str | None]:
        """Invocation id and function name; None for both outside an invocation."""
        invocation_id = self._current.get() or getattr(self.thread_local, "invocation_id", None)
        return invocation_id, self._functions.get(invocation_id or "")


class _Scope:
    """Between the two ends of `Scopes.enter`; no generator, as each call has one."""

    def __init__(
        self,
        current: "ContextVar[str | None]",
        functions: dict[str, str],
        invocation_id: str,
        function: str,
    ) -> None:
        self._current = current
        self._functions = functions
        self._invocation_id = invocation_id
        functions[invocation_id] = function

    def __enter__(self) -> None:
        self._token = self._current.set(self._invocation_id)

    def __exit__(self, *_: object) -> None:
        self._current.reset(self._token)
        self._functions.pop(self._invocation_id, None)


class LogFrames(logging.Handler):
    """Sends every record as a frame; with `is_guest`, only those of invocations and of the load.

    A guest shares its process with the host, whose own records must not come back to it.
    """

    def __init__(self, send: Send, scopes: Scopes, *, is_guest: bool = False) -> None:
        super().__init__()
        self._send = send
        self._scopes = scopes
        self._is_guest = is_guest
        self.loading_thread: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record; what cannot be formatted is reported as `logging` does it."""
        invocation_id, function = self._scopes.current()
        is_ours = invocation_id is not None or threading.get_ident() == self.loading_thread
        if self._is_guest and not is_ours:
            return
        try:
            message = self.format(record)
        except Exception:  # noqa: BLE001  # a wrong format string of the user's ends no invocation
            self.handleError(record)
            return
        fields = {
            "level": record.levelno,
            "category": record.name,
            "message": _cut(message),
            "invocation_id": invocation_id,
            "function": function,
            "is_system": record.name.startswith(SYSTEM_LOGGERS),
        }
        self._send(Frame("log", fields))


class StdoutLines(io.RawIOBase):
    """Stands below `sys.stdout`: each line becomes a log frame that knows its invocation."""

    def __init__(self, send: Send, scopes: Scopes) -> None:
        self._send = send
        self._scopes = scopes
        self._partial = threading.local()

    def writable(self) -> bool:
        """Yes."""
        return True

    def fileno(self) -> int:
        """Where processes that are given this stream write: descriptor 1, which is stderr here."""
        return 1

    def write(self, data: bytes) -> int:  # type: ignore[override]  # bytes-like is what is given
        """Send the lines that are complete; the rest waits for its line end, thread by thread."""
        *lines, rest = (getattr(self._partial, "data", b"") + bytes(data)).split(b"\n")
        self._partial.data = rest
        for line in lines:
            self._line(line)
        return len(data)

    def finish(self) -> None:
        """Send this thread's unfinished line: the invocation that wrote it ends."""
        rest = getattr(self._partial, "data", b"")
        if rest:
            self._partial.data = b""
            self._line(rest)

    def _line(self, line: bytes) -> None:
        invocation_id, function = self._scopes.current()
        fields = {
            "level": logging.INFO,
            "category": "",
            "message": _cut(line.decode("utf-8", "replace").rstrip("\r")),
            "invocation_id": invocation_id,
            "function": function,
            "is_system": False,
        }
        self._send(Frame("log", fields))


def _cut(message: str) -> str:
    if len(message) <= MAX_CHARACTERS:
        return message
    return f"{message[:MAX_CHARACTERS]}... (cut: the message has {len(message)} characters)"
