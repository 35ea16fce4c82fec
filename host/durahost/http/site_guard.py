"""Whether a request comes from a web page that is none of this machine's.

Locally no key is asked for, so that any page that a developer looks at could start and delete
instances, if it were let in like everybody else. Its requests need the keys that they need on
Azure; what needs none there (an anonymous function) answers it here too. No other client sends
what a browser says of itself, and what a browser says no page can forge: `Sec-Fetch-Site`,
`Origin` and the name in `Host`, which gives away a page whose own name was rebound to this machine.
Sources: w3.org/TR/fetch-metadata; RFC 6761, RFC 6762, RFC 8375, RFC 2606 (names that no public
server of names knows); owasp.org: Cross-Site Request Forgery Prevention.
"""

import ipaddress
import logging
from collections.abc import Collection
from functools import lru_cache
from urllib.parse import urlsplit

from durahost.http.cors import CorsPolicy
from durahost.http.requests import HttpRequest, host_name

logger = logging.getLogger(__name__)

_OWN_SITES = frozenset({"same-origin", "none"})
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_PRIVATE_ENDS = (
    ".localhost", ".local", ".internal", ".home.arpa", ".test", ".example", ".invalid"
)  # fmt: skip


class SiteGuard:
    """Tells requests of foreign pages from all others.

    cors: origins listed there are let in; with `*` those of this machine are. names: names of the
    app beside private ones; None: it is reached by any name (it listens on the network).
    """

    def __init__(
        self, cors: CorsPolicy | None = None, names: Collection[str] | None = frozenset()
    ) -> None:
        self._cors = cors
        self._names = names

    def find_reason(self, request: HttpRequest) -> str | None:
        """What makes the request one of a foreign page, in words; None when nothing does."""
        headers = request.headers
        if self._names is not None:
            name = public_name(headers.get("host", ""))
            if name and name not in self._names:
                return f"by the name {request.host_name}, which --public-url can make the app's"
        if "origin" not in headers and "sec-fetch-site" not in headers:
            return None
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if not origin and not site:
            return None
        if not _is_from_elsewhere(request, origin, site):
            return None
        page = origin or _origin_of(headers.get("referer", ""))
        return None if self._trusts(page) else f"from a page of {page or 'another origin'}"

    def _trusts(self, origin: str) -> bool:
        if self._cors is None or not self._cors.allows(origin):
            return False
        return not self._cors.allows_any or is_loopback(urlsplit(origin).hostname or "")


@lru_cache(maxsize=256)  # asked at each request, of the same few hosts
def public_name(authority: str) -> str:
    """The name in a Host header, lower-case, if public servers may know it; else ""."""
    name = host_name(authority).lower().removesuffix(".")
    return "" if "." not in name or is_private(name) else name


def is_private(name: str) -> bool:
    """Whether a name is an address, or no public server of names can give it one."""
    return name.endswith(_PRIVATE_ENDS) or _address(name) is not None


def is_loopback(name: str) -> bool:
    """Whether a name or address is this machine's, to itself."""
    address = _address(name)
    if address is not None:
        return address.is_loopback
    return name == "localhost" or name.endswith(".localhost")


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def _is_from_elsewhere(request: HttpRequest, origin: str | None, site: str | None) -> bool:
    """A click on a link is the person's own doing, as for cookies that are SameSite=Lax."""
    if not site:
        return (origin or "").partition("://")[2].lower() != request.headers.get("host", "").lower()
    headers = request.headers
    is_click = headers.get("sec-fetch-mode") == "navigate" and (
        headers.get("sec-fetch-dest") == "document" and request.method in _SAFE_METHODS
    )
    return site not in _OWN_SITES and not is_click


def _origin_of(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}" if separator else ""
