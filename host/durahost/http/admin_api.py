"""The host's own endpoints below `/admin`, but for those of keys (`keys_api`).

Admin requests are not held while the host starts, but those that need the app.
"""

from durahost.clock import Clock
from durahost.host_state import HostState
from durahost.http.admin_functions import AdminSettings, FunctionEndpoints
from durahost.http.admin_host import HostEndpoints
from durahost.http.admin_invocations import InvocationEndpoints
from durahost.http.admin_outputs import OutputEndpoints
from durahost.http.admin_routing import find_route
from durahost.http.authorization import Endpoint
from durahost.http.front_settings import HOLD_S
from durahost.http.requests import HttpRequest
from durahost.manual_runs import ManualRuns
from durahost.recorded_outputs import RecordedOutputs


class AdminApi:
    """Answers what lies below `/admin`; None for paths and methods that it does not route."""

    def __init__(
        self,
        state: HostState,
        clock: Clock,
        settings: AdminSettings,
        *,
        runs: ManualRuns,
        records: RecordedOutputs,
        hold_s: float = HOLD_S,
    ) -> None:
        self.routes = (
            *HostEndpoints(state, clock, settings.host_id, hold_s).routes,
            *FunctionEndpoints(state, settings).routes,
            *InvocationEndpoints(state, runs, hold_s).routes,
            *OutputEndpoints(records).routes,
        )

    def find(self, request: HttpRequest) -> Endpoint | None:
        """What the request has reached."""
        return find_route(self.routes, request)
