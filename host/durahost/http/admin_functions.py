"""Endpoints that describe the app's functions.

Source: Azure/azure-functions-host: Controllers/FunctionsController.cs,
Models/FunctionMetadataResponse.cs, Extensions/FunctionMetadataExtensions.cs
(ToFunctionMetadataResponse), Management/VirtualFileSystem.cs (FilePathToVfsUri).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.responses import Response

from durahost.host_state import HostState
from durahost.http.admin_routing import AdminCall, AdminRoute
from durahost.http.errors import empty, json_response
from durahost.model.functions import FunctionMetadata
from durahost.registry import Registry
from durahost.tolerant_json import JsonTextError, read_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSettings:
    """What the endpoints tell of the app.

    origin: of links in lists, scheme and authority. route_prefix: of host.json.
    """

    host_id: str
    origin: str
    route_prefix: str = "api"


class FunctionEndpoints:
    """The list of functions, one of them, and what is wrong with one."""

    def __init__(self, state: HostState, settings: AdminSettings) -> None:
        self._state = state
        self._settings = settings

    @property
    def routes(self) -> Sequence[AdminRoute]:
        """Each with what answers it."""
        return (
            AdminRoute(("GET",), "/admin/functions", self._list),
            AdminRoute(("GET",), "/admin/functions/{name}", self._one),
            AdminRoute(("GET",), "/admin/functions/{name}/status", self._status),
        )

    @property
    def _registry(self) -> Registry:
        return self._state.registry or Registry()

    async def _list(self, call: AdminCall) -> Response:
        """Links begin with https here, also where nothing but http is served."""
        origin = "https://" + self._settings.origin.partition("://")[2]
        found = [self._describe(one, origin) for one in self._registry.known]
        return json_response(200, found)

    async def _one(self, call: AdminCall) -> Response:
        function = self._find(call.name)
        if function is None:
            return empty(404)
        origin = call.request.origin or self._settings.origin
        return json_response(200, self._describe(function, origin))

    async def _status(self, call: AdminCall) -> Response:
        name = call.name.lower()
        errors = [one.message for one in self._registry.failures if one.name.lower() == name]
        if errors:
            return json_response(200, {"errors": errors})
        return empty(404) if self._find(name) is None else json_response(200, {})

    def _find(self, name: str) -> FunctionMetadata | None:
        known = self._registry.known
        return next((one for one in known if one.name.lower() == name.lower()), None)

    def _describe(self, function: FunctionMetadata, origin: str) -> dict[str, Any]:
        vfs = f"{origin}/admin/vfs"
        folder = _folder(function)
        file = folder / "function.json" if folder else None
        return {
            "name": function.name,
            "script_root_path_href": f"{vfs}{folder.as_posix()}/" if folder else None,
            "script_href": f"{vfs}{function.script_file.as_posix()}",
            "config_href": f"{vfs}{file.as_posix()}" if file and file.is_file() else None,
            "test_data_href": None,
            "href": f"{origin}/admin/functions/{function.name}",
            "invoke_url_template": self._invoke_url(function, origin),
            "language": function.language,
            "config": _config(function, file),
            "files": None,
            "test_data": None,
            "isDisabled": function.name in self._registry.disabled,
            "isDirect": False,
            "isProxy": False,
        }

    def _invoke_url(self, function: FunctionMetadata, origin: str) -> str | None:
        """The whole template in lower case, parameters and all."""
        trigger = next((one for one in function.bindings if one.is_type("httpTrigger")), None)
        if trigger is None:
            return None
        prefix = self._settings.route_prefix.rstrip("/")
        start = f"{origin}/{prefix}" if prefix else origin
        return f"{start}/{trigger.get('route') or function.name}".lower()


def _folder(function: FunctionMetadata) -> Path | None:
    """The folder of the function's name, when there is one; decorated functions need none."""
    own = function.directory
    folder = own if own.name == function.name else own / function.name
    return folder if folder.is_dir() else None


def _config(function: FunctionMetadata, file: Path | None) -> Mapping[str, Any]:
    """function.json as read; in the decorator model what the worker told of the function."""
    try:
        text = None if file is None else file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        text = None
    except (OSError, UnicodeDecodeError):
        return {}
    if text is None:
        return {
            "name": function.name,
            "entryPoint": function.entry_point,
            "scriptFile": function.script_file.name,
            "language": function.language,
            "functionDirectory": str(function.directory),
            "bindings": [dict(binding.properties) for binding in function.bindings],
        }
    try:
        config = read_whole(text)
    except JsonTextError:
        return {}
    return config if isinstance(config, dict) else {}
