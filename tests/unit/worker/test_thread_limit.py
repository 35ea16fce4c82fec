"""A child that can start no more threads: a limit of the system, made with real ones."""

import asyncio
import sys
from pathlib import Path

import pytest

from durahost.model.errors import WorkerError, WorkerExited
from durahost.worker.base import TypedData

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sets RLIMIT_AS")

LIMIT_S = 20
NAME = Path(sys.executable).name
SOURCE = """
import resource, sys, threading, time

ran = []

def main(value):
    ran.append(value)
    if value in ("wait", "exit"):
        size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        threading.stack_size(2**30)
        resource.setrlimit(resource.RLIMIT_AS, (size + 2**29, resource.RLIM_INFINITY))
    if value == "exit":
        sys.exit(3)
    if value == "wait":
        print("waiting")
    while resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        time.sleep(0.01)
    return ran
"""
FREE = """
import resource, threading

async def main(value):
    threading.stack_size(0)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""


@pytest.fixture
async def worker(processes, app):
    worker = processes()
    app.add("f", SOURCE, app.activity).add("free", FREE, app.activity)
    await worker.load(app.source)

    async def call(value, function="f"):
        inputs = {"value": TypedData("string", value)}
        return await worker.invoke(app.call(function, **inputs), deadline_s=LIMIT_S)

    worker.call = call
    return worker


async def test_a_call_without_a_thread_fails_alone_and_never_runs(worker, logs):
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        waiting = group.create_task(worker.call("wait"))
        while "waiting" not in logs.messages:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for _ in range(2):
            with pytest.raises(WorkerError, match="start the call: can't start new thread") as one:
                await worker.call("refused")
            assert not isinstance(one.value, WorkerExited)
        assert not waiting.done()
        await worker.call("", "free")
    ran = [await worker.call("more") for _ in range(3)][-1]
    assert ran.value.value == '["wait", "more", "more", "more"]'


async def test_exit_ends_a_child_that_can_start_no_thread(worker):
    with pytest.raises(WorkerExited) as caught:
        await worker.call("exit")
    assert str(caught.value) == f"{NAME} exited with code 3 (0x3)"


async def test_a_frame_that_breaks_the_child_ends_it_aloud(worker):
    """Whatever is wrong with a frame: with no reader every later call would wait for ever."""
    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(WorkerExited) as caught:
            await worker._child.channel._request("invoke", {"function": ["unhashable"]})
    assert "the worker's pipe broke: TypeError(\"unhashable type" in caught.value.stderr
