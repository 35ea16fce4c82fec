"""The real SDK's client against the RPC endpoint, on a real socket."""

import inspect
import json
from datetime import timedelta
from pathlib import Path

import azure.durable_functions as df
import azure.functions as func
import pytest
from api_support import ORIGIN
from entity_support import run_batches
from sdk_client_support import served

from durahost.codec import history
from durahost.model.ids import InstanceId
from durahost.model.status import RuntimeStatus


@pytest.fixture
async def client(target):
    async with served(target) as client:
        yield client


@pytest.mark.feature(
    "Client of the SDK",
    "`start_new`, `get_status`, `raise_event`, `suspend`, `resume`, `terminate`",
)
async def test_a_life_through_the_client(target, client):
    instance_id = await client.start_new("Hello", None, {"a": 1})
    status = await client.get_status(instance_id, show_input=True)
    assert (status.name, status.runtime_status) == ("Hello", df.OrchestrationRuntimeStatus.Pending)
    assert status.input_ == '{"a": 1}'
    await client.raise_event(instance_id, "Go", [1])
    await client.suspend(instance_id, "wait a bit")
    await client.terminate(instance_id, "enough")
    kinds = [event.kind.name for event in await target.inbox()]
    assert kinds == ["EXECUTION_STARTED", "EVENT_RAISED", "EXECUTION_SUSPENDED",
                     "EXECUTION_TERMINATED"]  # fmt: skip


@pytest.mark.feature("Client of the SDK", "`purge_instance_history`, restarts, ended instances")
async def test_what_has_ended(target, client):
    await target.put(RuntimeStatus.COMPLETED, input="1", output='"done"')
    assert (await client.get_status("abc")).output == "done"
    assert [one.instance_id for one in await client.get_status_all()] == ["abc"]
    with pytest.raises(Exception, match="Instance with ID abc is gone"):
        await client.raise_event("abc", "Go")
    with pytest.raises(Exception, match="No instance with ID nope found"):
        await client.raise_event("nope", "Go")
    restarted = await client.restart("abc")
    assert await target.hubs().status(InstanceId(restarted["id"])) is not None
    assert (await client.purge_instance_history("abc")).instances_deleted == 1
    assert (await client.purge_instance_history("abc")).instances_deleted == 0


@pytest.mark.feature("Client of the SDK", "`rewind`")
async def test_a_failed_instance_is_rewound_through_the_client(target, client):
    ended = history.execution_completed(0, RuntimeStatus.FAILED, "boom", target.clock.now())
    await target.put(RuntimeStatus.FAILED, events=[ended], output="boom")
    await client.rewind("abc", "again")
    status = await client.get_status("abc")
    assert status.runtime_status == df.OrchestrationRuntimeStatus.Pending
    assert status.output == "boom"


@pytest.mark.feature("Client of the SDK", "`signal_entity`, `read_entity_state`")
async def test_entities_through_the_client(target, client):
    entity = df.EntityId("Counter", "k 1")
    assert not (await client.read_entity_state(entity)).entity_exists
    await client.signal_entity(entity, "add", {"a": 1})
    await client.signal_entity(entity, "reset")
    ((add, reset),) = (await run_batches(target, '{"value": 5}')).values()
    assert (add.operation, add.input) == ("add", '"{\\"a\\": 1}"')
    assert (reset.operation, reset.input) == ("reset", None)
    read = await client.read_entity_state(entity)
    assert (read.entity_exists, read.entity_state) == (True, {"value": 5})


@pytest.mark.feature("Client of the SDK", "`get_status_by`, `purge_instance_history_by`")
async def test_filters_through_the_client(target, client):
    begun = target.clock.now() - timedelta(minutes=1)
    ended = [df.OrchestrationRuntimeStatus.Completed, df.OrchestrationRuntimeStatus.Failed]
    await target.put(RuntimeStatus.COMPLETED, "one", output="1")
    await target.put(RuntimeStatus.FAILED, "other", output="2")
    await target.put(RuntimeStatus.PENDING, "open")

    async def found(*filters):
        return [status.instance_id for status in await client.get_status_by(*filters)]

    assert await found(begun) == ["one", "open", "other"]
    assert await found(begun, None, None, "o") == ["one", "open", "other"]
    assert await found(None, None, ended, "ot") == ["other"]
    assert await found(None, begun) == []
    assert (await client.purge_instance_history_by(begun, None, ended)).instances_deleted == 2
    assert (await client.purge_instance_history_by(begun, None, ended)).instances_deleted == 0
    assert await found(begun) == ["open"]


@pytest.mark.feature("Client of the SDK", "`wait_for_completion_or_create_check_status_response`")
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (RuntimeStatus.COMPLETED, 200),
        (RuntimeStatus.TERMINATED, 200),
        (RuntimeStatus.FAILED, 500),
        (RuntimeStatus.PENDING, 202),
    ],
)
async def test_waiting_through_the_client(target, client, status, expected):
    output = {} if status is RuntimeStatus.PENDING else {"output": '"done"'}
    await target.put(status, **output)
    response = await client.wait_for_completion_or_create_check_status_response(
        request(), "abc", 0, 0
    )
    assert response.status_code == expected
    if status is RuntimeStatus.COMPLETED:
        assert response.get_body() == b"done"


@pytest.mark.feature("Client of the SDK", "Status URLs, which work when they are called")
async def test_the_urls_that_the_client_hands_out(target, client):
    await target.put(RuntimeStatus.RUNNING)
    response = client.create_check_status_response(request(), "abc")
    links = json.loads(response.get_body())
    assert response.status_code == 202
    assert response.headers["Location"] == links["statusQueryGetUri"]
    assert links == client.get_client_response_links(request(), "abc")
    assert links == client.create_http_management_payload("abc")
    assert (await target.send("GET", links["statusQueryGetUri"])).status_code == 202
    posts = {
        links["sendEventPostUri"].replace("{eventName}", "Go"): 202,
        links["suspendPostUri"].replace("{text}", "why"): 202,
        links["terminatePostUri"].replace("{text}", "why"): 202,
        links["rewindPostUri"].replace("{text}", "why"): 412,
        links["restartPostUri"]: 202,
    }
    for url, expected in posts.items():
        assert (await target.send("POST", url, json=1)).status_code == expected, url
    assert (await target.send("DELETE", links["purgeHistoryDeleteUri"])).status_code == 412


@pytest.mark.feature(
    "Client of the SDK",
    "`start_new`, `get_status`, `raise_event`, `suspend`, `resume`, `terminate`",
)
async def test_resuming_through_the_client(target, client):
    await target.put(RuntimeStatus.SUSPENDED)
    await client.resume("abc", "go on")
    assert [event.kind.name for event in await target.inbox()] == ["EXECUTION_RESUMED"]


def request():
    return func.HttpRequest("POST", f"{ORIGIN}/api/start", body=b"")


def test_no_method_of_the_client_is_left_out():
    methods = {
        name
        for name, _ in inspect.getmembers(df.DurableOrchestrationClient, inspect.isfunction)
        if not name.startswith("_")
    }
    calls = Path(__file__).read_text("utf-8")
    assert {name for name in methods if f"client.{name}(" not in calls} == set()
