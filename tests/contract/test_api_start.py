"""POST orchestrators/{name}/{id?}."""

import asyncio

import pytest
from api_support import JSON_TYPE, KEY, NOW, ORIGIN, QUERY, Target, TickingClock

from durahost.config.settings import DurableSettings
from durahost.model.events import EventKind
from durahost.model.ids import InstanceId
from durahost.model.status import RuntimeStatus
from durahost.registry import Registry

FIRST_ID = f"{1:032x}"


def check_status_body(instance_id: str, origin: str = ORIGIN, query: str = QUERY) -> str:
    base = f"{origin}/runtime/webhooks/durabletask/instances/{instance_id}"
    return (
        f'{{"id":"{instance_id}",'
        f'"statusQueryGetUri":"{base}?{query}",'
        f'"sendEventPostUri":"{base}/raiseEvent/{{eventName}}?{query}",'
        f'"terminatePostUri":"{base}/terminate?reason={{text}}&{query}",'
        f'"purgeHistoryDeleteUri":"{base}?{query}",'
        f'"restartPostUri":"{base}/restart?{query}",'
        f'"suspendPostUri":"{base}/suspend?reason={{text}}&{query}",'
        f'"resumePostUri":"{base}/resume?reason={{text}}&{query}"}}'
    )


@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}`")
async def test_start_answers_with_the_check_status_payload(target):
    response = await target.api_call("POST", "orchestrators/HelloSequence")
    assert response.status_code == 202
    assert response.headers["content-type"] == JSON_TYPE
    assert response.headers["retry-after"] == "10"
    assert response.headers["location"] == response.json()["statusQueryGetUri"]
    assert response.text == check_status_body(FIRST_ID)


@pytest.mark.feature("Management API", "`taskHub` and `connection` of a request")
@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}/{instanceId}`")
@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}`")
async def test_start_with_an_id_and_another_hub_keeps_both_in_the_links(target):
    response = await target.api_call("POST", "orchestrators/Hello/my-id?taskhub=Other&connection=")
    query = f"taskHub=Other&connection=Storage&code={KEY}"
    assert response.text == check_status_body("my-id", query=query)
    assert (await target.api_call("GET", "instances/my-id")).status_code == 404
    assert (await target.api_call("GET", "instances/my-id?taskHub=OTHER")).status_code == 202


@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}`")
async def test_links_take_their_origin_from_the_request(target):
    for base, origin in [
        ("http://app.example:80", "http://app.example"),
        ("http://127.0.0.1:7071", "http://127.0.0.1:7071"),
        ("http://0.0.0.0:7071", ORIGIN),
    ]:
        response = await target.api_call("POST", "orchestrators/Hello", base=base)
        assert response.json()["statusQueryGetUri"].startswith(f"{origin}/runtime/")


@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}`")
@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (None, "null"),
        (b'{"a": 1}', '{"a":1}'),
        (b'"{\\"a\\": 1}"', '"{\\"a\\": 1}"'),
        (b"[1", '"[1"'),
        (b"{'a':007,}", '{"a":7}'),
        (b" ", '""'),
        (b'"\xc3\xa9"', '"é"'),
    ],
)
async def test_the_input_is_kept_as_sent_and_read_when_shown(target, body, shown):
    response = await target.api_call("POST", "orchestrators/Hello/a", content=body)
    assert response.status_code == 202
    status = await target.api_call("GET", "instances/a")
    assert f'"input":{shown},"customStatus":null' in status.text
    state = await target.hubs().status(InstanceId("a"))
    assert state.input == (None if body is None else body.decode())


@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}`")
async def test_an_unannounced_empty_body_is_an_empty_input(target):
    async def nothing():
        yield b""

    await target.api_call("POST", "orchestrators/Hello/a", content=nothing())
    assert '"input":"",' in (await target.api_call("GET", "instances/a")).text


@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}`")
@pytest.mark.parametrize(
    ("body", "status", "message", "kind"),
    [
        (b"nope", 400, "Invalid JSON content", "JsonReaderException"),
        (b"1 2", 400, "Invalid JSON content", "JsonReaderException"),
        (b'"abc', 400, "Invalid JSON content", "JsonReaderException"),
        (b'{"a":1', 500, "Something went wrong while processing your request",
         "JsonSerializationException"),
        (b"[1,", 500, "Something went wrong while processing your request",
         "JsonWriterException"),
    ],
)  # fmt: skip
async def test_a_body_that_is_not_json_starts_nothing(target, body, status, message, kind):
    response = await target.api_call("POST", "orchestrators/Hello/a", content=body)
    assert response.status_code == status
    assert list(response.json()) == ["Message", "ExceptionMessage", "ExceptionType", "StackTrace"]
    assert response.json()["Message"] == message
    assert response.json()["ExceptionType"] == f"Newtonsoft.Json.{kind}"
    assert (await target.api_call("GET", "instances/a")).status_code == 404


@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}/{instanceId}`")
@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}`")
async def test_a_live_instance_with_the_id_is_a_conflict(target):
    await target.put(RuntimeStatus.RUNNING)
    response = await target.api_call("POST", "orchestrators/Hello/abc")
    assert response.status_code == 409
    expected = '{"Message":"An Orchestration instance with the status Running already exists."}'
    assert response.text == expected


@pytest.mark.feature("Settings", "`overridableExistingInstanceStates`")
@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}/{instanceId}`")
async def test_any_state_replaces_a_live_instance():
    target = Target(DurableSettings(replaceable=frozenset(RuntimeStatus)))
    await target.put(RuntimeStatus.RUNNING)
    assert (await target.api_call("POST", "orchestrators/Hello/abc")).status_code == 202
    assert (await target.api_call("GET", "instances/abc")).json()["runtimeStatus"] == "Pending"


@pytest.mark.feature("Settings", "`defaultVersion`")
@pytest.mark.feature("Versions", "Version of a start: the query's, else `defaultVersion`")
async def test_version_comes_from_the_query_else_from_host_json():
    target = Target(DurableSettings(default_version="1.0"))
    await target.api_call("POST", "orchestrators/Hello/a")
    await target.api_call("POST", "orchestrators/Hello/b?version=2.0")
    assert [(await target.hubs().status(InstanceId(i))).version for i in "ab"] == ["1.0", "2.0"]
    events = await target.inbox()
    assert [event.kind for event in events] == [EventKind.EXECUTION_STARTED] * 2
    assert '"Version":"2.0"' in events[1].text


@pytest.mark.feature("Orchestrations", "Functions that are not there: texts, refusals, hints")
async def test_an_unknown_orchestrator_is_accepted_with_a_hint(caplog):
    target = Target(registry=Registry.of([]))
    assert (await target.api_call("POST", "orchestrators/Nope")).status_code == 202
    assert "No orchestrator functions are currently registered!" in caplog.text


@pytest.mark.feature("Management API", "`taskHub` and `connection` of a request")
async def test_an_unresolvable_connection_is_an_error(target):
    assert (await target.api_call("POST", "orchestrators/H/a?connection=Known")).status_code == 202
    response = await target.api_call("POST", "orchestrators/H/b?connection=Nope")
    assert response.status_code == 500
    assert response.text == (
        '{"Message":"Something went wrong while processing your request",'
        '"ExceptionMessage":"Unable to resolve the Azure Storage connection named \'Nope\'.",'
        '"ExceptionType":"System.InvalidOperationException","StackTrace":null}'
    )


@pytest.mark.feature("Management API", "Waiting for completion (`timeout`, `pollingInterval`)")
@pytest.mark.parametrize("query", ["timeout=5", "pollingInterval=1", "timeout=x&pollingInterval=1"])
async def test_one_wait_parameter_alone_does_not_wait(target, query):
    response = await target.api_call("POST", f"orchestrators/Hello?{query}")
    assert response.status_code == 202


@pytest.mark.feature("Management API", "Waiting for completion (`timeout`, `pollingInterval`)")
async def test_an_interval_above_the_timeout_is_refused_after_the_start(target):
    response = await target.api_call(
        "POST", "orchestrators/Hello/a?timeout=1.5&pollingInterval=2,0"
    )
    assert response.status_code == 400
    text = '{"Message":"Total timeout 1.5 should be bigger than retry timeout 20"}'
    assert response.text == text
    assert (await target.api_call("GET", "instances/a")).status_code == 202


@pytest.mark.feature("Management API", "Waiting for completion (`timeout`, `pollingInterval`)")
async def test_a_number_of_seconds_that_no_timespan_holds_is_an_overflow(target):
    response = await target.api_call("POST", "orchestrators/H?timeout=1e300&pollingInterval=1")
    assert response.status_code == 500
    assert response.json()["ExceptionType"] == "System.OverflowException"


@pytest.mark.feature("Management API", "Waiting for completion (`timeout`, `pollingInterval`)")
async def test_an_expired_wait_answers_like_a_start():
    target = Target(clock=TickingClock(NOW))
    response = await target.api_call("POST", "orchestrators/H/a?timeout=1&pollingInterval=0.5")
    assert response.status_code == 202
    assert response.text == check_status_body("a")


@pytest.mark.feature("Management API", "Waiting for completion (`timeout`, `pollingInterval`)")
@pytest.mark.parametrize(
    ("status", "output", "expected"),
    [
        (RuntimeStatus.COMPLETED, '{"b": 1.50}', '{"b":1.5}'),
        (RuntimeStatus.COMPLETED, None, "null"),
        (RuntimeStatus.FAILED, "boom", '"input":null,"customStatus":null,"output":"boom"'),
        (RuntimeStatus.TERMINATED, None, '"input":null,"customStatus":null,"output":null'),
    ],
)
async def test_a_wait_ends_with_the_output_or_the_status(target, status, output, expected):
    async def finish_later():
        yield b"1"
        ended.append(asyncio.create_task(finish()))

    async def finish():
        while await target.hubs().status(InstanceId("a")) is None:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await target.finish("a", status, output)

    ended: list[asyncio.Task[None]] = []
    query = "timeout=5&pollingInterval=0&showInput=false&returnInternalServerErrorOnFailure=true"
    response = await target.api_call("POST", f"orchestrators/H/a?{query}", content=finish_later())
    await asyncio.wait_for(ended[0], 5)
    assert response.status_code == 200
    assert "location" not in response.headers
    if status is RuntimeStatus.COMPLETED:
        assert response.text == expected
    else:
        assert expected in response.text
