"""Entities begin with the first message sent to them, and go when nothing waits for them."""

from datetime import timedelta

import pytest
from clocks import START
from store.builders import completed, event, message, names, new_instance, running

from durahost.model.events import EventKind
from durahost.model.messages import Message
from durahost.model.status import LIVE, RuntimeStatus

LEASE = timedelta(seconds=30)
COUNTER = "@counter@k"


@pytest.mark.feature("Entities", "Signals")
async def test_a_signal_starts_the_entity(hub, lock):
    await hub.signal(message(COUNTER, "op"))
    state = await hub.get(COUNTER)
    assert (state.name, state.version, state.status) == (COUNTER, "", RuntimeStatus.RUNNING)
    assert (state.created_at, state.updated_at, state.generation) == (START, START, 0)
    assert len(state.execution_id) == 32
    assert (state.input, state.custom_status) == (None, None)
    await hub.signal(message(COUNTER, "op 2"))
    locked = await lock()
    assert names(locked) == ["op", "op 2"]
    assert locked.state == state
    assert locked.history == []


@pytest.mark.feature("Entities", "Signals")
async def test_a_message_of_a_commit_starts_the_entity(hub, lock):
    await hub.create(new_instance(), ())
    locked = await lock()
    await hub.commit_episode(locked.lease, running(locked, send=[message(COUNTER, "op")]))
    assert names(await lock()) == ["op"]


@pytest.mark.feature("Entities", "Scheduled signals")
async def test_a_scheduled_signal_waits_for_its_time(hub, lock, clock):
    await hub.signal(message(COUNTER, "op", visible_at=START + LEASE))
    assert await hub.lock_episodes("me", LEASE, 10) == []
    clock.advance(LEASE)
    assert names(await lock()) == ["op"]


@pytest.mark.feature("Entities", "Signals")
@pytest.mark.parametrize(
    "other",
    [
        message("counter", "op"),
        message("@counter", "op"),
        message("@@k", "op"),
        message(COUNTER, "op", execution_id="e1"),
        Message(COUNTER, event("Task", EventKind.TASK_COMPLETED)),
    ],
)
async def test_other_messages_start_nothing(hub, other):
    await hub.signal(other)
    assert await hub.get(other.instance_id) is None


@pytest.mark.feature("Entities", "Deletion and cleaning")
async def test_an_entity_that_has_ended_hears_nothing(hub, lock):
    await hub.signal(message(COUNTER))
    locked = await lock()
    await hub.commit_episode(locked.lease, completed(locked))
    await hub.signal(message(COUNTER))
    assert await hub.lock_episodes("me", LEASE, 10) == []


@pytest.mark.feature("Entities", "Deletion and cleaning")
async def test_an_entity_begins_anew_after_a_purge(hub, clock):
    await hub.signal(message(COUNTER))
    first = await hub.get(COUNTER)
    await hub.purge(COUNTER, LIVE)
    clock.advance(LEASE)
    await hub.signal(message(COUNTER))
    assert (await hub.get(COUNTER)).execution_id != first.execution_id


@pytest.mark.feature("Entities", "Signals")
async def test_two_entities_are_two_instances(hub):
    await hub.signal(message("@counter@K"))
    await hub.signal(message(COUNTER))
    locked = await hub.lock_episodes("me", LEASE, 10)
    assert len({one.state.execution_id for one in locked}) == 2


@pytest.mark.feature("Entities", "Deletion and cleaning")
async def test_only_an_idle_entity_is_removed(hub, lock):
    assert not await hub.remove_idle(COUNTER, "e1")
    await hub.signal(message(COUNTER))
    state = await hub.get(COUNTER)
    assert not await hub.remove_idle(COUNTER, state.execution_id)
    locked = await lock()
    assert not await hub.remove_idle(COUNTER, state.execution_id)
    await hub.commit_episode(locked.lease, running(locked))
    assert not await hub.remove_idle(COUNTER, "another")
    assert await hub.remove_idle(COUNTER, state.execution_id)
    assert await hub.get(COUNTER) is None
    assert await hub.read_history(COUNTER) == []
