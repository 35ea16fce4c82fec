"""Whatever a worker answers, an episode ends in a commit that every store can write."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lone_instance import T0, LoneInstance

from durahost.codec import history, rest, sdk1
from durahost.store.sqlite import rows

TIMES = ["2026-01-05T11:00:00Z", "9999-12-31T23:59:59-10:00", "0001-01-01T00:00:00+10:00", "soon"]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.text(max_size=3),
    st.sampled_from(["\ud800", "@a@b", "@", "Act", "i1", *TIMES]),
    st.just([]),
    st.just({}),
)
RETRY_NUMBERS = st.one_of(
    ODD, st.integers(0, 3), st.sampled_from([1e308, -1e308, 86399999999999999])
)
RETRY = st.fixed_dictionaries(
    {"firstRetryIntervalInMilliseconds": RETRY_NUMBERS, "maxNumberOfAttempts": RETRY_NUMBERS},
    optional={
        "backoffCoefficient": RETRY_NUMBERS,
        "maxRetryIntervalInMilliseconds": RETRY_NUMBERS,
        "retryTimeoutInMilliseconds": RETRY_NUMBERS,
    },
)
REQUEST = st.fixed_dictionaries(
    {"method": st.one_of(st.just("GET"), ODD), "uri": st.one_of(st.just("http://x"), ODD)},
    optional=dict.fromkeys(("headers", "content", "asynchronousPatternEnabled", "timeout"), ODD),
)
NAME = st.one_of(st.just("Act"), ODD)


def actions(children):
    return st.fixed_dictionaries(
        {"actionType": st.one_of(st.integers(-1, 13), ODD), "functionName": NAME},
        optional={
            "input": ODD,
            "instanceId": NAME,
            "version": ODD,
            "retryOptions": st.one_of(RETRY, ODD),
            "fireAt": st.one_of(st.sampled_from(TIMES), ODD),
            "isCanceled": ODD,
            "externalEventName": NAME,
            "operation": ODD,
            "httpRequest": st.one_of(REQUEST, ODD),
            "compoundActions": children,
        },
    )


ACTION = st.recursive(actions(ODD), lambda one: actions(st.lists(one, max_size=3)), max_leaves=5)
STATE = st.fixed_dictionaries(
    {"isDone": st.booleans(), "actions": st.lists(st.lists(ACTION, max_size=3), max_size=2)},
    optional={
        "output": ODD,
        "error": ODD,
        "customStatus": ODD,
        "schemaVersion": st.one_of(st.integers(0, 2), ODD),
    },
)


def run_to_its_end(answer):
    """Up to four episodes with this answer; every activity fails, every timer fires."""
    instance = LoneInstance()
    commit = None
    for _ in range(4):
        commit = instance.run(sdk1.decode_returned(answer)).commit
        assert_storable(commit)
        failed = [history.task_failed(one.task_id, "no", None, T0) for one in commit.schedule]
        events = [*failed, *instance.timers]
        if instance.state.status.is_terminal or commit.starts_generation or not events:
            break
        instance.send(*events)
    return commit


def assert_storable(commit):
    rows.state_values(commit.state)
    rest.status_text(commit.state)
    texts = [commit.state.output, commit.state.custom_status, commit.state.input]
    for event in commit.append:
        json.loads(event.text)
        texts += [event.text, event.name]
    for message in commit.send:
        rows.message_columns(1, "h", message, 0)
        texts += [message.instance_id, message.event.text]
    for task in commit.schedule:
        texts += [task.name, task.input]
    for new in commit.create:
        texts += [new.state.instance_id, new.state.name, new.state.input, new.state.version]
    for text in texts:
        (text or "").encode()


@pytest.mark.feature("Unusual input", "Answers of workers that are not the protocol's")
# On a busy machine making a nested state is slow; that says nothing about the engine.
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STATE)
def test_any_state_ends_in_a_commit(state):
    run_to_its_end(json.dumps(state))


@pytest.mark.parametrize(
    "option",
    [
        {"backoffCoefficient": 1e308, "maxNumberOfAttempts": 9},
        {"backoffCoefficient": float("nan")},
        {"backoffCoefficient": float("inf")},
        {"firstRetryIntervalInMilliseconds": -86399999999990000},
        {"firstRetryIntervalInMilliseconds": 86399999999999998},
        {"retryTimeoutInMilliseconds": 86399999999999999},
    ],
)
def test_retry_numbers_that_overflow_end_the_call_or_are_capped(option):
    options = {
        "firstRetryIntervalInMilliseconds": 1000,
        "maxNumberOfAttempts": 3,
        "maxRetryIntervalInMilliseconds": 86399999999999999,
        **option,
    }
    call = {"actionType": 1, "functionName": "Act", "input": "1", "retryOptions": options}
    state = {"isDone": False, "schemaVersion": 2, "actions": [[call]]}
    assert run_to_its_end(json.dumps(state)) is not None


def test_an_infinite_backoff_waits_the_longest_interval():
    options = {
        "firstRetryIntervalInMilliseconds": 1000,
        "maxNumberOfAttempts": 5,
        "backoffCoefficient": 1e308,
        "maxRetryIntervalInMilliseconds": 60_000,
    }
    call = {"actionType": 1, "functionName": "Act", "input": "1", "retryOptions": options}
    answer = sdk1.decode_returned(json.dumps({"isDone": False, "actions": [[call]]}))
    instance = LoneInstance()
    waits = []
    for task_id in (0, 2, 4):
        instance.run(answer)
        instance.send(history.task_failed(task_id, "no", None, T0))
        instance.run(answer)
        waits += [
            history.read_fire_at(e) - T0 for e in instance.history if e.task_id == task_id + 1
        ]
        instance.send(*instance.timers)
    assert set(waits) == {timedelta(seconds=1), timedelta(seconds=60)}
