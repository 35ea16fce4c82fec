"""Random histories of one hub: SQLite and memory answer alike at every step."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from clocks import ManualClock
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)
from store.builders import event, message, new_instance, parent, task

from durahost.model.errors import HostError
from durahost.model.instances import Commit
from durahost.model.queries import InstanceQuery
from durahost.model.status import LIVE, TERMINAL, RuntimeStatus
from durahost.store.memory import MemoryStore
from durahost.store.sqlite.store import SqliteStore

IDS = st.sampled_from(["a", "b", "c", "@d@"])
LEASE = timedelta(seconds=30)
STATUSES = st.sampled_from(
    [RuntimeStatus.RUNNING] * 3
    + [RuntimeStatus.SUSPENDED, RuntimeStatus.COMPLETED, RuntimeStatus.FAILED]
)
ALLOWED = st.sampled_from([LIVE, TERMINAL, frozenset(RuntimeStatus)])
DELAYS = st.one_of(st.none(), st.integers(-1, 3).map(lambda n: n * LEASE))
FEW = st.integers(0, 2)


class StoreComparison(RuleBasedStateMachine):
    """Every rule does the same to both stores and compares the answers."""

    episodes = Bundle("episodes")
    activities = Bundle("activities")

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.hubs = ()
        self.numbers = 0

    @initialize()
    def open(self):
        self.hubs = self.runner.run(self._open())

    async def _open(self):
        stores = [
            MemoryStore(self.clock),
            SqliteStore(Path(self.folder.name) / "hub.db", self.clock),
        ]
        return [(await self.stack.enter_async_context(s)).open_hub("h") for s in stores]

    def teardown(self):
        self.runner.run(self.stack.aclose())
        self.runner.close()
        self.folder.cleanup()

    def number(self):
        self.numbers += 1
        return self.numbers

    def both(self, *calls):
        """Run one coroutine function per store; their results or errors."""

        async def run(call):
            try:
                return await call
            except HostError as error:
                return type(error)

        async def run_all():
            return [await run(call) for call in calls]

        return self.runner.run(run_all())

    def alike(self, method, *arguments):
        one, other = self.both(*(getattr(hub, method)(*arguments) for hub in self.hubs))
        assert one == other
        return one

    @rule(instance_id=IDS, replaceable=ALLOWED, delay=DELAYS)
    def create(self, instance_id, replaceable, delay):
        at = None if delay is None else self.clock.now() + delay
        new = new_instance(instance_id, f"e{self.number()}", scheduled_at=at)
        self.alike("create", new, replaceable)

    @rule(instance_id=IDS, delay=DELAYS, carried=st.booleans(), key=DELAYS, allowed=ALLOWED)
    def send(self, instance_id, delay, carried, key, allowed):
        self.alike("send", self._message(instance_id, delay, carried, key), allowed)

    @rule(instance_id=IDS, allowed=ALLOWED)
    def purge(self, instance_id, allowed):
        self.alike("purge", instance_id, allowed)

    @rule(target=episodes, at_most=st.integers(1, 3))
    def lock_episodes(self, at_most):
        found = self.both(*(hub.lock_episodes("me", LEASE, at_most) for hub in self.hubs))
        memory, sqlite = found
        assert [_visible_of_episode(e) for e in memory] == [_visible_of_episode(e) for e in sqlite]
        return multiple(*zip(memory, sqlite, strict=True))

    @rule(
        locked=episodes,
        status=STATUSES,
        consumed=FEW,
        counts=st.tuples(FEW, FEW),
        children=st.lists(st.tuples(IDS, st.booleans()), max_size=2),
        sent=st.lists(st.tuples(IDS, DELAYS, st.booleans(), DELAYS, st.booleans()), max_size=3),
        new_generation=st.booleans(),
    )
    def commit(self, locked, status, consumed, counts, children, sent, new_generation):
        before = locked[0].state
        own = before.instance_id
        state = replace(before, status=status, output=f'"{self.number()}"')
        if new_generation and not status.is_terminal:
            state = replace(state, execution_id=f"e{self.number()}", generation=1)
        events, tasks = counts
        commit = Commit(
            state=state,
            append=[event(f"event {self.number()}") for _ in range(events)],
            schedule=[task(own, state.execution_id, self.number()) for _ in range(tasks)],
            create=[self._child(state, i, has_parent) for i, has_parent in children],
            send=[self._message(*one, before.execution_id) for one in sent],
            starts_generation=state.execution_id != before.execution_id,
        )
        one, other = self.both(
            *(
                hub.commit_episode(
                    e.lease, replace(commit, consume=[m.message_id for m in e.inbox[consumed:]])
                )
                for hub, e in zip(self.hubs, locked, strict=True)
            )
        )
        assert one == other

    @rule(locked=consumes(episodes), delay=FEW)
    def abandon_episode(self, locked, delay):
        self._each(locked, lambda hub, e: hub.abandon_episode(e.lease, delay * LEASE))

    @rule(target=activities, at_most=st.integers(1, 3))
    def lock_activities(self, at_most):
        memory, sqlite = self.both(
            *(hub.lock_activities("me", LEASE, at_most) for hub in self.hubs)
        )
        assert [(a.task, a.attempts) for a in memory] == [(a.task, a.attempts) for a in sqlite]
        return multiple(*zip(memory, sqlite, strict=True))

    @rule(locked=activities)
    def complete_activity(self, locked):
        execution_id = locked[0].task.execution_id
        answer = message(locked[0].task.instance_id, "answer", execution_id=execution_id)
        self._each(locked, lambda hub, a: hub.complete_activity(a.lease, answer))

    @rule(locked=consumes(activities), delay=FEW)
    def abandon_activity(self, locked, delay):
        self._each(locked, lambda hub, a: hub.abandon_activity(a.lease, delay * LEASE))

    @rule(one=episodes, two=activities)
    def renew(self, one, two):
        self._each(
            zip(one, two, strict=True),
            lambda hub, pair: _kinds(hub.renew([item.lease for item in pair], LEASE)),
        )

    @rule(steps=st.integers(-1, 3))
    def move_time(self, steps):
        self.clock.advance(steps * LEASE)

    @rule(steps=st.integers(1, 2))
    def pass_time(self, steps):
        self.clock.pass_time(steps * LEASE)

    @rule(statuses=st.one_of(st.none(), ALLOWED), prefix=st.sampled_from(["", "a", "@"]))
    def query(self, statuses, prefix):
        self.alike("query", InstanceQuery(statuses=statuses, prefix=prefix, at_most=2))

    @invariant()
    def everything_visible_is_equal(self):
        for instance_id in ("a", "b", "c", "@d@") if self.hubs else ():
            self.alike("get", instance_id)
            self.alike("read_history", instance_id)

    def _each(self, items, call):
        one, other = self.both(*map(call, self.hubs, items))
        assert one == other

    def _message(self, instance_id, delay, carried, key, current=False, execution_id=None):
        return message(
            instance_id,
            f"message {self.number()}",
            visible_at=None if delay is None else self.clock.now() + delay,
            is_carried=carried,
            dedupe_key=None if key is None else str(key),
            execution_id=execution_id if current else None,
        )

    def _child(self, state, instance_id, has_parent):
        caller = parent(state.instance_id, state.execution_id, self.number() % 2)
        return new_instance(instance_id, f"e{self.number()}", parent=caller if has_parent else None)


async def _kinds(renewing):
    return [lease.kind for lease in await renewing]


def _visible_of_episode(locked):
    inbox = [m.message for m in locked.inbox]
    return locked.state, list(locked.history), inbox, locked.attempts, locked.lease.key


TestStoreComparison = StoreComparison.TestCase
TestStoreComparison.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
