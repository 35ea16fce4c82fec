"""Endpoints about the host as a whole: its status, a ping, and what the platform tells it.

Source: Azure/azure-functions-host: Controllers/HostController.cs, InstanceController.cs,
Models/HostStatus.cs, HostLogEntry.cs.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from durahost import __version__
from durahost.clock import Clock
from durahost.host_state import HostPhase, HostState
from durahost.http.admin_routing import AdminCall, AdminRoute
from durahost.http.errors import empty, json_response
from durahost.http.mvc import as_text, bad_request, get_member, is_json, read_body
from durahost.http.offline import await_app, bring_back, take_offline

logger = logging.getLogger(__name__)

HOST_VERSION = "4.0.0.0"
"""The generation of the Functions host that is reproduced."""

_NOT_CACHED = {"cache-control": "no-store,no-cache", "pragma": "no-cache"}
_LEVELS: Mapping[str, int] = {
    "off": logging.NOTSET,
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "verbose": logging.DEBUG,
}
"""System.Diagnostics.TraceLevel, in the order of its numbers."""


class HostEndpoints:
    """Status, ping, log, and what only matters on Azure."""

    def __init__(self, state: HostState, clock: Clock, host_id: str, hold_s: float) -> None:
        self._state = state
        self._clock = clock
        self._host_id = host_id
        self._hold_s = hold_s
        self._begun = clock.monotonic()

    @property
    def routes(self) -> Sequence[AdminRoute]:
        """Each with what answers it."""
        return (
            AdminRoute(("GET",), "/admin/host/status", self._status),
            AdminRoute(("GET", "POST"), "/admin/host/ping", self._ping, is_open=True),
            AdminRoute(("POST",), "/admin/host/synctriggers", self._sync_triggers),
            AdminRoute(("POST",), "/admin/host/scale/status", self._scale_status),
            AdminRoute(("POST",), "/admin/host/log", self._log),
            AdminRoute(("PUT",), "/admin/host/state", self._set_state),
            AdminRoute(("GET",), "/admin/instance/http-health", self._health, is_open=True),
        )

    async def _status(self, call: AdminCall) -> Response:
        errors = [" ".join(self._state.errors)] if self._state.phase is HostPhase.ERROR else None
        members: dict[str, Any] = {
            "id": self._host_id,
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
        shown = {name: value for name, value in members.items() if value is not None}
        return json_response(200, shown)

    async def _ping(self, call: AdminCall) -> Response:
        """`?checkHealth=1` asks for 429 under load, which this host does not measure."""
        return Response(headers=_NOT_CACHED)

    async def _sync_triggers(self, call: AdminCall) -> Response:
        """There is nobody to tell of triggers here; on Azure telling it succeeds.

        Source: Azure/azure-functions-host: FunctionsSyncManager.cs; Core Tools alone refuse.
        """
        app = await await_app(self._state, self._hold_s)
        if isinstance(app, Response):
            return app
        return json_response(200, {"status": "success"})

    async def _scale_status(self, call: AdminCall) -> Response:
        if not is_json(call.request.media_type):
            return empty(415)
        app = await await_app(self._state, self._hold_s)
        if isinstance(app, Response):
            return app
        refusal = bad_request("Runtime scale monitoring is not enabled.")
        refusal.headers.update(_NOT_CACHED)
        return refusal

    async def _log(self, call: AdminCall) -> Response:
        """Log what a client says, each entry at its level."""
        if not is_json(call.request.media_type):
            return empty(415)
        entries = _read_entries(call.request.body)
        if entries is None:
            return bad_request("An array of log entry objects is expected.")
        for level, message in entries:
            if level:
                logger.log(level, "%s", message)
        return empty(200)

    async def _set_state(self, call: AdminCall) -> Response:
        """Take the app offline, or bring it back; any other change is refused."""
        if not is_json(call.request.media_type):
            return empty(415)
        asked = read_body(call.request.body)
        desired = asked.lower() if isinstance(asked, str) else ""
        if desired not in ("offline", "running"):
            return empty(400)
        state = self._state
        if desired == state.phase.value.lower():
            return empty(200)
        try:
            if desired == "offline":
                take_offline(state)
            elif state.is_offline:
                bring_back(state)
            else:
                return empty(400)
        except OSError as error:
            logger.warning("The app's folder cannot be changed: %s", error)
            return empty(400)
        return empty(202)

    async def _health(self, call: AdminCall) -> Response:
        return empty(200)


def _read_entries(body: bytes) -> list[tuple[int, str]] | None:
    """Level and message of each entry; None when the body is no array of entries."""
    entries = read_body(body)
    if not isinstance(entries, list):
        return None
    found: list[tuple[int, str]] = []
    for entry in entries:
        if not isinstance(entry, dict):
            return None
        try:
            message = as_text(get_member(entry, "message"))
        except ValueError:
            return None
        level = _read_level(get_member(entry, "level"))
        if level is None:
            return None
        found.append((level, message or ""))
    return found


def _read_level(value: object) -> int | None:
    """A TraceLevel by its name or number; absent it is Off."""
    if value is None:
        return logging.NOTSET
    if isinstance(value, str):
        return _LEVELS.get(value.lower())
    levels = list(_LEVELS.values())
    return levels[value] if isinstance(value, int) and 0 <= value < len(levels) else None
