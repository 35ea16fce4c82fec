"""One request and its answer, and the connections that carry them, kept alive between requests.

What a case writes is sent as written: no path is escaped, no redirect followed, no header added
but `Host` and the body's length.
"""

import contextlib
import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from durahost.contract.errors import ContractError

REQUEST_LIMIT_S = 60.0
"""Longer than any wait that a case asks a target for."""

_HAS_BODY = ("POST", "PUT", "PATCH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent. url: absolute, as it goes over the wire."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. headers: names lower-cased, repeated ones joined with ", "."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; bytes that are none are shown as escapes."""
        return self.body.decode("utf-8", "backslashreplace")

    @property
    def json(self) -> Any:
        """The body as JSON. Errors: ValueError."""
        return json.loads(self.body)


class Transport(Protocol):
    """What carries a request to a target and brings its answer."""

    def send(self, request: Request) -> Answer:
        """Send and read the answer whole.

        Errors: ContractError when the target cannot be spoken to.
        """
        ...


class Connections:
    """Sends requests, over one connection for each origin."""

    def __init__(self) -> None:
        self._open: dict[str, http.client.HTTPConnection] = {}

    def send(self, request: Request) -> Answer:
        """Send and read the answer whole; once more when a kept connection turns out closed.

        Errors: ContractError when the target cannot be spoken to.
        """
        origin, target = split_url(request.url)
        is_kept = origin in self._open
        try:
            return self._send(origin, target, request)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._drop(origin)
            if is_kept and isinstance(error, ConnectionError):
                return self.send(request)
            raise ContractError(
                f"No answer to {request.method} {request.url}: {type(error).__name__}: {error}. "
                "Is the target running, and is this its address?"
            ) from error

    def close(self) -> None:
        """Close every connection."""
        for origin in list(self._open):
            self._drop(origin)

    def _send(self, origin: str, target: str, request: Request) -> Answer:
        connection = self._open.get(origin) or _connect(origin)
        self._open[origin] = connection
        given = {name.lower() for name in request.headers}
        connection.putrequest(
            request.method, target, skip_host="host" in given, skip_accept_encoding=True
        )
        for name, value in request.headers.items():
            connection.putheader(name, value)
        is_chunked = "transfer-encoding" in given
        if not is_chunked and (request.body is not None or request.method in _HAS_BODY):
            connection.putheader("Content-Length", str(len(request.body or b"")))
        connection.endheaders(_chunks(request.body) if is_chunked else request.body)
        response = connection.getresponse()
        headers: dict[str, str] = {}
        for name, value in response.getheaders():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        answer = Answer(status=response.status, headers=headers, body=response.read())
        if response.will_close:
            self._drop(origin)
        return answer

    def _drop(self, origin: str) -> None:
        connection = self._open.pop(origin, None)
        if connection is not None:
            connection.close()


@contextlib.contextmanager
def connections() -> Iterator[Connections]:
    """Connections that are closed at the end."""
    opened = Connections()
    try:
        yield opened
    finally:
        opened.close()


def split_url(url: str) -> tuple[str, str]:
    """Origin and the rest of an absolute address, neither changed."""
    scheme, _, rest = url.partition("://")
    authority, slash, target = rest.partition("/")
    return f"{scheme}://{authority}", (slash + target) or "/"


def _connect(origin: str) -> http.client.HTTPConnection:
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ContractError(f"'{origin}' is no address; give it as http(s)://host[:port].")
    is_secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if is_secure else http.client.HTTPConnection
    return kind(parts.hostname, parts.port, timeout=REQUEST_LIMIT_S)


def _chunks(body: bytes | None) -> bytes:
    start = f"{len(body):x}\r\n".encode() + body + b"\r\n" if body else b""
    return start + b"0\r\n\r\n"
