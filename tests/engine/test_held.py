"""What keeps an instance Running when its code is through, as its developer is told."""

from datetime import timedelta

import pytest
from lone_instance import T0, LoneInstance

from durahost.codec import history
from durahost.model.actions import (
    CallActivity,
    CallEntity,
    CallSubOrchestrator,
    ContinueAsNew,
    CreateTimer,
    OrchestratorFailure,
    OrchestratorState,
    RetryOptions,
    WaitForExternalEvent,
    WhenAll,
    WhenAny,
)
from durahost.model.status import RuntimeStatus

pytestmark = pytest.mark.feature("Orchestrations", "Hints: what an ended orchestrator still awaits")

LATER = T0 + timedelta(minutes=1)
A, B = CallActivity("A", None), CallActivity("B", None)
TIMER = CreateTimer(LATER)
EVENT = WaitForExternalEvent("Go")
RACE = WhenAny([A, TIMER, EVENT])
ALL = WhenAll([A, EVENT, CallEntity("@counter@k", "get", None)])
DONE = history.task_completed(0, "1", T0)
FAILED = history.task_failed(0, "why", "{}", T0)


def returned(*actions, **more):
    return OrchestratorState(batches=[actions], is_done=True, output="1", **more)


def failed(*actions):
    return OrchestratorState(batches=[actions], error="boom")


def hints(instance, answer):
    return [hint.text for hint in instance.run(answer).hints]


@pytest.mark.parametrize(
    "answer", [returned(RACE), failed(RACE), returned(RACE, ContinueAsNew("1"))]
)
def test_the_losers_of_a_race_are_named(answer):
    instance = LoneInstance()
    assert hints(instance, OrchestratorState(batches=[[RACE]])) == []
    instance.send(DONE)
    (text,) = hints(instance, answer)
    assert instance.state.status is RuntimeStatus.RUNNING
    assert text.startswith("Instance 'i1' stays Running although the code of 'Flow' is through")
    assert "Still awaited: timer for 2026-01-05T10:01:00Z. Cancel" in text


def test_the_line_of_code_is_named_where_it_is_known():
    instance = LoneInstance()
    (text,) = hints(instance, returned(WhenAny([A, B]), A, sites=["f.py:7", "f.py:8"]))
    assert "activity 'A' at f.py:7, activity 'B' at f.py:7." in text


def test_nothing_is_said_once_all_is_done():
    instance = LoneInstance()
    assert len(hints(instance, returned(WhenAny([A, B])))) == 1
    instance.send(DONE)
    assert len(hints(instance, returned(WhenAny([A, B])))) == 1
    instance.send(history.task_completed(1, "1", T0))
    assert hints(instance, returned(WhenAny([A, B]))) == []
    assert instance.state.status is RuntimeStatus.COMPLETED


def test_what_a_failed_task_all_still_waits_for():
    """The SDK raises at the first failure; the extension awaits events and entities as well."""
    instance = LoneInstance()
    instance.run(OrchestratorState(batches=[[ALL]]))
    instance.send(FAILED)
    (text,) = hints(instance, failed(ALL))
    assert "Still awaited: event 'Go', call of 'get' on entity '@counter@k'." in text
    assert instance.state.status is RuntimeStatus.RUNNING


def test_waits_that_lost_a_race_hold_nothing_and_are_not_named():
    instance = LoneInstance()
    instance.run(OrchestratorState(batches=[[WhenAny([A, EVENT])]]))
    instance.send(DONE)
    assert hints(instance, returned(WhenAny([A, EVENT]))) == []
    assert instance.state.status is RuntimeStatus.COMPLETED


def test_what_a_retry_waits_for():
    retried = CallActivity("A", None, RetryOptions(timedelta(minutes=1), 3))
    race = WhenAny([retried, CallSubOrchestrator("Child", None, "c"), B])
    instance = LoneInstance()
    instance.run(OrchestratorState(batches=[[race]]))
    instance.send(FAILED, history.task_completed(2, "1", T0))
    (text,) = hints(instance, returned(race))
    awaited = "sub-orchestrator 'Child' (instance 'c'), timer for 2026-01-05T10:01:00Z"
    assert f"Still awaited: {awaited}." in text


def test_a_few_are_named_and_the_others_counted():
    race = WhenAny([A] * 8)
    (text,) = hints(LoneInstance(), returned(race))
    named = ", ".join(["activity 'A'"] * 5)
    assert f"Still awaited: {named}, 3 more." in text


def test_nothing_is_said_of_an_instance_that_is_suspended_or_over():
    instance = LoneInstance()
    instance.send(history.execution_suspended("why", T0))
    assert hints(instance, returned(RACE)) == []
    instance.send(history.execution_terminated("why", T0))
    assert hints(instance, returned(RACE)) == []
    assert hints(LoneInstance(), OrchestratorFailure("no list", "{}")) == []
