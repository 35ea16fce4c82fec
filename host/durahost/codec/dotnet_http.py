"""What .NET's HttpClient makes of a request and an answer, with the texts of its exceptions.

Source of every rule and text: dotnet/runtime: src/libraries/System.Net.Http: KnownHeaders.cs,
HttpHeaders.cs, MediaTypeHeaderValue.cs, RedirectHandler.cs,
Resources/Strings.resx; src/libraries/System.Net.Primitives: HttpStatusCode.cs.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

REQUEST_ERROR = "System.Net.Http.HttpRequestException"
TIMEOUT_ERROR = "System.TimeoutException"
CANCELED_ERROR = "System.Threading.Tasks.TaskCanceledException"
INVALID_OPERATION = "System.InvalidOperationException"
FORMAT_ERROR = "System.FormatException"

NOT_ABSOLUTE = (
    "An invalid request URI was provided. "
    "Either the request URI must be an absolute URI or BaseAddress must be set."
)
OTHER_SCHEME = "The '{}' scheme is not supported."
BAD_HOST = "Invalid URI: The hostname could not be parsed."
MISUSED = (
    "Misused header name, '{}'. Make sure request headers are used with HttpRequestMessage, "
    "response headers with HttpResponseMessage, and content headers with HttpContent objects."
)
BAD_HEADER_NAME = "The header name '{}' has an invalid format."
BAD_VALUE = "The format of value '{}' is invalid."
NEW_LINES = "New-line characters are not allowed in header values."
NOT_ASCII = "Request headers must contain only ASCII characters."
CHUNKED_NOTHING = (
    "'Transfer-Encoding: chunked' header can not be used when content object is not specified."
)
NO_SUCCESS = "Response status code does not indicate success: {}."

MAX_REDIRECTS = 50
"""HttpClientHandler.MaxAutomaticRedirections."""

_MOVED = (300, 301, 302, 303, 307, 308)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_MEDIA_TYPE = re.compile(f"{_TOKEN.pattern}/{_TOKEN.pattern}")
_PRODUCT = re.compile(r"\([^()]*\)|[^\s()]+")
_NO_HOST = re.compile(r"[\s\x00-\x20\"#%<>?\\^`{|}]")
_BARE_ORIGIN = re.compile(r"https?://[^/?#\\]+", re.IGNORECASE)


def _names(text: str) -> dict[str, str]:
    return {name.lower(): name for name in text.split()}


_CONTENT = _names(
    "Allow Content-Disposition Content-Encoding Content-Language Content-Length Content-Location "
    "Content-MD5 Content-Range Content-Type Expires Last-Modified"
)
_RESPONSE = _names(
    "Accept-Ranges Access-Control-Allow-Credentials Access-Control-Allow-Headers "
    "Access-Control-Allow-Methods Access-Control-Allow-Origin Access-Control-Expose-Headers Age "
    "Alt-Svc ETag Location Proxy-Authenticate Retry-After Server Vary WWW-Authenticate"
)
_OTHERS = _names(
    "Access-Control-Max-Age Cache-Control Connection Content-Security-Policy Date Expect-CT "
    "Keep-Alive Link P3P Pragma Proxy-Connection Proxy-Support Public-Key-Pins Referrer-Policy "
    "Refresh Server-Timing Set-Cookie Set-Cookie2 Strict-Transport-Security Trailer "
    "Transfer-Encoding TSV Upgrade Upgrade-Insecure-Requests Via Warning X-AspNet-Version "
    "X-Content-Duration X-Content-Type-Options X-Frame-Options X-MSEdge-Ref X-Powered-By "
    "X-Request-ID X-UA-Compatible X-XSS-Protection"
)
_SPELLINGS = {**_RESPONSE, **_OTHERS}
_LISTS = _names("Accept-Ranges Connection Pragma Trailer Transfer-Encoding Upgrade Vary Via")

_STATUS_WORDS = """
    400 BadRequest 401 Unauthorized 402 PaymentRequired 403 Forbidden 404 NotFound
    405 MethodNotAllowed 406 NotAcceptable 407 ProxyAuthenticationRequired 408 RequestTimeout
    409 Conflict 410 Gone 411 LengthRequired 412 PreconditionFailed 413 RequestEntityTooLarge
    414 RequestUriTooLong 415 UnsupportedMediaType 416 RequestedRangeNotSatisfiable
    417 ExpectationFailed 421 MisdirectedRequest 422 UnprocessableEntity 423 Locked
    424 FailedDependency 426 UpgradeRequired 428 PreconditionRequired 429 TooManyRequests
    431 RequestHeaderFieldsTooLarge 451 UnavailableForLegalReasons 500 InternalServerError
    501 NotImplemented 502 BadGateway 503 ServiceUnavailable 504 GatewayTimeout
    505 HttpVersionNotSupported 506 VariantAlsoNegotiates 507 InsufficientStorage
    508 LoopDetected 510 NotExtended 511 NetworkAuthenticationRequired
"""
_STATUS_NAMES = {int(code): name for code, name in re.findall(r"(\d+) (\w+)", _STATUS_WORDS)}


class DotnetError(Exception):
    """What .NET would throw: the exception's full type name and its message."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request as it goes over the wire; body None means that there is none."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    is_chunked: bool = False


def prepare(
    method: str, url: str, headers: Mapping[str, Sequence[str]], content: str | None
) -> Outgoing:
    """Check a request and give it its body.

    A Content-Type stands only beside content, and only as a bare media type.
    Source: Azure/azure-functions-durable-extension: Listener/TaskHttpActivityShim.cs
    (ConvertToHttpRequestMessage). Errors: DotnetError.
    """
    if not _TOKEN.fullmatch(method):
        raise DotnetError(FORMAT_ERROR, "The format of the HTTP method is invalid.")
    content_type, sent = "", {}
    for name, values in headers.items():
        if name.lower() == "content-type":
            content_type = _content_type(values)
        else:
            sent[name] = _header_value(name, values)
    chunked = [name for name in sent if name.lower() == "transfer-encoding"]
    is_chunked = any(sent.pop(name).lower() == "chunked" for name in chunked)
    if content is None and is_chunked:
        raise DotnetError(REQUEST_ERROR, CHUNKED_NOTHING)
    if content is not None:
        sent["Content-Type"] = _body_type(content_type)
    body = None if content is None else content.encode("utf-8", "replace")
    check_url(url)
    return Outgoing(method=method, url=url, headers=sent, body=body, is_chunked=is_chunked)


def check_url(url: str) -> None:
    """Whether the client can send there at all. Errors: DotnetError."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise DotnetError("System.UriFormatException", BAD_HOST) from error
    if not parts.scheme:
        raise DotnetError(INVALID_OPERATION, NOT_ABSOLUTE)
    if parts.scheme not in ("http", "https"):
        raise DotnetError("System.NotSupportedException", OTHER_SCHEME.format(parts.scheme))
    if not host or _NO_HOST.search(host):
        raise DotnetError("System.UriFormatException", BAD_HOST)


def redirected(sent: Outgoing, status: int, location: str | None) -> Outgoing | None:
    """The request that follows a redirect; None when the answer stands.

    The Authorization header is not sent again, and https is never left for http.
    """
    if status not in _MOVED or not location:
        return None
    url = urljoin(sent.url, location)
    if sent.url.lower().startswith("https:") and not url.lower().startswith("https:"):
        return None
    check_url(url)
    method, kept = sent.method.upper(), dict(sent.headers)
    dropped = ["authorization"]
    if status in (300, 301, 302):
        becomes_get = method == "POST"
    else:
        becomes_get = status == 303 and method not in ("GET", "HEAD")
    if becomes_get:
        sent = replace(sent, method="GET", body=None, is_chunked=False)
        dropped.append("content-type")
    kept = {name: value for name, value in kept.items() if name.lower() not in dropped}
    return replace(sent, url=url, headers=kept)


def response_headers(pairs: Iterable[tuple[str, str]]) -> dict[str, str | list[str]]:
    """HttpResponseMessage.Headers: no content headers, known names in .NET's spelling.

    Values of list headers are apart; one value is a string, several are a list.
    """
    found: dict[str, list[str]] = {}
    spelled: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        if key not in _CONTENT:
            name = spelled.setdefault(key, _SPELLINGS.get(key, name))
            found.setdefault(name, []).extend(_values(key, value))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def check_success(status: int, reason: str, retried: Sequence[int]) -> None:
    """Fail an answer that retry options ask to repeat.

    Source: Azure/azure-functions-durable-extension: Listener/TaskHttpActivityShim.cs (RunAsync).
    Errors: DotnetError.
    """
    if not retried and not 200 <= status <= 299:
        shown = f"{status} ({reason})" if reason else f"{status}"
        raise DotnetError(REQUEST_ERROR, NO_SUCCESS.format(shown))
    if status in retried:
        name = _STATUS_NAMES.get(status, f"{status}")
        raise DotnetError(REQUEST_ERROR, f"Status code {name} received, retry requested.")


def status_code(given: object) -> int:
    """An HttpStatusCode by number or by name. Errors: ValueError."""
    for code, name in _STATUS_NAMES.items():
        if name.lower() == str(given).lower():
            return code
    if isinstance(given, int | str) and str(given).isdecimal():
        return int(str(given))
    raise ValueError(f"Error converting value \"{given}\" to type 'System.Net.HttpStatusCode'.")


def _content_type(values: Sequence[str]) -> str:
    if any("multipart" in value for value in values):
        raise DotnetError(
            "Microsoft.Azure.WebJobs.Extensions.DurableTask.FunctionFailedException",
            "Multipart content is not supported with CallHttpAsync.",
        )
    return values[-1] if values else ""


def _body_type(given: str) -> str:
    if given.lower() == "application/x-www-form-urlencoded":
        return f"{given}; charset=utf-8"
    if given and not _MEDIA_TYPE.fullmatch(given):
        raise DotnetError(FORMAT_ERROR, BAD_VALUE.format(given))
    return given or "text/plain"


def _header_value(name: str, values: Sequence[str]) -> str:
    if not _TOKEN.fullmatch(name):
        raise DotnetError(FORMAT_ERROR, BAD_HEADER_NAME.format(name))
    if name.lower() in _CONTENT or name.lower() in _RESPONSE:
        raise DotnetError(INVALID_OPERATION, MISUSED.format(name))
    value = (" " if name.lower() == "user-agent" else ", ").join(values)
    if any(sign in value for sign in "\r\n\0"):
        raise DotnetError(FORMAT_ERROR, NEW_LINES)
    if not value.isascii():
        raise DotnetError(REQUEST_ERROR, NOT_ASCII)
    return value


def _values(key: str, value: str) -> list[str]:
    if key == "server":
        return _PRODUCT.findall(value)
    if key in _LISTS:
        return [part.strip() for part in value.split(",") if part.strip()]
    if key == "location" and _BARE_ORIGIN.fullmatch(value):
        return [f"{value}/"]
    return [value]
