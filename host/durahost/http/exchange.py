"""One request on a connection and its answer, as ASGI's `receive` and `send`.

The host's own answers are whole, so that head and body leave in one write. One that is passed on
leaves in parts, each once the one before it is sent; if it ends before its last part, so does the
connection, and nobody takes it for a whole one.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Scope
from uvicorn.server import ServerState

from durahost.http.answers import BODILESS
from durahost.http.line import Line

logger = logging.getLogger(__name__)

Headers = list[tuple[bytes, bytes]]

READ_AHEAD_BYTES = 64 * 1024
"""So much of a body waits for the app; more waits with the client."""

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_STATUS_LINES = {n: f"HTTP/1.1 {n} {_PHRASES.get(n, '')}".encode() for n in range(200, 600)}
_GOING_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE = (b"connection", b"close")
_CHUNKED = ((b"transfer-encoding", b"chunked"),)
_LAST_CHUNK = b"0\r\n\r\n"
_GONE = {"type": "http.disconnect"}


_write_line = b": ".join


def write_head(status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The head of an answer. Errors: ValueError for a header that is more than one line."""
    lines = [_STATUS_LINES[status], *map(_write_line, headers), b"\r\n"]
    head = b"\r\n".join(lines)
    breaks = len(lines)
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or 0 in head:
        raise ValueError("a header of the answer has a character that HTTP does not allow")
    return head


class Exchange:
    """A request, whose body may still come while it is answered.

    state: has the headers of every answer. keeps_alive: whether the connection stays open behind
    this one. waits_to_send: whether the client sends the body only when it is told to.
    """

    __slots__ = (
        "_body", "_has_news", "_head", "_is_begun", "_is_chunked", "_is_whole", "_line", "_news",
        "_state", "_waits_to_send", "is_answered", "is_gone", "keeps_alive", "scope",
    )  # fmt: skip

    def __init__(
        self,
        line: Line,
        scope: Scope,
        state: ServerState,
        *,
        keeps_alive: bool,
        waits_to_send: bool,
    ) -> None:
        self.scope = scope
        self.keeps_alive = keeps_alive
        self.is_answered = False
        self.is_gone = False
        self._line = line
        self._state = state
        self._waits_to_send = waits_to_send
        self._body = bytearray()
        self._is_whole = False
        self._has_news = False
        self._news: asyncio.Future[None] | None = None
        self._head: Message = {}
        self._is_begun = False
        self._is_chunked = False

    @property
    def is_broken_off(self) -> bool:
        """Whether a part of the answer is sent, and not the last."""
        return self._is_begun and not self.is_answered

    async def run(self, app: ASGIApp, end: Callable[["Exchange"], None]) -> None:
        """Have the app answer, then call `end`; a failure that the app does not answer is a 500."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception:
            logger.exception("%s %s failed", self.scope["method"], self.scope["raw_path"].decode())
            if not self._is_begun:
                self.answer(500, [(b"content-length", b"0")], b"")
        finally:
            end(self)

    def add_body(self, data: bytes) -> None:
        """A piece of the body has come; behind the answer nobody wants it."""
        if not self.is_answered:
            self._body += data
            if len(self._body) > READ_AHEAD_BYTES:
                self._line.pause_reading()
            self._tell()

    def end_body(self) -> None:
        """The request has been read."""
        self._is_whole = True
        self._tell()

    def leave(self) -> None:
        """Nobody waits for the answer any more."""
        self.is_gone = True
        self._tell()

    async def receive(self) -> Message:
        """The next piece of the body; behind the last one, that the client has left."""
        if self._waits_to_send:
            self._waits_to_send = False
            self._line.write(_GOING_ON)
        while not (self._has_news or self.is_gone or self.is_answered):
            if not self._is_whole:
                self._line.resume_reading()
            self._news = asyncio.get_running_loop().create_future()
            await self._news
        if self.is_gone or self.is_answered:
            return _GONE
        self._has_news = False
        body, self._body = bytes(self._body), bytearray()
        return {"type": "http.request", "body": body, "more_body": not self._is_whole}

    async def send(self, message: Message) -> None:
        """Keep the answer's head, and send it with the body, or with the first part of it.

        Errors: ConnectionResetError for a part that nobody waits for any more.
        """
        if message["type"] == "http.response.start":
            self._head = message
            return
        if not self._line.is_sent:
            await self._line.wait_sent()
        status, headers, body = self._head["status"], self._head["headers"], message["body"]
        if not self._is_begun and not message.get("more_body"):
            self.answer(status, headers, body)
        elif self.is_gone:
            raise ConnectionResetError("the client has left")
        else:
            self._send_part(status, headers, body, is_last=not message.get("more_body"))

    def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Send the whole answer, if somebody waits for one."""
        if self.is_gone or self.is_answered:
            return
        head = self._write_head(status, headers)
        self.is_answered = True
        self._line.write(head if self.scope["method"] == "HEAD" else head + body)

    def _send_part(self, status: int, headers: Headers, body: bytes, *, is_last: bool) -> None:
        """Send a part; where no length says how many there are, each has its own.

        HTTP/1.0 knows no parts: there the end of the connection ends the body.
        """
        head = b"" if self._is_begun else self._begin(status, headers)
        if self.scope["method"] == "HEAD":
            body = b""
        elif self._is_chunked:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + _LAST_CHUNK * is_last
        self.is_answered = is_last
        if head or body:
            self._line.write(head + body)

    def _begin(self, status: int, headers: Headers) -> bytes:
        self._is_begun = True
        if self.scope["method"] != "HEAD" and status not in BODILESS:
            has_length = any(name == b"content-length" for name, _ in headers)
            has_parts = self.scope["http_version"] != "1.0"
            self.keeps_alive = self.keeps_alive and (has_length or has_parts)
            self._is_chunked = has_parts and not has_length
        return self._write_head(status, [*headers, *(_CHUNKED if self._is_chunked else ())])

    def _write_head(self, status: int, headers: Headers) -> bytes:
        headers = [*self._state.default_headers, *headers]
        if not self.keeps_alive:
            headers.append(CLOSE)
        return write_head(status, headers)

    def _tell(self) -> None:
        self._has_news = True
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
