"""One task hub on the database: each method hands one change to the writer or one read to a reader.

Claims are the memory's (`claims`), so locking is a read, and giving back is neither.

What a change does stands in `episodes`, `activities` and `instances`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from durahost.model.actions import Hint
from durahost.model.errors import LeaseLost
from durahost.model.events import HistoryEvent
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.instances import (
    Commit,
    InstanceState,
    Lease,
    LockedActivity,
    LockedEpisode,
    NewInstance,
    Seen,
)
from durahost.model.messages import Message
from durahost.model.queries import InstancePage, InstanceQuery
from durahost.model.status import RuntimeStatus
from durahost.store import rules
from durahost.store.base import NOTHING_SEEN
from durahost.store.sqlite import activities, episodes, instances, rewinds
from durahost.store.sqlite.claims import Claim, Claims
from durahost.store.sqlite.readers import Readers
from durahost.store.sqlite.scope import HubScope
from durahost.store.sqlite.writer import Writer

LONG_HISTORY = 500
"""Reading so many events takes some 3 ms, which is for a thread."""

MANY_ROWS, LONG_TEXT = 100, 2**18
"""Writing so many rows, or characters, takes more than a millisecond."""


def _is_long(events: Collection[HistoryEvent], rows: int = 0) -> bool:
    """Whether a change that writes these events, and so many other rows, is for a thread."""
    return len(events) + rows > MANY_ROWS or sum(len(one.text) for one in events) > LONG_TEXT


def _proven(claims: Claims, lease: Lease) -> Claim:
    """The claim that the lease proves. Errors: LeaseLost."""
    claim = claims.find(lease)
    if claim is None:
        raise rules.lease_lost(lease)
    return claim


class SqliteHub:
    """One task hub, all halves."""

    def __init__(self, scope: HubScope, writer: Writer, readers: Readers) -> None:
        self._scope = scope
        self._writer = writer
        self._readers = readers

    async def lock_episodes(
        self,
        owner: str,
        lease_for: timedelta,
        at_most: int,
        seen: Mapping[InstanceId, Seen] = NOTHING_SEEN,
    ) -> Sequence[LockedEpisode]:
        """Claim the instances that have been ready longest."""
        lock = partial(episodes.lock, self._scope, owner, lease_for, at_most)
        taken = self._readers.read_now(lock)
        loaded: list[LockedEpisode] = []
        try:
            for one in taken:
                if (episode := await self._load(one, seen)) is not None:
                    loaded.append(self._scope.answers.join(episode, one.claim))
                else:
                    self._scope.episode_claims.drop([one.claim.lease])
        except BaseException:
            for one in taken:
                self._scope.episode_claims.drop([one.claim.lease])
                self._scope.answers.let_go(InstanceId(one.claim.lease.key))
            self._scope.episodes.notify()
            raise
        return loaded

    async def _load(
        self, taken: episodes.Taken, seen: Mapping[InstanceId, Seen]
    ) -> LockedEpisode | None:
        resident = partial(episodes.load_resident, self._scope, taken, seen)
        if (episode := self._readers.read_now(resident)) is not None:
            return episode
        load = partial(episodes.load, taken, seen)
        known = seen.get(InstanceId(taken.claim.lease.key))
        if taken.length - (known.events if known else 0) > LONG_HISTORY:
            episode = await self._readers.read(load)
        else:
            episode = self._readers.read_now(load)
        if episode is not None:
            episodes.remember(taken.claim, episode)
        return episode

    async def read_whole(self, locked: LockedEpisode) -> LockedEpisode:
        """The claimed episode with its whole history."""
        return rules.completed(locked, await self.read_history(locked.state.instance_id))

    async def commit_episode(self, lease: Lease, commit: Commit) -> None:
        """Apply the commit and release the claim."""
        instance_id = InstanceId(lease.key)
        others = len(commit.schedule) + len(commit.create) + len(commit.send)
        try:
            claim = _proven(self._scope.episode_claims, lease)
            answers = self._scope.answers.find(instance_id, commit.consume)
            if answers is None:
                raise rules.lease_lost(lease)
            change = partial(episodes.commit, self._scope, claim, commit, answers)
            claim.is_committing = True
            try:
                await self._writer.write(change, is_long=_is_long(commit.append, others))
            finally:
                claim.is_committing = False
        except LeaseLost:
            # The database says so, if the memory did not: nobody proves anything by it any more.
            self._scope.episode_claims.drop([lease])
            self._scope.episodes.notify()
            raise
        finally:
            if self._scope.answers.let_go(instance_id):
                self._scope.episodes.notify_kept()

    async def abandon_episode(self, lease: Lease, retry_after: timedelta) -> None:
        """Release unchanged."""
        until_s = self._scope.clock.monotonic() + retry_after.total_seconds()
        self._scope.episode_claims.give_back(lease, until_s)
        self._scope.answers.let_go(InstanceId(lease.key))
        self._scope.episodes.notify()

    async def renew(self, leases: Sequence[Lease], lease_for: timedelta) -> Sequence[Lease]:
        """Extend the leases still ours and return them."""
        until_s = self._scope.clock.monotonic() + lease_for.total_seconds()
        renewed = []
        for lease in leases:
            is_episode = lease.kind == rules.EPISODE
            claims = self._scope.episode_claims if is_episode else self._scope.activity_claims
            claim = claims.find(lease)
            is_there = episodes.is_there if is_episode else activities.is_there
            if claim is not None and self._readers.read_now(partial(is_there, claim)):
                claim.until_s = until_s
                renewed.append(lease)
        return renewed

    async def wait_for_episodes(self, at_most: timedelta) -> None:
        """Return when an episode may be ready, or after the limit."""
        await self._scope.episodes.wait(at_most)

    async def lock_activities(
        self, owner: str, lease_for: timedelta, at_most: int
    ) -> Sequence[LockedActivity]:
        """Claim the oldest unclaimed activities."""
        lock = partial(activities.lock, self._scope, owner, lease_for, at_most)
        return self._readers.read_now(lock)

    async def complete_activity(self, lease: Lease, answer: Message) -> None:
        """Have the next episode record the answer and remove the activity (`answers`)."""
        claim = _proven(self._scope.activity_claims, lease)
        try:
            if claim.is_gone:
                raise rules.work_gone(lease)
            if self._may_wait(claim, answer):
                self._scope.answers.add(claim, answer, self._scope.now())
                self._scope.episodes.notify_kept()
            else:
                change = partial(activities.complete, self._scope, claim, answer)
                await self._writer.write(change, is_long=_is_long([answer.event]))
        except LeaseLost:
            self._scope.activity_claims.drop([lease])
            raise

    def _may_wait(self, claim: Claim, answer: Message) -> bool:
        """Whether it can wait for the episode it wakes: it will be one of the same execution."""
        _, execution_id, _ = claim.mark
        return answer.execution_id == execution_id and not _is_long([answer.event])

    async def abandon_activity(self, lease: Lease, retry_after: timedelta) -> None:
        """Release unchanged."""
        until_s = self._scope.clock.monotonic() + retry_after.total_seconds()
        self._scope.activity_claims.give_back(lease, until_s)
        self._scope.activities.notify()

    async def wait_for_activities(self, at_most: timedelta) -> None:
        """Return when an activity may be ready, or after the limit."""
        await self._scope.activities.wait(at_most)

    async def create(self, new: NewInstance, replaceable: Collection[RuntimeStatus]) -> None:
        """Start an instance."""
        change = partial(instances.create, self._scope, new, replaceable)
        await self._writer.write(change, is_long=_is_long([new.started.event]))

    def peek(self, instance_id: InstanceId) -> InstanceState | None:
        """The row as last committed, if it was written lately."""
        return self._scope.states.get(instance_id)

    async def get(self, instance_id: InstanceId) -> InstanceState | None:
        """The row as last committed."""
        return self._get(instance_id)

    def _get(self, instance_id: InstanceId) -> InstanceState | None:
        kept = self._scope.states.get(instance_id)
        if kept is not None:
            return kept
        return self._readers.read_now(partial(instances.get, self._scope, instance_id))

    async def wait_for_end(self, instance_id: InstanceId, at_most: timedelta) -> None:
        """Return when the instance ends, at once when it has, or after the limit."""

        def has_ended() -> bool:
            state = self._get(instance_id)
            return state is not None and state.status.is_terminal

        await self._scope.ends.wait(instance_id, has_ended, at_most)

    async def query(self, query: InstanceQuery) -> InstancePage:
        """One page in ordinal order of ids."""
        return await self._readers.read(partial(instances.query, self._scope, query))

    async def read_history(self, instance_id: InstanceId) -> Sequence[HistoryEvent]:
        """The current execution's events in order."""
        return await self._readers.read(partial(instances.read_history, self._scope, instance_id))

    async def send(self, message: Message, allowed: Collection[RuntimeStatus]) -> None:
        """Accept a message if the instance's state allows it."""
        change = partial(instances.send, self._scope, message, allowed)
        await self._writer.write(change, is_long=_is_long([message.event]))

    async def rewind(
        self,
        instance_id: InstanceId,
        request: HistoryEvent,
        seed: UUID,
        allowed: Collection[RuntimeStatus],
    ) -> Sequence[Hint]:
        """Rewind the instance and its failed descendants."""
        return await self._writer.write(
            partial(rewinds.rewind, self._scope, instance_id, request, seed, allowed), is_long=True
        )

    async def signal(self, message: Message) -> None:
        """Deliver a message to an entity."""
        change = partial(instances.deliver, self._scope, message)
        await self._writer.write(change, is_long=_is_long([message.event]))

    async def remove_idle(self, instance_id: InstanceId, execution_id: ExecutionId) -> bool:
        """Delete an instance that nothing waits for."""
        return await self._writer.write(
            partial(instances.remove_idle, self._scope, instance_id, execution_id)
        )

    async def purge(self, instance_id: InstanceId, allowed: Collection[RuntimeStatus]) -> None:
        """Delete all of an instance."""
        change = partial(instances.purge, self._scope, instance_id, allowed)
        await self._writer.write(change, is_long=True)
        self._scope.residents.take(instance_id)
