"""The loop over a real database file that somebody else holds for a while."""

import asyncio
import contextlib
import sqlite3
from datetime import timedelta

import pytest
from clocks import ManualClock
from store.builders import completed, new_instance

from durahost.dispatch.renewal import Renewal
from durahost.dispatch.work_loop import Verbs, WorkLoop
from durahost.model.errors import StoreUnavailable
from durahost.model.status import RuntimeStatus
from durahost.store.sqlite.store import SqliteStore

LIMIT_S = 20
BUSY = "database is locked"


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def hub(tmp_path, clock):
    busy = timedelta(milliseconds=20)
    async with SqliteStore(tmp_path / "hub.db", clock, busy_timeout=busy) as provider:
        yield provider.open_hub("h")


@pytest.fixture
def other(tmp_path, hub):
    """Another program's connection."""
    path = tmp_path / "hub.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def loop(hub, other):
    """Reads of the file fail, too, while the other program is at it: a disk that is away."""

    async def lock(*arguments):
        if other.in_transaction:
            raise StoreUnavailable(BUSY)
        return await hub.lock_episodes(*arguments)

    return build_loop(hub, lock)


def build_loop(hub, lock):
    async def process(locked):
        await hub.commit_episode(locked.lease, completed(locked))

    verbs = Verbs(
        lock=lock,
        process=process,
        abandon=hub.abandon_episode,
        wait=hub.wait_for_episodes,
        describe=lambda locked: "an episode",
    )
    return WorkLoop("episode", verbs, slots=2, owner="me", renewal=Renewal(hub.renew))


def refusals(caplog):
    return [record.getMessage() for record in caplog.records if BUSY in record.getMessage()]


async def refused(caplog, times):
    """Poll for what only the log announces."""
    while len(refusals(caplog)) < times:  # noqa: ASYNC110
        await asyncio.sleep(0.005)


async def test_a_file_that_is_busy_is_asked_again_with_a_growing_delay(hub, other, loop, caplog):
    await hub.create(new_instance(), ())
    other.execute("BEGIN IMMEDIATE")
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        group.create_task(loop.run())
        await refused(caplog, 2)
        other.execute("ROLLBACK")
        while (await hub.get("a")).status is not RuntimeStatus.COMPLETED:
            await hub.wait_for_episodes(timedelta(seconds=0.01))
        loop.stop()
    delays = [text.split(" for ")[1].split(":")[0] for text in refusals(caplog)]
    assert delays[:2] == ["0.25 s", "0.50 s"]


async def test_the_loop_can_be_stopped_while_the_file_is_busy(other, loop, caplog):
    other.execute("BEGIN IMMEDIATE")
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        running = group.create_task(loop.run())
        await refused(caplog, 3)
        loop.stop()
        async with asyncio.timeout(0.5):
            await running


async def test_work_whose_commit_a_busy_file_refuses_is_given_back_and_done_later(
    hub, other, clock, caplog
):
    await hub.create(new_instance(), ())
    other.execute("BEGIN IMMEDIATE")
    loop = build_loop(hub, hub.lock_episodes)
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        group.create_task(loop.run())
        for times, delay_s in enumerate((0.25, 0.5), 1):
            await refused(caplog, times)
            assert f"tried again in {delay_s:.2f} s" in refusals(caplog)[-1]
            clock.pass_time(timedelta(seconds=delay_s))
        await refused(caplog, 3)
        other.execute("ROLLBACK")
        clock.pass_time(timedelta(seconds=1))
        await hub.wait_for_end("a", timedelta(seconds=LIMIT_S))
        loop.stop()
    assert (await hub.get("a")).status is RuntimeStatus.COMPLETED
