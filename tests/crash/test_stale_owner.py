"""A host whose claims lapsed while its user code ran is refused (C13, I35, I36, I38).

Two hosts' dispatchers work on one hub. The first one is stuck in user code until its lease has
lapsed and the second one has done the work.
"""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from crash.scenarios import SCENARIOS, build_world
from crash.test_faults import without_fault
from hub_world import build_loops

from durahost.dispatch.renewal import LEASE
from durahost.model.status import RuntimeStatus

LOST = "was claimed by somebody else, or is gone with its instance; what it gave is dropped."


def dump(path):
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


@pytest.mark.feature("Exactly once", "A stale owner cannot write")
@pytest.mark.parametrize(
    ("name", "stuck", "what"),
    [
        ("hello", "Greet", "Activity 'Greet' of instance 'a'"),
        ("hello", "Hello", "An episode of instance 'a'"),
        ("entity", "Counter", "An episode of instance '@counter@k'"),
        ("children", "Parent", "An episode of instance 'a'"),
    ],
)
def test_a_stale_owner_writes_nothing(tmp_path, caplog, name, stuck, what):
    _, expected, _ = without_fault(name)
    asyncio.run(overtake(tmp_path, caplog, name, stuck, what, expected))


async def overtake(tmp_path, caplog, name, stuck, what, expected):
    world = build_world(tmp_path / "hub.db")
    gate = asyncio.Event()
    world.functions.gates[stuck] = [gate]
    await world.open()
    for step in SCENARIOS[name].steps:
        await world.survive(step.run)
        await world.settle()
    assert world.functions.gates[stuck] == [], "the first host is not stuck"

    world.clock.pass_time(2 * LEASE)
    second = build_loops(world.hub, world.functions, world.clock, owner="second")
    async with asyncio.TaskGroup() as group:
        for loop in second:
            group.create_task(loop.run())
        await world.rest()
        assert await world.outcome() == expected

        before = dump(world.path)
        assert LOST not in caplog.text
        gate.set()
        await world.rest()
        assert f"{what} {LOST}" in caplog.text
        assert dump(world.path) == before
        for loop in second:
            loop.stop()
    assert await world.outcome() == expected
    await world.close()


@pytest.mark.parametrize("method", ["terminate", "purge"])
def test_an_activity_that_outlives_its_instance_is_told_so(tmp_path, caplog, method):
    asyncio.run(outlive(tmp_path, caplog, method))


async def outlive(tmp_path, caplog, method):
    world = build_world(tmp_path / "hub.db")
    gate = asyncio.Event()
    world.functions.gates["Greet"] = [gate]
    await world.open()
    for step in SCENARIOS["hello"].steps:
        await world.survive(step.run)
        await world.settle()
    if method == "terminate":
        await world.client.terminate("a", "enough")
        await world.settle()
    else:
        await world.hub.purge("a", RuntimeStatus)
    gate.set()
    await world.rest()
    assert "Activity 'Greet' of instance 'a' ended too late: its instance had ended" in caplog.text
    assert LOST not in caplog.text
    await world.close()
