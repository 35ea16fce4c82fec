"""The management API of Durable Functions: its routes, and the errors they share.

Served below the webhook path and by the local RPC endpoint alike.
Source: Azure/azure-functions-durable-extension: HttpApiHandler.cs (HandleRequestAsync), as of
3.x head.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv6Address

from starlette.responses import Response

from durahost.codec.rest import Links
from durahost.http import entity_operations, errors, operations
from durahost.http.errors import ApiArgumentError, ApiFailure, empty
from durahost.http.operations import ApiCall
from durahost.http.requests import ClientGone, HttpRequest, decode_api_path, parse_query
from durahost.http.turns import Turns
from durahost.management import Managements
from durahost.registry import DurableKind, Registry

logger = logging.getLogger(__name__)

_Handler = Callable[[ApiCall], Awaitable[Response]]

_LISTS: Mapping[str, _Handler] = {
    "GET": operations.list_instances,
    "DELETE": operations.purge_by,
}
_INSTANCE: Mapping[str, _Handler] = {"GET": operations.status, "DELETE": operations.purge}
_OPERATIONS: Mapping[str, _Handler] = {
    "terminate": operations.terminate,
    "rewind": operations.rewind,
    "restart": operations.restart,
    "suspend": operations.suspend,
    "resume": operations.resume,
}
_ENTITY_METHODS: Mapping[str, _Handler] = {
    "GET": entity_operations.list_entities,
    "POST": entity_operations.signal,
    "DELETE": entity_operations.signal,
}
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?")
_PORT = re.compile(r":(\d+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """What the API knows of its app.

    links: hub, connection and key of the app as of now, with the origin that serves when a request
        has none.
    now: the app's time. registry: the functions served now. has_connection: whether a named
        connection can be resolved. provider: the storage provider's type. uses_app_lease: whether
        the app may ask to be primary.
    """

    links: Callable[[], Links]
    now: Callable[[], datetime]
    uses_forwarded_host: bool = False
    registry: Callable[[], Registry | None] = lambda: None
    has_connection: Callable[[str], bool] = lambda name: True
    provider: str = operations.AZURE_STORAGE
    uses_app_lease: bool = True


class DurableApi:
    """Answers management requests; raises nothing but ClientGone."""

    def __init__(self, managements: Managements, settings: ApiSettings) -> None:
        self._managements = managements
        self._settings = settings
        self._turns = Turns()
        # Of the app's own links only the key changes.
        self._own = settings.links()

    async def respond(self, request: HttpRequest, base_length: int) -> Response:
        """Answer a request whose decoded path begins with a base of that many characters."""
        if request.method == "GET":
            await self._turns.wait()
        try:
            found = find_operation(request.method, request.raw_path, base_length)
            if found is None:
                return empty(404)
            handler, arguments = found
            if handler is operations.make_primary and not self._settings.uses_app_lease:
                return operations.refuse_primary()
            return await handler(self._bind(request, arguments))
        except ClientGone:
            raise
        except Exception as error:
            if not errors.is_expected(error):
                logger.exception("%s %s failed", request.method, request.raw_path)
            return errors.response_for(error)

    def _bind(self, request: HttpRequest, arguments: tuple[str, ...]) -> ApiCall:
        query = parse_query(request.raw_query)
        hub, connection = query.hub, query.connection
        own = self._own
        is_known = connection is None or connection == own.connection
        if connection is not None and not (is_known or self._settings.has_connection(connection)):
            # Source: same repository: Storage/StorageServiceClientProviderFactory.cs
            text = f"Unable to resolve the Azure Storage connection named '{connection}'."
            raise ApiFailure(text)

        def links() -> Links:
            origin = self._link_origin(request, own.origin)
            return Links(
                origin=origin,
                hub=hub or own.hub,
                connection=connection or own.connection,
                key=self._settings.links().key,
            )

        def unknown_text(kind: DurableKind, name: str) -> str | None:
            is_own = is_known and (hub is None or hub.lower() == own.hub.lower())
            return self._unknown_text(kind, name) if is_own else None

        return ApiCall(
            request=request,
            query=query,
            hub=self._managements(hub),
            arguments=arguments,
            links=links,
            location=lambda: (request.origin or own.origin) + request.target,
            unknown_text=unknown_text,
            now=self._settings.now,
            provider=self._settings.provider,
        )

    def _link_origin(self, request: HttpRequest, own: str) -> str:
        """Where links point. Of a header on several lines the first counts; none is split.

        Source: dotnet/runtime: HttpHeaders.cs (ParseSingleRawHeaderValue, of headers without a
        parser).
        """
        origin = request.origin or own
        host = request.first_header("x-forwarded-host")
        scheme = request.first_header("x-forwarded-proto")
        if self._settings.uses_forwarded_host and host is not None and scheme is not None:
            return _forwarded(origin, scheme, host)
        return origin

    def _unknown_text(self, kind: DurableKind, name: str) -> str | None:
        registry = self._settings.registry()
        if registry is None or registry.knows(kind, name):
            return None
        return registry.unknown_text(kind, name)


@lru_cache(maxsize=256)  # the same path at each poll
def find_operation(
    method: str, raw_path: str, base_length: int
) -> tuple[_Handler, tuple[str, ...]] | None:
    """The operation of a path, and its arguments; literals ignore case.

    base_length: so many characters of the decoded path are not looked at.
    Errors: ApiArgumentError for a path with fewer.
    """
    path = decode_api_path(raw_path)
    if len(path) < base_length:
        raise ApiArgumentError(
            "startIndex cannot be larger than length of string. (Parameter 'startIndex')",
            "System.ArgumentOutOfRangeException",
        )
    root, *rest = path[base_length:].strip("/").split("/")
    if "" in (root, *rest):
        return None
    handler: _Handler | None = None
    match root.lower(), rest:
        case "orchestrators", [_] | [_, _] if method == "POST":
            handler = operations.start
        case "entities", [_, _] if method == "GET":
            handler = entity_operations.read
        case "entities", [] | [_] | [_, _]:
            handler = _ENTITY_METHODS.get(method)
        case "instances", _:
            return _find_instances(method, rest)
        case "makeprimary", []:
            handler = operations.make_primary
        case _:
            pass
    return None if handler is None else (handler, tuple(rest))


def _find_instances(method: str, rest: list[str]) -> tuple[_Handler, tuple[str, ...]] | None:
    handler: _Handler | None = None
    match rest:
        case []:
            handler = _LISTS.get(method)
        case [_]:
            handler = _INSTANCE.get(method)
        case [_, operation] if method == "POST":
            handler = _OPERATIONS.get(operation.lower())
        case [instance_id, word, name] if method == "POST" and word.lower() == "raiseevent":
            return operations.raise_event, (instance_id, name)
        case _:
            pass
    return None if handler is None else (handler, tuple(rest))


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
