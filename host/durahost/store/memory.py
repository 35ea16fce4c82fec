"""The store in memory: the simplest form of the rules, and the model the others are tested by.

Every method runs to its end on the event loop without a pause, so each is one transaction.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from types import TracebackType
from uuid import UUID

from durahost.clock import Clock
from durahost.engine.rewind import Rewound
from durahost.model.actions import Hint
from durahost.model.errors import InstanceExists, InstanceNotFound, InvalidState
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
from durahost.model.status import LIVE, RuntimeStatus
from durahost.store import rewinding, rules
from durahost.store.base import NOTHING_SEEN, HostStore, HubStore
from durahost.store.memory_rows import Claim, Instance, Task
from durahost.store.signals import EndSignal, WorkSignal


class MemoryHub:
    """One task hub, all halves."""

    def __init__(self, clock: Clock, tokens: Iterator[int]) -> None:
        self._clock = clock
        self._tokens = tokens
        self._message_ids = count(1)
        self._task_keys = count(1)
        self._instances: dict[str, Instance] = {}
        self._tasks: dict[str, Task] = {}
        self._episodes = WorkSignal(clock)
        self._activities = WorkSignal(clock)
        self._ends = EndSignal()

    async def lock_episodes(
        self,
        owner: str,
        lease_for: timedelta,
        at_most: int,
        seen: Mapping[InstanceId, Seen] = NOTHING_SEEN,
    ) -> Sequence[LockedEpisode]:
        """Claim the instances that have been ready longest."""
        now, now_s = self._clock.now(), self._clock.monotonic()
        waiting = [(i.due_at, key, i) for key, i in self._instances.items()]
        due = sorted((at, key, i) for at, key, i in waiting if at is not None and at <= now)
        ready = [i for _, _, i in due if i.claim.until_s <= now_s][:at_most]
        token, until_s = next(self._tokens), now_s + lease_for.total_seconds()
        for instance in ready:
            instance.claim.take(token, owner, until_s)
        if len(ready) < at_most:
            later = [at for at, _, _ in waiting if at is not None and at > now]
            lapses = [i.claim.until_s for _, _, i in due]
            self._episodes.found_nothing(min(later, default=None), min(lapses, default=None))
        return [
            LockedEpisode(
                Lease(rules.EPISODE, i.state.instance_id, owner, token),
                i.state,
                i.history[known:],
                i.visible(now),
                i.claim.attempts,
                known,
            )
            for i in ready
            for known in (rules.known_events(i.state, seen),)
        ]

    async def read_whole(self, locked: LockedEpisode) -> LockedEpisode:
        """The claimed episode with its whole history."""
        return rules.completed(locked, await self.read_history(locked.state.instance_id))

    async def commit_episode(self, lease: Lease, commit: Commit) -> None:
        """Apply the commit and release the claim."""
        instance = self._held_instance(lease)
        if instance is None:
            raise rules.lease_lost(lease)
        instance.state = commit.state
        instance.claim.release()
        instance.claim.attempts = 0
        if commit.starts_generation:
            self._end_execution(instance)
        instance.history.extend(commit.append)
        for message_id in commit.consume:
            instance.inbox.pop(message_id, None)
        for task in commit.schedule:
            self._tasks[str(next(self._task_keys))] = Task(instance, task)
        for new in commit.create:
            self._create_child(new)
        for message in commit.send:
            self._deliver(message)
        if commit.state.status.is_terminal:
            self._keep_answers(instance)
            self._drop_tasks(instance)
            self._ends.notify(commit.state.instance_id)
        self._episodes.notify()
        self._activities.notify()

    async def abandon_episode(self, lease: Lease, retry_after: timedelta) -> None:
        """Release unchanged."""
        if (instance := self._held_instance(lease)) is not None:
            instance.claim.release(self._clock.monotonic() + retry_after.total_seconds())
        self._episodes.notify()

    async def renew(self, leases: Sequence[Lease], lease_for: timedelta) -> Sequence[Lease]:
        """Extend the leases still ours and return them."""
        until_s = self._clock.monotonic() + lease_for.total_seconds()
        renewed = []
        for lease in leases:
            held = (
                self._held_instance(lease)
                if lease.kind == rules.EPISODE
                else self._held_task(lease)
            )
            if held is not None:
                held.claim.until_s = until_s
                renewed.append(lease)
        return renewed

    async def wait_for_episodes(self, at_most: timedelta) -> None:
        """Return when an episode may be ready, or after the limit."""
        await self._episodes.wait(at_most)

    async def lock_activities(
        self, owner: str, lease_for: timedelta, at_most: int
    ) -> Sequence[LockedActivity]:
        """Claim the oldest unclaimed activities."""
        now_s = self._clock.monotonic()
        free = [(k, t) for k, t in self._tasks.items() if t.claim.until_s <= now_s][:at_most]
        token, until_s = next(self._tokens), now_s + lease_for.total_seconds()
        for _, task in free:
            task.claim.take(token, owner, until_s)
        if len(free) < at_most:
            lapses = [t.claim.until_s for t in self._tasks.values()]
            self._activities.found_nothing(None, min(lapses, default=None))
        return [
            LockedActivity(Lease(rules.ACTIVITY, k, owner, token), t.task, t.claim.attempts)
            for k, t in free
        ]

    async def complete_activity(self, lease: Lease, answer: Message) -> None:
        """Remove the activity and deliver its answer."""
        if lease.key not in self._tasks:
            raise rules.work_gone(lease)
        if self._held_task(lease) is None:
            raise rules.lease_lost(lease)
        del self._tasks[lease.key]
        self._deliver(answer)
        self._episodes.notify()

    async def abandon_activity(self, lease: Lease, retry_after: timedelta) -> None:
        """Release unchanged."""
        if (task := self._held_task(lease)) is not None:
            task.claim.release(self._clock.monotonic() + retry_after.total_seconds())
        self._activities.notify()

    async def wait_for_activities(self, at_most: timedelta) -> None:
        """Return when an activity may be ready, or after the limit."""
        await self._activities.wait(at_most)

    async def create(self, new: NewInstance, replaceable: Collection[RuntimeStatus]) -> None:
        """Start an instance."""
        known = self._instances.get(new.state.instance_id)
        if known is not None and known.state.status not in replaceable:
            raise InstanceExists(new.state.instance_id, known.state.status)
        self._replace(new)
        self._episodes.notify()

    def peek(self, instance_id: InstanceId) -> InstanceState | None:
        """The row as last committed."""
        instance = self._instances.get(instance_id)
        return None if instance is None else instance.state

    async def get(self, instance_id: InstanceId) -> InstanceState | None:
        """The row as last committed."""
        return self.peek(instance_id)

    async def wait_for_end(self, instance_id: InstanceId, at_most: timedelta) -> None:
        """Return when the instance ends, at once when it has, or after the limit."""

        def has_ended() -> bool:
            instance = self._instances.get(instance_id)
            return instance is not None and instance.state.status.is_terminal

        await self._ends.wait(instance_id, has_ended, at_most)

    async def query(self, query: InstanceQuery) -> InstancePage:
        """One page in ordinal order of ids."""
        states = [i.state for _, i in sorted(self._instances.items()) if _matches(query, i.state)]
        page, rest = states[: query.at_most], states[query.at_most :]
        return InstancePage(page, page[-1].instance_id if rest and page else None)

    async def read_history(self, instance_id: InstanceId) -> Sequence[HistoryEvent]:
        """The current execution's events in order."""
        instance = self._instances.get(instance_id)
        return [] if instance is None else list(instance.history)

    async def send(self, message: Message, allowed: Collection[RuntimeStatus]) -> None:
        """Accept a message if the instance's state allows it."""
        instance = self._allowed_instance(message.instance_id, allowed)
        ended = rules.ended_unstarted(instance.state, message, self._clock.now())
        if ended is None:
            self._deliver(message, allowed)
        else:
            instance.state = ended
            instance.inbox.clear()
            self._ends.notify(ended.instance_id)
        self._episodes.notify()

    async def rewind(
        self,
        instance_id: InstanceId,
        request: HistoryEvent,
        seed: UUID,
        allowed: Collection[RuntimeStatus],
    ) -> Sequence[Hint]:
        """Rewind the instance and its failed descendants."""
        self._allowed_instance(instance_id, allowed)
        self._episodes.notify()
        now = self._clock.now()
        return rewinding.rewind_tree(_Rewriter(self), instance_id, request, seed, now)

    async def signal(self, message: Message) -> None:
        """Deliver a message to an entity."""
        self._deliver(message)
        self._episodes.notify()

    async def remove_idle(self, instance_id: InstanceId, execution_id: ExecutionId) -> bool:
        """Delete an instance that nothing waits for."""
        instance = self._instances.get(instance_id)
        if instance is None or instance.inbox or instance.state.execution_id != execution_id:
            return False
        self._remove(instance_id)
        return True

    async def purge(self, instance_id: InstanceId, allowed: Collection[RuntimeStatus]) -> None:
        """Delete all of an instance."""
        self._allowed_instance(instance_id, allowed)
        self._remove(instance_id)

    def _held_instance(self, lease: Lease) -> Instance | None:
        instance = self._instances.get(lease.key)
        return instance if instance is not None and instance.claim.is_proven_by(lease) else None

    def _held_task(self, lease: Lease) -> Task | None:
        task = self._tasks.get(lease.key)
        return task if task is not None and task.claim.is_proven_by(lease) else None

    def _allowed_instance(
        self, instance_id: InstanceId, allowed: Collection[RuntimeStatus]
    ) -> Instance:
        instance = self._instances.get(instance_id)
        if instance is None:
            raise InstanceNotFound(instance_id)
        if instance.state.status not in allowed:
            raise InvalidState(instance_id, instance.state.status)
        return instance

    def _create_child(self, new: NewInstance) -> None:
        known = self._instances.get(new.state.instance_id)
        if known is None or known.state.status.is_terminal:
            self._replace(new)
        elif not rules.is_same_call(known.state.parent, new.state.parent):
            answer = rules.refusal(new.state, self._clock.now())
            if answer is not None:
                self._deliver(answer)

    def _keep_answers(self, instance: Instance) -> None:
        """Empty the inbox, but for what a rewind may need."""
        is_failed = instance.state.status is RuntimeStatus.FAILED
        inbox = instance.inbox.items()
        instance.inbox = {n: m for n, m in inbox if is_failed and rules.is_answer(m)}

    def _end_execution(self, instance: Instance) -> None:
        instance.history.clear()
        self._drop_tasks(instance)
        for message_id in [i for i, m in instance.inbox.items() if m.execution_id is not None]:
            del instance.inbox[message_id]

    def _replace(self, new: NewInstance) -> None:
        known = self._instances.get(new.state.instance_id)
        answer = None if known is None else rules.farewell(known.state, self._clock.now())
        self._remove(new.state.instance_id)
        if answer is not None:
            self._deliver(answer)
        self._instances[new.state.instance_id] = Instance(new.state)
        self._deliver(new.started)

    def _remove(self, instance_id: str) -> None:
        instance = self._instances.pop(instance_id, None)
        if instance is not None:
            self._drop_tasks(instance)

    def _drop_tasks(self, instance: Instance) -> None:
        self._tasks = {k: t for k, t in self._tasks.items() if t.instance is not instance}

    def _deliver(self, message: Message, statuses: Collection[RuntimeStatus] = LIVE) -> None:
        instance = self._instances.get(message.instance_id) or self._awaken(message)
        if instance is None:
            return
        state = instance.state.status, instance.state.execution_id
        accepted = rules.accept(message, state, statuses, lambda: instance.history)
        if accepted is None:
            return
        if message.dedupe_key is not None and self._is_known(message.dedupe_key):
            return
        visible_at = message.visible_at or self._clock.now()
        instance.inbox[next(self._message_ids)] = replace(accepted, visible_at=visible_at)

    def _awaken(self, message: Message) -> Instance | None:
        state = rules.awakened(message, self._clock.now())
        if state is None:
            return None
        return self._instances.setdefault(state.instance_id, Instance(state))

    def _is_known(self, dedupe_key: str) -> bool:
        inboxes = (i.inbox.values() for i in self._instances.values())
        return any(m.dedupe_key == dedupe_key for inbox in inboxes for m in inbox)


class _Rewriter:
    """The steps of `store.rewinding` on one hub."""

    def __init__(self, hub: MemoryHub) -> None:
        self._hub = hub

    def read(self, instance_id: InstanceId) -> tuple[InstanceState, Sequence[HistoryEvent]] | None:
        instance = self._hub._instances.get(instance_id)
        return None if instance is None else (instance.state, list(instance.history))

    def rewrite(self, rewound: Rewound) -> None:
        instance = self._hub._instances[rewound.state.instance_id]
        instance.history = list(rewound.history)
        self._hub._drop_tasks(instance)
        execution_id, inbox = rewound.state.execution_id, instance.inbox.items()
        answers = {n: m for n, m in inbox if rules.is_answer(m)}
        instance.inbox = {n: replace(m, execution_id=execution_id) for n, m in answers.items()}
        self.adopt(rewound.state)
        for message in rewound.send:
            self.deliver(message)

    def adopt(self, state: InstanceState) -> None:
        instance = self._hub._instances[state.instance_id]
        instance.state = state
        instance.claim = Claim()

    def deliver(self, message: Message) -> None:
        self._hub._deliver(message)


class MemoryHostStore:
    """The host's own table."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    async def read(self, key: str) -> str | None:
        """The value, None when there is none."""
        return self._values.get(key)

    async def write(self, key: str, value: str) -> None:
        """Store the value."""
        self._values[key] = value

    async def write_if_absent(self, key: str, value: str) -> str:
        """Store the value unless there is one; return the one that stands now."""
        return self._values.setdefault(key, value)

    async def delete(self, key: str) -> bool:
        """Remove the value; whether there was one."""
        return self._values.pop(key, None) is not None


class MemoryStore:
    """A database that lives as long as this object; opening it again keeps what is there."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens = count(1)
        self._hubs: dict[str, MemoryHub] = {}
        self._host_store = MemoryHostStore()

    async def __aenter__(self) -> "MemoryStore":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

    def open_hub(self, name: str) -> HubStore:
        """The hub of this name; names compare without case."""
        return self._hubs.setdefault(name.lower(), MemoryHub(self._clock, self._tokens))

    @property
    def host_store(self) -> HostStore:
        """The host's own table."""
        return self._host_store


def _matches(query: InstanceQuery, state: InstanceState) -> bool:
    return (
        state.instance_id.startswith(query.prefix)
        and (query.after is None or state.instance_id > query.after)
        and (query.statuses is None or state.status in query.statuses)
        and (query.created_from is None or state.created_at >= query.created_from)
        and (query.created_to is None or state.created_at <= query.created_to)
    )
