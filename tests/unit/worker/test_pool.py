"""The pool over real processes: choice, replacement, waiting."""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from durahost.model.errors import AppLoadError, WorkerExited, WorkerTimeout
from durahost.worker.base import AppSource, TypedData
from durahost.worker.pool import WorkerPool
from durahost.worker.process import ProcessWorker

NAME = Path(sys.executable).name
NOTHING = TypedData("string", "")
PID = "import os\ndef main(value): return os.getpid()"


@pytest.fixture
async def make_pool(logs):
    pools = []

    def make(size, **options):
        pool = WorkerPool(lambda: ProcessWorker(sys.executable, os.environ, logs), size, **options)
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        await pool.drain(timedelta())


async def pid_of(pool, app):
    result = await pool.invoke(app.call("pid", value=NOTHING), deadline_s=20)
    return int(result.value.value)


async def test_calls_go_to_the_least_busy_process(make_pool, app):
    pool = make_pool(2)
    app.add("pid", PID, app.activity)
    app.add("blocks", "import time\ndef main(value): time.sleep(60)", app.activity)
    loaded = await pool.load(app.source)
    assert [function.name for function in loaded.functions] == ["pid", "blocks"]
    async with asyncio.TaskGroup() as group:
        blocked = group.create_task(pool.invoke(app.call("blocks", value=NOTHING), deadline_s=60))
        await asyncio.sleep(0)
        assert pool.running == 1
        pids = {await pid_of(pool, app) for _ in range(4)}
        blocked.cancel()
    assert len(pids) == 1


async def test_a_dead_process_is_replaced_and_calls_wait_for_it(make_pool, app, caplog):
    pool = make_pool(1)
    await pool.load(app.add("pid", PID, app.activity).source)
    for _ in range(2):
        pid = await pid_of(pool, app)
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(20):
            while (newer := await _pid_or_none(pool, app)) in (None, pid):
                pass
        assert newer != pid
    lines = [record.getMessage() for record in caplog.records]
    assert f"{NAME} exited with code 137 (0x89); starting a new one in 0.1 s" in lines
    assert f"{NAME} exited with code 137 (0x89); starting a new one in 0.2 s" in lines


async def test_a_process_that_a_timeout_ended_is_replaced(make_pool, app, caplog):
    pool = make_pool(1)
    app.add("blocks", "import time\ndef main(value): time.sleep(60)", app.activity)
    await pool.load(app.add("pid", PID, app.activity).source)
    with pytest.raises(WorkerTimeout):
        await pool.invoke(app.call("blocks", value=NOTHING), deadline_s=0.1)
    async with asyncio.timeout(20):
        while await _pid_or_none(pool, app) is None:
            pass
    ended = next(text for text in caplog.messages if "starting a new one" in text)
    assert ended.endswith("Initiating cancellation; starting a new one in 0.1 s")
    assert "Restart of language worker process(es) completed." in caplog.messages


async def _pid_or_none(pool, app):
    try:
        return await pid_of(pool, app)
    except WorkerExited:
        return None


async def test_the_wait_for_a_process_has_a_limit(make_pool, app):
    with pytest.raises(WorkerExited, match=r"no worker process stands after 0\.05 s"):
        await pid_of(make_pool(1, stand_limit_s=0.05), app)


async def test_a_replacement_that_does_not_load_is_tried_again(make_pool, app, caplog):
    pool = make_pool(1)
    await pool.load(app.add("pid", PID, app.activity).source)
    pid = await pid_of(pool, app)
    away = app.root.with_name("away")
    app.root.rename(away)
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(20):
        while "could not load the app" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        away.rename(app.root)
        while await _pid_or_none(pool, app) in (None, pid):
            pass


async def test_a_replacement_that_cannot_be_set_up_at_all_is_tried_again(app, logs, caplog):
    class Unlucky(ProcessWorker):
        async def load(self, app):
            raise RuntimeError("can't start new thread")

    def unlucky(*arguments):
        raise MemoryError("no room for another one")

    kinds = iter([ProcessWorker, Unlucky, unlucky, ProcessWorker])
    pool = WorkerPool(lambda: next(kinds)(sys.executable, os.environ, logs))
    try:
        await pool.load(app.add("pid", PID, app.activity).source)
        pid = await pid_of(pool, app)
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(20):
            while await _pid_or_none(pool, app) in (None, pid):
                pass
    finally:
        await pool.drain(timedelta())
    assert caplog.text.count("the new worker process could not be set up") == 2
    assert "can't start new thread" in caplog.text
    assert "no room for another one" in caplog.text


async def test_an_app_that_does_not_load_leaves_no_process(make_pool, app):
    pool = make_pool(2)
    app.write("function_app.py", "1 / 0")
    with pytest.raises(AppLoadError, match="ZeroDivisionError"):
        await pool.load(AppSource(app.root))
    assert pool.running == 0


async def test_after_drain_nothing_is_replaced_or_taken(make_pool, app):
    pool = make_pool(2)
    await pool.load(app.add("pid", PID, app.activity).source)
    await pool.drain(timedelta(seconds=1))
    with pytest.raises(WorkerExited, match="are being stopped"):
        await pid_of(pool, app)
