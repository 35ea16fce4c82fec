"""What is kept in memory of an instance is what the file says, whatever wrote it last."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from clocks import START
from store.builders import completed, message, new_instance, running, state

from durahost.codec import history
from durahost.engine.outcome import start_of
from durahost.model.errors import LeaseLost, StoreError
from durahost.model.messages import Message
from durahost.model.queries import InstanceQuery
from durahost.model.status import LIVE, RuntimeStatus
from durahost.store.sqlite.states import CHARACTERS_OF_A_STATE, LARGE, States
from durahost.store.sqlite.store import SqliteStore

LEASE = timedelta(seconds=30)
EVER = frozenset(RuntimeStatus)


@pytest.fixture
async def hub(path, clock):
    async with SqliteStore(path, clock) as provider:
        yield provider.open_hub("h")


@pytest.fixture
def look(hub):
    """The instance, found the same in memory and, by a listing, in the file; and if it is kept."""

    async def look_at(instance_id="a"):
        is_kept = hub._scope.states.get(instance_id) is not None
        found = await hub.get(instance_id)
        (stored,) = (await hub.query(InstanceQuery(prefix=instance_id))).instances or (None,)
        assert found == stored
        return found and found.status, is_kept

    return look_at


@pytest.fixture
def lock(hub):
    async def lock_one():
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        return locked

    return lock_one


async def test_it_follows_an_instance_to_its_end(hub, look, lock):
    await hub.create(new_instance(input='"in"', tags={"a": "b"}), ())
    assert await look() == (RuntimeStatus.PENDING, True)
    locked = await lock()
    shown = replace(locked.state, custom_status='"half"', status=RuntimeStatus.RUNNING)
    await hub.commit_episode(locked.lease, running(locked, state=shown))
    assert await look() == (RuntimeStatus.RUNNING, True)
    await hub.send(message(), LIVE)
    locked = await lock()
    await hub.commit_episode(locked.lease, completed(locked))
    assert await look() == (RuntimeStatus.COMPLETED, True)


async def test_a_commit_that_is_refused_leaves_nothing(hub, look, lock):
    await hub.create(new_instance(), ())
    locked = await lock()
    await hub.purge("a", EVER)
    await hub.create(new_instance(execution_id="e2"), ())
    with pytest.raises(LeaseLost):
        await hub.commit_episode(locked.lease, completed(locked))
    assert await look() == (RuntimeStatus.PENDING, True)


async def test_a_purged_instance_is_gone(hub, look):
    await hub.create(new_instance(), ())
    await hub.purge("a", EVER)
    assert await look() == (None, False)


async def test_an_idle_entity_that_is_removed_is_gone(hub, look, lock):
    await hub.create(new_instance(), ())
    locked = await lock()
    await hub.commit_episode(locked.lease, running(locked))
    assert await hub.remove_idle("a", "e1")
    assert await look() == (None, False)


async def test_another_takes_its_place(hub, look):
    await hub.create(new_instance(input='"old"'), ())
    await hub.create(new_instance(execution_id="e2", input='"new"'), EVER)
    assert await look() == (RuntimeStatus.PENDING, True)
    assert (await hub.get("a")).input == '"new"'


async def test_one_that_ends_before_it_begins(hub, look):
    await hub.create(new_instance(scheduled_at=START + timedelta(hours=1)), ())
    await hub.send(Message("a", history.execution_terminated("why", START)), LIVE)
    assert (await look())[0] is RuntimeStatus.TERMINATED


async def test_one_that_is_rewound(hub, look, lock):
    await hub.create(start_of(new_instance(input='"in"').state, START), ())
    locked = await lock()
    failed = running(locked, status=RuntimeStatus.FAILED)
    await hub.commit_episode(locked.lease, failed)
    request = history.execution_rewound("repaired", START)
    await hub.rewind("a", request, UUID(int=7), {RuntimeStatus.FAILED})
    assert (await look())[0] is RuntimeStatus.PENDING


async def test_nothing_is_found_once_the_store_is_closed(path, clock):
    async with SqliteStore(path, clock) as provider:
        hub = provider.open_hub("h")
        await hub.create(new_instance(), ())
    with pytest.raises(StoreError):
        await hub.get("a")


def test_a_large_one_is_read_from_the_file():
    states = States()
    states.keep(state(input="x"))
    states.keep(state(input="x" * LARGE))
    assert states.get("a") is None


def test_the_one_written_longest_ago_goes_first():
    states = States(most_characters=2 * CHARACTERS_OF_A_STATE)
    for instance_id in ("a", "b", "a", "c"):
        states.keep(state(instance_id))
    assert [one for one in "abc" if states.get(one)] == ["a", "c"]
    states.clear()
    states.keep(state("d"))
    assert [one for one in "acd" if states.get(one)] == ["d"]
