"""What the last commit of an instance left, so that its next episode need not read it again.

Kept for instances that will soon go on: they begin, or wait for activities or children. It is a
hint: a
commit is fenced by the row's own count (`Mark`), so what has changed meanwhile is found there, and
the episode begins again with what the database says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from durahost.model.events import HistoryEvent
from durahost.model.ids import InstanceId
from durahost.model.instances import Commit, InstanceState

Mark = tuple[Any, ...]
"""Of an instance: its row and the row's count of changes of ownership; of an activity: the row of
its instance, execution id and task id, since its own row's number may be used again.
"""

LONG_HISTORY = 512
"""Events; of a longer history only the length is kept, as whoever lives on needs no more."""

MOST_CHARACTERS = 2**24
"""Of all together."""

CHARACTERS_OF_AN_EVENT = 500
"""What an object costs beside its text."""


UNCOUNTED = -1


@dataclass(slots=True)
class Resident:
    """An instance after its last commit; never changed.

    left_out: events that stand before those of `history`. text: how many characters these have,
    counted where it is not given: an episode adds to what the one before has counted.
    """

    mark: Mark
    state: InstanceState
    history: Sequence[HistoryEvent]
    left_out: int
    text: int = UNCOUNTED

    def __post_init__(self) -> None:
        """Count what is not counted."""
        if self.text == UNCOUNTED:
            self.text = _text(self.history)

    @property
    def length(self) -> int:
        """How many events its history has."""
        return self.left_out + len(self.history)

    @property
    def characters(self) -> int:
        """What it takes of the memory, more or less."""
        text = self.text + len(self.state.input or "")
        return text + CHARACTERS_OF_AN_EVENT * (len(self.history) + 1)

    def from_event(self, left_out: int) -> "Resident":
        """The same instance without events that somebody else remembers."""
        if left_out == self.left_out:
            return self
        history = self.history[left_out - self.left_out :]
        return Resident(self.mark, self.state, history, left_out)

    def after(self, commit: Commit) -> "Resident":
        """The same instance once this is committed."""
        instance_row, count = self.mark
        mark = (instance_row, count + 1)
        if commit.starts_generation:
            return Resident(mark, commit.state, commit.append, 0)
        history = [*self.history, *commit.append]
        if len(history) > LONG_HISTORY:
            return Resident(mark, commit.state, [], self.left_out + len(history))
        text = self.text + _text(commit.append)
        return Resident(mark, commit.state, history, self.left_out, text)


def _text(history: Sequence[HistoryEvent]) -> int:
    return sum(len(event.text) for event in history)


class Residents:
    """Of one hub; used on the event loop only. The one kept longest goes first."""

    def __init__(self, most_characters: int = MOST_CHARACTERS) -> None:
        self._kept: dict[InstanceId, tuple[Resident, int]] = {}
        self._free = most_characters

    def get(self, instance_id: InstanceId) -> Resident | None:
        """What is known of an instance, if anything is."""
        kept = self._kept.get(instance_id)
        return None if kept is None else kept[0]

    def take(self, instance_id: InstanceId) -> Resident | None:
        """The same; it is not kept any more."""
        resident, characters = self._kept.pop(instance_id, (None, 0))
        self._free += characters
        return resident

    def keep(self, resident: Resident) -> None:
        """Keep an instance, in the place of what was known of it."""
        instance_id, characters = resident.state.instance_id, resident.characters
        self.take(instance_id)
        self._kept[instance_id] = resident, characters
        self._free -= characters
        while self._free < 0:
            self.take(next(iter(self._kept)))
