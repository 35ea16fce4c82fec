"""Listeners follow the generation of the app that serves."""

import asyncio
from datetime import timedelta

import pytest
from clocks import START
from timer_world import HOUR, SECOND, TimerWorld, timer

from durahost.model.errors import WorkerExited
from durahost.model.functions import Binding, FunctionMetadata
from durahost.timers.listener import TICK

pytestmark = pytest.mark.feature("Functions host", "Timer triggers: changed code starts them anew")


@pytest.fixture
async def world():
    world = TimerWorld()
    yield world
    await world.die()


async def test_a_new_generation_is_a_new_start(world):
    await world.start(timer(runOnStartup=True), timer("Gone"))
    await world.tick()
    old = world.worker
    await world.serve(timer(runOnStartup=True), timer("New"))
    await world.tick()
    await world.pass_time(HOUR)
    assert [name for name, *_ in old.calls] == ["Tick"]
    assert [name for name, *_ in world.worker.calls] == ["Tick", "New", "Tick"]


async def test_a_new_listener_waits_for_the_run_of_its_old_one(world):
    await world.start(timer(), timer("Other"))
    old = world.worker
    old.hold()
    await world.pass_time(HOUR)
    await world.serve(timer("TICK"), timer("Free"))
    await world.pass_time(HOUR + SECOND)
    assert [name for name, *_ in world.worker.calls] == ["Free"]
    old.go.set()
    await world.quiet()
    await world.tick()
    # What passed meanwhile is past due: the new listener is a new start.
    assert world.worker.calls[-1][0] == "TICK"
    assert world.worker.info["IsPastDue"] is True


async def test_what_the_old_worker_does_not_end_is_run_by_the_new_one(world):
    await world.start(timer())
    old = world.worker
    old.hold()
    old.outcomes = [WorkerExited("drained")]
    await world.pass_time(HOUR)
    await world.serve(timer())
    await world.tick()
    assert world.worker.calls == []
    old.go.set()
    await world.quiet()
    await world.tick()
    assert world.worker.times == [START + HOUR + 2 * TICK]
    assert world.worker.info["IsPastDue"] is True


async def test_an_old_run_has_its_limit(world):
    await world.start(timer(), handover=timedelta(0))
    world.worker.hold()
    await world.pass_time(HOUR)
    await world.pass_time(SECOND)
    await world.serve(timer())
    async with asyncio.timeout(10):
        while not world.worker.calls:
            await world.tick()
    assert world.worker.info["IsPastDue"] is True


async def test_a_generation_that_is_replaced_before_its_turn_never_runs(world):
    await world.start(timer(runOnStartup=True))
    first = world.worker
    first.hold()
    await world.tick()
    await world.serve(timer(runOnStartup=True))
    second = world.worker
    await world.serve(timer(runOnStartup=True))
    first.go.set()
    await world.quiet()
    await world.tick()
    assert second.calls == []
    assert len(world.worker.calls) == 1


async def test_other_functions_have_no_listener(world):
    binding = Binding("req", "httpTrigger", "in", {"schedule": "* * * * * *"})
    await world.start(
        FunctionMetadata("Web", timer().directory, timer().script_file, "", [binding])
    )
    await world.pass_time(HOUR)
    assert world.worker.calls == []


async def test_a_stop_before_anything_serves(world):
    await world.start()
    await world.stop()
