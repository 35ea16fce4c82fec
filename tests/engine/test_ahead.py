"""Episodes that a child begins when the activity they wait for returns: what comes of them is what
comes of asking, and what was begun in vain leaves no trace.
"""

import asyncio
import json

import pytest
from clocks import ManualClock
from crash.scenarios import SCENARIOS, build_world, play
from hub_world import Functions, World

from durahost.config.settings import DurableSettings, SessionUse

pytestmark = pytest.mark.filterwarnings("ignore:Potential duplicate Task completion")
NEVER = DurableSettings(session_use=SessionUse.NEVER)
ALWAYS = DurableSettings(session_use=SessionUse.ALWAYS)
CHECKED = DurableSettings(session_use=SessionUse.ALWAYS, checks_sessions=True)
SETTINGS = pytest.mark.parametrize(
    "settings", [NEVER, ALWAYS, CHECKED], ids=["never", "always", "checked"]
)


def chain(context):
    found = []
    for step in range(4):
        found.append((yield context.call_activity("Add", step)))
    return found


def race(context):
    """Hears of an event and an activity, in whichever order they come."""
    event = context.wait_for_external_event("go")
    first = yield context.call_activity("Add", 1)
    heard = yield event
    second = yield context.call_activity("Add", first)
    return [first, heard, second]


class Host:
    """One world; `asked`: the texts that its child was given for orchestrators, in order."""

    def __init__(self, orchestrator, settings, *, is_ahead=True):
        self.functions = Functions(
            orchestrators={"Flow": orchestrator}, activities={"Add": lambda n: n + 1}
        )
        self.functions.is_ahead = is_ahead
        self.world = World(None, self.functions, ManualClock(), settings=settings)

    async def __aenter__(self):
        await self.world.open()
        await self.world.client.start("Flow", None, instance_id="a")
        return self

    async def __aexit__(self, *_):
        await self.world.close()

    async def end(self):
        await self.world.settle()
        row = await self.world.hub.get("a")
        return row.status.value, row.output

    async def history(self):
        return [event.text for event in await self.world.hub.read_history("a")]


@SETTINGS
async def test_the_child_is_given_what_it_would_be_asked(settings):
    """Time stands in these worlds, so that all texts are the same with and without."""
    async with Host(chain, settings) as ahead, Host(chain, settings, is_ahead=False) as asked:
        assert await ahead.end() == await asked.end() == ("Completed", "[1, 2, 3, 4]")
        assert await ahead.history() == await asked.history()
        assert ahead.functions.begun == len(ahead.functions.begun_and_asked) == 4
        assert asked.functions.begun == 0
        assert set(ahead.functions.begun_and_asked) <= set(asked.functions.texts)
        assert ahead.functions.called == asked.functions.called


@SETTINGS
async def test_an_event_that_comes_first_makes_another_episode_of_it(settings, caplog):
    async with Host(race, settings) as host:
        gate = asyncio.Event()
        host.functions.gates["Add"] = [gate]
        await host.world.settle()
        await host.world.client.raise_event("a", "go", '"now"')
        gate.set()
        assert await host.end() == ("Completed", '[2, "now", 3]')
        assert host.functions.begun == 2
        assert "SessionDiffers" not in caplog.text


@SETTINGS
@pytest.mark.parametrize("begins_anew", [False, True])
async def test_one_whose_instance_ends_meanwhile_is_dropped(settings, begins_anew):
    async with Host(chain, settings) as host:
        gate = asyncio.Event()
        host.functions.gates["Add"] = [gate]
        await host.world.settle()
        await host.world.client.terminate("a", "enough")
        await host.world.settle()
        if begins_anew:
            await host.world.client.purge("a")
            await host.world.client.start("Flow", None, instance_id="a")
        gate.set()
        expected = ("Completed", "[1, 2, 3, 4]") if begins_anew else ("Terminated", "enough")
        assert await host.end() == expected


@pytest.mark.parametrize("name", SCENARIOS)
async def test_scenarios_end_as_without(name, caplog):
    outcomes = []
    for is_ahead in (True, False):
        world = build_world(None, settings=CHECKED)
        world.functions.is_ahead = is_ahead
        outcomes.append((await play(world, SCENARIOS[name]))[0])
        await world.close()
    assert outcomes[0] == outcomes[1]
    assert "SessionDiffers" not in caplog.text


@SETTINGS
async def test_what_is_long_is_asked(settings):
    """It may be more than a frame holds, and the activity is not to be refused for it."""

    def flow(context):
        first = yield context.call_activity("Keep", 1)
        return [len(context.get_input()), (yield context.call_activity("Keep", first))]

    functions = Functions(orchestrators={"Flow": flow}, activities={"Keep": lambda one: one})
    world = World(None, functions, ManualClock(), settings=settings)
    await world.open()
    await world.client.start("Flow", json.dumps(json.dumps("x" * 2**17)), instance_id="a")
    await world.settle()
    row = await world.hub.get("a")
    await world.close()
    assert (row.status.value, row.output) == ("Completed", f"[{2**17}, 1]")
    assert functions.begun == (0 if settings is NEVER else 2)
