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
from durahost.model.status import RuntimeStatus
from durahost.store.sqlite.store import SqliteStore

LIMIT_S = 20
BUSY = "database is locked"


@pytest.fixture
async def hub(tmp_path):
    clock, busy = ManualClock(), timedelta(milliseconds=20)
    async with SqliteStore(tmp_path / "hub.db", clock, busy_timeout=busy) as provider:
        yield provider.open_hub("h")


@pytest.fixture
def other(tmp_path, hub):
    """Another program's connection."""
    path = tmp_path / "hub.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def loop(hub):
    async def process(locked):
        await hub.commit_episode(locked.lease, completed(locked))

    verbs = Verbs(
        lock=hub.lock_episodes,
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
