"""One client's connection: HTTP/1.1 under the limits of Azure's web server.

What breaks a limit gets a status without a body, and its connection ends. Nothing is ever written
where the answer to an earlier request belongs. What a connection holds in memory is bounded by the
head, one read, the body that the app takes, and an answer that the client takes in time.
Source: dotnet/aspnetcore: src/Servers/Kestrel/Core/src/KestrelServerLimits.cs (defaults),
CoreStrings.resx and Internal/Http/HttpProtocol.cs (statuses).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, TypeVar

import httptools
import uvicorn
from starlette.types import Scope
from uvicorn.server import ServerState

from durahost.http.exchange import CLOSE, Exchange, Headers, write_head
from durahost.http.line import Line
from durahost.http.looks import Look
from durahost.http.request_headers import RawHeader, read_headers

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
_ASGI = {"version": "3.0", "spec_version": "2.3"}


T = TypeVar("T")
FindLook = Callable[[Scope], Look | None]
"""Of an app: what the request looks at, if that is all it does."""


class _Refused(Exception):
    """Ends the parsing of a request; `status` is the client's answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@lru_cache(maxsize=256)  # the same at each poll
def _split_target(url: bytes) -> tuple[bytes, bytes]:
    """Path and query of a target."""
    target = httptools.parse_url(url)
    return target.path, target.query or b""


def _attempt(work: Callable[[], T]) -> T | None:
    """What it returns; None where it fails: the task that follows meets the same, and tells."""
    try:
        return work()
    except Exception:  # noqa: BLE001  # as above
        return None


def _show(exchange: Exchange, look: Look) -> bool:
    """Answer with what there is to be seen; whether a look is enough. Errors: of the look, and
    ValueError, before anything is sent.
    """
    response = look.answer()
    if response is None:
        return False
    exchange.answer(response.status_code, response.raw_headers, bytes(response.body))
    return True


def _no_look(scope: Scope) -> None:
    """For an app that answers nothing without a task."""


class Connection(asyncio.Protocol):
    """Reads requests from one socket, and has them answered in their order; uvicorn makes it."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._app = config.loaded_app
        self._find_look: FindLook = getattr(self._app, "find_look", _no_look)
        self._keep_alive_s = config.timeout_keep_alive
        self._state = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._rests_since = self._loop.time()
        self._deadline: asyncio.TimerHandle | None = None
        self._answering: Exchange | None = None
        self._waiting: deque[Exchange] = deque()  # requests behind the one that is answered
        self._reading: Exchange  # the request whose head came last
        self._task: asyncio.Task[None]  # which makes the answer
        self._is_in_body = False
        self._pending = 0  # bytes read that have led to no head, body or end of a request yet
        self._url = b""
        self._headers: Headers = []
        self._headers_count = self._headers_size = self._body_size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # of TCP
        """A client that never sends anything is let go like one that sends nothing more."""
        self._transport = transport
        self._client = transport.get_extra_info("peername")
        self._line = Line(transport, self._loop)
        self._state.connections.add(self)  # type: ignore[arg-type] # uvicorn's set of its own classes
        self._idle_timer = self._loop.call_later(self._keep_alive_s, self._check_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the watches with the connection."""
        self._state.connections.discard(self)
        del self._parser  # it holds the connection
        self._end_watch()
        self._idle_timer.cancel()
        self._line.end_watch()
        self._waiting.clear()
        if self._answering is not None:
            self._answering.leave()

    def shutdown(self) -> None:
        """Close, behind the answer that is being made."""
        if self._answering is None:
            self._transport.close()
        else:
            self._answering.keeps_alive = False

    def pause_writing(self) -> None:
        """The client does not take all of its answer at once."""
        self._line.begin_watch()

    def resume_writing(self) -> None:
        """It has taken all of it."""
        self._line.end_watch()

    def data_received(self, data: bytes) -> None:
        """Parse what came, or refuse it."""
        self._pending += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Its request is the last one (`on_headers_complete`).
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
        self._url = b""
        self._headers = []
        self._headers_size = self._headers_count = self._body_size = 0

    def on_url(self, url: bytes) -> None:
        """Add to the target, which may come in pieces."""
        self._url += url
        if len(self._parser.get_method()) + len(self._url) + _LINE_REST > MAX_LINE_BYTES:
            raise _Refused(_LONG_LINE)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header; one that follows the body is counted and dropped."""
        self._headers_count += 1
        self._headers_size += len(name) + len(value) + _HEADER_REST
        if self._headers_count > MAX_HEADERS or self._headers_size > MAX_HEADERS_BYTES:
            raise _Refused(_LARGE_HEAD)
        if not self._is_in_body:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Hand the request to the app, when it says which host it is for."""
        self._pending = 0
        if self._deadline is not None:
            self._end_watch()
        version = self._parser.get_http_version()
        raw = tuple(self._headers)
        headers = read_headers(raw)
        self._check_host(version, headers.hosts)
        # Nothing here changes protocols: who asks for it is answered, and with that it ends.
        goes_on = self._parser.should_keep_alive() and not self._parser.should_upgrade()
        self._reading = exchange = Exchange(
            self._line,
            self._scope(version, raw),
            self._state,
            keeps_alive=version != "1.0" and goes_on,
            waits_to_send=headers.waits_to_send,
        )
        if self._answering is None:
            self._answer(exchange)
        else:
            self._line.pause_reading()
            self._waiting.append(exchange)
        self._is_in_body = True

    def on_body(self, body: bytes) -> None:
        """Hand on a piece of the body."""
        self._pending = 0
        self._body_size += len(body)
        self._reading.add_body(body)

    def on_message_complete(self) -> None:
        """The request has been read."""
        self._pending = 0
        self._is_in_body = False
        if self._deadline is not None:
            self._end_watch()
        self._reading.end_body()

    def _check_host(self, version: str, hosts: Sequence[bytes]) -> None:
        """One host, the same in an absolute target; HTTP/1.0 need not name any."""
        if len(hosts) != 1 and (hosts or version != "1.0"):
            raise _Refused(_BAD)
        if self._url[:1] != b"/":
            named = [host.strip().lower() for host in hosts]
            if named != [self._url.split(b"/", 3)[2].lower()]:
                raise _Refused(_BAD)

    def _scope(self, version: str, headers: tuple[RawHeader, ...]) -> Scope:
        path, query = _split_target(self._url)
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "method": self._parser.get_method().decode("ascii"),
            "scheme": "http",
            "raw_path": path,
            "query_string": query,
            "headers": headers,
            "client": self._client,
        }

    def _answer(self, exchange: Exchange) -> None:
        self._answering = exchange
        look = _attempt(partial(self._find_look, exchange.scope))
        if look is None:
            self._begin_task(exchange)
        else:
            look.turns.call(partial(self._answer_look, exchange, look))

    def _answer_look(self, exchange: Exchange, look: Look) -> bool:
        """Whether somebody still waits for it."""
        if exchange.is_gone:
            return False
        if self._line.is_sent and _attempt(partial(_show, exchange, look)):
            self._end_answer(exchange)
        else:
            self._begin_task(exchange)
        return True

    def _begin_task(self, exchange: Exchange) -> None:
        self._task = self._loop.create_task(exchange.run(self._app, self._end_task))
        # A server that stops waits for these.
        self._state.tasks.add(self._task)

    def _end_task(self, exchange: Exchange) -> None:
        self._state.tasks.discard(self._task)
        self._end_answer(exchange)

    def _end_answer(self, exchange: Exchange) -> None:
        """Go on with the next request, or wait for one; without an answer there is none."""
        self._answering = None
        if self._transport.is_closing():
            return
        if not (exchange.is_answered and exchange.keeps_alive):
            end = self._transport.abort if exchange.is_broken_off else self._transport.close
            end()
        elif self._waiting:
            self._answer(self._waiting.popleft())
        else:
            if self._line.is_paused:
                self._line.resume_reading()
            self._rests_since = self._loop.time()

    def _check_idle(self) -> None:
        """Let a client go that has asked nothing for long."""
        is_busy = self._answering is not None or self._deadline is not None
        rested = 0.0 if is_busy else self._loop.time() - self._rests_since
        left = self._keep_alive_s - rested
        if left <= 0:
            self._transport.close()
        else:
            self._idle_timer = self._loop.call_later(left, self._check_idle)

    def _begin_watch(self) -> None:
        if self._is_in_body:
            self._deadline = self._loop.call_later(BODY_GRACE_S, self._check_body, self._body_size)
        else:
            self._deadline = self._loop.call_later(HEAD_LIMIT_S, self._refuse, _TIMED_OUT)

    def _end_watch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _check_body(self, size_before: int) -> None:
        """Go on with a body that comes fast enough, or that waits for the app."""
        self._deadline = None
        is_slow = self._body_size - size_before < SLOWEST_BODY_BYTES_S * BODY_GRACE_S
        if self._reading.is_answered or (is_slow and not self._line.is_paused):
            self._refuse(_TIMED_OUT)
        else:
            self._begin_watch()

    def _refuse(self, status: int) -> None:
        """Answer, if it is this request's turn, and close."""
        self._end_watch()
        logger.info("A request was refused with status %d.", status)
        answering = self._answering
        if self._is_in_body:
            is_next = answering is self._reading and not self._reading.is_answered
        else:
            is_next = answering is None
        if answering is not None:
            answering.leave()
            is_next = is_next and not answering.is_broken_off
        self._waiting.clear()
        if is_next:
            headers = [*self._state.default_headers, (b"content-length", b"0"), CLOSE]
            self._line.write(write_head(status, headers))
        self._transport.close()
