"""What all changes and reads of one task hub know: its name, time, tokens, and whom to wake."""

from collections.abc import Iterator
from dataclasses import dataclass

from durahost.clock import Clock
from durahost.store.signals import EndSignal, WorkSignal
from durahost.store.sqlite.answers import Answers
from durahost.store.sqlite.claims import Claims
from durahost.store.sqlite.residents import Residents
from durahost.store.sqlite.rows import to_microseconds
from durahost.store.sqlite.states import States
from durahost.store.sqlite.tasks import Tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class HubScope:
    """One hub.

    tokens: shared by all hubs of the database; each is greater than all before, also than those of
    earlier openings of the file. Tokens, signals and claims are the event loop's alone.
    """

    name: str
    clock: Clock
    tokens: Iterator[int]
    episodes: WorkSignal
    activities: WorkSignal
    ends: EndSignal
    episode_claims: Claims
    activity_claims: Claims
    answers: Answers
    tasks: Tasks
    residents: Residents
    states: States

    def now(self) -> int:
        """The app's time in microseconds."""
        return to_microseconds(self.clock.now())
