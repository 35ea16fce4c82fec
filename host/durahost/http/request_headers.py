"""The headers of a request, read once for all requests that come with the same ones.

A client sends the same headers again and again, but for those that tell about a body.
"""

from collections.abc import Mapping
from functools import lru_cache

from durahost.model.values import dataclass

RawHeader = tuple[bytes, bytes]
"""A name, lower-case, and a value, as they came."""

_GO_ON = b"100-continue"


@dataclass(frozen=True, slots=True)
class RequestHeaders:
    """What the headers say; shared, so that nobody changes it.

    joined: repeated ones joined with ","; firsts: the first value of each of those. hosts: all that
    are named. waits_to_send: whether the client sends the body only when it is told to.
    """

    joined: Mapping[str, str]
    firsts: Mapping[str, str]
    hosts: tuple[bytes, ...]
    waits_to_send: bool


@lru_cache(maxsize=128)
def read_headers(raw: tuple[RawHeader, ...]) -> RequestHeaders:
    """Read them."""
    joined: dict[str, str] = {}
    firsts: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name in joined:
            firsts.setdefault(name, joined[name])
            value = f"{joined[name]},{value}"
        joined[name] = value
    hosts = tuple(value for name, value in raw if name == b"host")
    waits_to_send = any(name == b"expect" and value.lower() == _GO_ON for name, value in raw)
    return RequestHeaders(joined, firsts, hosts, waits_to_send)
