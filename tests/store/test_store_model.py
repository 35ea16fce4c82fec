"""Random histories of one hub: SQLite and memory answer alike at every step."""

import asyncio
import uuid
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from clocks import ManualClock
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from memory_folder import memory_folder
from store.builders import asked, event, message, new_instance, parent, task

from durahost.codec import history
from durahost.model.errors import HostError
from durahost.model.instances import Commit
from durahost.model.messages import Message
from durahost.model.queries import InstanceQuery
from durahost.model.status import LIVE, TERMINAL, RuntimeStatus
from durahost.store.memory import MemoryStore
from durahost.store.sqlite.store import SqliteStore

LEASE = timedelta(seconds=30)
ALL_IDS = ("a", "b", "@c@")
IDS = st.sampled_from(ALL_IDS)
STATUSES = st.sampled_from(
    [RuntimeStatus.RUNNING] * 4
    + [RuntimeStatus.SUSPENDED, RuntimeStatus.COMPLETED, RuntimeStatus.FAILED]
)
CALL = str(uuid.UUID(int=5))
EVERY = frozenset(RuntimeStatus)
ALLOWED = st.sampled_from([EVERY, LIVE, TERMINAL])
DELAYS = st.sampled_from([None, None, None, -LEASE, LEASE, 2 * LEASE])
KEYS = st.sampled_from([None, None, None, "k"])
FEW = st.integers(0, 2)
PICKS = st.integers(0, 7)
SOMETIMES = st.sampled_from([False, False, True])
MESSAGES = st.fixed_dictionaries(
    {
        "instance_id": IDS,
        "delay": DELAYS,
        "is_carried": SOMETIMES,
        "dedupe_key": KEYS,
        "execution": st.sampled_from(["any", "any", "own", "other"]),
        "answers": st.booleans(),
    }
)


class StoreComparison(RuleBasedStateMachine):
    """Every rule does the same to both stores and compares the answers.

    Claims are pairs, memory's and SQLite's; those kept after their use are stale ones.
    """

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = memory_folder()
        self.clock = ManualClock()
        self.hubs = ()
        self.episodes = []
        self.activities = []
        self.numbers = 0

    @initialize()
    def open(self):
        self.hubs = self.runner.run(self._open())
        for instance_id in ALL_IDS[:2]:
            self.create(instance_id, EVERY, None)

    async def _open(self):
        path = Path(self.folder.name) / "hub.db"
        stores = [MemoryStore(self.clock), SqliteStore(path, self.clock)]
        return [(await self.stack.enter_async_context(s)).open_hub("h") for s in stores]

    def teardown(self):
        self.runner.run(self.stack.aclose())
        self.runner.close()
        self.folder.cleanup()

    @rule(instance_id=IDS, replaceable=ALLOWED, delay=DELAYS)
    def create(self, instance_id, replaceable, delay):
        at = None if delay is None else self.clock.now() + delay
        new = new_instance(
            instance_id, self._execution(), scheduled_at=at, created_at=self.clock.now()
        )
        self._both(lambda hub: hub.create(new, replaceable))

    @rule(values=MESSAGES, allowed=ALLOWED)
    def send(self, values, allowed):
        sent = self._message("e1", **values)
        self._both(lambda hub: hub.send(sent, allowed))

    @rule(values=MESSAGES)
    def signal(self, values):
        sent = self._message("e1", **values)
        self._both(lambda hub: hub.signal(sent))

    @rule(instance_id=IDS)
    def remove_idle(self, instance_id):
        self._both(lambda hub: _remove_idle(hub, instance_id))

    @rule(instance_id=IDS, allowed=ALLOWED)
    def purge(self, instance_id, allowed):
        self._both(lambda hub: hub.purge(instance_id, allowed))

    @rule(instance_id=IDS, allowed=ALLOWED)
    def rewind(self, instance_id, allowed):
        request = history.execution_rewound("why", self.clock.now())
        seed = uuid.UUID(int=self._number())
        self._both(lambda hub: hub.rewind(instance_id, request, seed, allowed))

    @rule(instance_id=IDS)
    def terminate(self, instance_id):
        sent = Message(instance_id, history.execution_terminated("why", self.clock.now()))
        self._both(lambda hub: hub.send(sent, LIVE))

    @rule(at_most=st.integers(1, 3))
    def lock_episodes(self, at_most):
        pairs = self._claims(lambda hub: hub.lock_episodes("me", LEASE, at_most))
        for one, other in pairs:
            assert _shown(one) == _shown(other)
        self.episodes += pairs

    @rule(
        pick=PICKS,
        stays=st.booleans(),
        status=STATUSES,
        kept=FEW,
        counts=st.tuples(FEW, FEW),
        asks=SOMETIMES,
        children=st.lists(st.tuples(IDS, st.booleans(), FEW), max_size=2),
        sent=st.lists(MESSAGES, max_size=3),
        continues=SOMETIMES,
    )
    def commit(self, pick, stays, status, kept, counts, asks, children, sent, continues):
        if not self.episodes:
            self.lock_episodes(2)
        if (pair := _take(self.episodes, pick, stays)) is None:
            return
        before = pair[0].state
        execution_id = self._execution() if continues else before.execution_id
        state = replace(
            before, status=status, execution_id=execution_id, output=f'"{self._number()}"'
        )
        events, tasks = counts
        commit = Commit(
            state=state,
            append=[event(f"event {self._number()}") for _ in range(events)]
            + ([asked("@c@", CALL)] if asks else []),
            schedule=[task(state.instance_id, execution_id, self._number()) for _ in range(tasks)],
            create=[self._child(state, *child) for child in children],
            send=[self._message(execution_id, **values) for values in sent],
            starts_generation=continues,
        )
        consumed = iter([[m.message_id for m in e.inbox[kept:]] for e in pair])
        leases = iter([e.lease for e in pair])
        self._both(
            lambda hub: hub.commit_episode(next(leases), replace(commit, consume=next(consumed)))
        )

    @rule(at_most=st.integers(1, 3))
    def lock_activities(self, at_most):
        pairs = self._claims(lambda hub: hub.lock_activities("me", LEASE, at_most))
        for one, other in pairs:
            assert (one.task, one.attempts) == (other.task, other.attempts)
        self.activities += pairs

    @rule(pick=PICKS, stays=st.booleans())
    def complete_activity(self, pick, stays):
        if (pair := _take(self.activities, pick, stays)) is not None:
            done = pair[0].task
            answer = message(done.instance_id, "answer", execution_id=done.execution_id)
            leases = iter([a.lease for a in pair])
            self._both(lambda hub: hub.complete_activity(next(leases), answer))

    @rule(pick=PICKS, stays=st.booleans(), delay=FEW)
    def abandon(self, pick, stays, delay):
        if (pair := _take(self.episodes, pick, stays)) is not None:
            leases = iter([e.lease for e in pair])
            self._both(lambda hub: hub.abandon_episode(next(leases), delay * LEASE))
        if (pair := _take(self.activities, pick, stays)) is not None:
            leases = iter([a.lease for a in pair])
            self._both(lambda hub: hub.abandon_activity(next(leases), delay * LEASE))

    @rule()
    def renew(self):
        pairs = self.episodes + self.activities
        sides = iter([[claim.lease for claim in side] for side in zip(*pairs, strict=True)])
        if pairs:
            self._both(lambda hub: _positions(hub, next(sides)))

    @rule(steps=st.integers(-1, 3), real_steps=FEW)
    def move_time(self, steps, real_steps):
        self.clock.advance(steps * LEASE)
        self.clock.pass_time(real_steps * LEASE)

    @rule(statuses=st.one_of(st.none(), ALLOWED), prefix=st.sampled_from(["", "a"]), back=FEW)
    def query(self, statuses, prefix, back):
        query = InstanceQuery(
            statuses=statuses,
            prefix=prefix,
            created_from=self.clock.now() - back * LEASE,
            created_to=self.clock.now(),
            at_most=2,
        )
        self._both(lambda hub: hub.query(query))

    @invariant()
    def all_that_clients_see_is_equal(self):
        if self.hubs:
            self._both(_dump)

    def _both(self, call):
        """Await the call on each hub; their equal result or error type."""
        one, other = self.runner.run(_outcomes([call(hub) for hub in self.hubs]))
        assert one == other
        return one

    def _claims(self, call):
        one, other = self.runner.run(_outcomes([call(hub) for hub in self.hubs]))
        return list(zip(one, other, strict=True))

    def _number(self):
        self.numbers += 1
        return self.numbers

    def _execution(self):
        return f"e{self._number()}"

    def _message(self, own, instance_id, delay, is_carried, dedupe_key, execution, answers):
        return message(
            instance_id,
            CALL if answers else f"message {self._number()}",
            visible_at=None if delay is None else self.clock.now() + delay,
            is_carried=is_carried,
            dedupe_key=dedupe_key,
            execution_id={"any": None, "own": own, "other": "e0"}[execution],
        )

    def _child(self, state, instance_id, has_parent, task_id):
        caller = parent(state.instance_id, state.execution_id, task_id)
        return new_instance(instance_id, self._execution(), parent=caller if has_parent else None)


def _take(pairs, pick, stays):
    if not pairs:
        return None
    return pairs[pick % len(pairs)] if stays else pairs.pop(pick % len(pairs))


def _shown(locked):
    inbox = [m.message for m in locked.inbox]
    return locked.state, list(locked.history), inbox, locked.attempts, locked.lease.key


async def _outcomes(calls):
    return [await _outcome(call) for call in calls]


async def _outcome(call):
    try:
        return await call
    except HostError as error:
        return type(error)


async def _positions(hub, leases):
    renewed = await hub.renew(leases, LEASE)
    return [lease in renewed for lease in leases]


async def _remove_idle(hub, instance_id):
    state = await hub.get(instance_id)
    return state is not None and await hub.remove_idle(instance_id, state.execution_id)


async def _dump(hub):
    return [(await hub.get(i), list(await hub.read_history(i))) for i in ALL_IDS]


TestStoreComparison = StoreComparison.TestCase
TestStoreComparison.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
