"""What a client receives for what a function returned.

Source: Azure/azure-functions-host: src/WebJobs.Script/Binding/Http/HttpBinding.cs,
src/WebJobs.Script/Description/Workers/WorkerFunctionInvoker.cs (BindOutputsAsync),
src/WebJobs.Script.Grpc/MessageExtensions/GrpcMessageExtensionUtilities.cs.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from durahost.http.answers import BODILESS, Answer
from durahost.http.errors import empty
from durahost.http.sniffing import sniff
from durahost.model.functions import FunctionMetadata
from durahost.worker.base import HttpData, Returned, TypedData

logger = logging.getLogger(__name__)

TEXT_TYPE = "text/plain; charset=utf-8"
RETURN_BINDING = "$return"

_STATUS = re.compile(r"[-+]?\d{1,99}", re.ASCII)
_HEADER_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
_SERVER_OWNED = frozenset({"content-length", "transfer-encoding", "connection", "date"})
_INT32 = range(-(1 << 31), 1 << 31)


class UnsendableResponse(Exception):
    """The function's response is none that HTTP allows; Azure's web server fails on it too."""


def build_response(function: FunctionMetadata, returned: Returned) -> Response:
    """Build the response; a function that set none answers 204.

    Errors: UnsendableResponse, which a client sees as 500.
    """
    value = _http_output(function, returned)
    if value is None:
        return empty(204)
    if value.kind == "http":
        return _of_http(value.value)
    if value.kind in {"string", "json"}:
        found = sniff(value.value)
        return _make(found.status, found.body.encode(), found.headers.items())
    if value.kind == "bytes":
        return _make(200, value.value, ())
    return _make(200, str(value.value).encode(), ())


def _http_output(function: FunctionMetadata, returned: Returned) -> TypedData | None:
    for binding in function.bindings:
        if binding.is_output and binding.is_type("http"):
            if binding.name == RETURN_BINDING:
                return returned.value
            return returned.outputs.get(binding.name)
    return None


def _of_http(data: HttpData) -> Response:
    # HttpBinding.cs (TryParseStatusCode): what is no Int32 leaves 200.
    status = int(data.status) if _STATUS.fullmatch(data.status.strip()) else 200
    response = _make(status if status in _INT32 else 200, data.body, data.headers.items())
    for cookie in data.cookies:
        response.raw_headers.append(_sent_header(b"set-cookie", format_cookie(cookie)))
    return response


def _make(status: int, body: bytes, headers: Iterable[tuple[str, str]]) -> Response:
    if not 200 <= status <= 599:
        raise UnsendableResponse(f"status {status} is outside 200 to 599")
    if status in BODILESS and body:
        raise UnsendableResponse(f"a response with status {status} cannot have a body")
    kept: dict[bytes, str] = {}
    for name, value in headers:
        if (sent := _sent_name(name)) is not None:
            kept[sent] = value
    if status not in BODILESS:
        kept.setdefault(b"content-type", TEXT_TYPE)
    return Answer(status, body, [_sent_header(name, value) for name, value in kept.items()])


@lru_cache(maxsize=256)  # functions set the same few
def _sent_name(name: str) -> bytes | None:
    """The name as it is sent; None for a header that the server sets itself."""
    if not _HEADER_NAME.fullmatch(name):
        raise UnsendableResponse(f"header {name!r} has a name that HTTP does not allow")
    return None if name.lower() in _SERVER_OWNED else name.lower().encode()


def _sent_header(name: bytes, value: str) -> tuple[bytes, bytes]:
    if not _HEADER_VALUE.fullmatch(value):
        raise UnsendableResponse(f"header {name!r} has a value that HTTP does not allow")
    return name, value.encode()


def format_cookie(cookie: Mapping[str, Any]) -> str:
    """Write RpcHttpCookie's fields as a Set-Cookie value, in the host's order.

    expires: RFC 3339 text. max_age: seconds. An attribute that is "" is written empty.
    Source: dotnet/aspnetcore: src/Http/Headers/src/SetCookieHeaderValue.cs (AppendToStringBuilder),
    src/Http/Http/src/Internal/ResponseCookies.cs (Append).
    """
    parts = [f"{cookie['name']}={quote(str(cookie.get('value') or ''), safe='')}"]
    if cookie.get("expires"):
        when = datetime.fromisoformat(str(cookie["expires"]))
        parts.append(f"expires={when:%a, %d %b %Y %H:%M:%S} GMT")
    if cookie.get("max_age") is not None:
        parts.append(f"max-age={int(cookie['max_age'])}")
    parts += [
        f"{name}={cookie[name]}" for name in ("domain", "path") if cookie.get(name) is not None
    ]
    if cookie.get("secure"):
        parts.append("secure")
    same_site = _SAME_SITE.get(str(cookie.get("same_site")))
    if same_site is not None:
        parts.append(f"samesite={same_site}")
    if cookie.get("http_only"):
        parts.append("httponly")
    return "; ".join(parts)


_SAME_SITE = {"Lax": "lax", "Strict": "strict", "ExplicitNone": "none"}
