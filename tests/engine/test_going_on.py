"""Replays at which the engine goes on where it was, over a whole host: what comes of them, and what
the developer is told, is what comes of beginning at the beginning.
"""

import asyncio
import contextlib
import cProfile
import gc
import logging
import pstats
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import azure.durable_functions as df
import pytest
from clocks import ManualClock
from crash.scenarios import SCENARIOS, build_world, play
from durable_programs import counter
from hub_world import GUID, Functions, World
from hypothesis import given, settings
from hypothesis import strategies as st

from durahost.config.settings import DurableSettings, SessionUse
from durahost.dispatch import standings
from durahost.engine.execution import Execution
from durahost.engine.progress import Progress
from durahost.model.errors import InvalidState, StoreUnavailable
from durahost.model.queries import InstanceQuery
from durahost.model.status import RuntimeStatus

pytestmark = pytest.mark.filterwarnings("ignore:Potential duplicate Task completion")
GOES_ON = DurableSettings(session_use=SessionUse.NEVER)
CHECKED = replace(GOES_ON, checks_sessions=True)
BEGINS_ANEW = replace(GOES_ON, session_idle=timedelta(0))
"""Nothing is remembered for so short a time."""
COUNTER = df.EntityId("Counter", "k")


@pytest.fixture
def gone_on(monkeypatch):
    """How often the engine went on where it was."""
    count, go_on = Counter(), Progress.go_on

    def counted(progress, answer):
        count["times"] += 1
        return go_on(progress, answer)

    monkeypatch.setattr(Progress, "go_on", counted)
    return count


async def play_with(options, name):
    world = build_world(None, settings=options)
    outcome, _ = await play(world, SCENARIOS[name])
    await world.close()
    return outcome


@pytest.mark.parametrize("name", SCENARIOS)
async def test_scenarios_end_as_from_the_beginning(name, caplog):
    assert await play_with(CHECKED, name) == await play_with(BEGINS_ANEW, name)
    assert "SessionDiffers" not in caplog.text


# Any orchestrator, deterministic or not ----------------------------------------------------------

LAST = st.sampled_from(["return", "raise", "continue"])
CLIENT = st.sampled_from(
    ["go", "go", "Go", "pass time", "suspend", "resume", "change", "reload", "terminate", "rewind"]
)


def add(context, count):
    return [context.call_activity("Add", number) for number in range(count)]


def await_any(context, count):
    event = context.wait_for_external_event("go")
    return (yield context.task_any([*add(context, count), event])) is not event


def await_last(context, count):
    return (yield add(context, count)[-1])


def race(context, _):
    timer = context.create_timer(soon(context))
    if (yield context.task_any([timer, context.wait_for_external_event("go")])) is not timer:
        timer.cancel()
    return "raced"


def soon(context):
    return context.current_utc_datetime + timedelta(seconds=20)


def waits(ask):
    """A step that waits for one task."""

    def step(context, count):
        return (yield ask(context, count))

    return step


def waits_not(do):
    """A step that only says something."""

    def step(context, _):
        yield from ()
        do(context)

    return step


DONE_BY = {
    "call": waits(lambda context, _: context.call_activity("Add", 0)),
    # As text it is just as long as a call.
    "call other": waits(lambda context, _: context.call_activity("Sub", 0)),
    "retry": waits(
        lambda context, _: context.call_activity_with_retry("Flaky", df.RetryOptions(5_000, 2), 1)
    ),
    "child": waits(lambda context, _: context.call_sub_orchestrator("Leaf", 1)),
    "ask": waits(lambda context, _: context.call_entity(COUNTER, "add", 1)),
    "timer": waits(lambda context, _: context.create_timer(soon(context))),
    "event": waits(lambda context, _: context.wait_for_external_event("go")),
    "all": waits(lambda context, count: context.task_all(add(context, count))),
    "signal": waits_not(lambda context: context.signal_entity(COUNTER, "add", 1)),
    "status": waits_not(lambda context: context.set_custom_status(context.is_replaying)),
    "any": await_any,
    "last": await_last,
    "race": race,
}
STEPS = st.lists(st.tuples(st.sampled_from(sorted(DONE_BY)), st.integers(1, 3)), max_size=7)


class Programs:
    """An orchestrator of drawn steps; after `change` it finds one of them replaced."""

    def __init__(self, steps, at, instead, last):
        self.versions = [steps, [*steps[:at], *instead, *steps[at + 1 :]]]
        self.last = last
        self.fails = 0

    def change(self):
        self.versions.reverse()

    def flow(self, context):
        found = []
        for verb, count in self.versions[0]:
            found.append((yield from DONE_BY[verb](context, count)))
        if self.last == "raise":
            raise ValueError("enough")
        if self.last == "continue" and context.get_input() is None:
            context.continue_as_new("again")
            return None
        return found

    def leaf(self, context):
        return (yield context.call_activity("Add", context.get_input()))

    def flaky(self, number):
        self.fails += 1
        if self.fails % 2:
            raise ValueError("once more")
        return number

    def world(self, options):
        functions = Functions(
            orchestrators={"Flow": self.flow, "Leaf": self.leaf},
            entities={"Counter": counter},
            activities={"Add": lambda n: n + 1, "Sub": lambda n: n - 1, "Flaky": self.flaky},
        )
        return World(None, functions, ManualClock(), settings=options)


class Told(logging.Handler):
    """What the log tells the developer of instances."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage() + str(record.exc_info or ""))


async def run(programs, script, options):
    """Every row and every event there is in the end, without random ids, and what was told."""
    world, told = programs.world(options), Told()
    logging.getLogger("durahost").addHandler(told)
    try:
        await world.open()
        await world.client.start("Flow", None, instance_id="a")
        for verb in script:
            await world.settle()
            with contextlib.suppress(InvalidState):
                await do(world, programs, verb)
        await world.settle()
        page = await world.hub.query(InstanceQuery(at_most=100))
        found = [[row, *await world.hub.read_history(row.instance_id)] for row in page.instances]
        await world.close()
    finally:
        logging.getLogger("durahost").removeHandler(told)
    return sorted(GUID.sub("<id>", repr(one)) for one in [*found, *told.lines])


async def do(world, programs, verb):
    if verb == "change":
        # Changed code may do what a suspended instance must not (I26).
        if (await world.hub.get("a")).status is not RuntimeStatus.SUSPENDED:
            programs.change()
    elif verb == "reload":
        world.reload()
    elif verb == "pass time":
        world.clock.advance(timedelta(seconds=21))
    elif verb in ("go", "Go"):
        await world.client.raise_event("a", verb, "1")
    else:
        await getattr(world.client, verb)("a", "why")


@given(STEPS, st.integers(0, 6), STEPS, LAST, st.lists(CLIENT, max_size=12))
@settings(max_examples=100)
@pytest.mark.usefixtures("unmeasured")
def test_any_orchestrator_does_and_tells_the_same(steps, at, instead, last, script):
    ends = []
    for options in (BEGINS_ANEW, GOES_ON, CHECKED):
        programs = Programs(steps, at, instead, last)
        ends.append(asyncio.run(run(programs, script, options)))
    assert ends[0] == ends[1] == ends[2]


# When it begins at the beginning ------------------------------------------------------------------


class Chain:
    """A world with one chain of activities; `on_step` is called while one of them runs."""

    def __init__(self, length, options=CHECKED, text="x"):
        self.length, self.text = length, text
        functions = Functions(orchestrators={"Chain": self._chain}, activities={"Add": self._add})
        self.world = World(None, functions, ManualClock(), settings=options)
        self.on_step = lambda step: None

    def _add(self, given):
        self.on_step(given[0])
        return given[0] + 1

    def _chain(self, context):
        number = 0
        while number < self.length:
            number = yield context.call_activity("Add", [number, self.text])
        return number

    async def run(self, ids="a"):
        """Start it, and run until nothing is left to do; nothing differs from the beginning."""
        await self.world.open()
        for instance_id in ids:
            await self.world.client.start("Chain", None, instance_id=instance_id)
        await self.world.rest()
        for instance_id in ids:
            row = await self.world.hub.get(instance_id)
            assert (row.status.value, row.output) == ("Completed", str(self.length))
        await self.world.close()


async def test_the_engine_goes_on_from_the_second_episode_on(gone_on):
    await Chain(10).run()
    assert gone_on["times"] == 11 - 2


async def test_nothing_is_remembered_for_no_time(gone_on):
    await Chain(10, BEGINS_ANEW).run()
    assert gone_on["times"] == 0


async def test_what_was_not_used_in_time_is_forgotten(gone_on):
    chain = Chain(10)
    chain.on_step = lambda step: step == 5 and chain.world.clock.pass_time(GOES_ON.session_idle)
    await chain.run()
    assert gone_on["times"] == 11 - 2 - 1


async def test_another_version_of_the_app_begins_anew(gone_on):
    chain = Chain(10)
    chain.on_step = lambda step: step == 5 and chain.world.reload()
    await chain.run()
    assert gone_on["times"] == 11 - 2 - 1


async def test_a_commit_that_fails_leaves_nothing_to_go_on_from(gone_on):
    chain, commits = Chain(10), Counter()

    async def commit(lease, changes):
        commits["times"] += 1
        if commits["times"] == 5:
            raise StoreUnavailable("a disk that is full for a moment")
        await chain.world.hub._hub.commit_episode(lease, changes)

    await chain.world.open()
    chain.world.hub.commit_episode = commit
    await chain.world.client.start("Chain", None, instance_id="a")
    await chain.world.rest()
    chain.world.clock.pass_time(timedelta(seconds=1))
    await chain.world.client.raise_event("a", "wakes the host", "1")
    await chain.world.rest()
    assert commits["times"] == 11 + 1
    assert (await chain.world.hub.get("a")).output == "10"
    # The fifth went on, its repetition did not.
    assert gone_on["times"] == 11 - 2
    await chain.world.close()


async def test_what_is_remembered_is_bounded_texts_included(gone_on, monkeypatch):
    most = 4 * standings.CHARACTERS_OF_A_STANDING
    monkeypatch.setattr(standings, "MOST_CHARACTERS", most)
    await Chain(10, text="x" * (most // 5)).run()
    assert gone_on["times"] == 2
    gone_on.clear()
    await Chain(10).run("abc")
    assert gone_on["times"] == 3 * (11 - 2)
    gone_on.clear()
    await Chain(10).run("abcdefgh")
    assert gone_on["times"] < 8 * (11 - 2)


async def test_a_timer_cancelled_later_changes_what_was_listed(gone_on):
    def flow(context):
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=9))
        for number in range(3):
            event = context.wait_for_external_event(f"e{number}")
            yield context.task_any([timer, event])
        timer.cancel()
        return (yield context.call_activity("Note", 1))

    functions = Functions(orchestrators={"Flow": flow}, activities={"Note": lambda number: number})
    world = World(None, functions, ManualClock(), settings=CHECKED)
    await world.open()
    await world.client.start("Flow", None, instance_id="a")
    for number in range(3):
        await world.settle()
        await world.client.raise_event("a", f"e{number}", "1")
    await world.settle()
    assert (await world.hub.get("a")).output == "1"
    # The second event, and the activity's answer.
    assert gone_on["times"] == 2
    await world.close()


async def calls_of_the_engine(length):
    with cProfile.Profile() as profile:
        await Chain(length, GOES_ON).run()
    stats = pstats.Stats(profile).stats
    return sum(of[1] for (file, *_), of in stats.items() if "/durahost/engine/" in file)


async def test_the_engine_does_what_is_new_in_an_episode_however_long_the_history():
    """From the beginning each time, three times the chain would make nine times the calls."""
    assert await calls_of_the_engine(45) < 3.3 * await calls_of_the_engine(15)


@pytest.fixture
def executions():
    """How many are in memory, without the garbage collector."""
    gc.collect()
    gc.disable()
    yield lambda: sum(isinstance(one, Execution) for one in gc.get_objects())
    gc.enable()


async def test_what_has_ended_needs_no_garbage_collector(executions):
    """Objects that hold each other stay until it runs, which then holds up all that goes on."""
    chain, left = Chain(3, GOES_ON), []
    chain.on_step = lambda step: left.append(executions())
    await chain.run("abcdef")
    assert max(left) <= len("abcdef")
    assert executions() == 0


async def test_what_is_ended_while_it_waits_needs_none_either(executions):
    def wait(context):
        yield context.wait_for_external_event("never")

    world = World(None, Functions(orchestrators={"Wait": wait}), ManualClock(), settings=GOES_ON)
    await world.open()
    await world.client.start("Wait", None, instance_id="a")
    await world.rest()
    await world.client.terminate("a", "enough")
    await world.rest()
    assert (await world.hub.get("a")).status is RuntimeStatus.TERMINATED
    assert executions() == 0
    await world.close()
