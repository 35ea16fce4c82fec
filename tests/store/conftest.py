"""Every behaviour runs over every store."""

from datetime import timedelta

import pytest
from clocks import ManualClock
from invariants import assert_kept
from stored_rows import MemoryRows, read_file

from durahost.store.memory import MemoryStore
from durahost.store.sqlite.store import SqliteStore

LEASE = timedelta(seconds=30)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "hub.db"


@pytest.fixture(params=["memory", "sqlite"])
async def store(request, clock, path):
    """What a test tells it to keep is seldom an orchestration's, but kept as a store must."""
    opening = MemoryStore(clock) if request.param == "memory" else SqliteStore(path, clock)
    async with opening as provider:
        yield provider
    if request.param == "memory":
        for name, hub in provider._hubs.items():
            assert_kept(MemoryRows(name, hub))
    else:
        with read_file(path) as rows:
            assert_kept(rows)


@pytest.fixture
def hub(store):
    return store.open_hub("TestHubName")


@pytest.fixture
def lock(hub):
    """Claim the only ready episode."""

    async def lock_one():
        (locked,) = await hub.lock_episodes("me", LEASE, 10)
        return locked

    return lock_one


@pytest.fixture
def lock_activity(hub):
    """Claim the only free activity."""

    async def lock_one():
        (locked,) = await hub.lock_activities("me", LEASE, 10)
        return locked

    return lock_one
