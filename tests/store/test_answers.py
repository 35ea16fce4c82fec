"""Answers of activities wait in memory for their episode; none is lost or recorded twice."""

import asyncio
from datetime import timedelta

import pytest
from store.builders import completed, message, names, new_instance, running, task
from stored_rows import read_file

from durahost.model.errors import InstanceNotFound, LeaseLost
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
