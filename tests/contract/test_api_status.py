"""GET instances/{id}: statuses, headers, payloads and history."""

from datetime import timedelta

import pytest
from api_support import JSON_TYPE, NOW, ORIGIN

from durahost.codec import history
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.instances import InstanceState
from durahost.model.messages import ActivityTask
from durahost.model.status import RuntimeStatus

S = RuntimeStatus
TASK = ActivityTask(InstanceId("abc"), ExecutionId("e"), 0, "SayHello", '["Tokyo"]')


@pytest.mark.feature("Management API", "`GET /instances/{instanceId}`")
async def test_the_payload_of_a_pending_instance(target):
    await target.put(S.PENDING, input='{"a": [1.0, "é<>"]}')
    path = "instances/abc?taskHub=TestHubName&code=a%2Bb"
    response = await target.api_call("GET", path)
    assert response.status_code == 202
    assert response.headers["content-type"] == JSON_TYPE
    assert response.headers["retry-after"] == "5"
    assert response.headers["location"] == f"{ORIGIN}/runtime/webhooks/durabletask/{path}"
    assert response.text == (
        '{"name":"Hello","instanceId":"abc","runtimeStatus":"Pending",'
        '"input":{"a":[1.0,"é<>"]},"customStatus":null,"output":null,'
        '"createdTime":"2026-01-05T10:00:00Z","lastUpdatedTime":"2026-01-05T10:00:00Z"}'
    )


@pytest.mark.feature("Management API", "`GET /instances/{instanceId}`")
@pytest.mark.parametrize(
    ("status", "query", "code"),
    [
        (S.RUNNING, "", 202),
        (S.SUSPENDED, "", 202),
        (S.CONTINUED_AS_NEW, "", 202),
        (S.COMPLETED, "", 200),
        (S.TERMINATED, "", 200),
        (S.CANCELED, "", 200),
        (S.FAILED, "", 200),
        (S.FAILED, "?returnInternalServerErrorOnFailure=TRUE", 500),
        (S.COMPLETED, "?returnInternalServerErrorOnFailure=true", 200),
    ],
)
async def test_the_state_decides_code_and_headers(target, status, query, code):
    await target.put(status)
    response = await target.api_call("GET", f"instances/abc{query}")
    assert response.status_code == code
    assert response.json()["runtimeStatus"] == status.value
    assert ("location" in response.headers) is (code == 202)
    assert ("retry-after" in response.headers) is (code == 202)


@pytest.mark.feature("Management API", "`GET /instances/{instanceId}`")
async def test_an_unknown_id_is_an_empty_404(target):
    response = await target.api_call("GET", "instances/nope")
    assert response.status_code == 404
    assert response.content == b""
    assert response.headers["content-length"] == "0"
    assert "content-type" not in response.headers


@pytest.mark.feature("Management API", "`GET /instances/{instanceId}`")
async def test_output_and_custom_status_are_read_and_input_can_be_hidden(target):
    await target.put(S.TERMINATED, input='"x"', output="2024 budget", custom_status='{"p":1e2}')
    text = (await target.api_call("GET", "instances/abc?showInput=False")).text
    assert '"input":null,"customStatus":{"p":100.0},"output":2024,' in text


EVENTS = [
    history.task_scheduled(TASK, NOW, stores_input=True),
    history.timer_created(1, NOW + timedelta(minutes=1), NOW),
    history.orchestrator_completed(NOW),
    history.orchestrator_started(NOW),
    history.task_completed(0, '"Hello Tokyo!"', NOW + timedelta(seconds=1)),
    history.timer_fired(1, NOW + timedelta(minutes=1), NOW),
    history.event_raised("Go", '"1"', NOW),
    history.task_scheduled(
        ActivityTask(InstanceId("abc"), ExecutionId("e"), 2, "Open", None), NOW, stores_input=False
    ),
    history.execution_completed(3, S.COMPLETED, "[1.50]", NOW),
]
AT = "2026-01-05T10:00:00.123456Z"


def history_text(show_input: bool, show_output: bool) -> str:
    def given(condition: bool, text: str) -> str:
        return text if condition else ""

    return (
        '"historyEvents":[{"EventType":"ExecutionStarted",'
        + given(show_input, '"Input":"\\"in\\"",')
        + '"Correlation":null,"ParentTraceContext":null,"ScheduledStartTime":null,'
        f'"Generation":0,"Timestamp":"{AT}","FunctionName":"Hello"}},'
        '{"EventType":"TimerCreated","FireAt":"2026-01-05T10:01:00.123456Z",'
        f'"Timestamp":"{AT}"}},'
        '{"EventType":"TaskCompleted",'
        + given(show_output, '"Result":"Hello Tokyo!",')
        + '"Timestamp":"2026-01-05T10:00:01.123456Z",'
        '"ScheduledTime":"2026-01-05T10:00:00.123456+00:00","FunctionName":"SayHello"'
        + given(show_input, ',"Input":"[\\"Tokyo\\"]"')
        + "},"
        f'{{"EventType":"TimerFired","FireAt":"2026-01-05T10:01:00.123456Z","Timestamp":"{AT}"}},'
        '{"EventType":"EventRaised","Name":"Go",'
        + given(show_input, '"Input":"\\"1\\"",')
        + f'"ParentTraceContext":null,"Timestamp":"{AT}"}},'
        '{"EventType":"TaskScheduled","Name":"Open",'
        + given(show_input, '"Input":null,')
        + f'"ParentTraceContext":null,"Tags":null,"Timestamp":"{AT}"}},'
        '{"EventType":"ExecutionCompleted","OrchestrationStatus":"Completed",'
        + given(show_output, '"Result":[1.5],')
        + f'"FailureDetails":null,"Timestamp":"{AT}"}}]}}'
    )


@pytest.mark.feature("Management API", "History as the API shows it")
@pytest.mark.feature("Management API", "`GET /instances/{instanceId}`")
@pytest.mark.parametrize("show_input", [True, False])
@pytest.mark.parametrize("show_output", [True, False])
async def test_history_is_projected(target, show_input, show_output):
    await target.put(S.COMPLETED, input='"in"', events=EVENTS)
    query = f"showHistory=true&showInput={show_input}&showHistoryOutput={show_output}"
    response = await target.api_call("GET", f"instances/abc?{query}")
    assert response.text.partition('"lastUpdatedTime":"2026-01-05T10:00:00Z",')[2] == history_text(
        show_input, show_output
    )


@pytest.mark.feature("Management API", "History as the API shows it")
@pytest.mark.feature("Management API", "`GET /instances/{instanceId}`")
async def test_a_pending_instance_has_no_history_member(target):
    await target.put(S.PENDING)
    response = await target.api_call("GET", "instances/abc?showHistory=true")
    assert "historyEvents" not in response.json()


@pytest.mark.feature("Management API", "History as the API shows it")
@pytest.mark.feature("Management API", "`GET /instances/{instanceId}`")
@pytest.mark.parametrize(
    ("event", "text"),
    [
        (history.execution_suspended("r", NOW), '{"EventType":"ExecutionSuspended","Reason":"r",'),
        (history.execution_resumed(None, NOW), '{"EventType":"ExecutionResumed","Reason":null,'),
        (history.execution_terminated("r", NOW), '{"EventType":"ExecutionTerminated","Input":"r",'),
        (
            history.task_failed(7, "why", "trace", NOW),
            '{"EventType":"TaskFailed","Reason":"why","Details":"trace","FailureDetails":null,',
        ),
    ],
)
async def test_other_events_in_the_history(target, event, text):
    await target.put(S.RUNNING, events=[event])
    response = await target.api_call("GET", "instances/abc?showHistory=true")
    assert f'{text}"Timestamp":"{AT}"}}]}}' in response.text


@pytest.mark.feature("Management API", "History as the API shows it")
@pytest.mark.feature("Management API", "`GET /instances/{instanceId}`")
async def test_a_sub_orchestration_takes_over_its_creation(target):
    child = InstanceState(
        instance_id=InstanceId("c"),
        execution_id=ExecutionId("e"),
        name="Child",
        status=S.PENDING,
        created_at=NOW,
        updated_at=NOW,
    )
    created = history.sub_orchestration_created(0, child, NOW, stores_input=False, site=None)
    await target.put(S.RUNNING, "open", events=[created])
    await target.put(
        S.RUNNING, "done", events=[created, history.sub_orchestration_failed(0, "r", None, NOW)]
    )
    texts = [(await target.api_call("GET", f"instances/{i}?showHistory=true")).text
             for i in ("open", "done")]  # fmt: skip
    assert (
        '{"EventType":"SubOrchestrationInstanceCreated","Name":"Child","InstanceId":"c",'
        in texts[0]
    )
    assert "SubOrchestrationInstanceCreated" not in texts[1]
    assert (
        '{"EventType":"SubOrchestrationInstanceFailed","Reason":"r","Details":null,'
        f'"FailureDetails":null,"Timestamp":"{AT}",'
        f'"ScheduledTime":"{AT[:-1]}+00:00","FunctionName":"Child","Input":null}}'
    ) in texts[1]
