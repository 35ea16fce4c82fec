"""How the host's own endpoints are found: a method, and a path with at most one placeholder.

A wrong method is no match, so it is a 404 in the end: there is no 405.
Source: Azure/azure-functions-host: Controllers (their Route attributes).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.responses import Response

from durahost.http.authorization import Endpoint
from durahost.http.requests import HttpRequest

PLACEHOLDER = "{name}"


@dataclass(frozen=True, slots=True)
class AdminCall:
    """A request to an endpoint, and what stands where its path has the placeholder."""

    request: HttpRequest
    name: str = ""


@dataclass(frozen=True, slots=True)
class AdminRoute:
    """One endpoint; methods (): it answers to every method. is_open: to everybody, key or not."""

    methods: Sequence[str]
    path: str
    answer: Callable[[AdminCall], Awaitable[Response]]
    is_open: bool = False

    @property
    def title(self) -> str:
        """As the docs name it."""
        return f"{', '.join(self.methods)} {self.path}".strip()


def find_route(routes: Sequence[AdminRoute], request: HttpRequest) -> Endpoint | None:
    """What the request has reached; None for paths and methods that are not routed."""
    segments = request.path.strip("/").split("/")
    for route in routes:
        if route.methods and request.method not in route.methods:
            continue
        found, name = _match(route.path.strip("/").split("/"), segments)
        if found:
            return Endpoint(partial(route.answer, AdminCall(request, name)), route.is_open)
    return None


def _match(pattern: Sequence[str], segments: Sequence[str]) -> tuple[bool, str]:
    """Whether segments are those of the pattern, without case, and the placeholder's value."""
    name = ""
    if len(pattern) != len(segments):
        return False, name
    for expected, given in zip(pattern, segments, strict=True):
        if expected == PLACEHOLDER:
            name = given
        elif expected != given.lower():
            return False, name
    return True, name
