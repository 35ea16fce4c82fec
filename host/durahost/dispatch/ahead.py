"""Episodes that a child begins before it is asked: when the activity that they wait for returns.

What is begun is a guess, which the claimed episode proves or not: it begins where the one before it
ended, hears of that activity and of nothing else, and asks the same session. Any other guess is
dropped; it has cost a replay. So all that is kept here is a hint, and a worker that does not know
of it loses nothing.
"""

from collections import OrderedDict
from collections.abc import MutableMapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from durahost.invocations import Then
from durahost.model.events import HistoryEvent
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.instances import InstanceState, LockedEpisode
from durahost.model.messages import ActivityTask
from durahost.model.values import dataclass
from durahost.worker.base import Begun, SessionAsk

MOST = 1_000
"""Guesses that are kept, and of those that have begun; the oldest goes first."""

Key = TypeVar("Key")
Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What an episode will be asked with.

    generation: of the app's code. state, past, left_out: what the episode begins with, as in
    `LockedEpisode`.
    """

    then: Then
    generation: int
    state: InstanceState
    past: Sequence[HistoryEvent]
    left_out: int

    def time_of(self, call: Begun, now: datetime) -> datetime | None:
        """When the activity returned; None where the child's clock is no match for ours."""
        at = datetime.fromisoformat(call.at)
        return at if self.past[-1].timestamp <= at <= now else None


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunEpisode:
    """What a child has begun on a guess. answer: of the activity; its time is the episode's too."""

    guess: Guess
    answer: HistoryEvent
    call: Begun

    def is_next(self, locked: LockedEpisode) -> bool:
        """Whether the claimed episode is what was guessed."""
        guess = self.guess
        return (
            [one.message.event for one in locked.inbox] == [self.answer]
            and locked.left_out == guess.left_out
            and locked.state == guess.state
            and [*locked.history] == guess.past
        )

    def is_asked(self, generation: int, ask: SessionAsk | None) -> bool:
        """Whether the child would be asked the same now; a session's new name may be another."""
        own = self.guess.then.session
        is_same = own == (ask and own and replace(ask, key=own.key))
        return is_same and generation == self.guess.generation


class Ahead:
    """The guesses of one hub, and what has begun on them; used on the event loop only."""

    def __init__(self) -> None:
        self._guesses: OrderedDict[tuple[InstanceId, ExecutionId, int], Guess] = OrderedDict()
        self._begun: OrderedDict[InstanceId, BegunEpisode] = OrderedDict()

    def expect(self, task: ActivityTask, guess: Guess) -> None:
        """The instance waits for this activity."""
        _keep(self._guesses, (task.instance_id, task.execution_id, task.task_id), guess)

    def guess(self, task: ActivityTask) -> Guess | None:
        """What will follow the activity, if anything is to; it is not kept any more."""
        return self._guesses.pop((task.instance_id, task.execution_id, task.task_id), None)

    def begin(self, task: ActivityTask, begun: BegunEpisode) -> None:
        """The child has begun the episode that the activity wakes."""
        _keep(self._begun, task.instance_id, begun)

    def take(self, locked: LockedEpisode) -> BegunEpisode | None:
        """What has begun of the claimed episode; what has begun of another one is dropped."""
        begun = self._begun.pop(locked.state.instance_id, None)
        return begun if begun is not None and begun.is_next(locked) else None


def _keep(kept: MutableMapping[Key, Kept], key: Key, one: Kept) -> None:
    kept[key] = one
    if len(kept) > MOST:
        del kept[next(iter(kept))]
