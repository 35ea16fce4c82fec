"""The real SDK's client against the RPC endpoint, on a real socket."""

import asyncio
from contextlib import asynccontextmanager

import azure.durable_functions as df
import pytest
from api_support import KEY, ORIGIN, Target
from azure.durable_functions.models.utils import http_utils
from entity_support import run_batches

from durahost.codec import history
from durahost.codec.rest import Links, durable_client_json
from durahost.http.ports import bind
from durahost.http.rpc import rpc_base_url
from durahost.http.serving import HttpServer
from durahost.model.ids import InstanceId
from durahost.model.status import RuntimeStatus


@asynccontextmanager
async def served(target: Target):
    listener = bind("127.0.0.1", 0)
    server = HttpServer(target.rpc, listener, "rpc")
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(server.run())
        links = Links(origin=ORIGIN, hub="TestHubName", connection="Storage", key=KEY)
        yield df.DurableOrchestrationClient(
            durable_client_json(links, rpc_base_url(listener.getsockname()[1]))
        )
        await http_utils._close_session()
        server.stop()
    listener.close()


@pytest.fixture
async def client(target):
    async with served(target) as client:
        yield client


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


async def test_a_failed_instance_is_rewound_through_the_client(target, client):
    ended = history.execution_completed(0, RuntimeStatus.FAILED, "boom", target.clock.now())
    await target.put(RuntimeStatus.FAILED, events=[ended], output="boom")
    await client.rewind("abc", "again")
    status = await client.get_status("abc")
    assert status.runtime_status == df.OrchestrationRuntimeStatus.Pending
    assert status.output == "boom"


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
