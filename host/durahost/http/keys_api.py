"""The keys API below `/admin`: list, show, make, set and delete keys.

Source: Azure/azure-functions-host: Controllers/KeysController.cs, Models/ApiModelUtility.cs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from durahost.host_state import HostState
from durahost.http.authorization import Endpoint
from durahost.http.errors import empty, json_response
from durahost.http.mvc import bad_request, get_member, is_json, read_body
from durahost.http.requests import HttpRequest
from durahost.keys import HOST_RING, MASTER_KEY, SYSTEM_RING, HostKeys, KeyRing, function_ring
from durahost.registry import Registry

_HOST_RINGS = {"keys": HOST_RING, "functionkeys": HOST_RING, "systemkeys": SYSTEM_RING}
_ALL_KEYS_METHODS = frozenset({"GET"})
_ONE_KEY_METHODS = frozenset({"GET", "POST", "PUT", "DELETE"})
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request about one key, or with the name None about all keys of a ring.

    is_there: whether the function is, that the ring belongs to.
    """

    request: HttpRequest
    ring: KeyRing
    name: str | None
    is_there: bool = True


class KeysApi:
    """Answers what the host's API says of keys."""

    def __init__(self, keys: HostKeys, state: HostState, origin: str) -> None:
        """Keep the parts; origin: of links, when a request has none."""
        self._keys = keys
        self._state = state
        self._origin = origin

    def find(self, request: HttpRequest) -> Endpoint | None:
        """What the request has reached; None for paths and methods that are not routed here."""
        segments = request.path.strip("/").split("/")
        match [segment.lower() for segment in segments]:
            case ["admin", "host", scope, *names] if scope in _HOST_RINGS:
                asked = _Asked(request, _HOST_RINGS[scope], segments[3] if names else None)
            case ["admin", "functions", _, "keys", *names]:
                function = segments[2]
                is_there = _is_function(self._state.registry, function)
                name = segments[4] if names else None
                asked = _Asked(request, function_ring(function), name, is_there)
            case _:
                return None
        methods = _ONE_KEY_METHODS if names else _ALL_KEYS_METHODS
        is_routed = len(names) <= 1 and asked.name != "" and request.method in methods
        return Endpoint(partial(self._answer, asked)) if is_routed else None

    async def _answer(self, asked: _Asked) -> Response:
        match asked.request.method:
            case "PUT":
                return await self._put(asked)
            case "DELETE":
                return await self._delete(asked)
            case _ if not asked.is_there:
                return empty(404)
            case "POST":
                return await self._set(asked, None)
            case _:
                return await (self._list(asked) if asked.name is None else self._get(asked))

    async def _list(self, asked: _Asked) -> Response:
        keys = await self._keys.keys_on(asked.ring)
        shown = [{"name": name, "value": value} for name, value in keys.items()]
        return self._show(asked, 200, {"keys": shown})

    async def _get(self, asked: _Asked) -> Response:
        """One key; here, and only here, names compare with case."""
        keys = {**await self._keys.keys_on(asked.ring)}
        if asked.ring == SYSTEM_RING:
            keys[MASTER_KEY] = await self._keys.master_key()
        value = keys.get(str(asked.name))
        if value is None:
            return empty(404)
        return self._show(asked, 200, {"name": asked.name, "value": value})

    async def _put(self, asked: _Asked) -> Response:
        """Set a key; the name in the URL counts, not the one in the body."""
        if not is_json(asked.request.media_type):
            return empty(415)
        value = _read_value(asked.request.body)
        if value is None:
            return bad_request("Invalid key value")
        return await self._set(asked, value) if asked.is_there else empty(404)

    async def _set(self, asked: _Asked, value: str | None) -> Response:
        """Set a key; a fresh master key counts as created, a given one as updated."""
        name = str(asked.name)
        if name.lower() == MASTER_KEY and asked.ring in _HOST_RINGS.values():
            new, is_new = await self._keys.set_master_key(value), value is None
        else:
            new, is_new = await self._keys.set_key(asked.ring, name, value)
        return self._show(asked, 201 if is_new else 200, {"name": name, "value": new})

    async def _delete(self, asked: _Asked) -> Response:
        name = str(asked.name)
        if name.lower() == MASTER_KEY:
            return bad_request("Cannot delete System Key.")
        is_deleted = asked.is_there and await self._keys.delete_key(asked.ring, name)
        return empty(204 if is_deleted else 404)

    def _show(self, asked: _Asked, status: int, members: Mapping[str, Any]) -> Response:
        address = (asked.request.origin or self._origin) + asked.request.path
        # A header holds ASCII only; what Azure does with other names is not established.
        headers = {"location": quote(address, safe=_ASCII)} if status == 201 else None
        links = [{"rel": "self", "href": address}]
        return json_response(status, {**members, "links": links}, headers)


def _is_function(registry: Registry | None, name: str) -> bool:
    """Whether the app has the function, be it in error."""
    if registry is None:
        return False
    failing = {failure.name.lower() for failure in registry.failures}
    return registry.get(name) is not None or name.lower() in failing


def _read_value(body: bytes) -> str | None:
    """The key's value in a body; None when the body has none or is no JSON object."""
    members = read_body(body)
    found = get_member(members, "value") if isinstance(members, dict) else None
    return found if isinstance(found, str) else None
