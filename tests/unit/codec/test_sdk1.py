"""What the SDK may give back, and what the host makes of it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from durahost.codec import failures, sdk1
from durahost.model.actions import (
    CallActivity,
    CreateTimer,
    OrchestratorFailure,
    OrchestratorState,
    RetryOptions,
    SignalEntity,
    Unsupported,
    WaitForExternalEvent,
)
from durahost.model.instances import InstanceState
from durahost.model.status import RuntimeStatus

T0 = datetime(2026, 1, 5, 10, tzinfo=UTC)


def decode(*actions, **more):
    state = {"isDone": False, "schemaVersion": 2, "actions": [list(actions)], **more}
    return sdk1.decode_returned(json.dumps(state))


def only(*actions):
    decoded = decode(*actions)
    assert isinstance(decoded, OrchestratorState), decoded
    ((action,),) = decoded.batches
    return action


@pytest.mark.feature("Orchestrations", "Answers that are not the protocol's")
@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, sdk1.NOT_OBJECT_TEXT),
        ("[]", sdk1.NOT_OBJECT_TEXT),
        ("1", sdk1.NOT_OBJECT_TEXT),
        ("{", sdk1.NOT_JSON_TEXT),
        ('{"isDone":true}', sdk1.NOT_JSON_TEXT),
        ('{"actions":[1]}', sdk1.NOT_JSON_TEXT),
        ('{"actions":[[1]]}', sdk1.NOT_JSON_TEXT),
        ('{"actions":[[{"actionType":0}]]}', sdk1.NOT_JSON_TEXT),
        ('{"actions":[[{"actionType":11}]]}', sdk1.NOT_JSON_TEXT),
        (
            '{"schemaVersion":2,"actions":[]}',
            "With OOProc schema V3, expected actions array to be of length 1 in outer layer "
            "but got size: 0",
        ),
        (
            '{"schemaVersion":"v2","actions":[[],[]]}',
            "With OOProc schema V2, expected actions array to be of length 1 in outer layer "
            "but got size: 2",
        ),
        ('{"actions":[[{"actionType":5,"fireAt":1}]]}', "A timer's fireAt is not a time: 1"),
        (
            '{"actions":[[{"actionType":1,"functionName":"A","retryOptions":'
            '{"firstRetryIntervalInMilliseconds":5}}]]}',
            "Invalid JSON. Must contain field maxNumberOfAttempts (Parameter 'reader')",
        ),
    ],
)
def test_a_state_that_is_not_the_protocol_s_is_a_failure(text, error):
    decoded = sdk1.decode_returned(text)
    assert decoded == OrchestratorFailure(error, failures.orchestrator_details(error, ""))


@pytest.mark.feature("Orchestrations", "Answers that are not the protocol's")
def test_a_malformed_state_inside_an_exception_is_a_failure_too():
    raised = f"Exception: boom{failures.STATE_MARKER}nothing"
    assert sdk1.decode_raised(raised, "").error == sdk1.NOT_JSON_TEXT


@pytest.mark.feature("Orchestrations", "Orchestrator errors without the SDK's state")
def test_an_exception_without_a_state_keeps_the_worker_s_text():
    decoded = sdk1.decode_raised("ValueError: no", "frames")
    assert decoded.error == (
        "One or more errors occurred. (Result: Failure\nException: ValueError: no\nStack: frames)"
    )


@pytest.mark.feature("Orchestrations", "Orchestrator errors with the SDK's state")
def test_the_state_in_an_exception_keeps_the_error_and_the_stack():
    state = json.dumps({"isDone": False, "actions": [[]], "schemaVersion": 2, "error": "boom"})
    decoded = sdk1.decode_raised(f"Exception: boom{failures.STATE_MARKER}{state}", "frames")
    assert (decoded.error, decoded.is_done) == ("boom", False)
    assert decoded.stack.endswith("\nStack: frames")


@pytest.mark.feature("Orchestrations", "Actions that nobody knows")
@pytest.mark.parametrize("kind", [13, 99, -1, "Nonsense"])
def test_actions_that_nobody_knows_keep_their_name(kind):
    assert only({"actionType": kind}) == Unsupported(str(kind))


def test_names_stand_for_numbers():
    action = {"actionType": "waitForExternalEvent", "externalEventName": "Go"}
    assert only(action) == WaitForExternalEvent("Go")


@pytest.mark.feature("Retries", "Attempts, back-off, longest interval")
def test_all_retry_options_are_read():
    options = {
        "firstRetryIntervalInMilliseconds": 1500,
        "maxNumberOfAttempts": 4,
        "backoffCoefficient": 1.5,
        "maxRetryIntervalInMilliseconds": 9000,
        "retryTimeoutInMilliseconds": 60000,
    }
    action = {"actionType": 1, "functionName": "A", "input": "1", "retryOptions": options}
    seconds = [timedelta(seconds=n) for n in (1.5, 9, 60)]
    assert only(action) == CallActivity(
        "A", "1", RetryOptions(seconds[0], 4, 1.5, seconds[1], seconds[2])
    )


@pytest.mark.feature("Timers", "Durable timers")
@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026-01-05T10:00:00.000000Z", T0),
        ("2026-01-05T10:00:00.0000000Z", T0),
        ("2026-01-05T10:00:00", T0),
        ("2026-01-05T12:00:00+02:00", T0),
    ],
)
def test_timer_times(text, when):
    action = {"actionType": 5, "fireAt": text, "isCanceled": True}
    assert only(action) == CreateTimer(when, is_canceled=True)


@pytest.mark.feature("Entities", "Scheduled signals")
def test_a_signal_for_later():
    action = {"actionType": 10, "instanceId": "@counter@a", "operation": "add", "input": "1"}
    signal = SignalEntity("@counter@a", "add", "1", fire_at=T0)
    assert only(action | {"fireAt": "2026-01-05T10:00:00.000000Z"}) == signal


@pytest.mark.feature("Orchestrations", "Inputs and outputs as the SDK gives them")
def test_an_input_that_is_no_text_becomes_json_text():
    action = {"actionType": 0, "functionName": "A", "input": {"a": 1}}
    assert only(action) == CallActivity("A", '{"a": 1}')


@pytest.mark.feature("Orchestrations", "Inputs and outputs as the SDK gives them")
@pytest.mark.parametrize(
    ("stored", "given"),
    [
        (None, None),
        ('["\\"Tokyo\\""]', '"Tokyo"'),
        ("[null]", None),
        ("[true]", "True"),
        ("[5]", "5"),
        ("[1.5]", "1.5"),
        ('[{"a": [1]}]', '{"a":[1]}'),
    ],
)
def test_activity_input(stored, given):
    assert sdk1.activity_input(stored) == given


@pytest.mark.feature("Orchestrations", "Inputs and outputs as the SDK gives them")
@pytest.mark.parametrize(("text", "kept"), [(None, None), ("null", None), ('"x"', '"x"')])
def test_activity_result(text, kept):
    assert sdk1.activity_result(text) == kept


@pytest.mark.feature("Orchestrations", "Inputs and outputs as the SDK gives them")
@pytest.mark.parametrize(
    ("stored", "shown"),
    [(None, None), ("NaN", "NaN"), ('{"a":1}', {"a": 1}), ("[1", "[1"), ('"{}"', "{}")],
)
def test_the_context_s_input_is_the_stored_text(stored, shown):
    state = InstanceState(
        instance_id="i",
        execution_id="e",
        name="F",
        status=RuntimeStatus.PENDING,
        created_at=T0,
        updated_at=T0,
        input=stored,
    )
    text = sdk1.encode_context(state, [], [], http_sleep_ms=1, sends_timer_limits=False)
    context = json.loads(text)
    assert context["input"] == shown
    assert "maximumShortTimerDuration" not in context


@pytest.mark.feature("Orchestrations", "Orchestrator errors without the SDK's state")
def test_texts_of_failures():
    assert failures.activity_failed("A", "ValueError: x") == (
        "Activity function 'A' failed:  ValueError: x"
    )
    assert failures.activity_missing("A") == (
        "Activity function 'A' failed: Activity function 'A' does not exist."
    )
    details = json.loads(failures.activity_details("ValueError: x", "frames"))
    assert details["Message"] == " ValueError: x"
    assert details["InnerException"]["Message"].endswith("\nStack: frames")
    assert failures.timed_out("A", timedelta(minutes=90, seconds=1)) == (
        "Timeout value of 01:30:01 was exceeded by function: Functions.A"
    )
