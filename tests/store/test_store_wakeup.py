"""Wake-up: waits end when there is work, at the next due time, or at their limit."""

import asyncio
from datetime import timedelta

import pytest
from clocks import START
from store.builders import completed, event, message, names, new_instance, running, task

from durahost.model.events import EventKind
from durahost.model.messages import Message
from durahost.model.status import LIVE

LEASE = timedelta(seconds=30)
HOUR = timedelta(hours=1)
MOMENT = timedelta(milliseconds=20)


@pytest.fixture
async def idle(hub):
    """A hub in which nothing was found, so that the next wait would be a long one."""
    assert await hub.lock_episodes("me", LEASE, 1) == []
    assert await hub.lock_activities("me", LEASE, 1) == []
    return hub


@pytest.fixture
async def waiter(idle):
    """Begins a wait of an hour, and is not over yet."""

    async def begin(wait):
        waiting = asyncio.ensure_future(wait(HOUR))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()
        return asyncio.wait_for(waiting, 5)

    return begin


async def test_a_start_wakes_i20(hub, waiter):
    woken = await waiter(hub.wait_for_episodes)
    await hub.create(new_instance(), ())
    await woken


async def test_a_commit_between_attempt_and_wait_wakes_i20(hub, idle):
    await hub.create(new_instance(), ())
    async with asyncio.timeout(5):
        await hub.wait_for_episodes(HOUR)


async def test_an_attempt_overtaken_by_a_start_does_not_hide_it(hub, idle):
    async with asyncio.timeout(5):
        found, _ = await asyncio.gather(
            hub.lock_episodes("me", LEASE, 1), hub.create(new_instance(), ())
        )
        assert found == []
        await hub.wait_for_episodes(HOUR)
    assert len(await hub.lock_episodes("me", LEASE, 1)) == 1


async def test_a_scheduled_activity_wakes(hub, lock, waiter):
    await hub.create(new_instance(), ())
    locked = await lock()
    woken = await waiter(hub.wait_for_activities)
    await hub.commit_episode(locked.lease, running(locked, schedule=[task()]))
    await woken


async def test_an_answer_wakes(hub, lock, lock_activity, waiter):
    await hub.create(new_instance(), ())
    locked = await lock()
    await hub.commit_episode(locked.lease, running(locked, schedule=[task()]))
    activity = await lock_activity()
    assert await hub.lock_episodes("me", LEASE, 1) == []
    woken = await waiter(hub.wait_for_episodes)
    await hub.complete_activity(activity.lease, message(name="answer"))
    await woken


async def test_messages_left_in_the_inbox_wake(hub, lock, waiter):
    await hub.create(new_instance(), ())
    locked = await lock()
    await hub.send(message(name="left"), LIVE)
    assert await hub.lock_episodes("me", LEASE, 1) == []
    woken = await waiter(hub.wait_for_episodes)
    await hub.commit_episode(locked.lease, running(locked))
    await woken
    assert names(await lock()) == ["left"]


async def test_the_next_due_message_ends_the_wait_i25(hub, lock, waiter, clock):
    await hub.create(new_instance(scheduled_at=START + 2 * HOUR), ())
    await hub.create(new_instance("b", scheduled_at=START + HOUR), ())
    assert await hub.lock_episodes("me", LEASE, 1) == []
    woken = await waiter(hub.wait_for_episodes)
    clock.advance(HOUR)
    await woken
    assert (await lock()).state.instance_id == "b"


async def test_a_lapsed_lease_ends_the_wait_i37(hub, clock):
    await hub.create(new_instance(), ())
    assert len(await hub.lock_episodes("dead", MOMENT, 1)) == 1
    assert await hub.lock_episodes("me", LEASE, 1) == []
    async with asyncio.timeout(5):
        await hub.wait_for_episodes(HOUR)
    clock.pass_time(MOMENT)
    assert len(await hub.lock_episodes("me", LEASE, 1)) == 1


async def test_the_end_of_a_delay_ends_the_wait(hub, lock, lock_activity, clock):
    await hub.create(new_instance(), ())
    locked = await lock()
    await hub.commit_episode(locked.lease, running(locked, schedule=[task()]))
    activity = await lock_activity()
    await hub.abandon_activity(activity.lease, MOMENT)
    assert await hub.lock_activities("me", LEASE, 1) == []
    async with asyncio.timeout(5):
        await hub.wait_for_activities(HOUR)
    clock.pass_time(MOMENT)
    await lock_activity()


async def test_an_abandoned_episode_wakes(hub, lock, waiter):
    await hub.create(new_instance(), ())
    locked = await lock()
    assert await hub.lock_episodes("me", LEASE, 1) == []
    woken = await waiter(hub.wait_for_episodes)
    await hub.abandon_episode(locked.lease, timedelta())
    await woken
    await lock()


async def test_the_limit_ends_the_wait(hub, idle):
    async with asyncio.timeout(5):
        await hub.wait_for_episodes(MOMENT)
        await hub.wait_for_activities(MOMENT)


async def test_a_standing_clock_does_not_hold_a_wait_beyond_its_limit(hub, idle):
    await hub.create(new_instance(scheduled_at=START + MOMENT / 2), ())
    assert await hub.lock_episodes("me", LEASE, 1) == []
    async with asyncio.timeout(5):
        await hub.wait_for_episodes(MOMENT)


async def test_an_end_ends_the_wait_for_it(hub):
    for name in "ab":
        await hub.create(new_instance(name), ())
    a, b = await hub.lock_episodes("me", LEASE, 2)
    still = asyncio.ensure_future(hub.wait_for_end("b", HOUR))
    ended = [asyncio.ensure_future(hub.wait_for_end("a", HOUR)) for _ in range(2)]
    await asyncio.sleep(0)
    await hub.commit_episode(b.lease, running(b))
    assert not any(one.done() for one in (*ended, still))
    await hub.commit_episode(a.lease, completed(a))
    async with asyncio.timeout(5):
        await asyncio.gather(*ended)
        await hub.wait_for_end("a", HOUR)
    assert not still.done()
    still.cancel()


async def test_a_termination_before_the_time_has_come_ends_the_wait(hub):
    await hub.create(new_instance("a", scheduled_at=START + HOUR), ())
    waiting = asyncio.ensure_future(hub.wait_for_end("a", HOUR))
    await asyncio.sleep(0)
    await hub.send(Message("a", event(kind=EventKind.EXECUTION_TERMINATED)), LIVE)
    async with asyncio.timeout(5):
        await waiting


async def test_a_wait_for_an_unknown_end_ends_at_its_limit(hub):
    async with asyncio.timeout(5):
        await hub.wait_for_end("unknown", MOMENT)
