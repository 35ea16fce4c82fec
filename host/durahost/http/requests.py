"""One HTTP request as a value, and the rules by which Azure reads paths and queries.

There are two sets of rules: the Durable extension parses its own queries (`ApiQuery`), ASP.NET
Core those of functions (`function_query`).
"""

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, TypeVar
from urllib.parse import unquote_plus

from starlette.types import Message, Receive, Scope

from durahost.functions.routing import decode_path, encode_path
from durahost.http.dates import read_moment
from durahost.http.errors import ApiArgumentError, ApiOverflow
from durahost.http.request_headers import read_headers
from durahost.model.status import RuntimeStatus
from durahost.model.values import dataclass

MAX_BODY_BYTES = 104_857_600
"""Largest body a function gets.

Source: Azure/azure-functions-host: ScriptConstants.cs (DefaultMaxRequestBodySize).
"""

_DOUBLE = re.compile(r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_NO_NUMBER = re.compile(r"[-+]?(?:nan|infinity)", re.IGNORECASE)
_INT = re.compile(r"[-+]?\d+", re.ASCII)
_SHORT_YEAR = re.compile(r"\d{1,3}-", re.ASCII)
_MAX_SECONDS = 922_337_203_685.4775
_INT32 = range(-(1 << 31), 1 << 31)
_BOOLEANS = {"true": True, "false": False}
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_UNKNOWN = ("Unknown", -1)
_UNSPECIFIED = frozenset({"0.0.0.0", "[::]"})

T = TypeVar("T")


class ClientGone(Exception):
    """The client left before it had an answer; there is nobody to answer to."""


class BodyTooLarge(Exception):
    """The body is larger than the host takes."""


async def _never() -> None:
    await asyncio.Event().wait()


@dataclass(slots=True, kw_only=True)
class HttpRequest:
    """A request; nothing of it changes but that `body` is empty until it is read.

    raw_path, raw_query: as sent, still escaped. headers: names lower-cased, repeated ones joined
    with ","; firsts: the first value of each of those. disconnected: returns once the client has
    left.
    """

    method: str
    scheme: str = "http"
    raw_path: str
    raw_query: str = ""
    headers: Mapping[str, str]
    firsts: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    disconnected: Callable[[], Awaitable[None]] = _never

    @property
    def path(self) -> str:
        """The path decoded once; `%2F` stays, so that it separates nothing."""
        return decode_path(self.raw_path)

    @property
    def has_length(self) -> bool:
        """Whether the body's length was announced; a chunked body's was not."""
        return "content-length" in self.headers

    @property
    def has_body(self) -> bool:
        """Whether a body follows the head."""
        headers = self.headers
        return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers

    @property
    def media_type(self) -> str:
        """The content type without parameters, lower-case; "" when missing."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def origin(self) -> str | None:
        """Scheme and authority, canonical: lower-case, no default port; None without a host."""
        return _origin(self.scheme, self.headers.get("host", ""))

    @property
    def target(self) -> str:
        """Path and query, the path decoded and encoded again, as .NET code sees it."""
        return _target(self.raw_path, self.raw_query)

    @property
    def url(self) -> str:
        """The absolute address, as functions see it; never the address that means any.

        Source: Azure/azure-functions-host: GrpcMessageConversionExtensions.cs (ToRpcHttp).
        """
        return f"{self.scheme}://{_reachable(self.headers.get('host', 'localhost'))}{self.target}"

    @property
    def host_name(self) -> str:
        """The host that the request names, without its port; "" when it names none."""
        return host_name(self.headers.get("host", ""))

    def first_header(self, name: str) -> str | None:
        """The first value of a header, its name lower-case; None when absent."""
        return self.firsts.get(name, self.headers.get(name))

    def first_parameter(self, name: str) -> str | None:
        """The first value of a query parameter, its name without case; None when absent."""
        decode = _decoder(self.raw_query)
        for part in self.raw_query.split("&"):
            key, _, value = part.partition("=")
            if decode(key).lower() == name:
                return decode(value)
        return None


def unlimited(size: int) -> None:
    """Hold a part of a body that no budget counts."""


async def read_request(
    scope: Scope, receive: Receive, limit: int | None, hold: Callable[[int], None] = unlimited
) -> HttpRequest:
    """Read a request to the end of its body; `hold` is told the size of each part.

    Errors: ClientGone; BodyTooLarge over the limit; what `hold` raises.
    """
    head = read_head(scope, receive)
    if head.has_body:
        check_length(head, limit)
        await read_body(head, receive, limit, hold)
    return head


def read_head(scope: Scope, receive: Receive) -> HttpRequest:
    """The request as far as it is known before its body is read."""
    headers = read_headers(tuple(scope["headers"]))
    return HttpRequest(
        method=scope["method"],
        scheme=scope["scheme"],
        raw_path=scope["raw_path"].decode("latin-1"),
        raw_query=scope["query_string"].decode("latin-1"),
        headers=headers.joined,
        firsts=headers.firsts,
        disconnected=lambda: _until_gone(receive),
    )


async def read_body(
    request: HttpRequest, receive: Receive, limit: int | None, hold: Callable[[int], None]
) -> None:
    """Read the request's body. Errors: as `read_request`."""
    chunks: list[bytes] = []
    size = 0
    is_whole = False
    while not is_whole:
        chunk, is_whole = _part(await receive())
        size += len(chunk)
        if limit is not None and size > limit:
            raise BodyTooLarge
        hold(len(chunk))
        chunks.append(chunk)
    request.body = b"".join(chunks)


def check_length(head: HttpRequest, limit: int | None) -> None:
    """Refuse a body that says to be too large. Errors: BodyTooLarge."""
    if limit is not None and int(head.headers.get("content-length", "0")) > limit:
        raise BodyTooLarge


async def body_parts(receive: Receive, limit: int | None) -> AsyncGenerator[bytes]:
    """The body as it comes. Errors: ClientGone; BodyTooLarge over the limit."""
    size = 0
    is_whole = False
    while not is_whole:
        chunk, is_whole = _part(await receive())
        size += len(chunk)
        if limit is not None and size > limit:
            raise BodyTooLarge
        yield chunk


def _part(message: Message) -> tuple[bytes, bool]:
    """A part of the body, and whether it is the last. Errors: ClientGone."""
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), not message.get("more_body")


async def unless_gone(request: HttpRequest, work: Coroutine[Any, Any, T]) -> T:
    """Await the work, but drop it when the client leaves.

    Errors: ClientGone; what the work raises.
    """
    limit = asyncio.timeout(None)
    # It outlives this call by its cancellation alone.
    watch = asyncio.create_task(_end_when_gone(request, limit), name="http-disconnect")
    try:
        async with limit:
            return await work
    except TimeoutError:
        if limit.expired():
            raise ClientGone from None
        raise
    finally:
        watch.cancel()


@lru_cache(maxsize=256)  # asked at each request, of the same few hosts
def _origin(scheme: str, host: str) -> str | None:
    host = host.lower()
    if not host or _is_unspecified(host):
        return None
    return f"{scheme}://{host.removesuffix(_DEFAULT_PORTS.get(scheme, ''))}"


@lru_cache(maxsize=256)  # the same at each poll
def _target(raw_path: str, raw_query: str) -> str:
    path = encode_path(raw_path)
    return f"{path}?{raw_query}" if raw_query else path


@lru_cache(maxsize=256)
def _reachable(authority: str) -> str:
    if _is_unspecified(authority):
        return "localhost" + authority.removeprefix(host_name(authority))
    return authority


def host_name(authority: str) -> str:
    """The host in an authority, without its port."""
    name, colon, port = authority.rpartition(":")
    return name if colon and not port.endswith("]") else authority


def _is_unspecified(authority: str) -> bool:
    """Whether the host is the address that means every address: to listen on, not to be sent to."""
    return host_name(authority) in _UNSPECIFIED


async def _end_when_gone(request: HttpRequest, limit: asyncio.Timeout) -> None:
    await request.disconnected()
    limit.reschedule(asyncio.get_running_loop().time())


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def decode_api_path(raw_path: str) -> str:
    """Decode as the extension does: WebUtility.UrlDecode (`+` is a blank), then `decode_path`.

    Source: Azure/azure-functions-durable-extension: HttpApiHandler.cs (HandleRequestAsync).
    """
    return decode_path(_decoder(raw_path)(raw_path))


def _decoder(text: str) -> Callable[[str], str]:
    """What decodes the parts of a text; most have nothing to be decoded."""
    return unquote_plus if "%" in text or "+" in text else str


def function_query(raw_query: str) -> dict[str, str]:
    """The query as a function sees it: repeated names joined with ",", empty values dropped.

    Source: Azure/azure-functions-host: GrpcMessageConversionExtensions.cs (ToRpcHttp).
    """
    if not raw_query:
        return {}
    values: dict[str, list[str]] = {}
    spelling: dict[str, str] = {}
    decode = _decoder(raw_query)
    for part in filter(None, raw_query.split("&")):
        name, _, value = part.partition("=")
        key = decode(name)
        values.setdefault(spelling.setdefault(key.lower(), key), []).append(decode(value))
    joined = {name: ",".join(several) for name, several in values.items()}
    return {name: value for name, value in joined.items() if value}


@dataclass(frozen=True, slots=True)
class StatusView:
    """What the status of an instance is to show, and whether its failure is to be a 500."""

    has_input: bool
    has_output: bool
    has_history: bool
    fails_loudly: bool


class ApiQuery:
    """A query string under the extension's own rules; names compare without case.

    hub, connection: which the request is for; None for the app's own.
    Source: Azure/azure-functions-durable-extension: HttpRequestMessageExtensions.cs
    (GetQueryNameValuePairs), HttpApiHandler.cs (TryGet…QueryParameterValue).
    """

    def __init__(self, raw_query: str) -> None:
        values: dict[str, list[str]] = {}
        decode = _decoder(raw_query)
        for part in raw_query.removeprefix("?").split("&"):
            name, found, value = part.partition("=")
            name, value = (name, value) if found else ("", part)
            key = decode(name.strip()).lower()
            values.setdefault(key, []).append(decode(value.strip()))
        self._values = {name: ",".join(several) for name, several in values.items()}
        self.hub = self.text("taskHub")
        self.connection = self.text("connection")

    @cached_property
    def view(self) -> StatusView:
        """What it says of a status."""
        return StatusView(
            has_input=self.boolean("showInput", default=True),
            has_output=self.boolean("showHistoryOutput", default=False),
            has_history=self.boolean("showHistory", default=False),
            fails_loudly=self.boolean("returnInternalServerErrorOnFailure", default=False),
        )

    def get(self, name: str) -> str | None:
        """The value; several are joined with ","; None when absent."""
        return self._values.get(name.lower())

    def text(self, name: str) -> str | None:
        """The value, None when absent or blank."""
        value = self.get(name)
        return value if value and value.strip() else None

    def boolean(self, name: str, default: bool) -> bool:
        """`true` or `false` in any case; anything else means the default."""
        word = self.get(name)
        return default if word is None else _BOOLEANS.get(word.strip().lower(), default)

    def integer(self, name: str) -> int | None:
        """A 32-bit decimal integer, else None."""
        return _integer((self.get(name) or "").strip())

    def seconds(self, name: str) -> timedelta | None:
        """A number of seconds; "," counts as a thousands separator; None when it is no number.

        Errors: ApiOverflow for a number that no TimeSpan holds; ApiArgumentError for NaN.
        Texts: dotnet/runtime: Strings.resx (Overflow_TimeSpanTooLong, Arg_CannotBeNaN).
        """
        value = (self.get(name) or "").strip()
        if not value:
            return None
        if not _DOUBLE.fullmatch(value) and not _NO_NUMBER.fullmatch(value):
            return None
        number = float(value.replace(",", ""))
        if math.isnan(number):
            raise ApiArgumentError("TimeSpan does not accept floating point Not-a-Number values.")
        if abs(number) > _MAX_SECONDS:
            raise ApiOverflow("TimeSpan overflowed because the duration is too long.")
        return timedelta(seconds=number)

    def moment(self, name: str, now: datetime) -> datetime | None:
        """A date-time as aware UTC, see `dates`; None when it is none.

        A year of one to three digits before a hyphen counts with leading zeros.
        """
        value = self.get(name) or ""
        if (short := _SHORT_YEAR.match(value)) is not None:
            value = "0" * (5 - short.end()) + value
        return read_moment(value, now)

    def statuses(self, name: str) -> frozenset[RuntimeStatus] | None:
        """A list of status names (case counts) or numbers; None when no item is valid.

        A number that is no status is valid and matches nothing.
        Errors: ApiArgumentError for `Unknown`, which the store of Azure does not take.
        """
        items = self._items(name)
        if any(item == _UNKNOWN[0] or _integer(item) == _UNKNOWN[1] for item in items):
            raise ApiArgumentError("Requested value 'Unknown' was not found.")
        return _find_statuses(items)

    def purge_statuses(self, name: str) -> frozenset[RuntimeStatus] | None:
        """As `statuses`, by an enumeration that has no `Unknown`: that is dropped like any other.

        Source: Azure/durabletask: src/DurableTask.Core/OrchestrationStatus.cs.
        """
        return _find_statuses(self._items(name))

    def _items(self, name: str) -> list[str]:
        value = self.get(name)
        return [] if value is None else [item.strip() for item in value.split(",")]


@lru_cache(maxsize=128)  # of the same text at each poll
def parse_query(raw_query: str) -> ApiQuery:
    """The query of a management request."""
    return ApiQuery(raw_query)


def _find_statuses(items: Iterable[str]) -> frozenset[RuntimeStatus] | None:
    found: set[RuntimeStatus] = set()
    is_valid = False
    for item in items:
        number = _integer(item)
        matches = {s for s in RuntimeStatus if s.value == item or s.number == number}
        is_valid = is_valid or number is not None or bool(matches)
        found |= matches
    return frozenset(found) if is_valid else None


def _integer(text: str) -> int | None:
    """A 32-bit decimal integer, else None."""
    number = int(text) if _INT.fullmatch(text) else None
    return number if number is not None and number in _INT32 else None
