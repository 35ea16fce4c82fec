"""Where an instance stands after its last episode, so that its next one need not begin anew.

What is kept here is a hint: it is gone on from when the same execution was committed up to there,
by this host, with the same code loaded; an orchestrator that lives on is proven by its child, one
that is replayed by what it lists. It can be dropped at any time; the next episode begins at the
beginning then.
"""

from collections import OrderedDict
from collections.abc import Mapping

from durahost.clock import Clock
from durahost.dispatch.sessions import Session
from durahost.engine.progress import Progress
from durahost.model.actions import Listed, OrchestratorFailure, OrchestratorState
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.instances import LockedEpisode, Seen
from durahost.model.values import dataclass

MOST_CHARACTERS = 2**25
"""Of all together; the children forget earlier, as what they keep is larger."""

CHARACTERS_OF_A_STANDING = 4_000
"""What an instance costs beside the text of its list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What one committed episode left.

    generation: of the app's code. session: the orchestrator, where it lives on. progress: of the
    engine, None when that has to begin at the beginning. listed: what a replay has to begin with
    to go on from there; None where it cannot.
    """

    generation: int
    execution_id: ExecutionId
    session: Session | None
    progress: Progress | None
    listed: Listed | None

    def may_follow(self, locked: LockedEpisode) -> bool:
        """Whether the claimed episode is what comes next for a session, and no replay is due."""
        return self.events is not None and self.events == locked.left_out

    @property
    def events(self) -> int | None:
        """How many events need not be read; None when a replay is due."""
        if self.session is None or self.progress is None:
            return None
        events = self.progress.events
        return None if events >= self.session.verify_at else events

    @property
    def characters(self) -> int:
        """What it takes of the memory, more or less."""
        return CHARACTERS_OF_A_STANDING + (len(self.listed.text) if self.listed else 0)

    def progress_to(self, answer: OrchestratorState | OrchestratorFailure) -> Progress | None:
        """From where the engine goes on with this answer, if it can."""
        if self.progress is None or isinstance(answer, OrchestratorFailure):
            return None
        return self.progress if self.progress.fits(answer) else None


class Standings:
    """Of one dispatcher; `take` hands one out, `keep` takes it back. The one kept longest goes
    first.
    """

    def __init__(self, clock: Clock, idle_s: float) -> None:
        self._clock = clock
        self._idle_s = idle_s
        self._kept: OrderedDict[InstanceId, tuple[Standing, float]] = OrderedDict()
        self._seen: dict[InstanceId, Seen] = {}
        self._free = MOST_CHARACTERS

    @property
    def seen(self) -> Mapping[InstanceId, Seen]:
        """For the store: events that need not be read."""
        return self._seen

    def take(self, locked: LockedEpisode, generation: int) -> Standing | None:
        """Where this execution stands, whoever called last; it is not kept any more."""
        self._forget_unused()
        standing = self._forget(locked.state.instance_id)
        if standing is None or standing.execution_id != locked.state.execution_id:
            return None
        return standing if standing.generation == generation else None

    def keep(self, instance_id: InstanceId, standing: Standing) -> None:
        """Remember what an episode left that is committed."""
        self._forget(instance_id)
        self._kept[instance_id] = standing, self._clock.monotonic() + self._idle_s
        self._free -= standing.characters
        if standing.events is not None:
            self._seen[instance_id] = Seen(standing.execution_id, standing.events)
        while self._free < 0:
            self._forget(next(iter(self._kept)))

    def _forget_unused(self) -> None:
        now_s = self._clock.monotonic()
        while self._kept:
            instance_id, (_, until_s) = next(iter(self._kept.items()))
            if until_s > now_s:
                return
            self._forget(instance_id)

    def _forget(self, instance_id: InstanceId) -> Standing | None:
        self._seen.pop(instance_id, None)
        standing, _ = self._kept.pop(instance_id, (None, 0.0))
        if standing is not None:
            self._free += standing.characters
        return standing
