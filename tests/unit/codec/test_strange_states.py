"""States that hold what nobody can read: the instance's failure, never ours."""

import json

import pytest

from durahost.codec import sdk1
from durahost.model.actions import CallSubOrchestrator, OrchestratorFailure, OrchestratorState


def decode(action=None, **more):
    actions = [[] if action is None else [action]]
    return sdk1.decode_returned(json.dumps({"schemaVersion": 2, "actions": actions, **more}))


def retried(**options):
    whole = {"firstRetryIntervalInMilliseconds": 5, "maxNumberOfAttempts": 2, **options}
    return decode({"actionType": 1, "functionName": "A", "retryOptions": whole})


def error_of(decoded):
    assert isinstance(decoded, OrchestratorFailure)
    assert decoded.error.startswith(sdk1.NOT_JSON_TEXT)
    return decoded.error.removeprefix(sdk1.NOT_JSON_TEXT)


@pytest.mark.parametrize(
    ("given", "read"), [(None, None), ("child", "child"), (42, "42"), (4.5, "4.5")]
)
def test_a_number_is_a_child_s_id(given, read):
    decoded = decode({"actionType": 2, "functionName": "C", "instanceId": given})
    assert isinstance(decoded, OrchestratorState)
    assert decoded.batches == [[CallSubOrchestrator("C", None, read, None)]]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"firstRetryIntervalInMilliseconds": 10**18}, "OverflowError"),
        ({"firstRetryIntervalInMilliseconds": "soon"}, "TypeError"),
        ({"firstRetryIntervalInMilliseconds": float("nan")}, "ValueError"),
        ({"maxNumberOfAttempts": "many"}, "invalid literal for int() with base 10: 'many'"),
        ({"maxNumberOfAttempts": float("inf")}, "OverflowError"),
        ({"backoffCoefficient": "x"}, "could not convert string to float: 'x'"),
    ],
)
def test_retry_options_that_cannot_be_read(options, text):
    assert text in error_of(retried(**options))


@pytest.mark.parametrize("options", [5, "x", [1]])
def test_retry_options_that_are_none(options):
    action = {"actionType": 3, "functionName": "C", "retryOptions": options}
    assert error_of(decode(action)) == ""


@pytest.mark.parametrize("action", [{"actionType": 8, "httpRequest": 1}, {"actionType": 12}])
def test_members_that_are_missing(action):
    assert error_of(decode(action)) == ""


def test_an_output_nested_too_deep():
    nested = "[" * 200_000 + "]" * 200_000
    text = f'{{"schemaVersion":2,"actions":[[]],"isDone":true,"output":{nested}}}'
    assert "RecursionError" in error_of(sdk1.decode_returned(text))


def test_lone_surrogates_are_replaced_wherever_they_stand():
    decoded = decode(isDone=True, output="\udce9", customStatus=["\udce9"], error="\udce9")
    assert isinstance(decoded, OrchestratorState)
    assert [json.loads(decoded.output), decoded.custom_status, decoded.error] == [
        "\ufffd",
        '["\ufffd"]',
        "\ufffd",
    ]
