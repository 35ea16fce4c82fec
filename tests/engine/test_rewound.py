"""What a rewind keeps of a history, what it takes away, and what runs again."""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from lone_instance import LEASE, T0, at, new_state

from durahost.codec import failures, history
from durahost.engine.calls import KnownFunctions
from durahost.engine.episode import Plan, conclude, plan
from durahost.engine.outcome import FreshIds, Rules, start_of
from durahost.engine.rewind import rewind
from durahost.model.actions import (
    CallActivity,
    CallSubOrchestrator,
    CreateTimer,
    OrchestratorState,
    RetryOptions,
    SignalEntity,
    WhenAll,
    WhenAny,
)
from durahost.model.events import EventKind
from durahost.model.instances import LockedEpisode, ParentInstance
from durahost.model.messages import InboxMessage, Message
from durahost.model.status import RuntimeStatus

pytestmark = pytest.mark.feature("Management API", "`POST /instances/{instanceId}/rewind`")


REQUEST = history.execution_rewound("repaired", T0 + timedelta(hours=1))
PARENT = ParentInstance("p", "pe1", "Parent", "", 4)
A, B = CallActivity("A", None), CallActivity("B", None)
CHILD = CallSubOrchestrator("Child", None, "child")


class Run:
    """One instance under a sequence of answers; `rewind` puts it on a new execution."""

    def __init__(self, **changes):
        self.state = new_state(**changes)
        self.history = []
        self.time = 0
        self.inbox = [start_of(self.state, T0).started]
        self.commit = None

    def step(self, answer, *events):
        self.time += 1
        self.inbox += [Message("i1", event) for event in events]
        inbox = [InboxMessage(n, message) for n, message in enumerate(self.inbox)]
        made = plan(LockedEpisode(LEASE, self.state, self.history, inbox), at(self.time))
        assert isinstance(made, Plan)
        self.commit = conclude(
            made,
            answer,
            rules=Rules(),
            known=KnownFunctions(),
            fresh=FreshIds(UUID(int=1)),
            now=at(self.time),
        ).commit
        self.state, self.inbox = self.commit.state, []
        self.history = [*self.history, *self.commit.append]
        return self

    def fail(self, *actions, events=()):
        return self.step(asked(*actions, error="boom"), *events)

    def rewind(self):
        rewound = rewind(self.state, self.history, REQUEST, "e2", at(self.time + 1))
        self.state, self.history = rewound.state, list(rewound.history)
        self.inbox = [m for m in rewound.send if m.visible_at is None]
        self.time += 1
        return rewound

    @property
    def kinds(self):
        return [event.kind.name for event in self.history]


def asked(*actions, **more):
    return OrchestratorState(batches=[actions], **more)


def done(*actions):
    return asked(*actions, is_done=True, output="1")


def completed(task_id):
    return history.task_completed(task_id, '"r"', T0)


def failed(task_id):
    return history.task_failed(task_id, "why", "{}", T0)


def test_a_failed_activity_is_taken_away_and_scheduled_again():
    run = Run().step(asked(A))
    run.step(asked(A, B), completed(0)).fail(A, B, events=[failed(1)])
    assert run.state.status is RuntimeStatus.FAILED
    rewound = run.rewind()
    frame = ["ORCHESTRATOR_STARTED", "ORCHESTRATOR_COMPLETED"]
    assert run.kinds == [
        "ORCHESTRATOR_STARTED", "EXECUTION_STARTED", "TASK_SCHEDULED", "ORCHESTRATOR_COMPLETED",
        "ORCHESTRATOR_STARTED", "TASK_COMPLETED", "ORCHESTRATOR_COMPLETED",
        *frame,
        "ORCHESTRATOR_STARTED", "EXECUTION_REWOUND", "ORCHESTRATOR_COMPLETED",
    ]  # fmt: skip
    assert rewound.hints == []
    run.step(asked(A, B))
    assert [task.task_id for task in run.commit.schedule] == [1]
    assert run.state.status is RuntimeStatus.RUNNING
    assert run.kinds.count("EXECUTION_REWOUND") == 1
    run.step(done(A, B), completed(1))
    assert (run.state.status, run.state.output) == (RuntimeStatus.COMPLETED, "1")


def test_the_row_is_pending_and_keeps_its_output_until_the_end():
    run = Run(parent=PARENT, input='"x"').step(asked(A)).fail(A, events=[failed(0)])
    before = run.state
    run.rewind()
    assert run.state == replace(
        before,
        execution_id="e2",
        status=RuntimeStatus.PENDING,
        updated_at=at(3),
        completed_at=None,
    )
    run.step(asked(A))
    assert run.state.output == before.output


def test_the_start_names_the_new_execution_and_keeps_its_time():
    run = Run(parent=PARENT).step(asked(A)).fail(A, events=[failed(0)])
    before = json.loads(run.history[1].text)
    run.state = replace(run.state, parent=replace(PARENT, execution_id="pe2"))
    run.rewind()
    before["OrchestrationInstance"]["ExecutionId"] = "e2"
    before["ParentInstance"]["OrchestrationInstance"]["ExecutionId"] = "pe2"
    assert json.loads(run.history[1].text) == before
    assert run.history[1].timestamp == T0


def test_a_leaf_is_woken_by_a_message_that_becomes_no_event():
    run = Run().fail()
    (wake,) = run.rewind().send
    assert wake.event.kind is EventKind.EXECUTION_REWOUND
    assert wake.execution_id == "e2"
    run.step(done())
    assert run.commit.consume == [0]
    assert run.kinds.count("EXECUTION_REWOUND") == 1
    assert run.state.status is RuntimeStatus.COMPLETED


def test_a_failed_child_is_rewound_and_nothing_wakes_its_caller_before_it():
    run = Run().step(asked(CHILD))
    run.fail(CHILD, events=[history.sub_orchestration_failed(0, "why", "", T0)])
    rewound = run.rewind()
    assert rewound.send == []
    (child,) = rewound.children
    assert child.instance_id == "child"
    assert child.parent == ParentInstance("i1", "e2", "Flow", "", 0)
    assert child.former == ParentInstance("i1", "e1", "Flow", "", 0)
    members = json.loads(child.request.text)
    assert members["Reason"] == "repaired"
    assert (members["ParentExecutionId"], members["InstanceId"]) == ("e2", "child")
    assert "SUB_ORCHESTRATION_CREATED" in run.kinds
    assert "SUB_ORCHESTRATION_FAILED" not in run.kinds
    run.step(done(CHILD), history.sub_orchestration_completed(0, "1", T0))
    assert run.state.status is RuntimeStatus.COMPLETED


def test_an_activity_that_failed_beside_a_child_runs_again_once_the_child_has_answered():
    both = WhenAll([A, CHILD])
    run = Run().step(asked(both))
    answers = [failed(0), history.sub_orchestration_failed(1, "why", "", T0)]
    run.fail(both, events=answers)
    rewound = run.rewind()
    assert rewound.send == []
    assert len(rewound.children) == 1
    run.step(asked(both), history.sub_orchestration_completed(1, "1", T0))
    assert [task.task_id for task in run.commit.schedule] == [0]


def test_messages_that_were_sent_are_not_sent_again():
    signal = SignalEntity("@counter@a", "add", "1")
    run = Run().step(asked(signal, A)).fail(signal, A, events=[failed(1)])
    run.rewind()
    run.step(asked(signal, A))
    assert [m for m in run.commit.send if m.instance_id == "@counter@a"] == []


def test_going_on_after_a_caught_failure_is_hinted_at_and_diverges_as_on_azure():
    run = Run().step(asked(A))
    run.step(asked(A, B), failed(0)).fail(A, B, events=[completed(1)])
    (hint,) = run.rewind().hints
    assert "'i1' went on after the failure" in hint.text
    run.step(asked(A))
    assert run.state.output.startswith(failures.NON_DETERMINISM)


def test_a_retried_activity_is_hinted_at():
    retried = replace(A, retry=RetryOptions(timedelta(seconds=1), 2))
    run = Run().step(asked(retried)).step(asked(retried), failed(0))
    run.step(asked(retried), history.timer_fired(1, at(3), T0)).step(asked(retried), failed(2))
    run.fail(retried, events=[history.timer_fired(3, at(5), T0)])
    assert run.state.status is RuntimeStatus.FAILED
    assert len(run.rewind().hints) == 1


def test_a_divergence_is_undone_once_the_code_is_what_it_was():
    """Open steps were lost when the instance ended: they run, fire and answer again."""
    timer = CreateTimer(at(90))
    race = WhenAny([A, B, timer, CHILD])
    run = Run().step(asked(race))
    run.step(asked(CallActivity("Other", None)), completed(0))
    assert run.state.output.startswith(failures.NON_DETERMINISM)
    assert run.kinds.count("TASK_SCHEDULED") == 3
    rewound = run.rewind()
    assert [event.task_id for event in run.history if event.kind is EventKind.TASK_SCHEDULED] == [0]
    (fired,) = rewound.send
    assert (fired.event.kind, fired.visible_at) == (EventKind.TIMER_FIRED, at(90))
    assert [child.instance_id for child in rewound.children] == ["child"]
    assert rewound.hints == []
    run.step(asked(race), history.event_raised("Any", None, T0))
    assert [task.task_id for task in run.commit.schedule] == [1]
    assert run.state.status is RuntimeStatus.RUNNING


def test_a_second_rewind_starts_from_the_first():
    run = Run().step(asked(A)).fail(A, events=[failed(0)])
    run.rewind()
    run.step(asked(A)).fail(A, events=[failed(0)])
    run.rewind()
    assert run.kinds.count("EXECUTION_REWOUND") == 2
    assert "EXECUTION_COMPLETED" not in run.kinds
    run.step(asked(A)).step(done(A), completed(0))
    assert run.state.status is RuntimeStatus.COMPLETED


def test_a_terminated_child_ends_again():
    run = Run(parent=PARENT).step(asked(A))
    run.step(asked(A), history.execution_terminated("enough", T0))
    assert run.state.status is RuntimeStatus.TERMINATED
    run.rewind()
    run.step(asked(A))
    assert (run.state.status, run.state.output) == (RuntimeStatus.TERMINATED, "enough")
    (answer,) = run.commit.send
    assert answer.event.kind is EventKind.SUB_ORCHESTRATION_FAILED
