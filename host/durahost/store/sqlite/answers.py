"""What activities have answered, on the way to the episodes that it wakes.

The commit of such an episode records the answer and removes the activity: one transaction instead
of two. An answer that no episode takes in time (its instance is busy, every slot is taken) is
written to the inbox. Before either, the activity stands in the database as it was, so that a
process which dies runs it again; as long as its answer is here, nobody else claims it.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from durahost.model.errors import StoreError
from durahost.model.ids import InstanceId
from durahost.model.instances import Lease, LockedEpisode
from durahost.model.messages import InboxMessage, Message
from durahost.store.sqlite.claims import Claim, Claims

logger = logging.getLogger(__name__)

KEPT_S = 0.25
"""How long an answer is at most in memory alone, unless an episode is at work with it."""


@dataclass(slots=True)
class Answer:
    """One activity's answer.

    claim: of the activity. behind: the message that was accepted last before it. due: when it was
    accepted, app time in microseconds. until_s: when it is written to the inbox, monotonic.
    taken_by: the claim of the episode that has it. is_leaving: it is being written to the inbox.
    """

    claim: Claim
    message: Message
    behind: int
    due: int
    until_s: float
    taken_by: Lease | None = None
    is_leaving: bool = False

    @property
    def message_id(self) -> int:
        """Its id in an episode's inbox; those of stored messages are positive."""
        return -int(self.claim.lease.key)


class Answers:
    """All answers of one hub; used on the event loop only.

    Which instance an episode can be claimed for is found among those that no episode has taken all
    answers of, and, once a claim may have lapsed, among all.

    record: writes answers to the inbox. Errors: StoreError, nothing was written. last: the message
    that was accepted last before the first answer.
    """

    def __init__(
        self,
        activities: Claims,
        episodes: Claims,
        record: Callable[[Sequence[Answer]], Coroutine[Any, Any, None]],
        last: int,
        kept_s: float = KEPT_S,
    ) -> None:
        self._activities = activities
        self._episodes = episodes
        self._record = record
        self._last = last
        self._kept_s = kept_s
        self._kept: dict[InstanceId, dict[int, Answer]] = {}
        self._untaken: dict[InstanceId, int] = {}
        self._lapse_s = math.inf
        self._look: asyncio.TimerHandle | None = None
        self._recording: asyncio.Task[None] | None = None

    def follow(self, message_id: int) -> None:
        """This message is accepted; answers come behind it from now on."""
        self._last = message_id

    def add(self, claim: Claim, message: Message, due: int) -> None:
        """Keep an answer; its activity is nobody else's until it is recorded or dropped."""
        self._activities.close(claim)
        loop = asyncio.get_running_loop()
        answer = Answer(claim, message, self._last, due, loop.time() + self._kept_s)
        self._kept.setdefault(message.instance_id, {})[answer.message_id] = answer
        self._untaken.setdefault(message.instance_id, due)
        if self._look is None:
            self._look = loop.call_later(self._kept_s, self._look_for_old_ones)

    def oldest(self, now_s: float) -> Iterator[Answer]:
        """The oldest answer for each instance that has any, and no episode in hand with it; the
        instance that has waited longest comes first.
        """
        if self._lapse_s <= now_s:
            self._put_back(self._kept)
            self._lapse_s = math.inf
        for instance_id in list(self._untaken):
            if (first := self._oldest_of(instance_id)) is None:
                continue
            taken = self._taken_by(first)
            if taken is None or taken.until_s <= now_s:
                yield first

    def let_go(self, instance_id: InstanceId) -> bool:
        """An episode of this instance has ended; whether the next one would find an answer."""
        first = self._oldest_of(instance_id)
        if first is not None and self._untaken.get(instance_id) != first.due:
            self._put_back([instance_id])
        return first is not None

    def join(self, locked: LockedEpisode, claim: Claim) -> LockedEpisode:
        """The claimed episode with its answers among the stored messages, in the order of
        acceptance.

        Those to another execution are forgotten: it is over, and their activities went with it.
        """
        if not (kept := self._kept.get(locked.state.instance_id)):
            return locked
        own = (claim.mark[0], locked.state.execution_id)
        if foreign := [one for one in kept.values() if one.claim.mark[:2] != own]:
            self.remove(foreign)
        self._untaken.pop(locked.state.instance_id, None)
        self._lapse_s = min(self._lapse_s, claim.until_s)
        answers = list(_staying(kept))
        for answer in answers:
            answer.taken_by = locked.lease
        placed = [
            *(((not one.message.is_carried, one.message_id, 0), one) for one in locked.inbox),
            *(
                ((True, one.behind, 1), InboxMessage(one.message_id, one.message))
                for one in answers
            ),
        ]
        placed.sort(key=lambda pair: pair[0])
        return replace(locked, inbox=[inbox for _, inbox in placed])

    def find(self, instance_id: InstanceId, message_ids: Iterable[int]) -> Sequence[Answer] | None:
        """Those among an episode's messages; None when one of them is not here any more."""
        kept = self._kept.get(instance_id, {})
        found = [kept.get(one) for one in message_ids if one < 0]
        return None if None in found else [one for one in found if one is not None]

    def remove(self, answers: Iterable[Answer]) -> None:
        """Forget answers whose activities are gone, recorded or with their instance."""
        for answer in answers:
            kept = self._kept.get(answer.message.instance_id, {})
            if kept.pop(answer.message_id, None) is not None:
                self._activities.forget(answer.claim)
            if not kept:
                self._kept.pop(answer.message.instance_id, None)
                self._untaken.pop(answer.message.instance_id, None)

    def remove_all(self, instance_id: InstanceId) -> None:
        """Forget what answers an execution that is over."""
        self.remove(list(self._kept.get(instance_id, {}).values()))

    async def close(self) -> None:
        """Write what is left to the inbox; nobody is at work with it any more."""
        if self._look is not None:
            self._look.cancel()
        if self._recording is not None:
            await asyncio.wait({self._recording})
        left = [one for kept in self._kept.values() for one in kept.values()]
        if left:
            await self._record(left)

    def _put_back(self, instance_ids: Iterable[InstanceId]) -> None:
        """Episodes may be claimed for these again, in the order of acceptance."""
        for instance_id in instance_ids:
            if (first := self._oldest_of(instance_id)) is not None:
                self._untaken[instance_id] = first.due
        self._untaken = dict(sorted(self._untaken.items(), key=itemgetter(1)))

    def _oldest_of(self, instance_id: InstanceId) -> Answer | None:
        return next(_staying(self._kept.get(instance_id, {})), None)

    def _look_for_old_ones(self) -> None:
        loop = asyncio.get_running_loop()
        self._look = loop.call_later(self._kept_s, self._look_for_old_ones) if self._kept else None
        waiting = [one for kept in self._kept.values() for one in _staying(kept)]
        old = [one for one in waiting if one.until_s <= loop.time() and not self._taken_by(one)]
        for answer in old:
            # Now: an episode may be locked before the task begins.
            answer.is_leaving = True
        if old:
            self._recording = asyncio.create_task(self._write(old), name="answers to the inbox")

    def _taken_by(self, answer: Answer) -> Claim | None:
        """The claim of the episode that is at work with it."""
        return None if answer.taken_by is None else self._episodes.find(answer.taken_by)

    async def _write(self, answers: Sequence[Answer]) -> None:
        try:
            await self._record(answers)
        except StoreError as error:
            logger.warning("Answers of activities are kept in memory for now: %s", error)
            for answer in answers:
                answer.is_leaving = False
        else:
            self.remove(answers)


def _staying(kept: Mapping[int, Answer]) -> Iterator[Answer]:
    return (answer for answer in kept.values() if not answer.is_leaving)
