"""A call that follows another one at once, in a worker of either kind."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from durahost.child.wire import Frame, ProtocolError
from durahost.clock import RealClock
from durahost.codec import history, sdk1
from durahost.model.errors import WorkerExited, WorkerTimeout
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.instances import InstanceState
from durahost.model.messages import ActivityTask
from durahost.model.status import RuntimeStatus
from durahost.worker.base import Following, Raised, Returned, TypedData
from durahost.worker.channel import Channel

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
FLOW = """
import azure.durable_functions as df

def flow(context):
    found = yield context.call_activity("work", None)
    {then}
    return [found, context.current_utc_datetime.isoformat()]

main = df.Orchestrator.create(flow)
"""
WORK = "def main(name): return {value}"
ACTIVITY = [{"name": "name", "type": "activityTrigger", "direction": "in"}]


def texts(new):
    """The trigger's text of the flow's second episode, its last events being these."""
    state = InstanceState(
        instance_id=InstanceId("i"),
        execution_id=ExecutionId("e"),
        name="flow",
        status=RuntimeStatus.RUNNING,
        created_at=NOW,
        updated_at=NOW,
    )
    task = ActivityTask(state.instance_id, state.execution_id, 0, "work", "[null]")
    past = [
        history.orchestrator_started(NOW),
        history.execution_started(state, NOW),
        history.task_scheduled(task, NOW, stores_input=False),
        history.orchestrator_completed(NOW),
    ]
    return sdk1.encode_context(state, past, new, http_sleep_ms=1, sends_timer_limits=False)


def followed(app, pieces=None):
    """The activity's call, with the flow's next episode behind it."""
    pieces = pieces or texts(history.task_completed_later(0)).split(history.GAP)
    flow = app.call("flow", "99999999-2222-3333-4444-555555555555", context=None)
    following = Following(call=flow, trigger="context", pieces=pieces)
    return replace(work(app), then=following)


def work(app):
    return replace(app.call("work"), inputs={"name": TypedData("string", "x")})


async def load(worker, app, value="'dön\\u2028e'", then="pass", source=None):
    app.add("flow", FLOW.format(then=then), app.orchestrator)
    app.add("work", source or WORK.format(value=value), ACTIVITY)
    await worker.load(app.source)


async def test_it_runs_with_what_the_first_returned_and_when(worker, app):
    await load(worker, app)
    before = RealClock().now()
    result = await worker.invoke(followed(app), deadline_s=20)
    begun = result.then
    assert begun.invocation_id == "99999999-2222-3333-4444-555555555555"
    at = datetime.fromisoformat(begun.at)
    assert before <= at <= RealClock().now()
    assert begun.at == history.format_time(at)
    answer = await begun.answer()
    assert isinstance(answer, Returned)
    state = json.loads(answer.value.value)
    assert state["isDone"]
    assert state["output"] == ["dön\u2028e", at.isoformat()]


@pytest.mark.parametrize("value", ["None", "''", "'null'", "{'a': [1, 'ü']}", "1.5", "'\\ud800'"])
async def test_it_is_asked_what_the_host_would_ask(worker, app, value):
    await load(worker, app, value)
    result = await worker.invoke(followed(app), deadline_s=20)
    text = sdk1.activity_result(result.value and result.value.value)
    at = datetime.fromisoformat(result.then.at)
    new = [history.orchestrator_started(at), history.task_completed(0, text, at)]
    asked = app.call("flow", context=TypedData("string", texts(new)))
    expected = await worker.invoke(asked, deadline_s=20)
    answer = await result.then.answer()
    assert answer == expected


async def test_nothing_follows_a_failure(worker, app):
    await load(worker, app, source="def main(name): raise ValueError(name)")
    result = await worker.invoke(followed(app), deadline_s=20)
    assert isinstance(result, Raised)


async def test_an_async_function_is_followed_by_nothing(worker, app):
    await load(worker, app, source="async def main(name): return 'x'")
    result = await worker.invoke(followed(app), deadline_s=20)
    assert isinstance(result, Returned)
    assert result.then is None


async def test_what_it_raises_is_its_own(worker, app):
    await load(worker, app, then="raise ValueError('no')")
    result = await worker.invoke(followed(app), deadline_s=20)
    assert isinstance(result, Returned)
    answer = await result.then.answer()
    assert isinstance(answer, Raised)
    assert answer.message.startswith("no\n")


async def test_it_has_its_own_time_and_ends_the_worker_after_that(worker, app):
    await load(worker, app, then="import time; time.sleep(60)")
    result = await worker.invoke(followed(app), deadline_s=0.5)
    assert isinstance(result, Returned)
    with pytest.raises(WorkerTimeout, match="flow"):
        await result.then.answer()


async def until_it_ends(worker, app):
    async with asyncio.timeout(20):
        while True:
            await worker.invoke(work(app), deadline_s=20)


async def test_one_that_nobody_asks_for_has_its_time_too(worker, app, caplog):
    await load(worker, app, then="import time; time.sleep(60)")
    result = await worker.invoke(followed(app), deadline_s=0.5)
    assert isinstance(result, Returned)
    del result
    with pytest.raises(WorkerExited):
        await until_it_ends(worker, app)
    assert "never retrieved" not in caplog.text


@pytest.mark.parametrize("told", [{}, {"at": "x"}, {"id": 2, "at": "x"}])
async def test_who_waits_is_told_of_a_frame_that_cannot_be_understood(app, told):
    """A child that says so of a call which nothing was to follow has broken the protocol."""
    sent = []
    channel = Channel(sent.append, lambda why: None, lambda log: None)
    calling = asyncio.create_task(channel.invoke(work(app), 20))
    await asyncio.sleep(0)
    answer = {"id": sent[0].fields["id"], "value": None, "outputs": {}, "then": told}
    with pytest.raises((ProtocolError, KeyError)):
        channel.receive(Frame("returned", answer))
    channel.fail(WorkerExited("it broke the protocol"))
    with pytest.raises(WorkerExited, match="broke"):
        await asyncio.wait_for(calling, 20)
