"""What every dispatcher works with."""

from dataclasses import dataclass, field
from datetime import timedelta

from durahost.clock import Clock
from durahost.config.settings import DurableSettings
from durahost.dispatch.ahead import Ahead
from durahost.dispatch.renewal import Renewal
from durahost.dispatch.work_loop import Item, Verbs, WorkLoop
from durahost.host_state import Generation, HostState
from durahost.invocations import Invoker
from durahost.model.errors import AppLoadError, WorkerExited


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """The host's side of durable work.

    owner: the name that claims are taken in. function_timeout: of host.json. ahead: of this hub.
    """

    state: HostState
    invoker: Invoker
    clock: Clock
    settings: DurableSettings
    owner: str
    renewal: Renewal
    function_timeout: timedelta
    ahead: Ahead = field(default_factory=Ahead)

    def generation(self) -> Generation:
        """The app as it serves now. Errors: AppLoadError while it is offline, WorkerExited when
        none is loaded.
        """
        if self.state.is_offline:
            raise AppLoadError("The app is offline: remove app_offline.htm.")
        generation = self.state.generation
        if generation is None:
            raise WorkerExited("No version of the app is loaded.")
        return generation

    def build_loop(self, name: str, verbs: Verbs[Item], slots: int) -> WorkLoop[Item]:
        """A loop over one kind of work."""
        return WorkLoop(name, verbs, slots=slots, owner=self.owner, renewal=self.renewal)
