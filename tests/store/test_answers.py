"""Answers of activities wait in memory for their episode; none is lost or recorded twice."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from store.builders import completed, message, names, new_instance, running, task
from stored_rows import read_file

from durahost.model.errors import InstanceNotFound, LeaseLost, StoreError
from durahost.model.status import LIVE, RuntimeStatus
from durahost.store.sqlite import answers
from durahost.store.sqlite.store import SqliteStore

pytestmark = pytest.mark.feature("Exactly once", "Each result is recorded once")

LEASE = timedelta(seconds=30)
EVER = frozenset(RuntimeStatus)


@pytest.fixture
def open_hub(path, clock):
    """The file, opened again and again; what the process before had in memory alone is gone."""

    def opened():
        return SqliteStore(path, clock)

    return opened


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    monkeypatch.setattr(answers.Answers.__init__, "__defaults__", (3600.0,))


def answer(name, task_id=0):
    return message(name=name, execution_id="e1")


async def schedule(hub, count=1):
    """An instance that waits for so many activities; their claims."""
    await hub.create(new_instance(), ())
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    tasks = [task(task_id=number, name=f"T{number}") for number in range(count)]
    await hub.commit_episode(locked.lease, running(locked, schedule=tasks))
    return await hub.lock_activities("me", LEASE, count)


def stored(path):
    """Names in the inbox, and names of activities, of the only instance in the file."""
    with read_file(path) as rows:
        (instance,) = rows.instances
        found = rows.of(instance)
        return [row["name"] for row in found["inbox"]], [row["name"] for row in found["task"]]


async def test_the_commit_of_the_episode_records_it(open_hub, path):
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        (activity,) = await schedule(hub)
        await hub.complete_activity(activity.lease, answer("answer"))
        assert stored(path) == ([], ["T0"])
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        assert names(locked) == ["answer"]
        await hub.commit_episode(locked.lease, running(locked))
        assert stored(path) == ([], [])
        assert await hub.lock_episodes("me", LEASE, 1) == []
        assert [e.name for e in await hub.read_history("a")] == ["Hello", "answer"]


async def test_a_second_answer_is_void(open_hub):
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        (activity,) = await schedule(hub)
        await hub.complete_activity(activity.lease, answer("first"))
        with pytest.raises(LeaseLost):
            await hub.complete_activity(activity.lease, answer("second"))
        await hub.abandon_activity(activity.lease, timedelta())
        assert await hub.lock_activities("me", LEASE, 1) == []
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        assert names(locked) == ["first"]


async def test_they_come_in_the_order_of_acceptance(open_hub):
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        one, two = await schedule(hub, 2)
        await hub.send(message(name="before"), LIVE)
        await hub.complete_activity(two.lease, answer("two"))
        await hub.send(message(name="between"), LIVE)
        await hub.complete_activity(one.lease, answer("one"))
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        assert names(locked) == ["before", "two", "between", "one"]


async def test_one_that_comes_during_an_episode_wakes_the_next(open_hub):
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        (activity,) = await schedule(hub)
        await hub.send(message(name="event"), LIVE)
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        await hub.complete_activity(activity.lease, answer("answer"))
        assert await hub.lock_episodes("me", LEASE, 1) == []
        waiting = asyncio.create_task(hub.wait_for_episodes(timedelta(minutes=1)))
        await hub.commit_episode(locked.lease, running(locked))
        await waiting
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        assert names(locked) == ["answer"]


async def test_an_episode_that_is_given_back_leaves_it_for_the_next(open_hub, path):
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        (activity,) = await schedule(hub)
        await hub.complete_activity(activity.lease, answer("answer"))
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        await hub.abandon_episode(locked.lease, timedelta())
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        assert names(locked) == ["answer"]


async def test_an_episode_whose_lease_lapses_leaves_it_for_the_next(open_hub, clock):
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        (activity,) = await schedule(hub)
        await hub.complete_activity(activity.lease, answer("answer"))
        (slow,) = await hub.lock_episodes("me", LEASE, 1)
        assert await hub.lock_episodes("me", LEASE, 1) == []
        clock.pass_time(LEASE)
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        assert names(locked) == ["answer"]
        with pytest.raises(LeaseLost):
            await hub.commit_episode(slow.lease, running(slow))
        await hub.commit_episode(locked.lease, running(locked))
        assert [e.name for e in await hub.read_history("a")] == ["Hello", "answer"]


async def schedule_each(hub, *instance_ids):
    """Instances that wait for an activity each; the activities' claims."""
    for instance_id in instance_ids:
        await hub.create(new_instance(instance_id), ())
    for locked in await hub.lock_episodes("me", LEASE, len(instance_ids)):
        own = [task(locked.state.instance_id)]
        await hub.commit_episode(locked.lease, running(locked, schedule=own))
    return await hub.lock_activities("me", LEASE, len(instance_ids))


async def lock_ids(hub, at_most):
    found = await hub.lock_episodes("me", LEASE, at_most)
    return [one.state.instance_id for one in found], [one.lease for one in found]


async def answer_each(hub, activities, clock):
    for activity in activities:
        clock.advance(timedelta(seconds=1))
        answered = message(activity.task.instance_id, name="answer", execution_id="e1")
        await hub.complete_activity(activity.lease, answered)


async def test_the_instance_that_was_answered_first_comes_first(open_hub, clock):
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        a, b, c = await schedule_each(hub, "a", "b", "c")
        await answer_each(hub, [c, a], clock)
        clock.advance(timedelta(seconds=1))
        await hub.create(new_instance("new"), ())
        await answer_each(hub, [b], clock)
        assert (await lock_ids(hub, 1))[0] == ["c"]
        assert (await lock_ids(hub, 2))[0] == ["a", "new"]
        assert (await lock_ids(hub, 2))[0] == ["b"]


async def test_an_instance_that_is_given_back_has_not_lost_its_place(open_hub, clock):
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        await answer_each(hub, await schedule_each(hub, "a", "b", "c", "d"), clock)
        found, leases = await lock_ids(hub, 2)
        assert found == ["a", "b"]
        for lease in leases:
            await hub.abandon_episode(lease, timedelta())
        assert (await lock_ids(hub, 3))[0] == ["a", "b", "c"]
        clock.pass_time(LEASE)
        assert (await lock_ids(hub, 4))[0] == ["a", "b", "c", "d"]


async def test_one_that_an_episode_leaves_wakes_the_next(open_hub, clock):
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        await answer_each(hub, await schedule_each(hub, "a"), clock)
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        await hub.commit_episode(locked.lease, running(locked, consume=[]))
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        assert names(locked) == ["answer"]


async def test_a_lapsed_lease_on_an_answered_instance_ends_the_wait(open_hub, clock):
    moment = timedelta(milliseconds=20)
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        activities = await schedule_each(hub, "a")
        assert await hub.lock_episodes("me", LEASE, 1) == []
        await answer_each(hub, activities, clock)
        assert len(await hub.lock_episodes("dead", moment, 1)) == 1
        assert await hub.lock_episodes("me", LEASE, 1) == []
        async with asyncio.timeout(5):
            await hub.wait_for_episodes(timedelta(hours=1))
        clock.pass_time(moment)
        assert (await lock_ids(hub, 1))[0] == ["a"]


async def test_one_of_an_episode_that_cannot_be_read_waits_for_the_next(open_hub, path, clock):
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        await answer_each(hub, await schedule_each(hub, "a", "b"), clock)
        hub._scope.residents.take("b")  # which is read from the file, then
        with closing(sqlite3.connect(path)) as file:
            file.execute("ALTER TABLE history RENAME TO elsewhere")
            with pytest.raises(StoreError):
                await hub.lock_episodes("me", LEASE, 2)
            file.execute("ALTER TABLE elsewhere RENAME TO history")
        assert (await lock_ids(hub, 2))[0] == ["a", "b"]


async def test_one_that_no_episode_takes_in_time_goes_into_the_inbox(open_hub, path, monkeypatch):
    monkeypatch.setattr(answers.Answers.__init__, "__defaults__", (0.0,))
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        (activity,) = await schedule(hub)
        await hub.complete_activity(activity.lease, answer("answer"))
        async with asyncio.timeout(60):
            while stored(path) != (["answer"], []):  # noqa: ASYNC110
                await asyncio.sleep(0)
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        assert names(locked) == ["answer"]
        await hub.commit_episode(locked.lease, running(locked))
        assert stored(path) == ([], [])


async def test_one_that_an_episode_is_at_work_with_stays_with_it(open_hub, path, monkeypatch):
    monkeypatch.setattr(answers.Answers.__init__, "__defaults__", (0.0,))
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        (activity,) = await schedule(hub)
        await hub.complete_activity(activity.lease, answer("answer"))
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert stored(path) == ([], ["T0"])
        await hub.commit_episode(locked.lease, running(locked))
        assert stored(path) == ([], [])


@pytest.mark.parametrize("turns", range(5))
async def test_an_episode_has_it_or_the_inbox_but_never_both(open_hub, monkeypatch, turns):
    """Whichever comes first in a turn of the event loop."""
    monkeypatch.setattr(answers.Answers.__init__, "__defaults__", (0.0,))
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        (activity,) = await schedule(hub)
        await hub.complete_activity(activity.lease, answer("answer"))
        for _ in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(60):
            while not (found := await hub.lock_episodes("me", LEASE, 1)):  # noqa: ASYNC110
                await asyncio.sleep(0)
            for _ in range(20):
                await asyncio.sleep(0.001)
        (locked,) = found
        assert names(locked) == ["answer"]
        await hub.commit_episode(locked.lease, running(locked))
        assert [e.name for e in await hub.read_history("a")] == ["Hello", "answer"]


async def test_closing_leaves_none_behind(open_hub, path):
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        (activity,) = await schedule(hub)
        await hub.complete_activity(activity.lease, answer("answer"))
    assert stored(path) == (["answer"], [])


async def test_what_a_process_had_in_memory_alone_runs_again(open_hub, path):
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        (activity,) = await schedule(hub)
        await hub.complete_activity(activity.lease, answer("answer"))
        hub._scope.answers._kept.clear()  # as a kill would
    assert stored(path) == ([], ["T0"])
    async with open_hub() as provider:
        (again,) = await provider.open_hub("h").lock_activities("me", LEASE, 1)
        assert again.task == activity.task


async def test_one_of_an_instance_that_ends_goes_with_it(open_hub, path):
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        (activity,) = await schedule(hub)
        await hub.send(message(name="event"), LIVE)
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        await hub.complete_activity(activity.lease, answer("answer"))
        await hub.commit_episode(locked.lease, completed(locked))
        assert stored(path) == ([], [])
        assert await hub.lock_episodes("me", LEASE, 1) == []
        assert len(hub._scope.activity_claims) == 0
        assert not hub._scope.answers._untaken


async def test_one_of_an_instance_that_is_purged_goes_with_it(open_hub):
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        (activity,) = await schedule(hub)
        await hub.complete_activity(activity.lease, answer("answer"))
        await hub.purge("a", EVER)
        assert await hub.lock_episodes("me", LEASE, 1) == []
        assert len(hub._scope.activity_claims) == 0
        with pytest.raises(InstanceNotFound):
            await hub.purge("a", EVER)


async def test_an_episode_whose_instance_was_purged_changes_nothing(open_hub):
    async with open_hub() as provider:
        hub = provider.open_hub("h")
        (activity,) = await schedule(hub)
        await hub.complete_activity(activity.lease, answer("answer"))
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        await hub.purge("a", EVER)
        await hub.create(new_instance(execution_id="e2"), ())
        with pytest.raises(LeaseLost):
            await hub.commit_episode(locked.lease, running(locked))
        (locked,) = await hub.lock_episodes("me", LEASE, 2)
        assert names(locked) == ["Hello"]
        assert len(hub._scope.activity_claims) == 0
