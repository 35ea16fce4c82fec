"""The management API of Durable Functions: its routes, and the errors they share.

Served below the webhook path and by the local RPC endpoint alike.
Source: Azure/azure-functions-durable-extension: HttpApiHandler.cs (HandleRequestAsync), as of
3.x head.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache

from starlette.responses import Response

from durahost.http import entity_operations, errors, operations
from durahost.http.api_call import ApiCall, ApiSettings
from durahost.http.errors import ApiArgumentError, ApiFailure, empty
from durahost.http.looks import Look
from durahost.http.requests import ClientGone, HttpRequest, decode_api_path, parse_query
from durahost.http.status_bodies import StatusBodies
from durahost.http.turns import Turns
from durahost.management import Managements

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


class DurableApi:
    """Answers management requests; raises nothing but ClientGone."""

    def __init__(self, managements: Managements, settings: ApiSettings) -> None:
        self._managements = managements
        self._settings = settings
        self._turns = Turns()
        # Of the app's own links only the key changes.
        self._own = settings.links()
        self._bodies = StatusBodies()

    def find_look(self, request: HttpRequest, base_length: int) -> Look | None:
        """What the request looks at, if it asks the app's own hub for a status without history."""
        found = find_operation("GET", request.raw_path, base_length)
        if found is None or found[0] is not operations.status:
            return None
        query, own = parse_query(request.raw_query), self._own
        is_own = query.hub in (None, own.hub) and query.connection in (None, own.connection)
        if not is_own or query.view.has_history:
            return None
        call = self._bind(request, found[1])
        return Look(
            hub=call.hub,
            instance_id=call.instance_id,
            view=query.view,
            location=call.location.encode("latin-1"),
            bodies=self._bodies,
            turns=self._turns,
        )

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
        app, own, connection = self._settings, self._own, query.connection
        if connection not in (None, own.connection) and not app.has_connection(connection):
            # Source: same repository: Storage/StorageServiceClientProviderFactory.cs
            text = f"Unable to resolve the Azure Storage connection named '{connection}'."
            raise ApiFailure(text)
        hub = self._managements(query.hub)
        return ApiCall(request, query, hub, arguments, app, own, self._bodies)


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
