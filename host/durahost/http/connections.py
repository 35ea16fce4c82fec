"""One client's connection: uvicorn's protocol under the limits of Azure's web server.

What breaks a limit gets a status without a body, and its connection ends. Nothing is ever written
where the answer to an earlier request belongs. What a connection holds in memory is bounded by the
head, one read, the body that the app takes, and an answer that the client takes in time.
Source: dotnet/aspnetcore: src/Servers/Kestrel/Core/src/KestrelServerLimits.cs (defaults),
CoreStrings.resx and Internal/Http/HttpProtocol.cs (statuses).
"""

import asyncio
import logging
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from durahost.http.sending import SendWatch

logger = logging.getLogger(__name__)

MAX_LINE_BYTES = 8 * 1024
MAX_HEADERS_BYTES = 32 * 1024
MAX_HEADERS = 100
HEAD_LIMIT_S = 30.0
SLOWEST_BODY_BYTES_S = 240
BODY_GRACE_S = 5.0

_BAD, _TIMED_OUT, _LONG_LINE, _LARGE_HEAD = 400, 408, 414, 431
_LINE_REST = len(b"  HTTP/1.1\r\n")
_HEADER_REST = len(b": \r\n")


class _Refused(Exception):
    """Ends the parsing of a request; `status` is the client's answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Connection(HttpToolsProtocol):
    """Reads requests from one socket."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._is_in_body = False
        self._pending = 0  # bytes read that have led to no head, body or end of a request yet
        self._headers_size = 0
        self._headers_count = 0
        self._body_size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """A client that never sends anything is let go like one that sends nothing more."""
        super().connection_made(transport)
        self._sending = SendWatch(transport, self.loop)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """End the watches with the connection."""
        self._end_watch()
        self._sending.end()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not take all of its answer at once."""
        super().pause_writing()
        self._sending.begin()

    def resume_writing(self) -> None:
        """It has taken all of it."""
        self._sending.end()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Parse what came, or refuse it."""
        self._unset_keepalive_if_required()
        self._pending += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nothing here changes protocols: the request is answered, as the last one.
            self.cycle.keep_alive = False
            return
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause.status if isinstance(cause, _Refused) else _BAD)
            return
        if self._pending > MAX_LINE_BYTES + MAX_HEADERS_BYTES:
            self._refuse(_LARGE_HEAD)
        elif self._deadline is None and (self._pending or self._is_in_body):
            self._begin_watch()

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._headers_size = self._headers_count = self._body_size = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Add to the target, which may come in pieces."""
        super().on_url(url)
        if len(self.parser.get_method()) + len(self.url) + _LINE_REST > MAX_LINE_BYTES:
            raise _Refused(_LONG_LINE)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header; one that follows the body is counted and dropped."""
        self._headers_count += 1
        self._headers_size += len(name) + len(value) + _HEADER_REST
        if self._headers_count > MAX_HEADERS or self._headers_size > MAX_HEADERS_BYTES:
            raise _Refused(_LARGE_HEAD)
        if not self._is_in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request to the app, when it says which host it is for."""
        self._pending = 0
        self._end_watch()
        self._check_host()
        super().on_headers_complete()
        self._is_in_body = True

    def on_body(self, body: bytes) -> None:
        """Hand on a piece of the body."""
        self._pending = 0
        self._body_size += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has been read."""
        self._pending = 0
        self._is_in_body = False
        self._end_watch()
        super().on_message_complete()

    def _check_host(self) -> None:
        """One host, the same in an absolute target; HTTP/1.0 need not name any."""
        hosts = [value.strip().lower() for name, value in self.headers if name == b"host"]
        if len(hosts) > 1 or (not hosts and self.parser.get_http_version() != "1.0"):
            raise _Refused(_BAD)
        if not self.url.startswith(b"/") and hosts != [self.url.split(b"/", 3)[2].lower()]:
            raise _Refused(_BAD)

    def _begin_watch(self) -> None:
        if self._is_in_body:
            self._deadline = self.loop.call_later(BODY_GRACE_S, self._check_body, self._body_size)
        else:
            self._deadline = self.loop.call_later(HEAD_LIMIT_S, self._refuse, _TIMED_OUT)

    def _end_watch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _check_body(self, size_before: int) -> None:
        """Go on with a body that comes fast enough, or that waits for the app."""
        self._deadline = None
        is_slow = self._body_size - size_before < SLOWEST_BODY_BYTES_S * BODY_GRACE_S
        if self.cycle.response_complete or (is_slow and not self.flow.read_paused):
            self._refuse(_TIMED_OUT)
        else:
            self._begin_watch()

    def _refuse(self, status: int) -> None:
        """Answer, if it is this request's turn, and close."""
        self._end_watch()
        logger.info("A request was refused with status %d.", status)
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None:
            is_next = True
        else:
            is_next = not cycle.response_started if self._is_in_body else cycle.response_complete
            cycle.disconnected = True
            cycle.message_event.set()
        if is_next and not self.pipeline:
            headers = [*self.server_state.default_headers, (b"content-length", b"0")]
            lines = [name + b": " + value + b"\r\n" for name, value in headers]
            self.transport.write(
                b"".join([STATUS_LINE[status], *lines, b"connection: close\r\n\r\n"])
            )
        self.transport.close()
