"""What a commit leaves in memory is what the file says, and nothing once the file says otherwise.

Runs of whole hosts compare the two at each episode: `hub_world` (NumberedHub).
"""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from store.builders import completed, message, names, new_instance, running, state, task
from stored_rows import read_file

from durahost.codec import history
from durahost.model.errors import LeaseLost
from durahost.model.instances import Commit, Seen
from durahost.model.status import LIVE, RuntimeStatus
from durahost.store.sqlite.hub import MANY_ROWS
from durahost.store.sqlite.residents import LONG_HISTORY, Resident, Residents
from durahost.store.sqlite.store import SqliteStore

LEASE = timedelta(seconds=30)
EVER = frozenset(RuntimeStatus)


@pytest.fixture
async def hub(path, clock):
    async with SqliteStore(path, clock) as provider:
        yield provider.open_hub("h")


@pytest.fixture
def answered(hub):
    """An instance whose only activity has answered; other events are stored before that."""

    async def answer(*stored):
        await hub.create(new_instance(), ())
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        await hub.commit_episode(locked.lease, running(locked, schedule=[task()]))
        (activity,) = await hub.lock_activities("me", LEASE, 1)
        for name in stored:
            await hub.send(message(name=name), LIVE)
        await hub.complete_activity(activity.lease, message(name="answer", execution_id="e1"))

    return answer


async def test_an_episode_begins_with_what_was_committed(hub, answered):
    await answered()
    assert hub._scope.residents.get("a") is not None
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    assert locked.state == await hub.get("a")
    assert locked.history == await hub.read_history("a")
    assert names(locked) == ["answer"]


async def test_the_first_episode_begins_with_what_was_started(hub):
    await hub.create(new_instance(input='"x"'), ())
    resident = hub._scope.residents.get("a")
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    assert locked.state is resident.state
    assert (locked.state, locked.history) == (await hub.get("a"), [])
    assert names(locked) == ["Hello"]


async def test_what_is_started_again_is_not_taken_for_what_was_there_before(hub):
    await hub.create(new_instance(), ())
    await hub.create(new_instance(execution_id="e2"), EVER)
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    assert locked.state.execution_id == "e2"
    await hub.commit_episode(locked.lease, running(locked))
    assert (await hub.get("a")).status is RuntimeStatus.RUNNING


async def test_what_begins_later_is_not_kept(hub, clock):
    await hub.create(new_instance(scheduled_at=clock.now() + timedelta(hours=1)), ())
    assert hub._scope.residents.get("a") is None


async def test_stored_messages_come_along(hub, answered):
    await answered("event")
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    assert names(locked) == ["event", "answer"]


async def test_events_that_are_known_are_left_out(hub, answered):
    await answered()
    (locked,) = await hub.lock_episodes("me", LEASE, 1, {"a": Seen("e1", 1)})
    assert (locked.history, locked.left_out) == ([], 1)


async def test_who_knows_less_is_given_more(hub, answered):
    await answered()
    resident = hub._scope.residents.take("a")
    hub._scope.residents.keep(replace(resident, history=[], left_out=1))
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    assert locked.history == await hub.read_history("a")


async def test_a_purged_instance_is_not_resident(hub, answered):
    await answered()
    await hub.purge("a", EVER)
    assert hub._scope.residents.get("a") is None
    assert await hub.lock_episodes("me", LEASE, 1) == []


async def test_a_stale_one_commits_nothing_and_is_forgotten(hub, answered):
    await answered()
    kept = hub._scope.residents.take("a")
    hub._scope.residents.keep(replace(kept, mark=(kept.mark[0], kept.mark[1] - 1)))
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    with pytest.raises(LeaseLost):
        await hub.commit_episode(locked.lease, running(locked))
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    await hub.commit_episode(locked.lease, running(locked))
    assert [event.name for event in await hub.read_history("a")] == ["Hello", "answer"]


async def lock_soon(hub):
    for _ in range(100_000):
        if locked := await hub.lock_episodes("me", LEASE, 1):
            return locked[0]
        await asyncio.sleep(0)
    raise AssertionError("nothing to lock")


async def test_who_claims_it_right_after_the_commit_goes_on_from_that(hub):
    await hub.create(new_instance(), ())
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    tasks = [task(task_id=number) for number in range(3)]
    await hub.commit_episode(locked.lease, running(locked, schedule=tasks))
    for activity in await hub.lock_activities("me", LEASE, 3):
        await hub.complete_activity(activity.lease, message(name="answer", execution_id="e1"))
        next_lock = asyncio.create_task(lock_soon(hub))
        if names(locked) == ["answer"]:
            await hub.commit_episode(locked.lease, running(locked))
        locked = await next_lock
        assert locked.history == await hub.read_history("a")
    await hub.commit_episode(locked.lease, running(locked))
    assert [e.name for e in await hub.read_history("a")] == ["Hello", *["answer"] * 3]


async def test_nobody_claims_it_while_its_commit_is_not_settled(hub, path):
    await hub.create(new_instance(), ())
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    await hub.send(message(name="event"), LIVE)
    tasks = [task(task_id=number) for number in range(MANY_ROWS + 1)]
    commit = asyncio.create_task(hub.commit_episode(locked.lease, running(locked, schedule=tasks)))
    await asyncio.sleep(0)  # the commit is queued
    await asyncio.sleep(0)  # the writer's thread has it
    limit_s = time.monotonic() + 60
    while not _has_tasks(path) and time.monotonic() < limit_s:
        pass  # the loop stands still: what the thread has committed is not settled
    assert _has_tasks(path)
    assert await hub.lock_episodes("me", LEASE, 1) == []
    await commit
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    assert names(locked) == ["event"]


def _has_tasks(path):
    with read_file(path) as rows:
        return bool(rows.of(rows.instances[0])["task"])


async def test_one_that_only_waits_or_has_ended_is_not_kept(hub, answered):
    await hub.create(new_instance("waits"), ())
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    await hub.commit_episode(locked.lease, running(locked))
    await answered()
    (locked,) = await hub.lock_episodes("me", LEASE, 1)
    await hub.commit_episode(locked.lease, completed(locked))
    assert hub._scope.residents._kept == {}


def event(number):
    return history.orchestrator_started(state().created_at + timedelta(seconds=number))


def resident(name="a", events=1):
    own = state(name, input="x")
    return Resident((1, 7), own, [event(number) for number in range(events)], 0)


def test_a_new_generation_begins_with_its_own_events():
    commit = Commit(state=state(), append=[event(9)], starts_generation=True)
    after = resident(events=3).after(commit)
    assert (after.mark, after.history, after.left_out) == ((1, 8), [event(9)], 0)


def test_of_a_long_history_the_length_is_kept():
    after = resident(events=LONG_HISTORY).after(Commit(state=state(), append=[event(9)]))
    assert (after.history, after.left_out, after.length) == ([], LONG_HISTORY + 1, LONG_HISTORY + 1)


def test_its_size_is_that_of_what_it_holds():
    one = resident(events=3)
    for _ in range(3):
        one = one.after(Commit(state=state(), append=[event(9), event(10)])).from_event(1)
        assert one.characters == Resident(one.mark, one.state, one.history, one.left_out).characters
    fresh = one.after(Commit(state=state(), append=[event(9)], starts_generation=True))
    assert fresh.characters == Resident((1, 8), state(), [event(9)], 0).characters


def test_the_oldest_go_when_there_are_too_many():
    one = resident()
    residents = Residents(2 * one.characters)
    for name in ("a", "b", "a", "c"):
        residents.keep(resident(name))
    assert residents.get("b") is None
    assert [residents.take("a"), residents.take("c")] == [resident("a"), resident("c")]
    residents.keep(resident("large", events=50))
    assert residents._kept == {}
    assert residents._free == 2 * one.characters
