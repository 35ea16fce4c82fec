"""The host's own endpoints: home page, status, ping, and the description of functions.

Source: Azure/azure-functions-host: Controllers/HostController.cs, FunctionsController.cs,
Models/HostStatus.cs, Extensions/FunctionMetadataExtensions.cs (ToFunctionMetadataResponse),
Middleware/HomepageMiddleware.cs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from durahost import __version__
from durahost.clock import Clock
from durahost.host_state import HostPhase, HostState
from durahost.http.authorization import Endpoint
from durahost.http.errors import empty, json_response
from durahost.http.requests import HttpRequest
from durahost.model.functions import FunctionMetadata
from durahost.registry import Registry
from durahost.tolerant_json import JsonTextError, read_whole

HOST_VERSION = "4.0.0.0"
"""The generation of the Functions host that is reproduced."""

_HOME = b"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Your Functions 4.0 app is up and running</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;margin:15vh auto;max-width:36rem;padding:0 1rem}
</style></head>
<body><h1>Your Functions 4.0 app is up and running</h1>
<p>Served by durahost. The functions and their addresses are listed where it was started.</p>
</body>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSettings:
    """What the endpoints tell of the app.

    origin: of links in lists, scheme and authority. route_prefix: of host.json.
    """

    host_id: str
    origin: str
    route_prefix: str = "api"


class AdminApi:
    """Answers what lies below `/admin`; None for paths and methods that it does not route."""

    def __init__(self, state: HostState, clock: Clock, settings: AdminSettings) -> None:
        self._state = state
        self._clock = clock
        self._settings = settings
        self._begun = clock.monotonic()

    def find(self, request: HttpRequest) -> Endpoint | None:
        """What the request has reached; admin requests are not held while the host starts."""
        segments = request.path.strip("/").split("/")
        match [segment.lower() for segment in segments], request.method:
            case ["admin", "host", "status"], "GET":
                return _endpoint(lambda: json_response(200, self._status()))
            case ["admin", "host", "ping"], "GET" | "POST":
                headers = {"cache-control": "no-store,no-cache", "pragma": "no-cache"}
                return _endpoint(lambda: Response(headers=headers), is_open=True)
            case ["admin", "functions"], "GET":
                return _endpoint(self._list)
            case ["admin", "functions", _], "GET":
                origin = request.origin or self._settings.origin
                return _endpoint(lambda: self._one(segments[2], origin))
            case ["admin", "functions", _, "status"], "GET":
                return _endpoint(lambda: self._function_status(segments[2]))
            case _:
                return None

    @property
    def _registry(self) -> Registry:
        return self._state.registry or Registry()

    def _status(self) -> dict[str, Any]:
        errors = [" ".join(self._state.errors)] if self._state.phase is HostPhase.ERROR else None
        members: dict[str, Any] = {
            "id": self._settings.host_id,
            "state": self._state.phase.value,
            "version": HOST_VERSION,
            "versionDetails": f"durahost {__version__}",
            "platformVersion": "",
            "instanceId": "",
            "computerName": "",
            "errors": errors,
            "processUptime": round((self._clock.monotonic() - self._begun) * 1000),
            "functionAppContentEditingState": "Unknown",
        }
        return {name: value for name, value in members.items() if value is not None}

    def _list(self) -> Response:
        origin = "https://" + self._settings.origin.partition("://")[2]
        found = [self._describe(one, origin) for one in self._registry.functions]
        return json_response(200, found)

    def _one(self, name: str, origin: str) -> Response:
        function = self._registry.get(name)
        return (
            empty(404) if function is None else json_response(200, self._describe(function, origin))
        )

    def _function_status(self, name: str) -> Response:
        errors = [
            one.message for one in self._registry.failures if one.name.lower() == name.lower()
        ]
        if errors:
            return json_response(200, {"errors": errors})
        return empty(404) if self._registry.get(name) is None else json_response(200, {})

    def _describe(self, function: FunctionMetadata, origin: str) -> dict[str, Any]:
        vfs = f"{origin}/admin/vfs"
        folder = function.directory.as_posix()
        return {
            "name": function.name,
            "script_root_path_href": f"{vfs}{folder}/",
            "script_href": f"{vfs}{function.script_file.as_posix()}",
            "config_href": f"{vfs}{folder}/function.json",
            "test_data_href": None,
            "href": f"{origin}/admin/functions/{function.name}",
            "invoke_url_template": self._invoke_url(function, origin),
            "language": function.language,
            "config": _config(function),
            "files": None,
            "test_data": None,
            "isDisabled": function.name in self._registry.disabled,
            "isDirect": False,
            "isProxy": False,
        }

    def _invoke_url(self, function: FunctionMetadata, origin: str) -> str | None:
        if not function.trigger.is_type("httpTrigger"):
            return None
        prefix = self._settings.route_prefix.strip("/")
        parts = [origin, prefix, str(function.trigger.get("route") or function.name)]
        return "/".join(part for part in parts if part).lower()


def _endpoint(answer: Callable[[], Response], *, is_open: bool = False) -> Endpoint:
    async def respond() -> Response:
        return answer()

    return Endpoint(respond, is_open)


def home_page() -> Response:
    """The page at `/` of an app that has no function there."""
    return Response(_HOME, media_type="text/html")


def _config(function: FunctionMetadata) -> Mapping[str, Any]:
    """function.json as read; in the decorator model what the worker told of the function."""
    try:
        text = (function.directory / "function.json").read_text(encoding="utf-8-sig")
    except OSError:
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
