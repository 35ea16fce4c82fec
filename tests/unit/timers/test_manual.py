"""A call beside the schedule."""

import json

import pytest
from clocks import START
from timer_world import HOUR, TimerWorld, timer

from durahost.timers.manual import manual_call

pytestmark = pytest.mark.feature("Functions host", "Timer triggers: a run beside the schedule")


@pytest.fixture
async def world():
    world = TimerWorld()
    yield world
    await world.die()


async def info(world, function):
    call = await manual_call(function, world.bench)
    assert call.trigger.kind == "json"
    assert call.reason == "This function was programmatically called via the host APIs."
    return json.loads(call.trigger.value)


async def test_it_is_told_the_stored_status_and_changes_nothing(world):
    await world.start(timer())
    await world.pass_time(HOUR)
    told = await info(world, timer())
    assert told["ScheduleStatus"] == await world.stored()
    assert told["ScheduleStatus"]["Last"] == (START + HOUR).isoformat()
    assert told["IsPastDue"] is False


@pytest.mark.parametrize("function", [timer(useMonitor=False), timer("Never")])
async def test_without_a_status(world, function):
    assert await info(world, function) == {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": None,
        "IsPastDue": False,
    }
