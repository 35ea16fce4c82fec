"""A scheduled activity goes to its dispatcher from memory, and is what the file says."""

import asyncio
import time
from datetime import timedelta

import pytest
from store.builders import completed, message, names, new_instance, running, state, task
from stored_rows import read_file

from durahost.model.errors import LeaseLost, WorkGone
from durahost.model.status import LIVE, RuntimeStatus
from durahost.store.sqlite.hub import MANY_ROWS
from durahost.store.sqlite.store import SqliteStore
from durahost.store.sqlite.tasks import CHARACTERS_OF_A_TASK, Task, Tasks

LEASE = timedelta(seconds=30)
NOW = timedelta()
EVER = frozenset(RuntimeStatus)


@pytest.fixture
def open_store(path, clock):
    def opened():
        return SqliteStore(path, clock)

    return opened


@pytest.fixture
async def hub(open_store):
    """Its activities are all known in memory: a lock has found none in the file."""
    async with open_store() as provider:
        hub = provider.open_hub("h")
        assert await hub.lock_activities("me", LEASE, 1) == []
        yield hub


async def schedule(hub, *names, instance_id="a", **changes):
    """A new instance that waits for activities of these names; its episode as it was locked."""
    await hub.create(new_instance(instance_id), EVER)
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    tasks = [task(instance_id, task_id=n, name=name) for n, name in enumerate(names)]
    await hub.commit_episode(locked.lease, running(locked, schedule=tasks, **changes))


async def lock(hub, at_most=10):
    """Names of the activities claimed now."""
    return [one.task.name for one in await hub.lock_activities("me", LEASE, at_most)]


def is_read(hub):
    """Whether the next lock reads the file."""
    return hub._scope.activities.may_be_stored


async def test_it_is_claimed_without_a_read(hub, path):
    await schedule(hub, "one", "two")
    assert not is_read(hub)
    (activity,) = await hub.lock_activities("me", LEASE, 1)
    assert activity.task == task(name="one")
    with read_file(path) as rows:
        stored = rows.of(rows.instances[0])["task"]
    assert [str(row["task_row"]) for row in stored][:1] == [activity.lease.key]
    assert await lock(hub) == ["two"]
    assert await lock(hub) == []
    assert not is_read(hub)


async def test_those_of_an_earlier_opening_are_read(open_store):
    async with open_store() as provider:
        await schedule(provider.open_hub("h"), "one", "two")
    async with open_store() as provider:
        hub = provider.open_hub("h")
        await schedule(hub, "three", instance_id="b")
        assert await lock(hub) == ["one", "two", "three"]
        assert await lock(hub) == []


async def test_one_that_was_given_back_comes_before_younger_ones(hub):
    await schedule(hub, "one", "two")
    (first,) = await hub.lock_activities("me", LEASE, 1)
    await hub.abandon_activity(first.lease, NOW)
    await schedule(hub, "three", instance_id="b")
    assert await lock(hub, 2) == ["one", "two"]
    assert await lock(hub) == ["three"]


async def test_one_that_was_read_and_answered_is_not_claimed_again(hub):
    """It was known in memory, too."""
    await schedule(hub, "one", "two")
    (first,) = await hub.lock_activities("me", LEASE, 1)
    await hub.abandon_activity(first.lease, NOW)
    for activity in await hub.lock_activities("me", LEASE, 10):
        await hub.complete_activity(activity.lease, message(name="answer", execution_id="e1"))
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    await hub.commit_episode(locked.lease, running(locked))
    assert await lock(hub) == []
    await schedule(hub, "three", instance_id="b")
    assert await lock(hub) == ["three"]


async def test_one_that_was_given_back_waits_for_its_delay(hub, clock):
    await schedule(hub, "one", "two")
    (first,) = await hub.lock_activities("me", LEASE, 1)
    await hub.abandon_activity(first.lease, LEASE / 2)
    assert await lock(hub) == ["two"]
    assert await lock(hub) == []
    clock.pass_time(LEASE / 2)
    assert await lock(hub) == ["one"]


async def test_one_whose_lease_has_lapsed_is_found_again(hub, clock):
    """Though no lock has ever found less than it asked for."""
    await schedule(hub, "one", "two")
    assert await lock(hub, 1) == ["one"]
    assert await lock(hub, 1) == ["two"]
    clock.pass_time(LEASE)
    assert await lock(hub) == ["one", "two"]


async def test_a_commit_that_is_refused_schedules_none(hub):
    await hub.create(new_instance(), ())
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    await hub.purge("a", EVER)
    with pytest.raises(LeaseLost):
        await hub.commit_episode(locked.lease, running(locked, schedule=[task()]))
    assert await lock(hub) == []


async def test_none_is_claimed_before_its_commit(hub):
    await hub.create(new_instance(), ())
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    commit = asyncio.create_task(
        hub.commit_episode(locked.lease, running(locked, schedule=[task()]))
    )
    assert await lock(hub) == []
    await asyncio.sleep(0)
    assert await lock(hub) == []
    await commit
    assert await lock(hub) == ["SayHello"]


async def test_one_that_was_read_before_its_commit_was_settled_is_claimed_once(hub, path):
    await schedule(hub, "old")
    (old,) = await hub.lock_activities("me", LEASE, 1)
    await hub.create(new_instance("b"), ())
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    tasks = [task("b", task_id=number) for number in range(MANY_ROWS + 1)]
    commit = asyncio.create_task(hub.commit_episode(locked.lease, running(locked, schedule=tasks)))
    await asyncio.sleep(0)  # the commit is queued
    await asyncio.sleep(0)  # the writer's thread has it
    limit_s = time.monotonic() + 60
    while len(_tasks(path, "b")) < len(tasks) and time.monotonic() < limit_s:
        pass  # the loop stands still: what the thread has committed is not settled
    await hub.abandon_activity(old.lease, NOW)
    early = await lock(hub, 3)
    assert early == ["old", "SayHello", "SayHello"]
    await commit
    assert len(await lock(hub, 1000)) == len(tasks) - 2
    assert await lock(hub) == []


def _tasks(path, instance_id):
    with read_file(path) as rows:
        (instance,) = [one for one in rows.instances if one["id"] == instance_id]
        return rows.of(instance)["task"]


async def purge(hub):
    await hub.purge("a", EVER)


async def replace(hub):
    await hub.create(new_instance(execution_id="e2"), EVER)


async def end(hub):
    await hub.send(message(name="end"), LIVE)
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    await hub.commit_episode(locked.lease, completed(locked))


async def begin_anew(hub):
    """Its new execution schedules an activity in the place of the old one's."""
    await hub.send(message(name="again"), LIVE)
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    fresh = state(execution_id="e2", status=RuntimeStatus.RUNNING, input='"again"')
    tasks = [task(execution_id="e2", name="new")]
    commit = running(locked, state=fresh, schedule=tasks, starts_generation=True)
    await hub.commit_episode(locked.lease, commit)


@pytest.mark.parametrize("go", [purge, replace, end, begin_anew])
async def test_what_went_with_its_instance_is_not_claimed(hub, go):
    await schedule(hub, "one", "two")
    await go(hub)
    assert not is_read(hub)
    assert await lock(hub) == (["new"] if go is begin_anew else [])


@pytest.mark.feature("Exactly once", "Each result is recorded once")
@pytest.mark.parametrize("go", [purge, replace, end, begin_anew])
async def test_an_answer_to_what_went_with_its_instance_is_refused(hub, go):
    await schedule(hub, "one", "two")
    (activity,) = await hub.lock_activities("me", LEASE, 1)
    await go(hub)
    with pytest.raises(WorkGone):
        await hub.complete_activity(activity.lease, message(name="late", execution_id="e1"))
    (others) = await hub.lock_activities("me", LEASE, 10)
    for one in others:
        await hub.complete_activity(one.lease, message(name="new", execution_id="e2"))
    assert [one.task.name for one in others] == (["new"] if go is begin_anew else [])


async def test_the_new_executions_own_is_not_taken_for_the_old_ones(hub, path):
    """Also where it was claimed before the commit was settled that deleted the old one."""
    await schedule(hub, "one")
    (old,) = await hub.lock_activities("me", LEASE, 1)
    await hub.send(message(name="again"), LIVE)
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    fresh = state(execution_id="e2", status=RuntimeStatus.RUNNING)
    tasks = [task(execution_id="e2", task_id=number) for number in range(MANY_ROWS + 1)]
    change = running(locked, state=fresh, schedule=tasks, starts_generation=True)
    commit = asyncio.create_task(hub.commit_episode(locked.lease, change))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    limit_s = time.monotonic() + 60
    while len(_tasks(path, "a")) < len(tasks) and time.monotonic() < limit_s:
        pass
    await hub.abandon_activity(old.lease, LEASE)
    (new,) = await hub.lock_activities("me", LEASE, 1)
    assert new.task == tasks[0]
    await commit
    await hub.complete_activity(new.lease, message(name="answer", execution_id="e2"))
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    assert "answer" in names(locked)


async def test_answers_stand_behind_what_an_earlier_opening_has_accepted(open_store):
    async with open_store() as provider:
        hub = provider.open_hub("h")
        await schedule(hub, "one")
        await hub.send(message(name="before"), LIVE)
    async with open_store() as provider:
        hub = provider.open_hub("h")
        (activity,) = await hub.lock_activities("me", LEASE, 1)
        await hub.complete_activity(activity.lease, message(name="answer", execution_id="e1"))
        await hub.send(message(name="behind"), LIVE)
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        assert names(locked) == ["before", "answer", "behind"]


async def test_one_there_is_no_room_for_is_read(open_store, monkeypatch):
    room = 2 * CHARACTERS_OF_A_TASK + 100
    monkeypatch.setattr(Tasks.__init__, "__defaults__", (room,))
    async with open_store() as provider:
        hub = provider.open_hub("h")
        assert await lock(hub) == []
        await schedule(hub, "one", "two")
        assert not is_read(hub)
        await schedule(hub, "three", instance_id="b")
        assert is_read(hub)
        assert await lock(hub) == ["one", "two", "three"]
        assert await lock(hub) == []
        await schedule(hub, "four", instance_id="c")
        assert not is_read(hub)
        assert await lock(hub) == ["four"]


def test_what_is_kept_is_bounded():
    def kept(row, text):
        return Task(row, (1, "e1", row), task(task_id=row, input=text))

    tasks = Tasks(2 * CHARACTERS_OF_A_TASK + 10)
    assert not tasks.keep([kept(1, "x" * 5), kept(2, "x" * 6)])
    assert list(tasks.take()) == []
    both = [kept(1, "x" * 5), kept(2, "x" * 5)]
    for _ in range(3):
        assert tasks.keep(both)
        assert not tasks.keep([kept(3, None)])
        tasks.forget(2)
        assert list(tasks.take()) == both[:1]
        assert tasks.keep(both)
        tasks.clear()
        assert list(tasks.take()) == []
