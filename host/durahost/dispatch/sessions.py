"""Which orchestrator lives on in which child, and how much of its history it has seen.

What is kept here is a hint, proven by nobody but the child: an orchestrator is only gone on with
when the same execution was committed up to the events it has seen, by this host, with the same code
loaded, and is replayed in full whenever its history has doubled, so that a replay that differs is
found. It can be dropped at any time; the next episode is a full replay then.
"""

import itertools
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from durahost.clock import Clock
from durahost.config.settings import DurableSettings, SessionUse
from durahost.engine.progress import Progress
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.instances import LockedEpisode, Seen
from durahost.worker.base import SessionAsk

LONG_HISTORY = 256
"""Events up to which a replay costs next to nothing."""

MOST = 10_000
"""Instances that are remembered; the children forget earlier, as what they keep is larger."""

_KEYS = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An orchestrator that lives on.

    key, child: its name, and who has it. generation: of the app's code. progress: of the engine,
    None when that has to begin at the beginning. verify_at: number of events from which on the
    whole history is replayed again.
    """

    key: str
    child: str
    generation: int
    execution_id: ExecutionId
    progress: Progress | None
    verify_at: int

    def may_follow(self, locked: LockedEpisode) -> bool:
        """Whether the claimed episode is what comes next, and no replay is due."""
        return self.events is not None and self.events == locked.left_out

    @property
    def events(self) -> int | None:
        """How many events need not be read; None when a replay is due."""
        if self.progress is None or self.progress.events >= self.verify_at:
            return None
        return self.progress.events


class Sessions:
    """The sessions of one dispatcher; `take` hands one out, `keep` takes it back."""

    def __init__(self, settings: DurableSettings, clock: Clock) -> None:
        self._use = settings.session_use
        self._idle_s = settings.session_idle.total_seconds()
        self._clock = clock
        self._kept: OrderedDict[InstanceId, tuple[Session, float]] = OrderedDict()
        self._seen: dict[InstanceId, Seen] = {}

    @property
    def seen(self) -> Mapping[InstanceId, Seen]:
        """For the store: events that need not be read."""
        return self._seen

    def take(self, locked: LockedEpisode, generation: int) -> Session | None:
        """The session of this execution, by whoever called last; it is not kept any more."""
        self._forget_unused()
        instance_id = locked.state.instance_id
        self._seen.pop(instance_id, None)
        session, _ = self._kept.pop(instance_id, (None, 0.0))
        if session is None or session.execution_id != locked.state.execution_id:
            return None
        return session if session.generation == generation else None

    def ask(self, events: int, former: Session | None) -> SessionAsk | None:
        """What to ask with a whole history of so many events; None when a replay is enough."""
        if self._use is SessionUse.NEVER or self._idle_s <= 0:
            return None
        if self._use is SessionUse.WHEN_LONG and events <= LONG_HISTORY:
            return None
        child, key = (former.child, former.key) if former else (None, None)
        return SessionAsk(key=_new_key(), child=child, replaces=key, idle_s=self._idle_s)

    def follow(self, session: Session) -> SessionAsk:
        """What to ask with the new events alone."""
        return SessionAsk(
            key=_new_key(), follows=session.key, child=session.child, idle_s=self._idle_s
        )

    def keep(self, instance_id: InstanceId, session: Session) -> None:
        """Remember a session whose episode is committed."""
        self._kept[instance_id] = session, self._clock.monotonic() + self._idle_s
        if session.events is not None:
            self._seen[instance_id] = Seen(session.execution_id, session.events)
        if len(self._kept) > MOST:
            self._forget(next(iter(self._kept)))

    def _forget_unused(self) -> None:
        now_s = self._clock.monotonic()
        while self._kept:
            instance_id, (_, until_s) = next(iter(self._kept.items()))
            if until_s > now_s:
                return
            self._forget(instance_id)

    def _forget(self, instance_id: InstanceId) -> None:
        del self._kept[instance_id]
        self._seen.pop(instance_id, None)


def verify_at(events: int) -> int:
    """When to replay again a history that was replayed at so many events: once it has doubled."""
    return 2 * max(events, LONG_HISTORY)


def _new_key() -> str:
    """Never used before, and never again: a child that died took its sessions along."""
    return f"session {next(_KEYS)}"
