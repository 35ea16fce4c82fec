"""Many senders and entities under any interleaving: order, exclusivity, locks, nothing lost."""

import json
from collections import Counter as Multiset
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durahost.codec import entity_messages, history
from durahost.engine import entity
from durahost.engine.outcome import FreshIds
from durahost.model.entities import BatchResult, EntityRequest, OperationResult
from durahost.model.ids import EntityId
from durahost.model.instances import InstanceState, Lease, LockedEpisode
from durahost.model.messages import InboxMessage, Message
from durahost.model.status import RuntimeStatus

pytestmark = pytest.mark.feature("Entities", "Order per sender, one operation at a time")


T0 = datetime(2026, 1, 5, 10, tzinfo=UTC)
NAMES = ("a", "b", "c")
ENTITY = st.sampled_from(NAMES)
SIMPLE = st.tuples(st.sampled_from(["signal", "call"]), ENTITY)
CRITICAL = st.tuples(st.just("lock"), st.sets(ENTITY, min_size=1), st.integers(0, 3))
PROGRAMS = st.lists(st.lists(SIMPLE | CRITICAL, max_size=5), min_size=1, max_size=4)


def own_id(name):
    return EntityId(name, "k").instance_id


@dataclass
class Sender:
    """An orchestration: its steps in order; a call and a lock are waited for."""

    name: str
    steps: deque
    waits_for: str | None = None
    held: list = field(default_factory=list)


class World:
    """Inboxes, senders and entities; `step` moves any one of them."""

    def __init__(self, programs, max_operations, choose):
        self.choose = choose
        self.max_operations = max_operations
        self.numbers = 0
        self.senders = [Sender(f"o{n}", deque(_flatten(steps))) for n, steps in enumerate(programs)]
        self.inboxes = {own_id(name): [] for name in NAMES}
        self.rows = {own_id(name): _row(name) for name in NAMES}
        self.past = {own_id(name): [] for name in NAMES}
        self.sent = {}
        self.trace = []
        self.answers = Multiset()

    def run(self):
        for _ in range(10_000):
            ready = [s for s in self.senders if s.steps and s.waits_for is None]
            busy = [target for target, inbox in self.inboxes.items() if inbox]
            if not ready and not busy:
                return
            chosen = self.choose(ready + busy)
            if isinstance(chosen, Sender):
                self.advance(chosen)
            else:
                self.run_batch(chosen)
        raise AssertionError("the world does not come to rest")

    def advance(self, sender):
        verb, what = sender.steps.popleft()
        if verb == "unlock":
            for name in sender.held:
                text = entity_messages.encode_release(sender.name, "l")
                self.deliver(Message(own_id(name), history.event_raised("release", text, T0)))
            sender.held = []
        elif verb == "lock":
            sender.held = sorted(what)
            lock_set = [EntityId(name, "k") for name in sender.held]
            self.ask(sender, sender.held[0], lock_set=lock_set)
        else:
            label = f"{sender.name}:{len(self.sent)}"
            self.sent[label] = (sender.name, what)
            self.ask(sender, what, operation=label, is_signal=verb == "signal")

    def ask(self, sender, name, **members):
        self.numbers += 1
        request = EntityRequest(
            request_id=str(UUID(int=self.numbers)), parent=sender.name, **members
        )
        if not request.is_signal:
            sender.waits_for = request.request_id
        text = entity_messages.encode_request(request)
        self.deliver(Message(own_id(name), history.event_raised("op", text, T0)))

    def deliver(self, message):
        if message.instance_id in self.inboxes:
            self.inboxes[message.instance_id].append(message)
            return
        (sender,) = [s for s in self.senders if s.name == message.instance_id]
        self.answers[message.event.name] += 1
        assert sender.waits_for == message.event.name
        sender.waits_for = None

    def run_batch(self, target):
        inbox = self.inboxes[target]
        seen = inbox[: self.choose(range(1, len(inbox) + 1))]
        messages = [InboxMessage(n, message) for n, message in enumerate(seen)]
        lease = Lease("episode", target, "me", 1)
        locked = LockedEpisode(lease, self.rows[target], self.past[target], messages)
        planned = entity.plan_batch(locked, T0, self.max_operations)
        holder = planned.scheduler.locked_by
        for one in planned.operations:
            assert holder in (None, one.parent)
            self.trace.append((target, one.operation))
        if self.choose([False, False, True]):  # the batch is lost with its worker: nothing happened
            del self.trace[len(self.trace) - len(planned.operations) :]
            return
        given = None
        if planned.operations:
            log = [*json.loads(planned.scheduler.state or "[]")]
            log += [one.operation for one in planned.operations]
            results = [OperationResult("null") for _ in planned.operations]
            given = BatchResult(exists=True, state=json.dumps(log), results=results)
        fresh = FreshIds(UUID(int=0))
        commit = entity.conclude_batch(planned, given, fresh=fresh, now=T0).commit
        self.inboxes[target] = inbox[len(seen) :]
        self.rows[target], self.past[target] = commit.state, list(commit.append)
        for message in commit.send:
            self.deliver(message)


def _flatten(steps):
    for verb, *rest in steps:
        if verb != "lock":
            yield verb, rest[0]
            continue
        names, calls = rest
        yield "lock", names
        for n in range(calls):
            yield "call", sorted(names)[n % len(names)]
        yield "unlock", None


def _row(name):
    return InstanceState(
        instance_id=own_id(name),
        execution_id="e",
        name=own_id(name),
        status=RuntimeStatus.RUNNING,
        created_at=T0,
        updated_at=T0,
    )


@settings(deadline=None, max_examples=300)
@given(PROGRAMS, st.integers(1, 3), st.randoms(use_true_random=False))
def test_any_interleaving_i30_to_i33(programs, max_operations, random):
    world = World(programs, max_operations, random.choice)
    world.run()
    assert all(not s.steps and s.waits_for is None for s in world.senders), "a sender waits"
    assert set(world.answers.values()) <= {1}
    for target, row in world.rows.items():
        scheduler = entity_messages.decode_scheduler(row.input)
        assert (list(scheduler.queue), scheduler.locked_by) == ([], None)
        applied = json.loads(scheduler.state or "[]")
        assert applied == [label for at, label in world.trace if at == target]
        for sender in world.senders:
            mine = [label for label in applied if world.sent[label][0] == sender.name]
            expected = [
                label
                for label, (name, at) in world.sent.items()
                if (name, own_id(at)) == (sender.name, target)
            ]
            assert mine == expected
