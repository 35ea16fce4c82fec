"""An orchestrator that lives on in a worker of either kind, and where calls of a pool go."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from durahost.model.errors import SessionLost
from durahost.worker.base import Raised, SessionAsk, TypedData
from durahost.worker.pool import WorkerPool
from durahost.worker.process import ProcessWorker

TIME = "2026-01-05T10:00:00Z"
FLOW = """\
import logging, os
import azure.durable_functions as df

def flow(context):
    try:
        while True:
            print("at it")
            if (yield context.call_activity("A", os.getpid())) == "fail":
                raise ValueError("no")
    finally:
        logging.warning("left")

main = df.Orchestrator.create(flow)
"""
EXTENSION = """\
import azure.functions as func

class Nothing(func.AppExtensionBase):
    @classmethod
    def init(cls):
        pass
"""


def event(kind, **more):
    return {"EventType": kind, "EventId": -1, "IsPlayed": False, "Timestamp": TIME, **more}


def completed(number, result="ok"):
    return [event(12), event(5, TaskScheduledId=number, Result=json.dumps(result))]


CONTEXT = {
    "history": [event(12), event(0, Name="flow", Version="", Input=None)],
    "input": None,
    "instanceId": "i",
    "isReplaying": False,
    "parentInstanceId": None,
    "upperSchemaVersionNew": 2,
}


async def call(worker, app, value, **ask):
    invocation = app.call("flow", context=TypedData("string", json.dumps(value)))
    invocation = replace(invocation, session=SessionAsk(**ask))
    return await worker.invoke(invocation, deadline_s=20)


async def test_it_goes_on_where_it_was_and_its_lines_are_those_of_the_call(worker, app, logs):
    await worker.load(app.add("flow", FLOW, app.orchestrator).source)
    begun = await call(worker, app, CONTEXT, key="1")
    assert (begun.session.is_alive, begun.session.kept) == (True, 0)
    assert begun.session.child == worker.name
    assert len(begun.sites) == 1
    went_on = await call(worker, app, completed(0), key="2", follows="1")
    assert (went_on.session.is_alive, went_on.session.kept) == (True, 1)
    assert len(json.loads(went_on.value.value)["actions"][0]) == len(went_on.sites) == 1
    ended = await call(worker, app, completed(1, "fail"), key="3", follows="2")
    assert isinstance(ended, Raised)
    assert (ended.session.is_alive, ended.session.kept, ended.sites) == (False, 2, ())
    assert "live.py" not in ended.stack_trace
    assert logs.messages.count("left") == 1


async def test_one_that_is_not_there_is_lost_and_nothing_runs(worker, app, logs):
    await worker.load(app.add("flow", FLOW, app.orchestrator).source)
    with pytest.raises(SessionLost, match="does not keep the orchestrator of 'flow'"):
        await call(worker, app, completed(0), key="2", follows="1")
    assert "at it" not in logs.messages


async def test_one_that_is_not_used_in_time_is_left_in_nobody_s_name(processes, app, logs):
    worker = processes()
    await worker.load(app.add("flow", FLOW, app.orchestrator).source)
    await call(worker, app, CONTEXT, key="1", idle_s=0.05)
    async with asyncio.timeout(20):
        while "left" not in logs.messages:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    (left,) = [log for log in logs if log.message == "left"]
    assert left.invocation_id is None
    with pytest.raises(SessionLost):
        await call(worker, app, completed(0), key="2", follows="1")


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="no worker extensions there")
async def test_with_extensions_around_each_call_there_is_none(processes, app):
    worker = processes(environ={**os.environ, "PYTHON_ENABLE_WORKER_EXTENSIONS": "1"})
    await worker.load(app.add("flow", EXTENSION + FLOW, app.orchestrator).source)
    begun = await call(worker, app, CONTEXT, key="1")
    assert not begun.session.is_alive
    with pytest.raises(SessionLost):
        await call(worker, app, completed(0), key="2", follows="1")


@pytest.fixture
async def pool(app, logs):
    pool = WorkerPool(lambda: ProcessWorker(sys.executable, os.environ, logs), 2)
    await pool.load(app.add("flow", FLOW, app.orchestrator).source)
    yield pool
    await pool.drain(timedelta())


def pid_in(result):
    return int(json.loads(result.value.value)["actions"][0][-1]["input"])


async def test_in_a_pool_a_call_goes_where_its_session_is(pool, app):
    several = [await call(pool, app, CONTEXT, key=f"{n}") for n in range(4)]
    busy = asyncio.gather(*(call(pool, app, CONTEXT, key=f"b{n}") for n in range(9)))
    for number, begun in enumerate(several):
        child, key = begun.session.child, f"{number}"
        went_on = await call(pool, app, completed(0), key=f"c{key}", follows=key, child=child)
        assert (pid_in(went_on), went_on.session.child) == (pid_in(begun), child)
        again = await call(pool, app, CONTEXT, key="r", replaces=f"c{key}", child=child)
        assert pid_in(again) == pid_in(begun)
    await busy


async def test_the_sessions_of_a_child_that_died_are_lost(pool, app):
    begun = await call(pool, app, CONTEXT, key="1")
    os.kill(pid_in(begun), signal.SIGKILL)
    child = begun.session.child
    async with asyncio.timeout(20):
        while any(member.name == child and member.is_standing for member in pool._members):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    with pytest.raises(SessionLost, match=f"{child} is gone"):
        await call(pool, app, completed(0), key="2", follows="1", child=child)
    begun = await call(pool, app, CONTEXT, key="2", replaces="1", child=child)
    assert begun.session.is_alive
