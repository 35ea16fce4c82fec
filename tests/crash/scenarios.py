"""Runs of a few orchestrations with what clients do meanwhile, and what they must come to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from clocks import START, ManualClock
from durable_programs import LOCK, Outside, build_functions
from hub_world import World

from durahost.codec import durable_http, entity_messages, history
from durahost.model.entities import EntityRequest
from durahost.model.ids import EntityId
from durahost.model.messages import Message
from durahost.worker.base import Returned, TypedData

COUNTER = EntityId.of("Counter", "k")
OTHER = EntityId.of("Counter", "l")


@dataclass(frozen=True)
class Step:
    """What a client does once all is quiet."""

    run: Callable[[World], Awaitable[object]]
    is_repeatable: bool = False


@dataclass(frozen=True)
class Scenario:
    """steps in order; ends: status and the beginning of output by instance id."""

    steps: list[Step]
    ends: dict[str, tuple[str, str]]
    check: Callable[[dict], None] = lambda outcome: None


def start(name, text=None, instance_id="a", **more):
    return Step(lambda w: w.client.start(name, text, instance_id=instance_id, **more))


def raised(text, name="go", instance_id="a"):
    return Step(lambda w: w.client.raise_event(instance_id, name, text))


def ask(verb, instance_id="a"):
    return Step(lambda w: getattr(w.client, verb)(instance_id, "why"))


def passing(**time):
    """The app's time goes on, and what is due comes due."""

    async def pass_time(world):
        until = world.clock.now() + timedelta(**time)
        await world.rest(until=until)
        world.clock.advance(until - world.clock.now())

    return Step(pass_time)


async def repair(world):
    world.functions.outside.flags.add("repaired")


def signal_lock(world):
    """A lock of both counters for "a", as other SDKs ask for one."""
    request = EntityRequest(request_id=LOCK, parent="a", lock_set=[COUNTER, OTHER])
    event = history.event_raised("op", entity_messages.encode_request(request), world.clock.now())
    return world.hub.signal(Message(COUNTER.instance_id, event))


def lock_for_other(world):
    """Until it is released, nothing runs on the counter but what "other" asks."""
    request = EntityRequest(request_id=LOCK, parent="other", lock_set=[COUNTER])
    event = history.event_raised("op", entity_messages.encode_request(request), world.clock.now())
    return world.hub.signal(Message(COUNTER.instance_id, event))


def release(entity, holder="a"):
    def send(world):
        text = entity_messages.encode_release(holder, "l")
        event = history.event_raised("release", text, world.clock.now())
        return world.hub.signal(Message(entity.instance_id, event))

    return Step(send)


def add(number, entity=COUNTER):
    """The input is JSON text in a JSON string, as an orchestrator of the SDK sends it."""
    return Step(lambda w: w.client.entities.signal(entity, "add", f'"{number}"'))


def purge_all(world):
    return world.client.purge_by(START, world.clock.now())


def is_gone(outcome):
    assert outcome == {}


def of_entity(entity, value):
    def check(outcome):
        state = entity_messages.decode_scheduler(outcome[entity.instance_id]["input"])
        assert (state.state, state.locked_by) == (value, None)

    return check


async def answer_http(text):
    return Returned(TypedData("json", durable_http.encode_response(201, {}, "made")))


HELLOS = '["Hello Tokyo!", "Hello Seattle!", "Hello London!"]'
GAVE_UP = (
    "Orchestrator function 'GiveUp' failed: Activity function 'Fail' failed:  ValueError: never"
)
ASKED = '[5, "a is fine"]'
COMPLETED = "Completed"

SCENARIOS = {
    "hello": Scenario([start("Hello")], {"a": (COMPLETED, HELLOS)}),
    "fan-out": Scenario([start("FanOut")], {"a": (COMPLETED, "12")}),
    "timer-wins": Scenario([start("Race")], {"a": (COMPLETED, '"late"')}),
    "event-wins": Scenario([start("Race"), raised("7")], {"a": (COMPLETED, "7")}),
    "events": Scenario([start("Gather"), raised("1"), raised("2")], {"a": (COMPLETED, "[1, 2]")}),
    "retry-exhausted": Scenario([start("GiveUp")], {"a": ("Failed", GAVE_UP)}),
    "retry": Scenario([start("Recover")], {"a": (COMPLETED, '"healed"')}),
    "children": Scenario(
        [start("Parent")],
        {
            "a": (COMPLETED, f'[{HELLOS}, "trying"]'),
            "a-good": (COMPLETED, HELLOS),
            "a-bad": ("Failed", GAVE_UP),
        },
    ),
    "default-child-id": Scenario([start("Nested")], {"a": (COMPLETED, '"Hello you!"')}),
    "continue-as-new": Scenario(
        [start("Total"), raised("1"), raised("2"), raised("0")], {"a": (COMPLETED, "3")}
    ),
    "carried-events": Scenario(
        [
            start("Total", scheduled_at=START + timedelta(seconds=9)),
            raised("1"),
            raised("2"),
            raised("0"),
        ],
        {"a": (COMPLETED, "3")},
    ),
    "entity": Scenario([start("Tally"), add(4)], {"a": (COMPLETED, "3")}, of_entity(COUNTER, "7")),
    "locks": Scenario(
        [
            start("Locked"),
            Step(signal_lock),
            add(1),
            add(2, OTHER),
            release(COUNTER),
            release(OTHER),
        ],
        {"a": (COMPLETED, '"granted"')},
        of_entity(OTHER, "2"),
    ),
    "suspended": Scenario(
        [start("Gather"), ask("suspend"), raised("1"), raised("2"), ask("resume")],
        {"a": (COMPLETED, "[1, 2]")},
    ),
    "suspended-timer": Scenario(
        [start("Race"), ask("suspend"), passing(seconds=90), ask("resume")],
        {"a": (COMPLETED, '"late"')},
    ),
    "terminated": Scenario([start("Gather"), ask("terminate")], {"a": ("Terminated", "why")}),
    "terminated-early": Scenario(
        [start("Gather", scheduled_at=START + timedelta(hours=1)), ask("terminate")],
        {"a": ("Terminated", "why")},
    ),
    "rewound": Scenario(
        [start("Tree"), Step(repair), ask("rewind")],
        {"a": (COMPLETED, '["a-0 is fine", "a-1 is fine"]'), "a-0": (COMPLETED, '"a-0 is fine"')},
    ),
    "rewound-then-answered": Scenario(
        [
            Step(lock_for_other),
            start("Asks"),
            Step(repair),
            ask("rewind"),
            release(COUNTER, "other"),
        ],
        {"a": (COMPLETED, ASKED)},
        of_entity(COUNTER, "5"),
    ),
    "answered-then-rewound": Scenario(
        [
            Step(lock_for_other),
            start("Asks"),
            release(COUNTER, "other"),
            Step(repair),
            ask("rewind"),
        ],
        {"a": (COMPLETED, ASKED)},
        of_entity(COUNTER, "5"),
    ),
    "rewound-twice-then-answered": Scenario(
        [
            Step(lock_for_other),
            start("Asks"),
            ask("rewind"),
            Step(repair),
            ask("rewind"),
            release(COUNTER, "other"),
        ],
        {"a": (COMPLETED, ASKED)},
        of_entity(COUNTER, "5"),
    ),
    "restarted": Scenario(
        [
            start("Total", '"5"'),
            raised("0"),
            Step(lambda w: w.client.restart("a", with_new_id=False)),
            raised("1"),
            raised("0"),
        ],
        {"a": (COMPLETED, "6")},
    ),
    "purged": Scenario(
        [
            start("Gather"),
            start("Gather", instance_id="b"),
            ask("terminate"),
            ask("terminate", "b"),
            Step(purge_all, is_repeatable=True),
        ],
        {},
        is_gone,
    ),
    "purged-alive": Scenario(
        [start("Race"), add(1), Step(purge_all, is_repeatable=True), passing(minutes=5)],
        {},
        is_gone,
    ),
    "compound": Scenario(
        [start("Compound"), raised("1"), passing(seconds=20), raised("2")],
        {
            "a": (COMPLETED, '[[201, "healed", "healed", 5, 1], 10]'),
            "a-c": (COMPLETED, '"healed"'),
        },
        of_entity(COUNTER, "10"),
    ),
    "http": Scenario([start("Caller")], {"a": (COMPLETED, "201")}),
}


def build_world(path, **options):
    """A world with the app of `durable_programs`."""
    clock = ManualClock()
    outside = Outside(clock)
    functions = build_functions(outside)
    functions.outside = outside
    return World(path, functions, clock, http_call=answer_http, **options)


async def play(world, scenario):
    """Run the scenario to its end; its outcome, and the store operations that led to it."""
    await world.open()
    for step in scenario.steps:
        await world.settle()
        await world.survive(step.run, is_repeatable=step.is_repeatable)
    await world.rest()
    world.look()
    count = len(world.faults.operations)
    return await world.outcome(), world.faults.operations[:count]
