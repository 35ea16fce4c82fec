"""Passing a request on to the web server of a worker, and its answer back, both as they come.

Nothing is kept here: each part is taken when the one before it is sent, so the slower side sets the
pace. A client that leaves ends the request at the worker; a worker that ends in the middle of an
answer ends the client's connection, since a whole answer is all that a clean end can mean.
Source: Azure/azure-functions-host: DefaultHttpProxyService.cs, RetryProxyHandler.cs; dotnet/yarp:
HttpForwarder.cs, HttpTransformer.cs, RequestUtilities.cs, ForwardedTransformExtensions.cs.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from durahost.http.answers import BODILESS
from durahost.http.incoming import Incoming
from durahost.http.requests import BodyTooLarge, ClientGone
from durahost.model.ids import InvocationId

if TYPE_CHECKING:
    import aiohttp

logger = logging.getLogger(__name__)

ACTIVITY_LIMIT_S = 240.0
"""How long neither side may send anything."""

MOST_TRIES = 10
FIRST_DELAY_S, LAST_DELAY_S = 0.05, 0.25
"""Of connecting: the worker's server begins to listen when its app has loaded."""

MAX_HEADER_BYTES = 65_536
"""HttpClientHandler.MaxResponseHeadersLength."""

INVOCATION_HEADER = "x-ms-invocation-id"

_HOP_BY_HOP = frozenset(
    {
        "connection", "transfer-encoding", "keep-alive", "upgrade", "proxy-connection",
        "proxy-authenticate", "proxy-authentication-info", "proxy-authorization", "proxy-features",
        "proxy-instruction", "security-scheme", "alpn", "close", "http2-settings",
        "upgrade-insecure-requests", "te", "alt-svc",
    }
)  # fmt: skip
_SET_HERE = frozenset(
    {"host", "expect", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
     "x-forwarded-prefix", INVOCATION_HEADER}
)  # fmt: skip
_AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
"""What aiohttp would make up."""


class Forwarding:
    """One request that is passed on, and its answer.

    complete: adds the headers that the host adds to every answer.
    """

    def __init__(self, incoming: Incoming, complete: Callable[[Response], Response]) -> None:
        self._incoming = incoming
        self._complete = complete
        self._parts: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(1)
        self._is_sent = asyncio.Event()
        self._is_started = False
        self._is_left = False
        self._is_too_large = False
        self._limit = asyncio.timeout(None)

    def conclude(self) -> Response:
        """What is left to be sent once the call is over: nothing, where an answer has begun."""
        if self._is_started or self._is_left:
            return _Sent()
        return Response(status_code=413 if self._is_too_large else 500)

    async def forward(self, address: str, invocation_id: InvocationId) -> None:
        """As the worker's Protocol says; what goes wrong is logged."""
        import aiohttp

        forwarding = asyncio.create_task(self._forward(address, invocation_id), name="forward")
        reading = asyncio.create_task(self._read_client(), name="read the client")
        both = {forwarding, reading}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.wait(both)
        if forwarding.cancelled():
            return
        try:
            forwarding.result()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            if not self._is_left:
                logger.error("Failed to proxy request %s: %r", invocation_id, error)

    async def _read_client(self) -> None:
        """Take the client's body, a part whenever the one before it is taken, until it leaves."""
        try:
            if self._incoming.has_body:
                async for part in self._incoming.parts():
                    await self._parts.put(part)
                await self._parts.put(None)
            await self._incoming.head.disconnected()
        except BodyTooLarge as error:
            self._is_too_large = True
            await self._parts.put(error)
            await self._incoming.head.disconnected()
        except ClientGone:
            pass
        self._is_left = True
        # The function runs all the same, as any other does: it gets the request before its end.
        await self._is_sent.wait()

    async def _forward(self, address: str, invocation_id: InvocationId) -> None:
        import aiohttp

        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(self._note_sent)
        # A connection of its own: none that the server is about to close is ever taken for it.
        async with (
            aiohttp.ClientSession(
                trace_configs=[trace],
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(),
                max_line_size=MAX_HEADER_BYTES,
                max_field_size=MAX_HEADER_BYTES,
                skip_auto_headers=_AUTOMATIC,
            ) as session,
            asyncio.timeout(ACTIVITY_LIMIT_S) as self._limit,
            await self._send(session, address, invocation_id) as answer,
        ):
            await self._pass_on(answer)

    async def _send(
        self, session: "aiohttp.ClientSession", address: str, invocation_id: InvocationId
    ) -> "aiohttp.ClientResponse":
        import aiohttp
        from yarl import URL

        head = self._incoming.head
        delay_s = FIRST_DELAY_S
        for tries in range(1, MOST_TRIES + 1):
            try:
                return await session.request(
                    head.method,
                    URL(address + head.target, encoded=True),
                    headers=_request_headers(self._incoming, invocation_id),
                    data=self._body() if self._incoming.has_body else None,
                    allow_redirects=False,
                )
            except aiohttp.ClientConnectorError:
                if tries == MOST_TRIES:
                    raise
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, LAST_DELAY_S)
        raise AssertionError("not reached")

    async def _body(self) -> AsyncGenerator[bytes]:
        yield b""  # aiohttp sends the head with the first part, and the first may be long in coming
        while (part := await self._parts.get()) is not None:
            if isinstance(part, Exception):
                raise ConnectionError("the request's body is too large") from part
            self._note_activity()
            if part:
                yield part

    async def _pass_on(self, answer: "aiohttp.ClientResponse") -> None:
        """Send the client what the worker's server answers, part by part."""
        response = Response(status_code=answer.status)
        response.raw_headers = _response_headers(answer)
        self._complete(response)
        self._is_started = True
        start = {"status": answer.status, "headers": response.raw_headers}
        await self._tell({"type": "http.response.start", **start})
        # The first part may be long in coming.
        await self._tell({"type": "http.response.body", "body": b"", "more_body": True})
        async for part in answer.content.iter_any():
            self._note_activity()
            await self._tell({"type": "http.response.body", "body": part, "more_body": True})
            self._note_activity()
        await self._tell({"type": "http.response.body", "body": b"", "more_body": False})

    async def _tell(self, message: Message) -> None:
        try:
            await self._incoming.send(message)
        except ConnectionResetError:
            self._is_left = True
            raise

    async def _note_sent(self, *_: object) -> None:
        self._is_sent.set()

    def _note_activity(self) -> None:
        self._limit.reschedule(asyncio.get_running_loop().time() + ACTIVITY_LIMIT_S)


class _Sent(Response):
    """Stands for an answer that the client has, or does not want any more."""

    async def __call__(  # type: ignore[explicit-override] # needs 3.12
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Send nothing."""


def _request_headers(incoming: Incoming, invocation_id: InvocationId) -> list[tuple[str, str]]:
    """The client's headers, with those that a proxy sets.

    What a client expects before it sends its body, it gets from the host's own server.
    A client's own invocation id is not kept, as Azure's host would: its request would meet no call.
    """
    head = incoming.head
    left_out = _HOP_BY_HOP | _SET_HERE
    if "transfer-encoding" in head.headers:
        left_out |= {"content-length"}
    pairs = [(_text(name), _text(value)) for name, value in incoming.headers]
    kept = [(name, value) for name, value in pairs if name not in left_out]
    forwarded = {
        "x-forwarded-for": incoming.client,
        "x-forwarded-host": head.headers.get("host"),
        "x-forwarded-proto": head.scheme,
        INVOCATION_HEADER: invocation_id,
    }
    return kept + [(name, value) for name, value in forwarded.items() if value is not None]


def _response_headers(answer: "aiohttp.ClientResponse") -> list[tuple[bytes, bytes]]:
    # The host's own server says which day it is.
    left_out = _HOP_BY_HOP | {"date"}
    if answer.status in BODILESS:
        left_out |= {"content-length"}
    return [
        (name.lower(), value)
        for name, value in answer.raw_headers
        if name.decode("latin-1").lower() not in left_out
    ]


def _text(raw: bytes) -> str:
    """Text that aiohttp writes as these bytes, when they are UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
