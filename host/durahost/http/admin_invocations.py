"""Running a function by hand: any one with a payload of text, and the app's warm-up function.

Source: Azure/azure-functions-host: Controllers/FunctionsController.cs (Invoke),
Models/FunctionInvocation.cs, Routing/ScriptRouteHandler.cs, WebScriptHostHttpRoutesManager.cs.
"""

from collections.abc import Sequence

from starlette.responses import Response

from durahost.host_state import HostState
from durahost.http.admin_routing import AdminCall, AdminRoute
from durahost.http.errors import empty
from durahost.http.mvc import as_text, get_member, is_json, read_body
from durahost.http.offline import await_app
from durahost.manual_runs import ManualRuns

_WARM_UP = "warmupTrigger"


class InvocationEndpoints:
    """Starts runs; what becomes of one is told by the log."""

    def __init__(self, state: HostState, runs: ManualRuns, hold_s: float) -> None:
        self._state = state
        self._runs = runs
        self._hold_s = hold_s
        self._is_warm = False

    @property
    def routes(self) -> Sequence[AdminRoute]:
        """Each with what answers it."""
        return (
            AdminRoute(("POST",), "/admin/functions/{name}", self._invoke),
            AdminRoute((), "/admin/warmup", self._warm_up, is_open=True),
        )

    async def _invoke(self, call: AdminCall) -> Response:
        """Accept a run, of a disabled function too; the answer does not wait for it."""
        if not is_json(call.request.media_type):
            return empty(415)
        generation = await await_app(self._state, self._hold_s)
        if isinstance(generation, Response):
            return generation
        invocation = read_body(call.request.body)
        if not isinstance(invocation, dict):
            return empty(400)
        try:
            payload = as_text(get_member(invocation, "input"))
        except ValueError:
            return empty(400)
        function = generation.registry.get(call.name)
        if function is None:
            return empty(404)
        self._runs.submit(generation, function, payload)
        return empty(202)

    async def _warm_up(self, call: AdminCall) -> Response:
        """Run the warm-up function, if the app has one, once in the life of the host."""
        generation = self._state.generation
        if generation is None:
            return empty(404)
        functions = generation.registry.functions
        function = next((one for one in functions if one.trigger.is_type(_WARM_UP)), None)
        if function is None or self._is_warm:
            return empty(200)
        self._is_warm = True
        has_run = await self._runs.run_now(generation, function, None)
        return empty(200 if has_run else 500)
