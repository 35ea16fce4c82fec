"""What all changes and reads of one task hub know: its name, time, tokens, and whom to wake."""

from collections.abc import Iterator
from dataclasses import dataclass

from durahost.clock import Clock
from durahost.store.signals import EndSignal, WorkSignal
from durahost.store.sqlite.rows import to_microseconds


@dataclass(frozen=True, slots=True)
class HubScope:
    """One hub.

    tokens: shared by all hubs of the database and used by its writer thread only; each is greater
    than all before, also than those of earlier openings of the file.
    """

    name: str
    clock: Clock
    tokens: Iterator[int]
    episodes: WorkSignal
    activities: WorkSignal
    ends: EndSignal

    def now(self) -> int:
        """The app's time in microseconds."""
        return to_microseconds(self.clock.now())
