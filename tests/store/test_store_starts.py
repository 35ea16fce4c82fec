"""Starts: who wins, what a replaced instance leaves behind, and starts for later."""

import asyncio
from datetime import timedelta

import pytest
from clocks import START
from store.builders import event, message, names, new_instance, parent, running

from durahost.codec import history
from durahost.model.errors import InstanceExists
from durahost.model.events import EventKind
from durahost.model.messages import Message
from durahost.model.status import LIVE, TERMINAL, RuntimeStatus

LEASE = timedelta(seconds=30)
HOUR = timedelta(hours=1)
ANY = frozenset(RuntimeStatus)


def terminated(instance_id="a", reason="enough"):
    return Message(instance_id, history.execution_terminated(reason, START))


@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}/{instanceId}`")
@pytest.mark.parametrize("live", [False, True])
async def test_of_fifty_starts_at_once_exactly_one_wins_i16(hub, live):
    if live:
        await hub.create(new_instance("a", "first"), TERMINAL)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(outcome(hub.create(new_instance("a", f"e{n}"), TERMINAL)))
            for n in range(50)
        ]
    winners = [n for n, task in enumerate(tasks) if task.result() is None]
    assert len(winners) == (0 if live else 1)
    expected = "first" if live else f"e{winners[0]}"
    assert (await hub.get("a")).execution_id == expected
    (locked,) = await hub.lock_episodes("me", LEASE, 10)
    assert [m.message.execution_id for m in locked.inbox] == [expected]


async def outcome(start):
    try:
        return await start
    except InstanceExists as error:
        return error


@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}/{instanceId}`")
async def test_with_any_state_all_win_and_the_last_one_stands(hub):
    for n in range(50):
        await hub.create(new_instance("a", f"e{n}"), ANY)
    (locked,) = await hub.lock_episodes("me", LEASE, 10)
    assert locked.state.execution_id == "e49"
    assert len(locked.inbox) == 1


@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}/{instanceId}`")
async def test_a_replaced_live_child_is_a_failure_for_its_caller(hub, lock):
    await hub.create(new_instance("p"), ())
    locked = await lock()
    child = new_instance("c", parent=parent("p", task_id=4))
    await hub.commit_episode(locked.lease, running(locked, create=[child]))
    await hub.create(new_instance("c", "e2"), ANY)
    by_id = {one.state.instance_id: one for one in await hub.lock_episodes("me", LEASE, 10)}
    (answer,) = by_id["p"].inbox
    assert answer.message.event.kind is EventKind.SUB_ORCHESTRATION_FAILED
    assert answer.message.event.task_id == 4
    assert (
        '"Reason":"A new instance creation request has been issued for instance c which currently '
        "has status Pending. Since the dedupe statuses of the creation request, [] (all statuses "
        "reusable), do not contain the orchestration's status, the orchestration has been "
        'terminated and a new instance with the same instance ID will be created."'
    ) in answer.message.event.text
    assert by_id["c"].state.parent is None


@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}/{instanceId}`")
async def test_a_replaced_child_that_had_ended_says_nothing_more(hub, lock):
    await hub.create(new_instance("p"), ())
    locked = await lock()
    child = new_instance("c", parent=parent("p", task_id=4))
    await hub.commit_episode(locked.lease, running(locked, create=[child]))
    locked = await lock()
    await hub.commit_episode(locked.lease, running(locked, status=RuntimeStatus.FAILED))
    await hub.create(new_instance("c", "e2"), ANY)
    (locked,) = await hub.lock_episodes("me", LEASE, 10)
    assert locked.state.instance_id == "c"


@pytest.mark.feature("Client of the SDK", "Starts for later")
async def test_a_start_for_later_waits_pending_and_keeps_events(hub, clock):
    await hub.create(new_instance(scheduled_at=START + HOUR), ())
    await hub.send(message(name="early"), LIVE)
    assert await hub.lock_episodes("me", LEASE, 10) == []
    assert (await hub.get("a")).status is RuntimeStatus.PENDING
    clock.advance(HOUR)
    (locked,) = await hub.lock_episodes("me", LEASE, 10)
    assert names(locked) == ["Hello", "early"]


@pytest.mark.feature("Client of the SDK", "Starts for later")
async def test_a_start_for_later_is_terminated_at_once_and_never_runs(hub, clock):
    await hub.create(new_instance(scheduled_at=START + HOUR), ())
    await hub.send(message(name="early"), LIVE)
    clock.advance(HOUR / 2)
    await hub.send(terminated(), LIVE)
    state = await hub.get("a")
    assert (state.status, state.output) == (RuntimeStatus.TERMINATED, "enough")
    assert state.updated_at == state.completed_at == START + HOUR / 2
    clock.advance(HOUR)
    assert await hub.lock_episodes("me", LEASE, 10) == []
    assert await hub.read_history("a") == []


@pytest.mark.feature("Client of the SDK", "Starts for later")
async def test_an_ended_start_for_later_can_be_started_anew(hub, clock):
    await hub.create(new_instance(scheduled_at=START + HOUR), ())
    await hub.send(terminated(reason=None), LIVE)
    assert (await hub.get("a")).output is None
    await hub.create(new_instance(execution_id="e2"), TERMINAL)
    (locked,) = await hub.lock_episodes("me", LEASE, 10)
    assert len(locked.inbox) == 1


@pytest.mark.feature("Client of the SDK", "Starts for later")
async def test_termination_of_a_due_or_unscheduled_start_is_left_to_its_episode(hub, clock):
    await hub.create(new_instance("a", scheduled_at=START + HOUR), ())
    await hub.create(new_instance("b"), ())
    clock.advance(HOUR)
    for instance_id in ("a", "b"):
        await hub.send(terminated(instance_id), LIVE)
        assert (await hub.get(instance_id)).status is RuntimeStatus.PENDING
    locked = await hub.lock_episodes("me", LEASE, 10)
    assert [len(one.inbox) for one in locked] == [2, 2]


@pytest.mark.feature("Client of the SDK", "Starts for later")
async def test_suspending_a_start_for_later_waits_for_it(hub, clock):
    await hub.create(new_instance(scheduled_at=START + HOUR), ())
    suspended = event("", EventKind.EXECUTION_SUSPENDED)
    await hub.send(Message("a", suspended), LIVE)
    assert (await hub.get("a")).status is RuntimeStatus.PENDING
    clock.advance(HOUR)
    (locked,) = await hub.lock_episodes("me", LEASE, 10)
    assert len(locked.inbox) == 2
