"""What the database cannot hold fails its own call, once and for all: no other try would do."""

import json
import sqlite3
from datetime import timedelta

import pytest
from api_support import CallableWorker
from clocks import START, ManualClock

from durahost.config.settings import DurableSettings
from durahost.dispatch.activities import ActivityDispatcher
from durahost.dispatch.orchestrations import OrchestrationDispatcher
from durahost.dispatch.renewal import Renewal
from durahost.dispatch.workbench import Workbench
from durahost.functions.routing import RouteTable
from durahost.host_state import Generation, HostState
from durahost.invocations import Invoker
from durahost.management import Management
from durahost.model.errors import TooLarge
from durahost.model.functions import Binding, FunctionMetadata
from durahost.model.ids import EntityId, InstanceId
from durahost.model.status import RuntimeStatus
from durahost.registry import Registry
from durahost.store.sqlite.connection import TOO_LARGE
from durahost.store.sqlite.store import SqliteStore
from durahost.worker.base import Returned, TypedData

LEASE = timedelta(seconds=30)
LIMIT = 400_000
LARGE = "x" * LIMIT
"""Longer than what waits in memory, as whatever no database takes is."""
NAME = InstanceId("i")
CALL = {"actionType": 0, "functionName": "Act", "input": '"x"'}


def function(name, trigger, path):
    binding = Binding("value", trigger, "in", {})
    return FunctionMetadata(name, path, path / "x.py", "", [binding])


def state(*actions, **more):
    members = {"isDone": False, "schemaVersion": 2, "actions": [list(actions)], **more}
    return Returned(TypedData("string", json.dumps(members)))


class Bench:
    """Dispatchers over a database file that takes no text of `LIMIT` bytes."""

    def __init__(self, provider, path, clock):
        self.hub = provider.open_hub("h")
        self.management = Management(self.hub, clock, DurableSettings())
        kinds = {"Flow": "orchestrationTrigger", "Act": "activityTrigger", "Box": "entityTrigger"}
        registry = Registry.of([function(*item, path) for item in kinds.items()])
        self.worker = CallableWorker()
        host = HostState()
        host.serve(Generation(1, registry, RouteTable.of([], "api"), self.worker))
        bench = Workbench(
            state=host,
            invoker=Invoker(clock, lambda binding: None, timeout_s=5),
            clock=clock,
            settings=DurableSettings(),
            owner="me",
            renewal=Renewal(self.hub.renew),
            function_timeout=timedelta(minutes=5),
        )
        self._episodes = OrchestrationDispatcher(self.hub, bench)
        self._activities = ActivityDispatcher(self.hub, bench, self._no_http)

    async def _no_http(self, request):
        raise AssertionError(request)

    async def episode(self, **functions):
        self.worker.functions = {name: lambda given=it: given for name, it in functions.items()}
        (locked,) = await self.hub.lock_episodes("me", LEASE, 1)
        await self._episodes._run(locked)

    async def activity(self, result):
        self.worker.functions = {"Act": lambda: Returned(TypedData("json", result))}
        (locked,) = await self.hub.lock_activities("me", LEASE, 1)
        await self._activities._run(locked)


@pytest.fixture
async def bench(tmp_path):
    clock = ManualClock(START)
    async with SqliteStore(tmp_path / "hub.db", clock) as provider:
        provider._writer._connection._raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LIMIT)
        yield Bench(provider, tmp_path, clock)


async def test_an_orchestration_with_an_answer_too_large_fails(bench):
    await bench.management.start("Flow", None, instance_id=NAME)
    await bench.episode(Flow=state(CALL))
    await bench.activity("1")
    await bench.episode(Flow=state(CALL, isDone=True, output=LARGE))
    ended = await bench.management.status(NAME)
    assert ended.status is RuntimeStatus.FAILED
    assert ended.output == f"Orchestrator function 'Flow' failed: {TOO_LARGE}"


async def test_an_activity_with_a_result_too_large_fails_and_does_not_run_again(bench):
    await bench.management.start("Flow", None, instance_id=NAME)
    await bench.episode(Flow=state(CALL))
    await bench.activity(json.dumps(LARGE))
    assert await bench.hub.lock_activities("me", LEASE, 1) == []
    (locked,) = await bench.hub.lock_episodes("me", LEASE, 1)
    reason = json.loads(locked.inbox[0].message.event.text)["Reason"]
    assert reason == f"Activity function 'Act' failed:  {TOO_LARGE}"


async def test_an_entity_keeps_its_state_when_the_next_one_is_too_large(bench):
    box = EntityId("box", "k")
    for written in ("1", LARGE):
        await bench.management.entities.signal(box, "set", None)
        whole = {"entityExists": True, "entityState": written, "results": [{}], "signals": []}
        await bench.episode(Box=Returned(TypedData("string", json.dumps(whole))))
    assert await bench.management.entities.read(box) == "1"


async def test_a_start_too_large_is_refused_and_nothing_is_stored(bench):
    with pytest.raises(TooLarge, match="keep large data elsewhere"):
        await bench.management.start("Flow", json.dumps(LARGE), instance_id=NAME)
    assert await bench.management.status(NAME) is None
