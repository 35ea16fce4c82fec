"""What the host needs of a store, one Protocol per caller, each bound to one task hub.

Every method is one transaction, or part of a group that commits as one. One that has begun is
settled before a cancellation of its caller goes on. Ownership of work is a claim with a token that
grows at every claim; the lease decides liveness, the token decides safety.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from durahost.model.actions import Hint
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

NOTHING_SEEN: Mapping[InstanceId, Seen] = MappingProxyType({})


class EpisodeStore(Protocol):
    """The orchestration dispatcher's half."""

    async def lock_episodes(
        self,
        owner: str,
        lease_for: timedelta,
        at_most: int,
        seen: Mapping[InstanceId, Seen] = NOTHING_SEEN,
    ) -> Sequence[LockedEpisode]:
        """Claim the unclaimed instances whose visible messages are oldest; empty at once when none
        is ready. Fewer than `at_most` means that no other one is ready: the next wait is a wait.

        An instance whose `scheduled_at` is in the future is not ready.
        seen: events that are not to be read again, looked up from any thread (`left_out`); more is
        recorded by the episode that saw them.
        """
        ...

    async def read_whole(self, locked: LockedEpisode) -> LockedEpisode:
        """The claimed episode with its whole history; LeaseLost when that is not its any more."""
        ...

    async def commit_episode(self, lease: Lease, commit: Commit) -> None:
        """Apply the commit, release the claim; LeaseLost means nothing was written.

        A child (`commit.create`) whose id is free or names an ended instance replaces it; one that
        names a
        live instance with the same parent, execution and task is already there (idempotent); any
        other live
        id is answered with SubOrchestrationInstanceFailed to the committing instance, in this
        transaction.
        When the new status is terminal, the instance's inbox and unanswered activities go with it;
        answers of entities stay for a rewind of a failed one (`store.rules.accept`).
        """
        ...

    async def abandon_episode(self, lease: Lease, retry_after: timedelta) -> None:
        """Release unchanged, claimable again after the (real) delay; a lost lease is not an error
        here.
        """
        ...

    async def renew(self, leases: Sequence[Lease], lease_for: timedelta) -> Sequence[Lease]:
        """Extend the leases (of episodes and activities) still ours and return them; the others
        are lost.
        """
        ...

    async def wait_for_episodes(self, at_most: timedelta) -> None:
        """Return when an episode may be ready (a commit, a due time, a lapsed lease), or after the
        limit.
        """
        ...


class ActivityStore(Protocol):
    """The activity dispatcher's half."""

    async def lock_activities(
        self, owner: str, lease_for: timedelta, at_most: int
    ) -> Sequence[LockedActivity]:
        """Claim the oldest unclaimed activities; empty at once when there is none, and fewer than
        `at_most` when there are no others.
        """
        ...

    async def complete_activity(self, lease: Lease, answer: Message) -> None:
        """Remove the activity and deliver its answer in one transaction; LeaseLost means neither
        happened.

        The answer is dropped when the instance has ended or moved to another execution meanwhile;
        where that took the activity away already, it is a WorkGone.
        """
        ...

    async def abandon_activity(self, lease: Lease, retry_after: timedelta) -> None:
        """Release unchanged, claimable again after the (real) delay; a lost lease is not an error
        here.
        """
        ...

    async def renew(self, leases: Sequence[Lease], lease_for: timedelta) -> Sequence[Lease]:
        """As `EpisodeStore.renew`."""
        ...

    async def wait_for_activities(self, at_most: timedelta) -> None:
        """Return when an activity may be ready, or after the limit."""
        ...


class InstanceStore(Protocol):
    """The half that management clients use."""

    async def create(self, new: NewInstance, replaceable: Collection[RuntimeStatus]) -> None:
        """Start an instance; one in a replaceable state is replaced whole: history, inbox,
        activities, row.

        A live one counts as terminated thereby: its caller, if it has one, is told so.
        Errors: InstanceExists when one exists in another state. Of concurrent calls exactly one
        wins.
        """
        ...

    def peek(self, instance_id: InstanceId) -> InstanceState | None:
        """The same as `get`, if nothing has to be read for it; else None."""
        ...

    async def get(self, instance_id: InstanceId) -> InstanceState | None:
        """The row as last committed."""
        ...

    async def wait_for_end(self, instance_id: InstanceId, at_most: timedelta) -> None:
        """Return when the instance ends, at once when it has, or after the (real) limit."""
        ...

    async def query(self, query: InstanceQuery) -> InstancePage:
        """One page in ordinal order of ids."""
        ...

    async def read_history(self, instance_id: InstanceId) -> Sequence[HistoryEvent]:
        """The current execution's events in order; empty for an unknown or not yet run instance."""
        ...

    async def send(self, message: Message, allowed: Collection[RuntimeStatus]) -> None:
        """Accept a message if the instance's state allows it, checked in the same transaction.

        A termination that meets an instance scheduled for later ends it there and then: it never
        runs.
        Errors: InstanceNotFound; InvalidState for a state not allowed.
        """
        ...

    async def rewind(
        self,
        instance_id: InstanceId,
        request: HistoryEvent,
        seed: UUID,
        allowed: Collection[RuntimeStatus],
    ) -> Sequence[Hint]:
        """Rewind the instance and its failed descendants, all in one transaction
        (`store.rewinding`).

        request: the ExecutionRewound event. seed: execution ids are made of it. Returns lines for
        the developer.
        Errors: InstanceNotFound; InvalidState for a state not allowed.
        """
        ...

    async def signal(self, message: Message) -> None:
        """Deliver a message to an entity, which starts with it when there is none; dropped when it
        has ended.
        """
        ...

    async def remove_idle(self, instance_id: InstanceId, execution_id: ExecutionId) -> bool:
        """Delete all of an instance if that execution is still current and no message waits for
        it; whether it did.
        """
        ...

    async def purge(self, instance_id: InstanceId, allowed: Collection[RuntimeStatus]) -> None:
        """Delete all of an instance: row, history, inbox, activities; a claim on it is void.

        Errors: InstanceNotFound; InvalidState for a state not allowed.
        """
        ...


class HubStore(EpisodeStore, ActivityStore, InstanceStore, Protocol):
    """One task hub, all halves."""


class HostStore(Protocol):
    """A small key → JSON text table of the host itself (keys, monitor state), same database."""

    async def read(self, key: str) -> str | None:
        """The value, None when there is none."""
        ...

    async def write(self, key: str, value: str) -> None:
        """Store the value, replacing an older one."""
        ...

    async def write_if_absent(self, key: str, value: str) -> str:
        """Store the value unless there is one; return the one that stands now."""
        ...

    async def delete(self, key: str) -> bool:
        """Remove the value; whether there was one."""
        ...


class StoreProvider(Protocol):
    """An opened database."""

    def open_hub(self, name: str) -> HubStore:
        """The hub of this name, made on first use; hub names compare without case."""
        ...

    @property
    def host_store(self) -> HostStore:
        """The host's own table."""
        ...


StoreFactory = AbstractAsyncContextManager[StoreProvider]
"""Opens the database on entry (HubInUse when another process holds it), settles and closes on
exit.
"""
