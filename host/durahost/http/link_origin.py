"""Where links point that a client is given: to the host, or to the proxy before it."""

import re
from ipaddress import IPv6Address

from durahost.http.errors import ApiArgumentError, ApiFailure
from durahost.http.requests import HttpRequest

_DEFAULT_PORTS = {"http": "80", "https": "443"}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?")
_PORT = re.compile(r":(\d+)$")


def link_origin(request: HttpRequest, own: str, *, uses_forwarded_host: bool) -> str:
    """The origin of a client's links.

    Of a header on several lines the first counts; none is split.
    own: the origin for a request that names no host. Errors: as `_forwarded`.
    Source: dotnet/runtime: HttpHeaders.cs (ParseSingleRawHeaderValue, of headers without a
    parser).
    """
    origin = request.origin or own
    host = request.first_header("x-forwarded-host")
    scheme = request.first_header("x-forwarded-proto")
    if uses_forwarded_host and host is not None and scheme is not None:
        return _forwarded(origin, scheme, host)
    return origin


def _forwarded(origin: str, scheme: str, host: str) -> str:
    """Replace scheme and host, keep the port, as .NET's UriBuilder does.

    Errors: ApiArgumentError for a scheme that is none; ApiFailure for a host that is none, such as
    one with a port of its own.
    Source: dotnet/runtime: UriBuilder.cs; Strings.resx (net_uri_BadScheme, net_uri_BadHostName).
    """
    scheme, host = scheme.partition(":")[0].lower(), host.lower()
    if scheme and not _SCHEME.fullmatch(scheme):
        text = "Invalid URI: The URI scheme is not valid. (Parameter 'value')"
        raise ApiArgumentError(text)
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    if not scheme or not _is_host(host):
        raise ApiFailure(
            "Invalid URI: The hostname could not be parsed.", "System.UriFormatException"
        )
    old_scheme, _, authority = origin.partition("://")
    port = _PORT.search(authority)
    number = port[1] if port else _DEFAULT_PORTS.get(old_scheme, "")
    return f"{scheme}://{host}" + ("" if number == _DEFAULT_PORTS.get(scheme) else f":{number}")


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return _HOST.fullmatch(host) is not None
    try:
        return bool(IPv6Address(host[1:].removesuffix("]"))) and host.endswith("]")
    except ValueError:
        return False
