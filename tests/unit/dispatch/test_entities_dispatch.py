"""Batches over a hub in memory: what a worker's end, answer or silence does to them."""

import json
from datetime import timedelta

import pytest
from api_support import CallableWorker, Target

from durahost.codec import entity_messages, history
from durahost.config.settings import DurableSettings
from durahost.dispatch.entities import EntityBatches
from durahost.dispatch.renewal import Renewal
from durahost.dispatch.workbench import Workbench
from durahost.invocations import Invoker
from durahost.model.entities import EntityRequest
from durahost.model.errors import AppLoadError, BatchLost, WorkerExited, WorkerTimeout
from durahost.model.functions import Binding, FunctionFailure, FunctionMetadata
from durahost.model.ids import EntityId
from durahost.model.messages import Message
from durahost.registry import Registry
from durahost.worker.base import Raised, Returned, TypedData

COUNTER = EntityId("counter", "k")
LEASE = timedelta(seconds=30)
GUID = "13494c17-4084-56a3-916c-4be4be397b56"


def raising(error):
    def function():
        raise error

    return function


class Bench:
    """A hub with one entity function, and the batches over it."""

    def __init__(self, path, settings):
        trigger = Binding("context", "entityTrigger", "in", {"entityName": "Counter"})
        self.function = FunctionMetadata("CounterFunction", path, path / "x.py", "", [trigger])
        self.registry = Registry.of([self.function])
        self.worker = CallableWorker(CounterFunction=self.answer)
        self.target = Target(settings, worker=self.worker, registry=self.registry)
        self.hub = self.target.store.open_hub("TestHubName")
        bench = Workbench(
            state=self.target.state,
            invoker=Invoker(self.target.clock, lambda binding: None, timeout_s=5),
            clock=self.target.clock,
            settings=self.target.settings,
            owner="me",
            renewal=Renewal(self.hub.renew),
            function_timeout=timedelta(minutes=5),
        )
        self.batches = EntityBatches(self.hub, bench)

    def answer(self):
        results = [{"result": "null"} for _ in self.batch]
        whole = {"entityExists": True, "entityState": "1", "results": results, "signals": []}
        return Returned(TypedData("string", json.dumps(whole)))

    @property
    def batch(self):
        (trigger,) = self.worker.calls[-1].inputs.values()
        return json.loads(trigger.value)["batch"]

    def gives(self, function):
        self.worker.functions["CounterFunction"] = function

    async def signal(self, operation="add"):
        await self.target.hubs().entities.signal(COUNTER, operation, None)

    async def call(self):
        """A call by the orchestration "o", which exists."""
        await self.target.start("o")
        await self.hub.lock_episodes("other", LEASE, 1)
        request = EntityRequest(request_id=GUID, operation="get", parent="o")
        text = entity_messages.encode_request(request)
        event = history.event_raised("op", text, self.target.clock.now())
        await self.hub.signal(Message(COUNTER.instance_id, event))

    async def run(self):
        (locked,) = await self.hub.lock_episodes("me", LEASE, 1)
        await self.batches.run(locked)

    async def state(self):
        return await self.target.hubs().entities.read(COUNTER)


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path, DurableSettings(max_entity_batch=2))


@pytest.mark.feature("Entities", "Batches")
async def test_a_batch_is_one_invocation(bench):
    await bench.signal("a")
    await bench.signal("b")
    await bench.run()
    assert await bench.state() == "1"
    assert [one["name"] for one in bench.batch] == ["a", "b"]
    ((name, trigger),) = bench.worker.calls[0].inputs.items()
    assert (name, trigger.kind) == ("context", "string")


@pytest.mark.feature("Settings", "`maxEntityOperationBatchSize`")
async def test_the_setting_limits_a_batch(bench):
    for name in "abc":
        await bench.signal(name)
    await bench.run()
    assert [one["name"] for one in bench.batch] == ["a", "b"]
    await bench.run()
    assert [one["name"] for one in bench.batch] == ["c"]


@pytest.mark.feature("Entities", "Batches")
async def test_without_operations_nothing_is_invoked(bench):
    event = history.event_raised("continue", None, bench.target.clock.now())
    await bench.hub.signal(Message(COUNTER.instance_id, event))
    await bench.run()
    assert bench.worker.calls == []


@pytest.mark.feature("Entities", "Failures of operations")
async def test_a_time_out_is_told_to_callers(bench):
    await bench.call()
    bench.gives(raising(WorkerTimeout("5 s")))
    await bench.run()
    bench.target.clock.pass_time(2 * LEASE)
    (answer,) = [event for event in await bench.target.inbox() if event.name == GUID]
    assert json.loads(history.read_input(answer)) == {
        "result": "Timeout value of 00:05:00 was exceeded by function: Functions.CounterFunction",
        "exceptionType": "Error",
    }
    assert await bench.state() is None


@pytest.mark.feature("Entities", "A batch that is lost with its worker is run again")
@pytest.mark.parametrize(
    ("function", "error"),
    [
        (raising(WorkerExited("gone")), WorkerExited),
        (lambda: Raised("Exception", "no name", ""), BatchLost),
        (lambda: Returned(None), BatchLost),
        (lambda: Returned(TypedData("json", "{}")), BatchLost),
    ],
)
async def test_a_lost_batch_is_run_again_whole(bench, function, error):
    await bench.call()
    await bench.signal()
    good = bench.worker.functions["CounterFunction"]
    bench.gives(function)
    (locked,) = await bench.hub.lock_episodes("me", LEASE, 1)
    with pytest.raises(error):
        await bench.batches.run(locked)
    assert await bench.state() is None
    await bench.hub.abandon_episode(locked.lease, timedelta(0))
    bench.gives(good)
    await bench.run()
    assert await bench.state() == "1"
    assert [one["name"] for one in bench.batch] == ["get", "add"]


@pytest.mark.feature("Entities", "Entities that are not there")
async def test_an_entity_without_a_function_waits_for_it(bench):
    await bench.target.hubs().entities.signal(EntityId("other", "k"), "add", None)
    with pytest.raises(BatchLost, match="'other' doesn't exist, is disabled, or is not an entity"):
        await bench.run()


@pytest.mark.feature("Entities", "Entities that are not there")
async def test_an_entity_whose_code_does_not_load_waits_too(bench):
    broken = Registry.of([bench.function], [FunctionFailure("CounterFunction", "SyntaxError")])
    bench.target.serve(broken)
    await bench.signal()
    with pytest.raises(AppLoadError):
        await bench.run()


@pytest.mark.feature("Entities", "Suspension and termination")
async def test_a_terminated_entity_runs_nothing_more(bench):
    await bench.signal()
    await bench.target.hubs().terminate(COUNTER.instance_id, "enough")
    await bench.run()
    assert bench.worker.calls == []
    assert (await bench.target.hubs().status(COUNTER.instance_id)).output == "enough"
