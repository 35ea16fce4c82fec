"""Durable HTTP calls in an orchestration: what is scheduled, polled, repeated, and given up.

Ids are as the JavaScript SDK counts them, the only one that polls: request, timer, request, ...
"""

import json
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from lone_instance import LEASE, T0, at, new_state

from durahost.codec import durable_http, failures, history, sdk1
from durahost.config.dotnet_values import timespan_text
from durahost.engine.calls import KnownFunctions
from durahost.engine.episode import Plan, conclude, plan
from durahost.engine.outcome import FreshIds, Rules, start_of
from durahost.model.actions import OrchestratorFailure
from durahost.model.instances import LockedEpisode
from durahost.model.messages import InboxMessage, Message
from durahost.model.status import RuntimeStatus

JOB = {"method": "POST", "uri": "https://a.test/job", "content": '{"go":true}'}
POLLED = {**JOB, "asynchronousPatternEnabled": True}
RETRIED = {
    "firstRetryInterval": "00:00:05",
    "maxNumberOfAttempts": 2,
    "statusCodesToRetry": [500, "429"],
}


def state_of(*requests, is_done=False):
    actions = [{"actionType": 8, "httpRequest": request} for request in requests]
    state = {"isDone": is_done, "schemaVersion": 2, "actions": [actions]}
    return sdk1.decode_returned(json.dumps(state))


def answered(task_id, status, seconds=1, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = durable_http.encode_response(status, named, "body")
    return history.task_completed(task_id, text, at(seconds))


class Calls:
    """One instance whose orchestrator asks for these requests, one after the other."""

    def __init__(self, *requests, **rules):
        self.answer = state_of(*requests, is_done=True)
        self.rules = Rules(stores_inputs=True, **rules)
        self.state = new_state()
        self.history, self.hints = [], []
        self.tell(0, start_of(self.state, T0).started.event)

    def tell(self, seconds, *events):
        """One episode at that time, with these messages."""
        inbox = [InboxMessage(n, Message("i1", event)) for n, event in enumerate(events)]
        made = plan(LockedEpisode(LEASE, self.state, list(self.history), inbox), at(seconds))
        assert isinstance(made, Plan)
        concluded = conclude(
            made,
            self.answer,
            rules=self.rules,
            known=KnownFunctions(activities=frozenset()),
            fresh=FreshIds(UUID(int=1)),
            now=at(seconds),
        )
        self.state = concluded.commit.state
        self.history += concluded.commit.append
        # The answer says from the start that it is through, which is hinted at while calls run.
        self.hints += [hint for hint in concluded.hints if "stays Running" not in hint.text]
        return self

    @property
    def asked(self):
        """What was scheduled: (id, request) or (id, seconds of a timer)."""
        found = []
        for event in self.history:
            wire = json.loads(event.text)
            if event.kind.name == "TASK_SCHEDULED":
                assert wire["Name"] == "BuiltIn::HttpActivity"
                (request,) = json.loads(wire["Input"])
                found.append((wire["EventId"], request))
            elif event.kind.name == "TIMER_CREATED":
                fire_at = datetime.fromisoformat(wire["FireAt"])
                found.append((wire["EventId"], (fire_at - T0).total_seconds()))
        return found

    @property
    def hint(self):
        (hint,) = self.hints
        return hint.text


def fired(task_id, seconds):
    return history.timer_fired(task_id, at(seconds), at(seconds))


# Without polling ----------------------------------------------------------------------------------


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
def test_the_request_is_recorded_with_all_members_in_the_extension_s_order():
    calls = Calls({**JOB, "headers": {"A": "1", "B": ["1", "2"], "C": ["3"], "D": None}})
    scheduled = next(e for e in calls.history if e.kind.name == "TASK_SCHEDULED")
    assert json.loads(scheduled.text)["Input"] == (
        '[{"method":"POST","uri":"https://a.test/job",'
        '"headers":{"A":"1","B":["1","2"],"C":"3","D":[]},"content":"{\\"go\\":true}",'
        '"tokenSource":null,"asynchronousPatternEnabled":false,"retryOptions":null,'
        '"timeout":null}]'
    )


@pytest.mark.feature("Durable HTTP", "202 polling when asked for")
@pytest.mark.parametrize("request_", [JOB, {**JOB, "asynchronousPatternEnabled": False}])
def test_a_202_is_an_answer_like_any_other_unless_asked_for(request_):
    calls = Calls(request_)
    calls.tell(2, answered(0, 202, Location="https://a.test/status"))
    assert len(calls.asked) == 1
    assert calls.state.status is RuntimeStatus.COMPLETED


@pytest.mark.feature("Settings", "`maxOrchestrationActions`")
def test_a_call_over_the_action_limit_is_never_made():
    calls = Calls(JOB, JOB, max_actions=1)
    calls.tell(2, answered(0, 200))
    assert [task_id for task_id, _ in calls.asked] == [0]
    assert "maxOrchestrationActions" in calls.hint


# Polling ------------------------------------------------------------------------------------------


@pytest.mark.feature("Durable HTTP", "202 polling when asked for")
def test_a_202_is_followed_until_it_is_none():
    headers = {"X-Functions-Key": "k", "Authorization": "a"}
    request = {**POLLED, "headers": headers, "timeout": "0:1:0", "retryOptions": RETRIED}
    calls = Calls(request, JOB)
    there = {"location": "https://a.test/status", "retry_after": "7"}
    calls.tell(2, answered(0, 202, **there))
    calls.tell(9, fired(1, 9))
    calls.tell(10, answered(2, 202, Location=["https://a.test/status"]))
    calls.tell(40, fired(3, 40))
    calls.tell(41, answered(4, 200))
    poll = {
        "method": "GET",
        "uri": "https://a.test/status",
        "headers": {"Authorization": "a"},
        "content": None,
        "tokenSource": None,
        "asynchronousPatternEnabled": True,
        "retryOptions": None,
        "timeout": "00:01:00",
    }
    assert calls.asked[1:5] == [(1, 9.0), (2, poll), (3, 40.0), (4, poll)]
    assert calls.asked[5][0] == 5
    calls.tell(42, answered(5, 200))
    assert calls.state.status is RuntimeStatus.COMPLETED
    assert calls.hints == []


@pytest.mark.feature("Settings", "`httpSettings.defaultAsyncRequestSleepTimeMilliseconds`")
@pytest.mark.feature("Durable HTTP", "202 polling when asked for")
def test_the_default_pause_is_the_setting():
    calls = Calls(POLLED, http_sleep=timedelta(milliseconds=1500))
    calls.tell(2, answered(0, 202, Location="https://a.test/"))
    assert calls.asked[1] == (1, 3.5)


@pytest.mark.feature("Durable HTTP", "202 polling when asked for")
def test_a_poll_that_fails_ends_the_call():
    calls = Calls(POLLED)
    calls.tell(2, answered(0, 202, Location="https://a.test/", Retry_After=" 0 "))
    calls.tell(3, fired(1, 2))
    calls.tell(4, history.task_failed(2, "Connection refused", "{}", at(4)))
    assert len(calls.asked) == 3
    assert calls.state.status is RuntimeStatus.COMPLETED


@pytest.mark.feature("Durable HTTP", "202 polling when asked for")
def test_a_first_request_that_fails_is_not_polled():
    calls = Calls(POLLED)
    calls.tell(2, history.task_failed(0, "Connection refused", "{}", at(2)))
    assert len(calls.asked) == 1
    assert calls.state.status is RuntimeStatus.COMPLETED


@pytest.mark.feature("Durable HTTP", "Retry options")
@pytest.mark.feature("Durable HTTP", "`Retry-After`")
@pytest.mark.parametrize(
    "value", ["Fri, 31 Dec 2027 23:59:59 GMT", "1.5", "99999999999", ["1", "2"]]
)
def test_a_retry_after_that_is_no_integer_ends_the_call_at_once(value):
    calls = Calls(POLLED)
    calls.tell(2, answered(0, 202, Location="https://a.test/", Retry_After=value))
    assert len(calls.asked) == 1
    assert calls.state.status is RuntimeStatus.COMPLETED
    assert "its Retry-After is no whole number of seconds" in calls.hint
    assert "'https://a.test/job'" in calls.hint


@pytest.mark.feature("Durable HTTP", "202 polling when asked for")
@pytest.mark.parametrize(
    ("headers", "flaw"),
    [
        ({}, "it has no Location header"),
        ({"Location": "status/1"}, "its Location is no absolute URL: 'status/1'"),
        ({"Location": ""}, "its Location is no absolute URL: ''"),
    ],
)
def test_a_location_that_is_no_uri_ends_the_call_after_the_pause(headers, flaw):
    calls = Calls(POLLED)
    calls.tell(2, answered(0, 202, **headers))
    assert calls.asked[1:] == [(1, 32.0)]
    assert flaw in calls.hint
    assert calls.state.status is RuntimeStatus.RUNNING
    calls.tell(32, fired(1, 32))
    assert len(calls.asked) == 2
    assert calls.state.status is RuntimeStatus.COMPLETED
    assert len(calls.hints) == 1


@pytest.mark.feature("Durable HTTP", "202 polling when asked for")
def test_a_location_that_is_a_path_is_asked_for_as_on_linux():
    calls = Calls(POLLED)
    calls.tell(2, answered(0, 202, Location="/status/1", Retry_After="1"))
    calls.tell(3, fired(1, 3))
    assert calls.asked[2][1]["uri"] == "/status/1"
    assert "its Location is no absolute URL: '/status/1'" in calls.hint


@pytest.mark.feature("Durable HTTP", "202 polling when asked for")
@pytest.mark.parametrize(("limit", "asked"), [(1, 1), (2, 2), (3, 3)])
def test_timers_and_polls_count_as_actions(limit, asked):
    calls = Calls(POLLED, max_actions=limit)
    calls.tell(2, answered(0, 202, Location="https://a.test/", Retry_After="1"))
    if asked > 1:
        calls.tell(3, fired(1, 3))
    assert len(calls.asked) == asked
    assert len(calls.hints) == (0 if asked == 3 else 1)


@pytest.mark.feature("Durable HTTP", "202 polling when asked for")
@pytest.mark.parametrize("result", [None, "1", "[]"])
def test_an_answer_that_is_no_response_is_final(result):
    request = durable_http.normalize(POLLED)
    assert durable_http.next_poll(request, result, timedelta(1)) is None


# Retry options ------------------------------------------------------------------------------------


@pytest.mark.feature("Durable HTTP", "Retry options")
def test_retry_options_repeat_the_request_with_timers():
    calls = Calls({**JOB, "retryOptions": RETRIED})
    failed = "Status code TooManyRequests received, retry requested."
    calls.tell(2, history.task_failed(0, failed, "{}", at(2)))
    calls.tell(7, fired(1, 7))
    calls.tell(8, history.task_failed(2, failed, "{}", at(8)))
    calls.tell(9, fired(3, 8))
    first, timer, second, last = calls.asked
    assert (first[0], timer, second[0], last) == (0, (1, 7.0), 2, (3, 8.0))
    assert first[1] == second[1]
    assert first[1]["retryOptions"] == {
        "FirstRetryInterval": "00:00:05",
        "MaxRetryInterval": "6.00:00:00",
        "BackoffCoefficient": 1.0,
        "RetryTimeout": "10675199.02:48:05.4775807",
        "MaxNumberOfAttempts": 2,
        "StatusCodesToRetry": [500, 429],
    }
    assert calls.state.status is RuntimeStatus.COMPLETED


@pytest.mark.feature("Durable HTTP", "Retry options")
def test_a_retried_request_may_be_polled():
    calls = Calls({**POLLED, "retryOptions": RETRIED})
    calls.tell(2, history.task_failed(0, "why", "{}", at(2)))
    calls.tell(7, fired(1, 7))
    calls.tell(8, answered(2, 202, Location="https://a.test/", Retry_After="1"))
    calls.tell(9, fired(3, 9))
    assert calls.asked[4][1]["method"] == "GET"


@pytest.mark.feature("Durable HTTP", "Retry options")
def test_all_retry_options_are_read():
    options = {
        "FirstRetryInterval": "00:00:01.5",
        "MaxRetryInterval": "00:01:00",
        "BackoffCoefficient": 2,
        "RetryTimeout": "1.00:00:00",
        "MaxNumberOfAttempts": 7,
        "StatusCodesToRetry": None,
    }
    retry = durable_http.read_retry(durable_http.normalize({"retryOptions": options}))
    assert retry.first_interval == timedelta(seconds=1.5)
    assert retry.max_interval == timedelta(minutes=1)
    assert (retry.backoff_coefficient, retry.max_attempts) == (2.0, 7)
    assert retry.timeout == timedelta(days=1)


# What is refused ----------------------------------------------------------------------------------


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
@pytest.mark.parametrize(
    ("more", "error"),
    [
        (
            {"retryOptions": {"maxNumberOfAttempts": 3}},
            "Invalid interval.  Specify a TimeSpan value greater then TimeSpan.Zero. "
            "(Parameter 'firstRetryInterval')",
        ),
        (
            {"retryOptions": {"firstRetryInterval": "soon"}},
            "Error converting value \"soon\" to type 'System.TimeSpan'.",
        ),
        ({"timeout": "never"}, "Error converting value \"never\" to type 'System.TimeSpan'."),
        (
            {"retryOptions": {**RETRIED, "statusCodesToRetry": ["Often"]}},
            "Error converting value \"Often\" to type 'System.Net.HttpStatusCode'.",
        ),
        (
            {"tokenSource": {"kind": "Mine", "resource": "r"}},
            "The token source kind '\"Mine\"' is not supported.",
        ),
        ({"tokenSource": "x"}, "The token source kind '\"x\"' is not supported."),
    ],
)
def test_a_request_that_the_extension_cannot_read_fails_the_orchestration(more, error):
    decoded = state_of({**JOB, **more})
    assert isinstance(decoded, OrchestratorFailure)
    assert decoded.error == error


# The codec ----------------------------------------------------------------------------------------


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"METHOD": "get", "Uri": 5, "content": {"a": 1}, "method ": 1},
        {"headers": {"a": "1", "A": ["2", 3]}, "method": None},
        {"tokenSource": {"kind": 1, "resource": "r", "options": {"tenantid": "t"}}},
        {**POLLED, "retryOptions": RETRIED, "timeout": "1:2"},
    ],
)
def test_normalising_twice_changes_nothing(request_):
    once = durable_http.normalize(request_)
    assert durable_http.normalize(json.loads(json.dumps(once))) == once


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
def test_members_of_any_case_and_odd_values_are_read():
    request = durable_http.normalize(
        {"METHOD": "get", "Uri": 5, "content": {"a": 1}, "headers": {"a": "1", "A": ["2", 3]}}
    )
    assert (request["method"], request["uri"], request["content"]) == ("get", "5", '{"a":1}')
    assert request["headers"] == {"a": ["2", "3"]}


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "00:00:00"),
        (timedelta(seconds=3661, milliseconds=5), "01:01:01.0050000"),
        (timedelta(days=2, seconds=1), "2.00:00:01"),
        (timedelta(seconds=-90), "-00:01:30"),
        (timedelta.max, "10675199.02:48:05.4775807"),
    ],
)
def test_spans_are_written_as_net_writes_them(span, text):
    assert timespan_text(span) == text


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
def test_the_activity_reads_what_the_orchestration_wrote():
    given = {
        **POLLED,
        "headers": {"A": "1", "B": ["1", "2"]},
        "retryOptions": RETRIED,
        "timeout": "00:00:09",
        "tokenSource": {"kind": "AzureManagedIdentity", "resource": "r"},
    }
    text = durable_http.encode_request(durable_http.normalize(given))
    assert durable_http.decode_request(text) == durable_http.HttpRequest(
        method="POST",
        uri="https://a.test/job",
        headers={"A": ["1"], "B": ["1", "2"]},
        content='{"go":true}',
        timeout=timedelta(seconds=9),
        retried=[500, 429],
        token_resource="r",
    )


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
def test_details_are_json_for_what_the_shim_turns_into_a_task_failure():
    details = json.loads(failures.exception_details("System.TimeoutException", "late"))
    assert (details["ClassName"], details["Message"]) == ("System.TimeoutException", "late")
    assert details["$type"] == "System.TimeoutException, System.Private.CoreLib"
    assert failures.exception_details("System.FormatException", "bad") == (
        "Unhandled exception while executing task: System.FormatException: bad"
    )
