"""Where an orchestrator asked for each of its actions, as the child finds it with the real SDK."""

import json

import pytest

from durahost.worker.base import Raised, Returned, TypedData

pytestmark = [
    pytest.mark.filterwarnings("ignore:Potential duplicate Task completion"),
    pytest.mark.feature(
        "Non-determinism",
        "A hint with step, both actions and both places",
        "only in the host's log; Azure has none",
    ),
]

FLOW = """\
import azure.durable_functions as df
from datetime import timedelta

COUNTER = df.EntityId("Counter", "c")

def greet(context):
    return (yield context.call_activity("A"))

def flow(context):
    yield from greet(context)
    for _ in range(2):
        yield context.call_activity("B")
    context.signal_entity(COUNTER, "add", 1)
    tasks = [context.call_activity("C"), context.call_activity("C")]
    yield context.task_all(tasks)
    yield context.create_timer(
        context.current_utc_datetime + timedelta(days=20)
    )
    context.continue_as_new(1)

main = df.Orchestrator.create(flow)
"""
TIME = "2026-01-05T10:00:00Z"
LONG_TIMERS = {
    "longRunningTimerIntervalDuration": "3.00:00:00",
    "maximumShortTimerDuration": "6.00:00:00",
}


def event(kind, number=-1, **members):
    return {"EventType": kind, "EventId": number, "IsPlayed": True, "Timestamp": TIME, **members}


def context(*answered, **more):
    """A history in which these activities are answered."""
    history = [event(12), event(0, Name="flow", Version="", Input=None)]
    for number in answered:
        history.append(event(4, number, Name="x"))
        history.append(event(5, TaskScheduledId=number, Result="null"))
    members = {"history": history, "input": None, "instanceId": "i", "isReplaying": True}
    schema = {"upperSchemaVersion": 1, "upperSchemaVersionNew": 2}
    members = {**members, "parentInstanceId": None, **schema, **more}
    return {"context": TypedData("string", json.dumps(members))}


async def ask(worker, app, source, *answered, **more):
    await worker.load(app.add("flow", source, app.orchestrator).source)
    return await worker.invoke(app.call("flow", **context(*answered, **more)), deadline_s=20)


async def test_each_action_has_the_line_of_its_yield(worker, app):
    result = await ask(worker, app, FLOW, 0, 1, 2, 4, 5, **LONG_TIMERS)
    assert isinstance(result, Returned)
    (actions,) = json.loads(result.value.value)["actions"]
    assert len(result.sites) == len(actions) == 6
    lines = [site.removeprefix("flow/__init__.py:") for site in result.sites]
    assert lines == ["7", "12", "12", "13", "15", "16"]


async def test_under_schema_v1_each_batch_has_one(worker, app):
    schema = {"upperSchemaVersion": 0, "upperSchemaVersionNew": None}
    result = await ask(worker, app, FLOW, 0, 1, 2, **schema)
    assert len(json.loads(result.value.value)["actions"]) == len(result.sites) == 5


async def test_what_raises_has_them_too_and_its_stack_shows_no_frame_of_ours(worker, app):
    source = FLOW.replace("yield context.task_all(tasks)", "raise ValueError(tasks[9])")
    result = await ask(worker, app, source, 0, 1, 2)
    assert isinstance(result, Raised)
    assert [site.rpartition(":")[2] for site in result.sites] == ["7", "12", "12", "13"]
    assert "sites.py" not in result.stack_trace


@pytest.mark.parametrize(
    "code",
    [
        "def flow(context):\n    return 1\n",
        "class Flow:\n    def __call__(self, context):\n        return 1\nflow = Flow()\n",
    ],
)
async def test_without_a_generator_there_are_none(worker, app, code):
    source = f"import azure.durable_functions as df\n{code}main = df.Orchestrator.create(flow)\n"
    result = await ask(worker, app, source)
    assert json.loads(result.value.value)["output"] == 1
    assert result.sites == ()


async def test_an_orchestrator_behind_a_function_of_the_app_has_none(worker, app):
    source = FLOW.replace("main =", "handle =") + "def main(context):\n    return handle(context)\n"
    result = await ask(worker, app, source)
    assert len(json.loads(result.value.value)["actions"][0]) == 1
    assert result.sites == ()
