"""Which HTTP function answers a method and a path.

Functions are tried in alphabetical order of their names and the first match wins: neither
specificity nor declaration order counts. A wrong method falls through to the next function.
Sources: Azure/azure-webjobs-sdk-extensions: WebJobsRouteBuilder.cs, WebJobsRouter.cs;
Azure/azure-functions-host: WebScriptHostHttpRoutesManager.cs.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from urllib.parse import quote, unquote_to_bytes

from durahost.functions.route_template import BadTemplate, RouteTemplate
from durahost.model.functions import Binding, FunctionMetadata
from durahost.model.values import dataclass

HTTP_TRIGGER = "httpTrigger"

_NOT_ESCAPED = "/!$&'()*+,;=:@-._~%"
_PLAIN_PATH = re.compile(r"[\w/!$&'()*+,;=:@.~-]*", re.ASCII)
_LONE_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
_ESCAPES = re.compile(r"(?:%(?!2[fF])[0-9a-fA-F]{2})+")


@dataclass(frozen=True)
class Route:
    """One function's route, for display and matching.

    methods: as written; None means all, empty means none. template: with the prefix.
    """

    function: FunctionMetadata
    methods: Sequence[str] | None
    template: str

    def allows(self, method: str) -> bool:
        """Whether the method is among them, ignoring case; HEAD is not implied by GET."""
        return self.methods is None or method.lower() in self._folded_methods

    @cached_property
    def _folded_methods(self) -> frozenset[str]:
        return frozenset(one.lower() for one in self.methods or ())


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """The function that answers, and its route values by parameter name."""

    function: FunctionMetadata
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class RouteTable:
    """The routes of one generation of the app, in order of precedence."""

    routes: Sequence[Route] = ()
    _templates: Sequence[RouteTemplate] = ()

    @classmethod
    def empty(cls) -> "RouteTable":
        """A table that matches nothing."""
        return cls()

    @classmethod
    def of(cls, functions: Sequence[FunctionMetadata], prefix: str) -> "RouteTable":
        """Build the table of the HTTP functions among these.

        prefix: `routePrefix` of host.json, "" for none.
        Errors: BadTemplate; discovery lets no function pass whose route is none (`find_fault`).
        """
        http = [one for one in functions if one.trigger.is_type(HTTP_TRIGGER)]
        routes = [
            Route(one, get_methods(one.trigger), _join(prefix, get_route(one)))
            for one in sorted(http, key=lambda one: one.name.upper())
        ]
        return cls(routes, [RouteTemplate.parse(route.template) for route in routes])

    def describe(self, prefix: str) -> str:
        """The lines of the host's log that tell the routes, as with `func start --verbose`.

        prefix: as given to `of`.
        Source: Azure/azure-functions-host: WebScriptHostHttpRoutesManager.cs.
        """
        mapped = [
            f"Mapped function route '{'' if prefix else '/'}{one.template}' "
            f"[{'all' if one.methods is None else ','.join(one.methods)}] to '{one.function.name}'"
            for one in self.routes
        ]
        title = "Initializing function HTTP routes"
        return "\n".join([title, *mapped]) if mapped else "No HTTP routes mapped"

    def match(self, method: str, path: str) -> RouteMatch | None:
        """Find the function for a request.

        path: as sent, percent-encoded, without the query.
        """
        return _match(self, method, path)


@lru_cache(maxsize=256)  # the same few paths of the table that serves
def _match(table: RouteTable, method: str, path: str) -> RouteMatch | None:
    decoded = decode_path(path)
    for route, template in zip(table.routes, table._templates, strict=True):
        if route.allows(method) and (params := template.match(decoded)) is not None:
            return RouteMatch(route.function, params)
    return None


def get_route(function: FunctionMetadata) -> str:
    """The route below the prefix: the binding's, or the function's name when that is blank."""
    route = str(function.trigger.get("route", ""))
    return route if route.strip() else function.name


def find_fault(function: FunctionMetadata, prefix: str) -> str | None:
    """Why the function's route is no template, in ASP.NET Core's words; None when it is one.

    Source of the first sentence: dotnet/aspnetcore: Routing/src/RouteBase.cs (its constructor).
    """
    template = _join(prefix, get_route(function))
    try:
        RouteTemplate.parse(template)
    except BadTemplate as error:
        return (
            f"An error occurred while creating the route with name '{function.name}' and template "
            f"'{template}'. {error}"
        )
    return None


def get_methods(trigger: Binding) -> Sequence[str] | None:
    """The methods as written; None when there are none, which means all."""
    methods = trigger.get("methods")
    if methods is None:
        return None
    return [str(one) for one in methods] if isinstance(methods, list | tuple) else [str(methods)]


def decode_path(path: str) -> str:
    """Decode percent escapes as the web server does: `%2F` and what is no UTF-8 stay as they are.

    Source: dotnet/aspnetcore: shared/UrlDecoder/UrlDecoder.cs.
    """
    return _ESCAPES.sub(_decode, path) if "%" in path else path


def encode_path(path: str) -> str:
    """A path as sent, decoded and encoded again: only what must be escaped is.

    What stays escaped after decoding stays so.
    Source: dotnet/aspnetcore: Http/Http.Abstractions/src/PathString.cs (ToUriComponent).
    """
    if "%" not in path and _PLAIN_PATH.fullmatch(path):
        return path
    return quote(_LONE_PERCENT.sub("%25", decode_path(path)), safe=_NOT_ESCAPED)


def _decode(found: re.Match[str]) -> str:
    try:
        return unquote_to_bytes(found.group()).decode()
    except UnicodeDecodeError:
        return found.group()


def _join(prefix: str, route: str) -> str:
    # WebJobsRouteBuilder.cs (BuildRouteTemplate); a leading "/" below a prefix is a fault there.
    return f"{prefix}/{route}" if prefix else route
