"""Rules of the entity scheduler, one batch at a time."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from durahost.codec import entity_messages, history
from durahost.engine import entity
from durahost.engine.outcome import FreshIds
from durahost.model.entities import (
    BatchResult,
    EntityRequest,
    OperationResult,
    OutgoingSignal,
    SchedulerState,
)
from durahost.model.events import EventKind
from durahost.model.ids import EntityId
from durahost.model.instances import Commit, InstanceState, Lease, LockedEpisode
from durahost.model.messages import InboxMessage, Message
from durahost.model.status import RuntimeStatus

T0 = datetime(2026, 1, 5, 10, tzinfo=UTC)
OWN = "@counter@k"
MANY = 5000


def guid(number):
    return str(UUID(int=number))


def operation(number, name="add", **changes):
    return EntityRequest(request_id=guid(number), operation=name, is_signal=True, **changes)


def call(number, parent="o", **changes):
    return EntityRequest(
        request_id=guid(number), operation="get", parent=parent, parent_execution="e", **changes
    )


def lock_request(number, parent, *names, position=0):
    return EntityRequest(
        request_id=guid(number),
        parent=parent,
        parent_execution="e",
        lock_set=[EntityId(name, "k") for name in names],
        position=position,
    )


class Counter:
    """One entity, driven batch by batch; its function writes down what it is asked."""

    def __init__(self, max_operations=MANY, **scheduler):
        text = entity_messages.encode_scheduler(SchedulerState(**scheduler)) if scheduler else None
        self.state = InstanceState(
            instance_id=OWN,
            execution_id="e0",
            name=OWN,
            status=RuntimeStatus.RUNNING,
            created_at=T0,
            updated_at=T0,
            input=text,
        )
        self.max_operations = max_operations
        self.history = []
        self.inbox = []
        self.now = T0
        self.ran = []
        self.hints = []

    def send(self, *requests):
        for one in requests:
            text = entity_messages.encode_request(one)
            self.raise_event(entity_messages.request_name(one.due), text)
        return self

    def raise_event(self, name, text):
        self.inbox.append(history.event_raised(name, text, self.now))
        return self

    def release(self, parent):
        return self.raise_event("release", entity_messages.encode_release(parent, "l"))

    def plan(self):
        messages = [InboxMessage(n, Message(OWN, event)) for n, event in enumerate(self.inbox)]
        locked = LockedEpisode(Lease("episode", OWN, "me", 1), self.state, self.history, messages)
        return entity.plan_batch(locked, self.now, self.max_operations)

    def run(self, results=None, signals=(), exists=True, state="1"):
        """One batch; the messages it sends."""
        planned = self.plan()
        if isinstance(planned, Commit):
            return self.commit(planned)
        names = [one.operation for one in planned.operations]
        self.ran.append(names)
        answers = results or [OperationResult(json.dumps(name)) for name in names]
        given = BatchResult(exists=exists, state=state, results=answers, signals=signals)
        return self.conclude(planned, given if names else None)

    def conclude(self, planned, given):
        fresh = FreshIds(UUID(int=0))
        concluded = entity.conclude_batch(planned, given, fresh=fresh, now=self.now)
        self.hints += [hint.text for hint in concluded.hints]
        return self.commit(concluded.commit)

    def commit(self, commit):
        assert sorted(commit.consume) == list(range(len(self.inbox)))
        self.state, self.inbox = commit.state, []
        self.history = [*([] if commit.starts_generation else self.history), *commit.append]
        self.inbox = [message.event for message in commit.send if message.instance_id == OWN]
        return [message for message in commit.send if message.instance_id != OWN]

    @property
    def scheduler(self):
        return entity_messages.decode_scheduler(self.state.input)


def shown(message):
    return message.instance_id, message.event.name, json.loads(history.read_input(message.event))


@pytest.mark.feature("Entities", "Batches")
def test_a_batch_ends_in_a_generation_of_three_events():
    counter = Counter().send(operation(1), operation(2, "get"))
    counter.now = T0 + timedelta(seconds=5)
    assert counter.run() == []
    assert counter.ran == [["add", "get"]]
    state = counter.state
    assert state.input == '{"exists":true,"state":"1","sorter":{}}'
    assert state.custom_status == '{"entityExists":true}'
    assert (state.status, state.generation, state.output) == (RuntimeStatus.RUNNING, 1, None)
    assert state.execution_id != "e0"
    assert state.created_at == state.updated_at == counter.now
    kinds = [event.kind for event in counter.history]
    assert kinds == [
        EventKind.ORCHESTRATOR_STARTED,
        EventKind.EXECUTION_STARTED,
        EventKind.ORCHESTRATOR_COMPLETED,
    ]
    started = json.loads(counter.history[1].text)
    assert (started["Name"], started["Input"]) == (OWN, state.input)
    assert started["OrchestrationInstance"]["ExecutionId"] == state.execution_id


@pytest.mark.feature("Entities", "Batches")
def test_time_does_not_go_back():
    counter = Counter().send(operation(1))
    counter.now = T0 + timedelta(seconds=5)
    counter.run()
    counter.now = T0
    counter.send(operation(2)).run()
    assert counter.state.created_at == T0 + timedelta(seconds=5)


@pytest.mark.feature("Entities", "Batches")
def test_deciding_twice_gives_the_same_commit():
    counter = Counter().send(operation(1), call(2), lock_request(3, "o", "counter", "other"))
    planned, given = counter.plan(), BatchResult(
        exists=True, state="1", results=[OperationResult("1")] * 2,
        signals=[OutgoingSignal(EntityId("x", ""), "add", None)],
    )  # fmt: skip
    one, other = (
        entity.conclude_batch(counter.plan(), given, fresh=FreshIds(UUID(int=7)), now=T0)
        for _ in range(2)
    )
    assert counter.plan() == planned
    assert one == other


@pytest.mark.feature("Entities", "Signals")
@pytest.mark.feature("Entities", "Calls")
def test_calls_are_answered_and_signals_are_not():
    counter = Counter().send(operation(1), call(2))
    (answer,) = counter.run()
    assert shown(answer) == ("o", guid(2), {"result": '"get"'})
    assert answer.execution_id == "e"


@pytest.mark.feature("Entities", "Failures of operations")
def test_a_failed_operation_keeps_the_state_and_only_its_caller_hears_of_it():
    counter = Counter().send(operation(1, "boom"), call(2), call(3, "p"))
    error = OperationResult('"no"', is_error=True)
    first, second = counter.run([error, error, OperationResult("9")], state="9")
    assert shown(first) == ("o", guid(2), {"result": '"no"', "exceptionType": "Error"})
    assert shown(second) == ("p", guid(3), {"result": "9"})
    assert counter.scheduler.state == "9"
    assert counter.hints == [
        f"Entity '{OWN}': operation 'boom' failed: \"no\"",
        f"Entity '{OWN}': operation 'get' failed: \"no\"",
    ]


@pytest.mark.feature("Entities", "Failures of operations")
def test_a_time_out_is_the_error_of_every_call_and_changes_nothing():
    counter = Counter(exists=True, state="7").send(operation(1), call(2))
    planned = counter.plan()
    (answer,) = counter.conclude(planned, entity.failed(planned, "Timeout value of 1"))
    expected = {"result": "Timeout value of 1", "exceptionType": "Error"}
    assert shown(answer) == ("o", guid(2), expected)
    assert counter.state.input == '{"exists":true,"state":"7","sorter":{}}'


@pytest.mark.feature("Entities", "Deletion and cleaning")
def test_deletion_leaves_the_row():
    counter = Counter(exists=True, state="7").send(operation(1, "delete"))
    counter.run(exists=False, state="null")
    assert counter.state.input == '{"state":"null","sorter":{}}'
    assert counter.state.custom_status == "{}"
    assert counter.state.status is RuntimeStatus.RUNNING


@pytest.mark.feature("Settings", "`maxEntityOperationBatchSize`")
@pytest.mark.feature("Entities", "Batches")
def test_a_cut_batch_goes_on_by_a_message_to_itself():
    counter = Counter(max_operations=2)
    counter.send(*(operation(n, f"op{n}") for n in range(5)))
    counter.run()
    assert counter.scheduler.is_suspended
    assert counter.state.custom_status == '{"entityExists":true,"queueSize":3}'
    assert [event.name for event in counter.inbox] == ["continue"]
    counter.send(operation(9, "late")).run()
    counter.run()
    assert counter.ran == [["op0", "op1"], ["op2", "op3"], ["op4", "late"]]
    assert not counter.scheduler.is_suspended


@pytest.mark.feature("Entities", "Suspension and termination")
def test_a_suspended_entity_runs_nothing_until_it_may():
    counter = Counter(is_suspended=True).send(operation(1))
    counter.run()
    assert counter.ran == [[]]
    counter.raise_event("continue", None).run()
    assert counter.ran == [[], ["add"]]


@pytest.mark.feature("Entities", "Batches")
def test_a_lost_continue_is_forgiven_after_ten_seconds():
    counter = Counter(is_suspended=True).send(operation(1))
    counter.now = T0 + timedelta(seconds=10)
    counter.run()
    counter.now += timedelta(seconds=10.001)
    counter.send(operation(2)).run()
    assert counter.ran == [[], ["add", "add"]]


@pytest.mark.feature("Entities", "Locks and releases, for SDKs that have them")
def test_a_lock_request_ends_the_batch_and_the_lock_holds_others_back():
    counter = Counter()
    counter.send(operation(1, "before"), lock_request(2, "o", "counter"), operation(3, "after"))
    (granted,) = counter.run()
    assert shown(granted) == ("o", guid(2), {"result": "Lock Acquisition Completed"})
    assert granted.execution_id == "e"
    assert counter.scheduler.locked_by == "o"
    assert counter.state.custom_status == '{"entityExists":true,"queueSize":1,"lockedBy":"o"}'
    counter.send(operation(4, "other"), call(5)).run()
    assert counter.ran == [["before"], ["get"]]
    counter.release("p").run()
    assert counter.scheduler.locked_by == "o"
    counter.release("o").release("o").run()
    assert counter.scheduler.locked_by is None
    assert counter.ran[-1] == ["after", "other"]


@pytest.mark.feature("Entities", "Locks and releases, for SDKs that have them")
def test_a_lock_request_goes_round_the_set():
    counter = Counter().send(lock_request(1, "o", "counter", "other"))
    (forwarded,) = counter.run()
    target, name, members = shown(forwarded)
    assert (target, name, members["pos"], members["id"]) == ("@other@k", "op", 1, guid(1))
    assert forwarded.execution_id is None
    last = Counter().send(lock_request(1, "o", "x", "counter", position=1))
    (granted,) = last.run()
    assert shown(granted)[0] == "o"


@pytest.mark.feature("Entities", "Locks and releases, for SDKs that have them")
def test_the_holder_s_operations_before_its_release_go_first():
    counter = Counter(locked_by="o", queue=[operation(1, "waiting")])
    counter.send(call(2), operation(3, "next", parent="o")).release("o")
    counter.send(operation(4, "later", parent="o")).run()
    assert counter.ran == [["get", "next", "waiting", "later"]]


@pytest.mark.feature("Entities", "Locks and releases, for SDKs that have them")
def test_a_second_lock_waits_for_the_first():
    counter = Counter(locked_by="o").send(lock_request(1, "p", "counter"))
    assert counter.run() == []
    (granted,) = counter.release("o").run()
    assert (granted.instance_id, counter.scheduler.locked_by) == ("p", "p")


@pytest.mark.feature("Entities", "Scheduled signals")
def test_a_signal_that_came_too_early_is_sent_again():
    due = T0 + timedelta(seconds=1)
    counter = Counter().send(operation(1, due=due))
    planned = counter.plan()
    assert planned.operations == []
    commit = entity.conclude_batch(planned, None, fresh=FreshIds(UUID(int=0)), now=T0).commit
    (again,) = commit.send
    assert (again.instance_id, again.visible_at) == (OWN, due)
    assert again.event.name == "op@2026-01-05T10:00:01.0000000Z"
    counter.now = due - timedelta(milliseconds=100)
    counter.run()
    assert counter.ran == [["add"]]


@pytest.mark.feature("Entities", "State and outgoing signals in one commit")
def test_outgoing_signals_leave_with_the_state_i34():
    counter = Counter().send(operation(1))
    signals = [OutgoingSignal(EntityId("other", "x"), "add", "1")] * 2
    first, second = counter.run(signals=signals)
    target, name, members = shown(first)
    assert (target, name) == ("@other@x", "op")
    assert members["id"] != shown(second)[2]["id"]
    assert {**members, "id": 0} == {
        "op": "add",
        "signal": True,
        "input": "1",
        "id": 0,
        "parent": OWN,
        "Timestamp": "2026-01-05T10:00:00Z",
        "Predecessor": "0001-01-01T00:00:00",
    }


@pytest.mark.feature("Entities", "Order per sender, one operation at a time")
def test_a_second_copy_of_a_request_is_dropped():
    counter = Counter(queue=[operation(1)], is_suspended=True)
    counter.send(operation(1), operation(2), operation(2)).raise_event("continue", None).run()
    assert counter.ran == [["add", "add"]]
    assert len(counter.hints) == 2


@pytest.mark.feature("Entities", "Order per sender, one operation at a time")
def test_what_is_no_message_of_an_entity_is_dropped():
    counter = Counter().raise_event("op", '"x"').raise_event("release", "5")
    counter.inbox.append(history.execution_suspended("why", T0))
    counter.send(operation(1)).run()
    assert counter.ran == [["add"]]
    assert len(counter.hints) == 2


@pytest.mark.feature("Entities", "Suspension and termination")
def test_termination_ends_an_entity_for_good():
    counter = Counter(exists=True, state="1").send(operation(1))
    counter.inbox.append(history.execution_terminated("enough", T0))
    counter.run()
    state = counter.state
    assert (state.status, state.output) == (RuntimeStatus.TERMINATED, "enough")
    assert state.completed_at == T0
    assert counter.ran == []
    counter.send(operation(2)).run()
    assert counter.ran == []


@pytest.mark.feature("Entities", "An entity is an instance")
@pytest.mark.parametrize(
    ("name", "instance_id", "is_entity"),
    [(OWN, OWN, True), ("Hello", OWN, False), (OWN, "a", False), ("@a", "@a", False)],
)
def test_an_entity_s_name_is_its_id(name, instance_id, is_entity):
    state = replace(Counter().state, name=name, instance_id=instance_id)
    assert entity.is_entity(state) is is_entity
