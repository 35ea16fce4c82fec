"""What an episode costs: in proportion to its history and inbox, counted in calls, not seconds."""

import cProfile
import json
import pstats

import pytest
from lone_instance import T0, LoneInstance

from durahost.codec import history, sdk1
from durahost.model.actions import (
    CallActivity,
    CallSubOrchestrator,
    OrchestratorState,
    SignalEntity,
    WaitForExternalEvent,
    WhenAll,
    WhenAny,
)
from durahost.model.status import RuntimeStatus

SMALL, FACTOR = 50, 8
ALL = {"isDone": False, "schemaVersion": 2}


def listed(*actions):
    return OrchestratorState(batches=[actions])


def calls_of(work):
    """How many calls the work makes."""
    with cProfile.Profile() as profile:
        work()
    return pstats.Stats(profile).total_calls


def assert_linear(build):
    """`build(n)` prepares work of size n; eight times the size may cost ten times the calls."""
    small, large = calls_of(build(SMALL)), calls_of(build(SMALL * FACTOR))
    assert large < small * FACTOR * 1.25, (small, large)


def episode_with(instance, answer):
    return lambda: instance.run(answer)


def activities(count):
    return [CallActivity("Act", "1") for _ in range(count)]


def completions(count):
    return [history.task_completed(number, "1", T0) for number in range(count)]


def test_a_fan_out_and_its_results():
    def build(count):
        instance = LoneInstance()
        answer = listed(WhenAll(activities(count)))
        instance.run(answer)
        instance.send(*completions(count))
        return episode_with(instance, answer)

    assert_linear(build)


def test_the_last_episode_of_a_chain():
    def build(count):
        instance = LoneInstance()
        actions = activities(count)
        for number in range(count):
            instance.run(listed(*actions[: number + 1]))
            instance.send(history.task_completed(number, "1", T0))
        return episode_with(instance, listed(*actions))

    assert_linear(build)


@pytest.mark.parametrize("is_one_name", [True, False])
def test_events_that_wait_and_events_that_are_waited_for(is_one_name):
    def build(count):
        names = ["E" if is_one_name else f"E{number}" for number in range(count)]
        instance = LoneInstance()
        answer = listed(*(WaitForExternalEvent(name) for name in names))
        instance.run(answer)
        instance.send(*(history.event_raised(name, "1", T0) for name in names))
        return episode_with(instance, answer)

    assert_linear(build)


@pytest.mark.parametrize(
    "action",
    [
        CallSubOrchestrator("Sub", "1", None, None),
        SignalEntity("@counter@k", "add", "1"),
        WhenAny(activities(2)),
    ],
)
def test_many_actions_at_once(action):
    assert_linear(lambda count: episode_with(LoneInstance(), listed(*[action] * count)))


def test_one_action_over_the_limit_is_never_scheduled():
    instance = LoneInstance()
    actions = [{"actionType": 0, "functionName": "Act", "input": "1"}] * 100_001
    whole = {**ALL, "actions": [[{"actionType": 12, "compoundActions": actions}]]}
    concluded = instance.run(sdk1.decode_returned(json.dumps(whole)))
    assert len(concluded.commit.schedule) == 100_000
    assert concluded.commit.state.status is RuntimeStatus.RUNNING
    assert "maxOrchestrationActions" in concluded.hints[0].text
