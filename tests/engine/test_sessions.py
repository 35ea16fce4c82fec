"""Orchestrators that live on between their episodes, over a whole host: what comes of them is what
comes of full replays, and what differs from one is found.
"""

import asyncio
import cProfile
import json
import pstats
from pathlib import Path

import pytest
from clocks import ManualClock
from crash.scenarios import SCENARIOS, build_world, play
from hub_world import Functions, World
from memory_folder import memory_folder

from durahost.config.settings import DurableSettings, SessionUse
from durahost.dispatch import asking, sessions, standings

pytestmark = [
    pytest.mark.filterwarnings("ignore:Potential duplicate Task completion"),
    pytest.mark.feature(
        "Orchestrations",
        "Extended sessions: long orchestrations live on between episodes",
        "Azure has them for .NET alone; `finally` and prints of earlier steps do not run again",
    ),
]
ALIVE = DurableSettings(session_use=SessionUse.ALWAYS)
CHECKED = DurableSettings(session_use=SessionUse.ALWAYS, checks_sessions=True)
REPLAYED = DurableSettings(session_use=SessionUse.NEVER)
TASK_EVENTS = 4
LONG = 32
"""Events of a long history in these tests, so that they are short."""


@pytest.fixture(autouse=True)
def histories_are_soon_long(monkeypatch):
    monkeypatch.setattr(sessions, "LONG_HISTORY", LONG)


async def play_with(settings, name):
    world = build_world(None, settings=settings)
    outcome, _ = await play(world, SCENARIOS[name])
    await world.close()
    return outcome, world.functions.followed.total()


@pytest.mark.parametrize("name", SCENARIOS)
async def test_scenarios_end_as_with_replays_and_each_episode_decides_the_same(name, caplog):
    expected, none = await play_with(REPLAYED, name)
    outcome, followed = await play_with(CHECKED, name)
    assert outcome == expected
    assert none == 0
    started_late = {"carried-events", "terminated-early", "answered-then-rewound", "purged-alive"}
    assert (followed > 0) != (name in started_late)
    assert "SessionDiffers" not in caplog.text


class Chain:
    """A world with one long chain of activities; `flags` are what its code should not look at."""

    def __init__(self, settings, length, path=None):
        self.flags = set()
        self.length = length
        self.starts = 0
        functions = Functions(
            orchestrators={"Chain": self._chain}, activities={"Add": self._add, "Else": self._add}
        )
        self.world = World(path, functions, ManualClock(), settings=settings)
        self.on_step = lambda step: None

    def _add(self, number):
        self.on_step(number)
        return number + 1

    def _chain(self, context):
        self.starts += 1
        number = 0
        while number < self.length:
            name = "Else" if "changed" in self.flags and number == 3 else "Add"
            number = yield context.call_activity(name, number)
        return number

    async def run(self):
        """Start it, and run until nothing is left to do; its row."""
        await self.world.open()
        await self.world.client.start("Chain", None, instance_id="a")
        await self.world.rest()
        row = await self.world.hub.get("a")
        await self.world.close()
        return row


def doublings(events):
    """How often a history of so many events, of which each episode knows two less, is replayed."""
    count, at = 1, 2 * LONG
    while at <= events:
        count, at = count + 1, 2 * at
    return count


async def test_a_history_is_replayed_whole_at_its_doublings_only():
    chain = Chain(ALIVE, 40)
    row = await chain.run()
    assert (row.status.value, row.output) == ("Completed", "40")
    assert chain.starts == doublings(40 * TASK_EVENTS) == 3
    assert chain.world.functions.followed.total() == 41 - 3


async def test_a_short_history_is_replayed_at_each_episode_unless_host_json_says_otherwise():
    short = LONG // TASK_EVENTS
    chain = Chain(DurableSettings(), short)
    await chain.run()
    assert (chain.starts, chain.world.functions.followed.total()) == (short + 1, 0)
    chain = Chain(DurableSettings(), short + 5)
    await chain.run()
    assert chain.starts == short + 1
    assert chain.world.functions.followed.total() == 5
    chain = Chain(REPLAYED, short + 5)
    await chain.run()
    assert chain.starts == short + 6


async def test_code_that_changes_its_mind_is_found_at_the_next_doubling():
    chain = Chain(ALIVE, 40)
    chain.on_step = lambda step: step < 10 or chain.flags.add("changed")
    row = await chain.run()
    assert row.status.value == "Failed"
    assert row.output.startswith("Non-Deterministic workflow detected: ")
    assert chain.starts == 2


async def test_code_that_changes_its_mind_is_found_at_once_where_sessions_are_checked(caplog):
    chain = Chain(CHECKED, 40)
    steps = []

    def note(step):
        steps.append(step)
        if step == 10:
            chain.flags.add("changed")
        elif step > 10:
            raise AssertionError

    chain.on_step = note
    await chain.world.open()
    await chain.world.client.start("Chain", None, instance_id="a")
    await asyncio.sleep(0.5)
    assert max(steps) == 10
    assert "SessionDiffers" in caplog.text
    await chain.world.close()


async def test_a_chain_in_which_the_child_dies_again_and_again_ends_as_ever():
    chain = Chain(CHECKED, 30)
    chain.on_step = lambda step: step % 7 or chain.world.functions.begin_life()
    row = await chain.run()
    assert (row.status.value, row.output) == ("Completed", "30")
    assert chain.starts - chain.world.functions.followed.total() >= 30 // 7


async def test_a_session_that_is_not_used_in_time_is_not_asked_for():
    chain = Chain(ALIVE, 30)
    chain.on_step = lambda step: step % 10 or chain.world.clock.pass_time(ALIVE.session_idle)
    row = await chain.run()
    assert row.output == "30"
    assert chain.world.functions.followed.total() == 31 - 1 - 3


async def test_the_instances_remembered_are_bounded(monkeypatch):
    monkeypatch.setattr(standings, "MOST_CHARACTERS", 2 * standings.CHARACTERS_OF_A_STANDING)
    chain = Chain(ALIVE, 10)
    await chain.world.open()
    for instance_id in "abc":
        await chain.world.client.start("Chain", None, instance_id=instance_id)
    await chain.world.rest()
    for instance_id in "abc":
        assert (await chain.world.hub.get(instance_id)).output == "10"
    await chain.world.close()
    assert chain.starts > 3


async def test_an_idle_time_of_none_is_no_session():
    chain = Chain(
        DurableSettings(session_use=SessionUse.ALWAYS, session_idle=0 * ALIVE.session_idle), 5
    )
    await chain.run()
    assert chain.world.functions.followed.total() == 0


async def calls_of(length, path):
    """How many calls of functions a chain makes, in host and child together."""
    chain = Chain(ALIVE, length, path)
    with cProfile.Profile() as profile:
        row = await chain.run()
    assert row.output == str(length)
    return pstats.Stats(profile).total_calls


async def test_an_episode_costs_what_is_new_in_it_however_long_the_history():
    """With a replay at each episode four times the chain would make sixteen times the calls."""
    with memory_folder() as folder:
        short, long = [await calls_of(n, Path(folder) / f"{n}.db") for n in (40, 160)]
    assert long < 7 * short


# Where going on is not enough --------------------------------------------------------------------


class Told:
    """A world of one orchestrator; each step of a client runs until nothing is left to do."""

    def __init__(self, orchestrator, settings=CHECKED, **activities):
        functions = Functions(orchestrators={"Flow": orchestrator}, activities=activities)
        self.world = World(None, functions, ManualClock(), settings=settings)

    async def __aenter__(self):
        await self.world.open()
        await self.world.client.start("Flow", None, instance_id="a")
        await self.world.settle()
        return self

    async def __aexit__(self, *_):
        await self.world.close()

    async def tell(self, name, text="1"):
        await self.world.client.raise_event("a", name, text)
        await self.world.settle()

    async def row(self):
        return await self.world.hub.get("a")


async def test_a_timer_cancelled_later_is_taken_from_the_beginning():
    def flow(context):
        for number in range(3):
            timer = context.create_timer(context.current_utc_datetime.replace(hour=9))
            event = context.wait_for_external_event(f"e{number}")
            yield context.task_any([timer, event])
            timer.cancel()
            yield context.call_activity("Note", number)
        return "done"

    async with Told(flow, Note=lambda number: number) as told:
        for number in range(3):
            await told.tell(f"e{number}")
        assert (await told.row()).output == '"done"'


async def test_a_walk_that_came_to_its_end_begins_again():
    """The host's event names have no case, the SDK's do: the host is through, the code waits."""

    def flow(context):
        yield context.wait_for_external_event("Go")
        yield context.call_activity("Note", 1)
        return "done"

    async with Told(flow, Note=lambda number: number) as told:
        await told.tell("go")
        await told.tell("other")
        assert told.world.functions.followed.total() == 1
        await told.tell("Go")
        assert (await told.row()).output == '"done"'


async def test_what_waits_for_open_tasks_after_its_end_begins_again():
    def flow(context):
        late = context.wait_for_external_event("late")
        first = yield context.task_any([context.wait_for_external_event("now"), late])
        assert first != late
        timer = context.create_timer(context.current_utc_datetime.replace(hour=9))
        yield context.task_any([timer, context.call_activity("Note", 1)])
        return "done"

    async with Told(flow, Note=lambda number: number) as told:
        await told.tell("now")
        await told.tell("any")
        assert (await told.row()).status.value == "Running"
        await told.world.rest()
        assert (await told.row()).output == '"done"'


@pytest.mark.parametrize("size", [20_000, 5])
async def test_a_custom_status_that_is_too_large_ends_it(size):
    def flow(context):
        yield context.wait_for_external_event("go")
        context.set_custom_status("x" * size)
        yield context.wait_for_external_event("never")

    async with Told(flow) as told:
        await told.tell("go")
        assert (await told.row()).status.value == ("Failed" if size > 5 else "Running")


async def test_what_the_sdk_raises_outside_user_code_is_a_failure_as_of_a_replay():
    def flow(context):
        yield context.call_activity("Note", 1)
        yield 5

    async with Told(flow, Note=lambda number: number) as told:
        row = await told.row()
        assert row.output.startswith("Non-Deterministic workflow detected: ")


async def test_an_answer_that_does_not_fit_is_asked_for_again(monkeypatch):
    """Whatever a child says of its list is compared with what was listed."""
    chain = Chain(ALIVE, 10)
    decode = asking._decode

    def lie(*result):
        answer = decode(*result)
        return asking.replace(answer, kept=answer.kept + 1) if answer.kept == 3 else answer

    monkeypatch.setattr(asking, "_decode", lie)
    row = await chain.run()
    assert row.output == "10"
    assert chain.starts == 2


async def test_a_function_that_is_gone_fails_the_instance_with_its_whole_history():
    def flow(context):
        yield context.wait_for_external_event("a")
        yield context.wait_for_external_event("b")

    async with Told(flow) as told:
        await told.tell("a")
        told.world.reload(without=["Flow"])
        await told.tell("b")
        assert "The function 'Flow' doesn't exist" in (await told.row()).output


async def test_another_version_of_the_app_begins_again():
    def flow(context):
        yield context.wait_for_external_event("a")
        yield context.wait_for_external_event("b")
        return json.dumps([one.event_type for one in context.histories].count(15))

    async with Told(flow) as told:
        await told.tell("a")
        assert told.world.functions.followed.total() == 1
        told.world.reload()
        await told.tell("b")
        assert told.world.functions.followed.total() == 1
        assert (await told.row()).output == '"2"'
