"""The database file: one holder, forward migrations, what survives, and what a refusal leaves."""

import asyncio
import contextlib
import gc
import os
import sqlite3
import subprocess
import sys
from collections import defaultdict
from datetime import timedelta

import pytest
from store.builders import completed, message, new_instance, running, task

from durahost.model.errors import (
    ConfigError,
    HubInUse,
    InstanceExists,
    LeaseLost,
    StoreError,
    StoreUnavailable,
)
from durahost.model.queries import InstanceQuery
from durahost.model.status import LIVE
from durahost.store.sqlite.connection import connect, read_queries
from durahost.store.sqlite.schema import Migration, migrate, read_migrations
from durahost.store.sqlite.store import SqliteStore

LEASE = timedelta(seconds=30)
HOLDER = """
import asyncio, sys
from pathlib import Path
from clocks import ManualClock
from durahost.store.sqlite.store import SqliteStore

async def main():
    async with SqliteStore(Path(sys.argv[1]), ManualClock()):
        print("open", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


@pytest.fixture
def store(path, clock):
    return SqliteStore(path, clock)


@pytest.fixture
def raw(path):
    """A connection of somebody else's."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


async def test_the_folder_is_made(tmp_path, clock):
    path = tmp_path / ".durahost" / "sub" / "hub.db"
    async with SqliteStore(path, clock):
        assert path.exists()


async def test_what_was_accepted_is_there_after_reopening(path, clock):
    async with SqliteStore(path, clock) as provider:
        hub = provider.open_hub("h")
        await hub.create(new_instance(), ())
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        await hub.commit_episode(locked.lease, running(locked, schedule=[task()]))
        await hub.send(message(name="more"), LIVE)
    async with SqliteStore(path, clock) as provider:
        hub = provider.open_hub("h")
        (again,) = await hub.lock_episodes("me", LEASE, 1)
        assert [e.name for e in again.history] == ["Hello"]
        assert len(await hub.lock_activities("me", LEASE, 1)) == 1


async def test_claims_are_void_after_reopening_and_tokens_grow(path, clock):
    leases = []
    for _ in range(3):
        async with SqliteStore(path, clock) as provider:
            hub = provider.open_hub("h")
            with contextlib.suppress(InstanceExists):
                await hub.create(new_instance(), ())
            (locked,) = await hub.lock_episodes("me", LEASE, 1)
            leases.append(locked.lease)
            for stale in leases[:-1]:
                with pytest.raises(LeaseLost):
                    await hub.commit_episode(stale, completed(locked))
    assert [lease.token for lease in leases] == sorted({lease.token for lease in leases})


async def test_a_closed_store_refuses(store):
    async with store as provider:
        hub = provider.open_hub("h")
        queued = asyncio.ensure_future(hub.create(new_instance(), ()))
        await asyncio.sleep(0)
    await queued
    with pytest.raises(StoreError, match="closed"):
        await hub.get("a")
    with pytest.raises(StoreError, match="closed"):
        await hub.create(new_instance("b"), ())


async def test_closing_ends_waits_and_leaves_no_log_behind(store, path):
    async with store as provider:
        hub = provider.open_hub("h")
        await hub.lock_episodes("me", LEASE, 1)
        waiting = asyncio.ensure_future(hub.wait_for_episodes(timedelta(hours=1)))
        await asyncio.sleep(0)
    await asyncio.wait_for(waiting, 5)
    assert not path.with_name("hub.db-wal").exists()


async def test_a_second_holder_in_this_process_is_refused(path, clock, store):
    async with store:
        with pytest.raises(HubInUse) as caught:
            await SqliteStore(path, clock).__aenter__()
        assert f"process {os.getpid()} (" in caught.value.holder
    async with SqliteStore(path, clock):
        pass


@pytest.fixture
def other_process(path):
    """A process that holds the file."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment) as process:
        assert process.stdout.readline() == b"open\n"
        yield process
        process.kill()


async def test_a_holder_in_another_process_is_named_and_its_death_frees_the_file(
    other_process, path, clock
):
    with pytest.raises(HubInUse, match=f"in use by process {other_process.pid} "):
        await SqliteStore(path, clock).__aenter__()
    other_process.kill()
    other_process.wait(10)
    async with SqliteStore(path, clock):
        pass


async def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path, clock):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be made .*folder is writable"):
        await SqliteStore(tmp_path / "file" / "hub.db", clock).__aenter__()


async def test_a_file_that_is_no_database_is_a_clear_error_and_not_held(path, clock):
    path.write_bytes(b"this is no database file" * 100)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"hub\.db.*not a database"):
            await SqliteStore(path, clock).__aenter__()


async def test_a_later_schema_is_refused(path, clock, raw, store):
    async with store:
        pass
    raw.execute("UPDATE meta SET value = 99 WHERE key = 'schema_version'")
    with pytest.raises(ConfigError, match="has schema version 99; this durahost knows") as caught:
        await SqliteStore(path, clock).__aenter__()
    assert caught.value.advice


def test_migrations_are_numbered_from_one():
    migrations = read_migrations()
    assert [m.version for m in migrations] == list(range(1, len(migrations) + 1))


def test_a_migration_is_applied_once_and_whole_or_not_at_all_c28(path):
    first = Migration(1, "CREATE TABLE one (a);\n-- a comment; with a semicolon\n")
    broken = Migration(2, "CREATE TABLE two (a);\nINSERT INTO absent VALUES (1);")
    fixed = Migration(2, "CREATE TABLE two (a); -- ';'\nINSERT INTO one VALUES (';');")
    with contextlib.closing(connect(path, {}, timedelta())) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, path, [first, broken])
        assert _tables(connection) == ["meta", "one"]
        migrate(connection, path, [first, fixed])
        migrate(connection, path, [first, fixed])
        assert _tables(connection) == ["meta", "one", "two"]
        assert connection.execute("SELECT * FROM one") == [(";",)]


def _tables(connection):
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    return [name for (name,) in rows]


async def test_writers_of_other_programs_make_it_unavailable_for_a_while_c26(path, clock, raw):
    async with SqliteStore(path, clock, busy_timeout=timedelta()) as provider:
        hub = provider.open_hub("h")
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            await hub.create(new_instance(), ())
        assert await hub.get("a") is None
        raw.execute("ROLLBACK")
        await hub.create(new_instance(), ())


async def test_another_program_holds_up_the_writes_alone_c26(path, clock, raw):
    async with SqliteStore(path, clock, busy_timeout=timedelta(minutes=1)) as provider:
        hub = provider.open_hub("h")
        for number in range(50):  # by then the disk has proved to be quick, if it is
            await hub.create(new_instance(f"{number}"), ())
        raw.execute("BEGIN IMMEDIATE")
        creating = asyncio.create_task(hub.create(new_instance("late"), ()))
        reads = [await hub.get("0") for _ in range(20)]
        assert all(reads)
        assert await hub.get("late") is None
        assert not creating.done()
        raw.execute("ROLLBACK")
        await creating
        assert await hub.get("late")


async def test_a_full_disk_makes_it_unavailable_for_a_while_c26(path, store):
    resource = pytest.importorskip("resource")
    async with store as provider:
        hub = provider.open_hub("h")
        await hub.create(new_instance("before"), ())
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (512 * 1024, before[1]))
        try:
            big = new_instance("big", input="x" * 1024 * 1024)
            results = await asyncio.gather(
                hub.create(new_instance("a"), ()), hub.create(big, ()), return_exceptions=True
            )
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert [type(result) for result in results] == [StoreUnavailable] * 2
        assert await hub.get("a") is None
        await hub.create(big, ())
        page = await hub.query(InstanceQuery())
        assert [s.instance_id for s in page.instances] == ["before", "big"]


async def test_one_failure_does_not_sink_its_batch(store):
    async with store as provider:
        hub = provider.open_hub("h")
        await hub.create(new_instance("taken"), ())
        starts = [hub.create(new_instance(name), ()) for name in ("a", "taken", "b", "\ud800")]
        results = await asyncio.gather(*starts, return_exceptions=True)
        assert [type(r).__name__ for r in results] == [
            "NoneType",
            "InstanceExists",
            "NoneType",
            "UnicodeEncodeError",
        ]
        assert await hub.get("a")
        assert await hub.get("b")


async def test_a_cancelled_caller_does_not_take_the_write_back(store):
    async with store as provider:
        hub = provider.open_hub("h")
        creating = asyncio.ensure_future(hub.create(new_instance(), ()))
        await asyncio.sleep(0)
        creating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creating
        assert await hub.get("a"), "its caller went on before it was settled"


async def test_a_write_that_fails_while_its_caller_is_cancelled_leaves_no_report(store, caplog):
    async with store as provider:
        hub = provider.open_hub("h")
        await hub.create(new_instance(), ())
        creating = asyncio.ensure_future(hub.create(new_instance(), ()))
        await asyncio.sleep(0)
        creating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creating
        del creating
        gc.collect()
        assert "never retrieved" not in caplog.text


async def test_purge_leaves_no_row_i17(store, raw):
    async with store as provider:
        hub = provider.open_hub("h")
        await hub.create(new_instance(), ())
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        commit = running(locked, schedule=[task()], send=[message()])
        await hub.commit_episode(locked.lease, commit)
        await hub.purge("a", LIVE)
        for table in ("instance", "history", "inbox", "task", "input"):
            assert raw.execute(f"SELECT * FROM {table}").fetchall() == []


async def test_the_history_sequence_is_a_second_fence(store, raw):
    async with store as provider:
        hub = provider.open_hub("h")
        await hub.create(new_instance(), ())
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        raw.execute("INSERT INTO history SELECT instance_row, 0, 0, 0, 0, '', '', '' FROM instance")
        with pytest.raises(LeaseLost):
            await hub.commit_episode(locked.lease, completed(locked))
        assert await hub.get("a") == locked.state


async def test_no_query_walks_over_finished_instances(store, raw):
    async with store:
        for name, sql in read_queries().items():
            count = sql.count("?") if "?" in sql else None
            values = (None,) * count if count else defaultdict(lambda: None)
            plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
            # The host's own table is read whole: it holds a handful of keys, and no instances.
            scans = [step for step in plan if step.startswith("SCAN") and step != "SCAN host"]
            assert not scans, (name, plan)
