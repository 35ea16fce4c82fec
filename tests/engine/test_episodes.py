"""Rules of single episodes that the recorded orchestrations do not reach, and properties over
many.
"""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lone_instance import LEASE, T0, at, new_state

from durahost.codec import history
from durahost.engine import matching, transitions
from durahost.engine.calls import KnownFunctions
from durahost.engine.decisions import Complete
from durahost.engine.episode import Plan, conclude, plan
from durahost.engine.matching import NonDeterminism
from durahost.engine.outcome import FreshIds, Rules, start_of
from durahost.model.actions import (
    CallActivity,
    CallSubOrchestrator,
    ContinueAsNew,
    CreateTimer,
    OrchestratorFailure,
    OrchestratorState,
    RetryOptions,
    Unsupported,
    WaitForExternalEvent,
    WhenAll,
    WhenAny,
)
from durahost.model.events import EventKind, HistoryEvent
from durahost.model.instances import Commit, LockedEpisode, ParentInstance
from durahost.model.messages import InboxMessage, Message
from durahost.model.status import TERMINAL, RuntimeStatus

ONCE_MORE = RetryOptions(timedelta(seconds=5), 2)


class Instance:
    """Drives one instance through plan and conclude with given answers."""

    def __init__(self, rules=None, known=None, **changes):
        self.state = new_state(**changes)
        self.history = []
        self.inbox = [start_of(self.state, T0).started]
        self.rules = rules or Rules()
        self.known = known or KnownFunctions()
        self.time = 0
        self.hints = []

    def send(self, *events, execution_id=None, is_carried=False):
        for event in events:
            self.inbox.append(Message("i1", event, execution_id, is_carried=is_carried))
        return self

    def lock(self):
        inbox = [InboxMessage(n, message) for n, message in enumerate(self.inbox)]
        return LockedEpisode(LEASE, self.state, list(self.history), inbox)

    def run(self, answer):
        self.time += 1
        made = plan(self.lock(), at(self.time))
        assert isinstance(made, Plan)
        concluded = conclude(
            made,
            answer,
            rules=self.rules,
            known=self.known,
            fresh=FreshIds(UUID(int=1)),
            now=at(self.time),
        )
        commit = concluded.commit
        assert commit.state.status in transitions.EPISODE[self.state.status]
        self.state = commit.state
        self.history = (
            list(commit.append)
            if commit.starts_generation
            else [
                *self.history,
                *commit.append,
            ]
        )
        kept = [m for n, m in enumerate(self.inbox) if n not in commit.consume]
        own = [m for m in commit.send if m.instance_id == "i1"]
        self.inbox = [*kept, *(m for m in own if m.visible_at is None)]
        self.timers = [m for m in own if m.visible_at is not None]
        self.hints += concluded.hints
        return concluded

    def kinds(self):
        return [event.kind.name for event in self.history]


def listed(*actions, **more):
    return OrchestratorState(batches=[actions], **more)


def done(*actions, output="1"):
    return listed(*actions, is_done=True, output=output)


def completed(task_id, seconds=1):
    return history.task_completed(task_id, '"r"', at(seconds))


def failed(task_id, seconds=1):
    return history.task_failed(task_id, "why", "{}", at(seconds))


A, B = CallActivity("A", "1"), CallActivity("B", "2")


def output_of(instance):
    return instance.state.output


# What may be planned ------------------------------------------------------------------------------


@pytest.mark.feature("Orchestrations", "Messages that are late, double or for another execution")
def test_messages_of_another_execution_are_dropped():
    instance = Instance()
    instance.run(listed(A))
    stale = Message("i1", completed(0), execution_id="older")
    instance.inbox.append(stale)
    assert plan(instance.lock(), T0) == Commit(state=instance.state, consume=[0])


@pytest.mark.feature("Orchestrations", "Messages that are late, double or for another execution")
def test_a_second_start_is_dropped():
    instance = Instance()
    instance.send(history.execution_started(instance.state, T0))
    instance.run(listed(A))
    assert instance.kinds().count("EXECUTION_STARTED") == 1
    assert instance.inbox == []


@pytest.mark.feature("Orchestrations", "Messages that are late, double or for another execution")
def test_an_ended_instance_takes_nothing_more():
    instance = Instance(status=RuntimeStatus.COMPLETED)
    assert plan(instance.lock(), T0).consume == [0]


@pytest.mark.feature("Orchestrations", "Messages that are late, double or for another execution")
def test_a_message_before_the_start_waits_for_it():
    instance = Instance()
    instance.inbox = [Message("i1", history.event_raised("Go", "1", T0))]
    assert plan(instance.lock(), T0) == Commit(state=instance.state, consume=[])


@pytest.mark.feature("Orchestrations", "Messages that are late, double or for another execution")
def test_the_start_goes_first_when_it_arrives_late():
    instance = Instance()
    instance.inbox.insert(0, Message("i1", history.event_raised("Go", "1", T0)))
    instance.run(listed(WaitForExternalEvent("Go")))
    assert instance.kinds()[:3] == ["ORCHESTRATOR_STARTED", "EXECUTION_STARTED", "EVENT_RAISED"]


@pytest.mark.feature("Orchestrations", "Replay gives the same decisions")
def test_time_never_goes_back_between_episodes():
    instance = Instance()
    instance.run(listed(A))
    instance.send(completed(0))
    made = plan(instance.lock(), at(-50))
    assert made.started_at == at(1)


# Ends ---------------------------------------------------------------------------------------------


@pytest.mark.feature("Orchestrations", "Open work holds completion")
def test_an_open_activity_holds_completion():
    instance = Instance()
    race = WhenAny([A, B])
    instance.run(listed(race))
    instance.send(completed(0)).run(done(race))
    assert instance.state.status is RuntimeStatus.RUNNING
    instance.send(completed(1)).run(done(race))
    assert instance.state.status is RuntimeStatus.COMPLETED


@pytest.mark.feature("Timers", "Cancelled timers")
def test_a_cancelled_timer_holds_nothing():
    instance = Instance()
    timer = CreateTimer(at(60))
    instance.run(listed(WhenAny([A, timer])))
    instance.send(completed(0)).run(done(WhenAny([A, replace(timer, is_canceled=True)])))
    assert instance.state.status is RuntimeStatus.COMPLETED
    assert instance.state.completed_at == at(2)


@pytest.mark.feature("Timers", "Cancelled timers")
def test_the_firing_of_a_cancelled_timer_and_a_second_answer_change_nothing():
    instance = Instance()
    timer = CreateTimer(at(60), is_canceled=True)
    instance.run(listed(timer, WhenAll([A, B])))
    fired = history.timer_fired(0, at(60), at(1))
    instance.send(completed(1), completed(1), fired).run(listed(timer, WhenAll([A, B])))
    assert instance.state.status is RuntimeStatus.RUNNING
    assert instance.kinds().count("TASK_COMPLETED") == 2


@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/terminate`")
def test_termination_wins_over_a_completion_in_the_same_episode():
    instance = Instance()
    instance.run(listed(A))
    instance.send(history.execution_terminated("enough", at(2)), completed(0)).run(done(A))
    assert (instance.state.status, output_of(instance)) == (RuntimeStatus.TERMINATED, "enough")
    assert instance.kinds().count("EXECUTION_COMPLETED") == 1


@pytest.mark.feature("Orchestrations", "Orchestrator errors without the SDK's state")
def test_a_failure_without_state_fails_the_first_episode_with_its_text():
    instance = Instance()
    instance.run(OrchestratorFailure("no", "details"))
    assert output_of(instance) == "Orchestrator function 'Flow' failed: no"


@pytest.mark.feature("Orchestrations", "Orchestrator errors without the SDK's state")
@pytest.mark.feature("Non-determinism", "Azure's text on the instance")
def test_a_failure_without_state_is_non_determinism_once_something_is_scheduled():
    instance = Instance()
    instance.run(listed(A))
    instance.send(completed(0)).run(OrchestratorFailure("no", "details"))
    assert output_of(instance).startswith("Non-Deterministic workflow detected: A previous")


@pytest.mark.feature("Orchestrations", "Custom status and its limit of 16 KB")
def test_a_custom_status_of_17_kb_fails_the_instance():
    instance = Instance()
    instance.run(listed(A, custom_status=json.dumps("x" * 8800)))
    assert output_of(instance) == (
        "Orchestrator function 'Flow' failed: The UTF-16 size of the JSON-serialized payload must "
        "not exceed 16 KB. The current payload size is 17 KB."
    )
    assert instance.state.custom_status is None


@pytest.mark.feature("Orchestrations", "Actions that nobody knows")
def test_an_action_that_nobody_knows_fails_the_instance_by_name():
    instance = Instance()
    instance.run(listed(Unsupported("99")))
    assert output_of(instance) == (
        "Orchestrator function 'Flow' failed: Received an unexpected action type from the "
        "out-of-proc function: '$99'."
    )


@pytest.mark.feature("Settings", "`storageProvider.type`")
@pytest.mark.feature("Timers", "Timers of more than six days")
def test_a_long_timer_fails_under_schemas_that_check_it():
    instance = Instance()
    instance.run(listed(CreateTimer(at(7 * 86400)), checks_timer_length=True))
    assert output_of(instance) == (
        "Orchestrator function 'Flow' failed: The Azure Storage provider supports a maximum of 6 "
        "days for time-based delays (Parameter 'fireAt')"
    )


@pytest.mark.feature("Orchestrations", "Messages that are late, double or for another execution")
@pytest.mark.parametrize("status", sorted(TERMINAL, key=lambda s: s.value))
def test_a_terminal_state_is_final(status):
    assert transitions.EPISODE[status] == frozenset()


# Children -----------------------------------------------------------------------------------------


PARENT = ParentInstance("p1", "pe1", "Parent", "", 4)


@pytest.mark.feature("Sub-orchestrations", "Termination is told to the caller")
@pytest.mark.feature("Sub-orchestrations", "Failures are raised in the caller")
@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (done(output="[1]"), EventKind.SUB_ORCHESTRATION_COMPLETED, None),
        (
            listed(error="boom"),
            EventKind.SUB_ORCHESTRATION_FAILED,
            "Orchestrator function 'Flow' failed: boom",
        ),
    ],
)
def test_a_child_answers_its_parent(answer, kind, reason):
    instance = Instance(parent=PARENT)
    commit = instance.run(answer).commit
    (message,) = commit.send
    assert (message.instance_id, message.execution_id) == ("p1", "pe1")
    assert (message.event.kind, message.event.task_id) == (kind, 4)
    assert json.loads(message.event.text).get("Reason") == reason


@pytest.mark.feature("Sub-orchestrations", "Default ids")
def test_a_child_is_created_with_its_parent_and_a_name_of_its_own():
    instance = Instance(tags={"k": "v"})
    commit = instance.run(listed(CallSubOrchestrator("Child", '{"n": 1}'))).commit
    (child,) = commit.create
    assert child.state.instance_id == "e1:0"
    assert child.state.input == '"{\\"n\\": 1}"'
    assert child.state.parent == ParentInstance("i1", "e1", "Flow", "", 0)
    assert child.state.tags == {"k": "v"}
    assert child.started.execution_id == child.state.execution_id


# Checks that the real extension swallows ----------------------------------------------------------


KNOWN = KnownFunctions(activities=frozenset({"a"}), orchestrators=frozenset({"child"}))


@pytest.mark.feature("Sub-orchestrations", "Given ids")
@pytest.mark.feature("Orchestrations", "Functions that are not there: texts, refusals, hints")
@pytest.mark.parametrize(
    "action",
    [
        CallActivity("Missing", None),
        CallSubOrchestrator("Missing", None),
        CallSubOrchestrator("Child", None, instance_id="I1"),
        CallSubOrchestrator("Child", None, instance_id="P1"),
        CallSubOrchestrator("Child", None, instance_id="@e"),
    ],
)
def test_a_refused_call_schedules_nothing_and_gives_a_hint_once(action):
    instance = Instance(known=KNOWN, parent=PARENT)
    commit = instance.run(listed(action, A)).commit
    assert [task.task_id for task in commit.schedule] == [0]
    assert commit.create == []
    assert len(instance.hints) == 1
    instance.send(completed(0)).run(listed(action, A))
    assert (len(instance.hints), instance.state.status) == (1, RuntimeStatus.RUNNING)


@pytest.mark.feature("Settings", "`maxOrchestrationActions`")
@pytest.mark.parametrize("action", [A, CallSubOrchestrator("Child", None), CreateTimer(at(5))])
def test_an_action_over_the_limit_is_refused(action):
    instance = Instance(rules=Rules(max_actions=0))
    instance.run(listed(action))
    assert "maxOrchestrationActions" in instance.hints[0].text
    assert instance.kinds()[2:] == ["ORCHESTRATOR_COMPLETED"]


# Events -------------------------------------------------------------------------------------------


@pytest.mark.feature("External events", "Upper and lower case in names")
@pytest.mark.feature("External events", "Several events and waits of one name")
@pytest.mark.feature("External events", "Events that come before the wait")
def test_early_events_wait_in_order_and_names_ignore_case():
    instance = Instance()
    events = [history.event_raised("go", str(n), T0) for n in range(2)]
    instance.send(*events).run(done(*[WaitForExternalEvent("Go")] * 2))
    assert instance.state.status is RuntimeStatus.COMPLETED
    assert [hint.text.split("'")[1] for hint in instance.hints] == ["i1", "i1"]


@pytest.mark.feature("Continue-as-new", "Carry-over of events")
def test_events_after_continue_as_new_are_carried_over_in_order():
    instance = Instance()
    wait, again = WaitForExternalEvent("Go"), ContinueAsNew("2")
    instance.run(listed(wait))
    first, second = (history.event_raised("Go", str(n), at(2)) for n in range(2))
    commit = instance.send(first, second).run(done(wait, again)).commit
    assert commit.starts_generation
    assert (instance.state.generation, instance.state.input) == (1, '"2"')
    assert [m.event.kind.name for m in instance.inbox] == ["EVENT_RAISED", "EXECUTION_STARTED"]
    instance.run(listed(wait))
    raised = json.loads(instance.history[2].text)
    assert (raised["Input"], raised["IsPlayed"]) == ("1", True)


@pytest.mark.feature("Continue-as-new", "Carry-over of events")
def test_an_event_of_an_earlier_episode_is_sent_again_when_open_work_delayed_the_next_generation():
    instance = Instance()
    actions = [WhenAny([A, WaitForExternalEvent("Go")]), ContinueAsNew("2")]
    go = history.event_raised("Go", "1", at(1))
    instance.run(listed(actions[0]))
    instance.send(go).run(done(*actions))
    late = history.event_raised("Go", "2", at(2))
    instance.send(late).run(done(*actions))
    assert instance.state.status is RuntimeStatus.RUNNING
    commit = instance.send(completed(0)).run(done(*actions)).commit
    carried = [m for m in commit.send if m.event.kind is EventKind.EVENT_RAISED]
    assert [(m.event.text, m.is_carried) for m in carried] == [(late.text, True)]


@pytest.mark.feature("Continue-as-new", "Carry-over of events")
def test_an_event_that_a_suspension_held_back_is_carried_over_too():
    instance = Instance()
    instance.run(listed(WaitForExternalEvent("Go")))
    first, second = (history.event_raised("Go", str(n), at(2)) for n in range(2))
    suspended = history.execution_suspended("pause", at(2))
    instance.send(first, suspended, second)
    instance.run(done(WaitForExternalEvent("Go"), ContinueAsNew("2")))
    assert instance.state.status is RuntimeStatus.RUNNING  # the suspension ended with its execution
    assert instance.inbox[0].event is second
    assert [m.event.kind.name for m in instance.inbox] == ["EVENT_RAISED", "EXECUTION_STARTED"]


@pytest.mark.feature("Continue-as-new", "Created time of the next generation")
def test_a_next_generation_has_a_created_time_of_its_own():
    instance = Instance()
    instance.run(listed(A))
    instance.send(completed(0)).run(done(A, ContinueAsNew("2")))
    assert (instance.state.created_at, instance.state.updated_at) == (at(2), at(2))


# Suspension ---------------------------------------------------------------------------------------


def test_a_termination_stands_when_a_suspension_follows_it_in_the_same_episode():
    instance = Instance()
    ended, suspended = (
        history.execution_terminated("enough", T0),
        history.execution_suspended("", T0),
    )
    instance.send(ended, suspended).run(listed(A))
    assert (instance.state.status, instance.state.output) == (RuntimeStatus.TERMINATED, "enough")


@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/resume`")
@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/suspend`")
def test_decisions_of_a_suspended_episode_wait_for_the_resume():
    instance = Instance()
    instance.run(listed(A))
    instance.send(completed(0), history.execution_suspended("pause", at(2)))
    assert instance.run(listed(A, B)).commit.schedule == []
    assert (instance.state.status, output_of(instance)) == (RuntimeStatus.SUSPENDED, "pause")
    instance.send(history.execution_suspended("again", at(3))).run(listed(A, B))
    instance.send(history.execution_resumed(None, at(4)))
    assert [t.name for t in instance.run(listed(A, B)).commit.schedule] == ["B"]
    assert (instance.state.status, output_of(instance)) == (RuntimeStatus.RUNNING, "again")


@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/terminate`")
def test_termination_overrides_suspension():
    instance = Instance()
    instance.send(history.execution_suspended(None, T0)).run(listed(A))
    instance.send(history.execution_terminated(None, at(2))).run(listed(A))
    assert (instance.state.status, output_of(instance)) == (RuntimeStatus.TERMINATED, None)


# Retries ------------------------------------------------------------------------------------------


def retried(**options):
    return WhenAll([replace(A, retry=replace(ONCE_MORE, **options))])


@pytest.mark.feature("Retries", "The extra timer after the last attempt")
@pytest.mark.feature("Retries", "Attempts, back-off, longest interval")
def test_a_retry_waits_for_the_back_off_and_the_last_one_adds_a_timer():
    instance = Instance()
    call = retried(max_attempts=3, backoff_coefficient=2.0, max_interval=timedelta(seconds=7))
    instance.run(listed(call))
    fire_times = []
    for attempt in (0, 2, 4):
        instance.send(failed(attempt)).run(listed(call))
        (timer,) = instance.timers
        fire_times.append(timer.visible_at - at(instance.time))
        instance.send(timer.event).run(listed(call))
    assert [delay.total_seconds() for delay in fire_times] == [5.0, 7.0, 0.0]
    assert instance.kinds().count("TASK_SCHEDULED") == 3


@pytest.mark.feature("Retries", "Retry timeout")
def test_a_retry_ends_at_its_timeout_without_a_timer():
    instance = Instance()
    call = retried(timeout=timedelta(seconds=0), max_attempts=9)
    instance.run(listed(call))
    instance.send(failed(0)).run(listed(call, error="gave up"))
    assert output_of(instance) == "Orchestrator function 'Flow' failed: gave up"


def test_a_back_off_that_no_number_holds_ends_the_retries():
    instance = Instance()
    call = retried(backoff_coefficient=-1e200, max_attempts=9)
    instance.run(listed(call))
    instance.send(failed(0)).run(listed(call))
    (timer,) = instance.timers
    instance.send(timer.event).run(listed(call))
    instance.send(failed(2)).run(listed(call, error="gave up"))
    assert output_of(instance) == "Orchestrator function 'Flow' failed: gave up"


@pytest.mark.feature("Retries", "Attempts, back-off, longest interval")
def test_a_retried_call_that_succeeds_goes_on():
    instance = Instance()
    instance.run(listed(retried()))
    instance.send(completed(0)).run(done(retried()))
    assert instance.state.status is RuntimeStatus.COMPLETED


# Schema V1 ----------------------------------------------------------------------------------------


@pytest.mark.feature("Orchestrations", "Replay schema V1")
def test_schema_v1_awaits_any_of_each_batch_but_not_continue_as_new():
    instance = Instance()
    batches = [[A, B], [ContinueAsNew("2")]]
    first = OrchestratorState(batches=batches[:1], is_schema_v1=True)
    instance.run(first)
    both = OrchestratorState(batches=batches, is_schema_v1=True, is_done=True)
    instance.send(completed(0)).run(both)
    assert instance.state.generation == 0
    instance.send(completed(1)).run(both)
    assert instance.state.generation == 1


@pytest.mark.feature("Orchestrations", "`task_all` and `task_any`")
def test_compounds_without_children_are_done_at_once():
    instance = Instance()
    instance.run(done(WhenAll([]), WhenAny([])))
    assert instance.state.status is RuntimeStatus.COMPLETED


# Non-determinism ----------------------------------------------------------------------------------

QUESTION = (
    "Was a change made to the orchestrator code after this instance had already started running?"
)
BEFORE = (
    "Non-Deterministic workflow detected: A previous execution of this orchestration scheduled "
)
CHILD = CallSubOrchestrator("Child", None, instance_id="c1")
TIMER = CreateTimer(at(9))
ACT = "an activity task with sequence number 0 named 'A', but the current orchestration replay "
SUB = (
    "a sub-orchestration task with sequence ID 0 and name 'Child' (version '', instance ID 'c1'), "
)


@pytest.mark.feature("Non-determinism", "Azure's text on the instance")
@pytest.mark.parametrize(
    ("recorded", "now", "text"),
    [
        (
            A,
            [],
            "an activity task with sequence ID 0 and name 'A' (version ''), but the current replay "
            f"execution hasn't (yet?) scheduled this task. {QUESTION}",
        ),
        (
            A,
            [TIMER],
            ACT
            + "instead produced a CreateTimerOrchestratorAction action with this sequence number. "
            f"{QUESTION}",
        ),
        (
            A,
            [CHILD],
            ACT
            + "instead produced a CreateSubOrchestrationAction action with this sequence number. "
            f"{QUESTION}",
        ),
        (
            A,
            [B],
            ACT + "instead scheduled an activity task named 'B' with this sequence number.  "
            f"{QUESTION}",
        ),
        (
            TIMER,
            [],
            "a timer task with sequence number 0 but the current replay execution hasn't (yet?) "
            f"scheduled this task. {QUESTION}",
        ),
        (
            TIMER,
            [A],
            "a timer task with sequence number 0 named but the current orchestration replay "
            "instead produced a ScheduleTaskOrchestratorAction action with this sequence number. "
            f"{QUESTION}",
        ),
        (
            CHILD,
            [],
            f"{SUB}but the current replay execution hasn't (yet?) scheduled this task. {QUESTION}",
        ),
        (
            CHILD,
            [A],
            f"{SUB}but the current orchestration replay instead produced a "
            f"ScheduleTaskOrchestratorAction action at this sequence number. {QUESTION}",
        ),
        (
            CHILD,
            [replace(CHILD, name="Other")],
            f"{SUB}but the current orchestration replay instead scheduled a sub-orchestration task "
            f"with name Other at this sequence number. {QUESTION}",
        ),
    ],
)
def test_swapped_actions_are_reported(recorded, now, text):
    instance = Instance()
    instance.run(listed(recorded))
    instance.send(history.event_raised("x", None, at(2))).run(listed(*now))
    assert output_of(instance) == BEFORE + text
    assert instance.state.status is RuntimeStatus.FAILED
    assert "not deterministic" in instance.hints[0].text


@pytest.mark.feature("Non-determinism", "Azure's text on the instance")
def test_a_completion_where_an_activity_was_is_reported():
    event = HistoryEvent(EventKind.TASK_SCHEDULED, T0, "{}", task_id=0, name="A")
    with pytest.raises(NonDeterminism, match="OrchestrationCompleteOrchestratorAction"):
        matching.check(event, Complete(0, RuntimeStatus.TERMINATED, None))


# Properties ---------------------------------------------------------------------------------------


@pytest.mark.feature("Orchestrations", "`task_all` and `task_any`")
@given(st.permutations(range(4)), st.lists(st.booleans(), min_size=4, max_size=4))
def test_answers_in_one_inbox_or_one_by_one_end_in_the_same_state(order, cuts):
    whole = WhenAll([CallActivity(f"A{n}", None) for n in range(4)])
    together, singly = Instance(), Instance()
    for instance in (together, singly):
        instance.run(listed(whole))
    for task_id, cut in zip(order, cuts, strict=True):
        singly.send(completed(task_id))
        together.send(completed(task_id))
        if cut:
            singly.run(listed(whole))
    if not singly.state.status.is_terminal:
        singly.send(history.event_raised("wake", None, at(3))).run(done(whole))
    together.run(done(whole))
    seen = [(i.state.status, i.state.output) for i in (together, singly)]
    assert seen[0] == seen[1]


ACTIONS = st.recursive(
    st.sampled_from([A, B, CHILD, TIMER, WaitForExternalEvent("Go")]),
    lambda children: st.builds(
        lambda kind, some: kind(some),
        st.sampled_from([WhenAll, WhenAny]),
        st.lists(children, max_size=3),
    ),
    max_leaves=6,
)


@pytest.mark.feature("Orchestrations", "Replay gives the same decisions")
@given(st.lists(ACTIONS, max_size=5), st.booleans())
def test_deciding_twice_gives_the_same_commit_and_ids_are_dense(actions, is_done):
    answer = listed(*actions, is_done=is_done, output="1")
    commits = [Instance().run(answer).commit for _ in range(2)]
    assert commits[0] == commits[1]
    ids = [e.task_id for e in commits[0].append if e.task_id is not None]
    assert ids == list(range(len(ids)))
    kinds = [event.kind for event in commits[0].append]
    assert kinds[0] is EventKind.ORCHESTRATOR_STARTED
    assert kinds[-1] is EventKind.ORCHESTRATOR_COMPLETED
    assert kinds.count(EventKind.EXECUTION_COMPLETED) <= 1
    assert commits[0].consume == [0]
