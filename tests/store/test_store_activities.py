"""Activities: claimed in order, answered once."""

from datetime import timedelta

import pytest
from store.builders import completed, message, names, new_instance, running, task

from durahost.model.errors import LeaseLost, WorkGone
from durahost.model.status import LIVE

LEASE = timedelta(seconds=30)
NOW = timedelta()


@pytest.fixture
async def scheduled(hub, lock):
    """An instance with three open activities."""
    await hub.create(new_instance(), ())
    locked = await lock()
    tasks = [task(task_id=n, name=f"T{n}", input=None) for n in range(3)]
    await hub.commit_episode(locked.lease, running(locked, schedule=tasks))
    return tasks


async def test_oldest_activities_come_first(hub, scheduled):
    first = await hub.lock_activities("me", LEASE, 2)
    rest = await hub.lock_activities("me", LEASE, 2)
    assert [a.task for a in [*first, *rest]] == scheduled
    assert {a.attempts for a in first} == {1}
    assert await hub.lock_activities("me", LEASE, 2) == []


@pytest.mark.feature("Exactly once", "Each result is recorded once")
async def test_an_answer_removes_the_activity_and_wakes_the_instance(hub, lock, scheduled, clock):
    activity, *_ = await hub.lock_activities("me", LEASE, 3)
    await hub.complete_activity(activity.lease, message(name="answer", execution_id="e1"))
    assert names(await lock()) == ["answer"]
    clock.pass_time(LEASE)
    assert len(await hub.lock_activities("me", LEASE, 3)) == 2


@pytest.mark.feature("Exactly once", "Each result is recorded once")
async def test_one_of_two_answers_counts_i7_i36(hub, lock, scheduled, clock):
    slow, *_ = await hub.lock_activities("me", LEASE, 1)
    clock.pass_time(LEASE)
    fast, *_ = await hub.lock_activities("other", LEASE, 1)
    assert fast.task == slow.task
    assert fast.lease.token > slow.lease.token
    assert fast.attempts == 2
    with pytest.raises(LeaseLost):
        await hub.complete_activity(slow.lease, message(name="slow"))
    await hub.complete_activity(fast.lease, message(name="fast"))
    with pytest.raises(LeaseLost):
        await hub.complete_activity(fast.lease, message(name="again"))
    assert names(await lock()) == ["fast"]


async def test_an_activity_of_an_ended_instance_is_void(hub, lock, scheduled):
    activity, *_ = await hub.lock_activities("me", LEASE, 1)
    await hub.send(message(), LIVE)
    locked = await lock()
    await hub.commit_episode(locked.lease, completed(locked))
    with pytest.raises(WorkGone):
        await hub.complete_activity(activity.lease, message())
    assert await hub.lock_episodes("me", LEASE, 1) == []


@pytest.mark.feature("Exactly once", "Each result is recorded once")
async def test_an_answer_to_an_older_execution_is_dropped_i24(hub, scheduled):
    activity, *_ = await hub.lock_activities("me", LEASE, 1)
    await hub.complete_activity(activity.lease, message(execution_id="e0"))
    assert await hub.lock_episodes("me", LEASE, 1) == []


async def test_an_abandoned_activity_is_tried_again_after_its_delay(hub, scheduled, clock):
    first, *others = await hub.lock_activities("me", LEASE, 3)
    await hub.abandon_activity(first.lease, LEASE / 3)
    await hub.abandon_activity(others[0].lease, NOW)
    (again,) = await hub.lock_activities("me", LEASE, 3)
    assert again.task == others[0].task
    clock.pass_time(LEASE / 3)
    (again,) = await hub.lock_activities("me", LEASE, 3)
    assert (again.task, again.attempts) == (first.task, 2)
    with pytest.raises(LeaseLost):
        await hub.complete_activity(first.lease, message())


async def test_renewing_extends_what_is_still_ours(hub, scheduled, clock):
    activities = await hub.lock_activities("me", LEASE, 3)
    leases = [activity.lease for activity in activities]
    await hub.abandon_activity(leases[0], LEASE)
    clock.pass_time(LEASE / 2)
    assert await hub.renew(leases, LEASE) == leases[1:]
    clock.pass_time(LEASE / 2)
    (again,) = await hub.lock_activities("me", LEASE, 3)
    assert again.task == activities[0].task
