"""Sends one HTTP request with aiohttp, as .NET's HttpClient would, and reads the whole answer.

No header is invented but Host, Content-Length and the extension's User-Agent; nothing is
decompressed; redirects are the caller's; cookies are kept for the life of the host, as
HttpClientHandler keeps them.
Texts: dotnet/runtime: src/libraries/System.Net.Http/src/Resources/Strings.resx.
"""

import io
import os
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from durahost.codec.dotnet_http import BAD_HOST, REQUEST_ERROR, DotnetError, Outgoing

USER_AGENT = "Microsoft.Azure.WebJobs.Extensions.DurableTask/3.0.0"
"""Source: Azure/azure-functions-durable-extension: DurableHttpClientFactory.cs (GetClient)."""

MAX_BODY_BYTES = 104_857_600
"""What the Functions host takes as the body of a request (FUNCTIONS_REQUEST_BODY_SIZE_LIMIT);
HttpClient itself would take 2 GB."""

MAX_HEADER_BYTES = 65_536
"""HttpClientHandler.MaxResponseHeadersLength."""

MAX_COOKIES = 300
"""CookieContainer.DefaultCookieLimit."""

SSL_FAILED = "The SSL connection could not be established, see inner exception."
SEND_FAILED = "An error occurred while sending the request."
BODY_CUT = "Error while copying content to a stream."
BODY_TOO_BIG = "Cannot write more bytes to the buffer than the configured maximum buffer size: {}."
_NAME_UNKNOWN = "Name or service not known"
_CHUNK_BYTES = 65_536
_KEPT = "%/?:@!$&'()*+,;=~[]"
"""Signs that an URL may hold unescaped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An answer with its whole body; headers are pairs as received."""

    status: int
    reason: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def find(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key.lower() == name), None)


class HttpClient:
    """Sends over one pool of connections."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, request: Outgoing) -> Incoming:
        """Send once and read the answer; the caller limits the time. Errors: DotnetError."""
        url = _wire_url(request.url)
        if len(self._session.cookie_jar) > MAX_COOKIES:
            self._session.cookie_jar.clear()
        with _as_dotnet_errors(url):
            async with self._session.request(
                request.method,
                url,
                headers=request.headers,
                data=None if request.body is None else io.BytesIO(request.body),
                chunked=True if request.is_chunked else None,
                proxy=_proxy(url),
                allow_redirects=False,
            ) as response:
                return Incoming(
                    status=response.status,
                    reason=response.reason or "",
                    headers=[(_latin(key), _latin(value)) for key, value in response.raw_headers],
                    body=await _read(response),
                )


@asynccontextmanager
async def open_client() -> AsyncIterator[HttpClient]:
    """A client with a pool of its own, closed at the end."""
    async with aiohttp.ClientSession(
        headers={"User-Agent": USER_AGENT},
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type"),
        auto_decompress=False,
        cookie_jar=aiohttp.CookieJar(unsafe=True, quote_cookie=False),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
    ) as session:
        yield HttpClient(session)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise DotnetError(REQUEST_ERROR, BODY_TOO_BIG.format(MAX_BODY_BYTES))
    return bytes(body)


def _wire_url(text: str) -> URL:
    """The URL as sent: without user and fragment, escapes as they are, so that signed ones hold.

    Errors: DotnetError.
    """
    try:
        url, parts = URL(text), urlsplit(text)
        origin = url.origin()
    except ValueError as error:
        raise DotnetError("System.UriFormatException", BAD_HOST) from error
    path = quote(parts.path or "/", safe=_KEPT)
    query = f"?{quote(parts.query, safe=_KEPT)}" if parts.query else ""
    return URL(f"{origin}{path}{query}", encoded=True)


def _proxy(url: URL) -> str | None:
    """The proxy of the environment, as HttpClient uses it."""
    host = url.host or ""
    return None if proxy_bypass(host) else getproxies().get(url.scheme)


def _latin(raw: bytes) -> str:
    return raw.decode("latin-1")


@contextmanager
def _as_dotnet_errors(url: URL) -> Iterator[None]:
    """Most specific first: aiohttp's certificate and DNS errors are connector errors too."""
    try:
        yield
    except (aiohttp.ClientSSLError, ssl.SSLError) as error:
        raise DotnetError(REQUEST_ERROR, SSL_FAILED) from error
    except aiohttp.ClientConnectorDNSError as error:
        raise DotnetError(REQUEST_ERROR, f"{_NAME_UNKNOWN} ({_address(url)})") from error
    except aiohttp.ClientConnectorError as error:
        text = os.strerror(error.errno) if error.errno else SEND_FAILED
        raise DotnetError(REQUEST_ERROR, f"{text} ({_address(url)})") from error
    except aiohttp.ClientPayloadError as error:
        raise DotnetError(REQUEST_ERROR, BODY_CUT) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise DotnetError(REQUEST_ERROR, SEND_FAILED) from error


def _address(url: URL) -> str:
    return f"{url.host}:{url.port}"
