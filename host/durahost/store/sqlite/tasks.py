"""Activities that were scheduled lately and that nobody has claimed yet, so that none is read.

What stands here is committed, the oldest first, as in the file: the number of a new row is greater
than those of all rows that are there. Of what does not stand here (it was there when the file was
opened, its claim has lapsed or was given back, there was no room for it) the signal knows that it
may be stored. Then the file is read, which has all, and nothing stands here any more: all that is
free has been claimed, or the file is read the next time, too.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from durahost.model.messages import ActivityTask
from durahost.store.sqlite.residents import Mark

MOST_CHARACTERS = 2**24
"""Of all together."""

CHARACTERS_OF_A_TASK = 1_000
"""What the objects cost beside the input."""


@dataclass(slots=True)
class Task:
    """An activity in its row of the file; the number alone may be another one's later."""

    row: int
    mark: Mark
    activity: ActivityTask

    @property
    def characters(self) -> int:
        """What it takes of the memory, more or less."""
        return CHARACTERS_OF_A_TASK + len(self.activity.input or "")


class Tasks:
    """Of one hub; used on the event loop only."""

    def __init__(self, most_characters: int = MOST_CHARACTERS) -> None:
        self._waiting: OrderedDict[int, Task] = OrderedDict()
        self._free = most_characters

    def keep(self, tasks: Sequence[Task]) -> bool:
        """Keep what is scheduled by now, if there is room for all of it; whether there was."""
        characters = sum(task.characters for task in tasks)
        if characters > self._free:
            return False
        self._free -= characters
        self._waiting.update((task.row, task) for task in tasks)
        return True

    def take(self) -> Iterator[Task]:
        """One after the other, the oldest first; none is kept any more."""
        while self._waiting:
            _, task = self._waiting.popitem(last=False)
            self._free += task.characters
            yield task

    def forget(self, row: int) -> None:
        """The activity is gone."""
        if (task := self._waiting.pop(row, None)) is not None:
            self._free += task.characters

    def clear(self) -> None:
        """Keep none: the file is asked."""
        for _ in self.take():
            pass
