"""Episodes: what is ready, what a commit changes, and who may commit."""

from dataclasses import replace
from datetime import timedelta

import pytest
from clocks import START
from store.builders import (
    completed,
    event,
    message,
    names,
    new_instance,
    parent,
    running,
    state,
    task,
)

from durahost.model.errors import LeaseLost
from durahost.model.events import EventKind
from durahost.model.ids import ExecutionId
from durahost.model.instances import Seen
from durahost.model.status import LIVE, RuntimeStatus

LEASE = timedelta(seconds=30)
MINUTE = timedelta(minutes=1)
NOW = timedelta()


async def test_locks_row_history_and_inbox(hub, lock):
    new = new_instance(input='"x"', parent=parent("p"), tags={"k": "v"}, version="2")
    await hub.create(new, ())
    locked = await lock()
    assert locked.state == new.state
    assert locked.history == []
    assert [m.message.event for m in locked.inbox] == [new.started.event]
    assert locked.attempts == 1
    await hub.commit_episode(locked.lease, running(locked, append=[event("one"), event("two")]))
    await hub.send(message(name="three", dedupe_key="k"), LIVE)
    locked = await lock()
    assert [e.name for e in locked.history] == ["one", "two"]
    assert names(locked) == ["three"]
    assert locked.inbox[0].message.dedupe_key == "k"


async def test_nothing_to_lock_is_empty_at_once(hub):
    assert await hub.lock_episodes("me", LEASE, 10) == []


async def test_oldest_ready_instances_come_first(hub, clock):
    for instance_id in ("c", "a", "b"):
        await hub.create(new_instance(instance_id), ())
        clock.advance(MINUTE)
    first = await hub.lock_episodes("me", LEASE, 2)
    rest = await hub.lock_episodes("me", LEASE, 2)
    assert [e.state.instance_id for e in [*first, *rest]] == ["c", "a", "b"]


@pytest.mark.feature("Exactly once", "A stale owner cannot write")
async def test_a_claimed_instance_is_not_claimed_again_before_its_lease_ends_i35(hub, lock, clock):
    await hub.create(new_instance(), ())
    first = await lock()
    clock.pass_time(LEASE / 2)
    assert await hub.lock_episodes("other", LEASE, 1) == []
    clock.pass_time(LEASE / 2)
    (second,) = await hub.lock_episodes("other", LEASE, 1)
    assert second.lease.token > first.lease.token
    assert second.attempts == 2


@pytest.mark.feature("Exactly once", "A stale owner cannot write")
async def test_a_stale_token_commits_nothing_i35_i38(hub, lock, clock):
    await hub.create(new_instance(), ())
    stale = await lock()
    clock.pass_time(LEASE)
    fresh = await lock()
    commit = completed(stale, schedule=[task()], create=[new_instance("child")])
    with pytest.raises(LeaseLost):
        await hub.commit_episode(stale.lease, commit)
    assert await hub.get("a") == fresh.state
    assert await hub.get("child") is None
    assert await hub.read_history("a") == []
    assert await hub.lock_activities("me", LEASE, 1) == []
    await hub.commit_episode(fresh.lease, completed(fresh))


@pytest.mark.feature("Exactly once", "A stale owner cannot write")
async def test_a_token_of_another_owner_commits_nothing(hub, lock):
    await hub.create(new_instance(), ())
    locked = await lock()
    with pytest.raises(LeaseLost):
        await hub.commit_episode(replace(locked.lease, owner="other"), running(locked))


@pytest.mark.feature("Exactly once", "A stale owner cannot write")
async def test_one_episode_is_committed_once_i36(hub, lock):
    await hub.create(new_instance(), ())
    locked = await lock()
    await hub.commit_episode(locked.lease, running(locked))
    with pytest.raises(LeaseLost):
        await hub.commit_episode(locked.lease, running(locked))
    assert len(await hub.read_history("a")) == 1


async def test_a_lapsed_lease_nobody_took_still_commits(hub, lock, clock):
    await hub.create(new_instance(), ())
    locked = await lock()
    clock.pass_time(10 * LEASE)
    await hub.commit_episode(locked.lease, running(locked))


@pytest.mark.feature("Exactly once", "A stale owner cannot write")
async def test_a_claim_on_a_replaced_instance_is_void(hub, lock):
    await hub.create(new_instance(), ())
    locked = await lock()
    await hub.create(new_instance(execution_id="e2"), RuntimeStatus)
    again = await lock()
    with pytest.raises(LeaseLost):
        await hub.commit_episode(locked.lease, completed(locked))
    assert again.state.execution_id == "e2"


async def test_only_named_messages_are_consumed_i11(hub, lock):
    await hub.create(new_instance(), ())
    locked = await lock()
    await hub.send(message(name="meanwhile"), LIVE)
    await hub.commit_episode(locked.lease, running(locked))
    assert names(await lock()) == ["meanwhile"]


async def test_history_is_appended_i1_i3(hub, lock):
    await hub.create(new_instance(), ())
    await hub.commit_episode((locked := await lock()).lease, running(locked))
    before = await hub.read_history("a")
    await hub.send(message(name="more"), LIVE)
    full = event("done", EventKind.TASK_COMPLETED, 7, START + MINUTE, "app.py:3")
    locked = await lock()
    await hub.commit_episode(locked.lease, running(locked, append=[full]))
    assert await hub.read_history("a") == [*before, full]


@pytest.mark.feature("External events", "Waiting and raising")
async def test_messages_come_in_order_of_acceptance_i23(hub, lock, clock):
    await hub.create(new_instance(), ())
    for number in range(5):
        await hub.send(message(name=f"n{number}"), LIVE)
    clock.advance(-MINUTE)
    await hub.send(message(name="after the clock was set back"), LIVE)
    clock.advance(2 * MINUTE)
    assert names(await lock()) == [
        "Hello",
        *(f"n{n}" for n in range(5)),
        ("after the clock was set back"),
    ]


@pytest.mark.feature("Continue-as-new", "Carry-over of events")
async def test_carried_messages_come_first(hub, lock):
    await hub.create(new_instance(), ())
    await hub.send(message(name="new"), LIVE)
    await hub.send(message(name="carried", is_carried=True), LIVE)
    assert names(await lock()) == ["carried", "Hello", "new"]


async def test_a_message_is_not_seen_before_its_time_i25(hub, lock, clock):
    await hub.create(new_instance(), ())
    locked = await lock()
    timer = message(name="timer", visible_at=START + MINUTE)
    await hub.commit_episode(locked.lease, running(locked, send=[timer]))
    assert await hub.lock_episodes("me", LEASE, 1) == []
    clock.advance(MINUTE)
    assert names(await lock()) == ["timer"]


async def test_a_scheduled_instance_is_not_ready_before_its_time(hub, lock, clock):
    await hub.create(new_instance(scheduled_at=START + MINUTE), ())
    await hub.send(message(name="early"), LIVE)
    assert await hub.lock_episodes("me", LEASE, 1) == []
    clock.advance(MINUTE)
    assert names(await lock()) == ["Hello", "early"]


async def test_an_ended_instance_keeps_no_inbox_and_no_tasks_i12_i27(hub, lock, clock):
    await hub.create(new_instance(), ())
    locked = await lock()
    later = message(name="timer", visible_at=START + MINUTE)
    await hub.commit_episode(locked.lease, running(locked, schedule=[task()], send=[later]))
    await hub.send(message(), LIVE)
    locked = await lock()
    await hub.send(message(name="too late"), LIVE)
    await hub.commit_episode(locked.lease, completed(locked))
    clock.advance(2 * MINUTE)
    assert await hub.lock_episodes("me", LEASE, 1) == []
    assert await hub.lock_activities("me", LEASE, 1) == []


async def test_a_message_to_an_ended_or_unknown_instance_is_dropped_i22(hub, lock):
    await hub.create(new_instance("ended"), ())
    locked = await lock()
    await hub.commit_episode(locked.lease, completed(locked))
    await hub.create(new_instance(), ())
    locked = await lock()
    sent = [message("ended"), message("unknown")]
    await hub.commit_episode(locked.lease, running(locked, send=sent))
    assert await hub.lock_episodes("me", LEASE, 1) == []


async def test_a_message_for_another_execution_is_dropped_i24(hub, lock):
    await hub.create(new_instance(), ())
    locked = await lock()
    sent = [message(execution_id="e0", name="old"), message(execution_id="e1", name="current")]
    await hub.commit_episode(locked.lease, running(locked, send=sent))
    assert names(await lock()) == ["current"]


async def test_a_message_with_a_known_key_is_dropped(hub, lock):
    await hub.create(new_instance(), ())
    await hub.send(message(name="one", dedupe_key="k"), LIVE)
    await hub.send(message(name="two", dedupe_key="k"), LIVE)
    assert names(await lock()) == ["Hello", "one"]


@pytest.mark.feature("Continue-as-new", "Carry-over of events")
async def test_a_new_generation_begins_clean_i28(hub, lock, clock):
    await hub.create(new_instance(), ())
    locked = await lock()
    timer = message(name="timer", execution_id="e1", visible_at=START + MINUTE)
    await hub.commit_episode(locked.lease, running(locked, schedule=[task()], send=[timer]))
    await hub.send(message(name="again"), LIVE)
    locked = await lock()
    await hub.send(message(name="buffered"), LIVE)
    again = message(name="start", execution_id="e2")
    commit = running(
        locked,
        state=state(execution_id="e2", status=RuntimeStatus.RUNNING, generation=1),
        append=[event("first of the second")],
        schedule=[task(execution_id="e2", name="Next")],
        send=[again, message(name="carried", is_carried=True)],
        starts_generation=True,
    )
    await hub.commit_episode(locked.lease, commit)
    assert [e.name for e in await hub.read_history("a")] == ["first of the second"]
    clock.advance(MINUTE)
    locked = await lock()
    assert locked.state.generation == 1
    assert names(locked) == ["carried", "buffered", "start"]
    (activity,) = await hub.lock_activities("me", LEASE, 10)
    assert activity.task == task(execution_id="e2", name="Next")


@pytest.mark.feature("Sub-orchestrations", "Default ids")
async def test_a_child_starts_with_its_parents_commit_i13(hub, lock):
    await hub.create(new_instance(), ())
    locked = await lock()
    child = new_instance("child", parent=parent(task_id=3))
    await hub.commit_episode(locked.lease, running(locked, create=[child]))
    assert (await lock()).state == child.state


@pytest.mark.feature("Sub-orchestrations", "Default ids")
async def test_a_child_replaces_an_ended_instance(hub, lock):
    await hub.create(new_instance("child"), ())
    locked = await lock()
    await hub.commit_episode(locked.lease, completed(locked))
    await hub.create(new_instance(), ())
    locked = await lock()
    child = new_instance("child", "e2", parent=parent())
    await hub.commit_episode(locked.lease, running(locked, create=[child]))
    locked = await lock()
    assert (locked.state, locked.history) == (child.state, [])


@pytest.mark.feature("Sub-orchestrations", "Default ids")
async def test_a_childs_start_delivered_twice_is_one_start_i19(hub, lock):
    await hub.create(new_instance(), ())
    locked = await lock()
    child = new_instance("child", parent=parent())
    await hub.commit_episode(locked.lease, running(locked, create=[child, child]))
    assert names(await lock()) == ["Hello"]


@pytest.mark.feature(
    "Sub-orchestrations",
    "An id that already lives",
    "a live child of another caller is a clear failure; on Azure the caller waits for ever",
)
@pytest.mark.parametrize("other", [None, parent("x"), parent(execution_id="e0"), parent(task_id=9)])
async def test_a_live_child_of_somebody_else_fails_the_call(hub, lock, other):
    await hub.create(new_instance("child", parent=other), ())
    await lock()
    await hub.create(new_instance(), ())
    locked = await lock()
    child = new_instance("child", "e2", parent=parent(task_id=4))
    await hub.commit_episode(locked.lease, running(locked, create=[child]))
    (answer,) = (await lock()).inbox
    assert answer.message.event.kind is EventKind.SUB_ORCHESTRATION_FAILED
    assert answer.message.event.task_id == 4
    assert answer.message.execution_id == ExecutionId("e1")
    expected = "An orchestration instance with ID 'child' is already running"
    assert expected in answer.message.event.text
    assert (await hub.get("child")).execution_id == "e1"


async def test_a_live_child_nobody_waits_for_is_left_alone(hub, lock):
    await hub.create(new_instance("child"), ())
    await lock()
    await hub.create(new_instance(), ())
    locked = await lock()
    child = new_instance("child", "e2")
    await hub.commit_episode(locked.lease, running(locked, create=[child]))
    assert await hub.lock_episodes("me", LEASE, 1) == []


async def test_an_abandoned_episode_is_tried_again_unchanged(hub, lock):
    await hub.create(new_instance(), ())
    first = await lock()
    await hub.abandon_episode(first.lease, NOW)
    second = await lock()
    assert (second.state, second.inbox) == (first.state, first.inbox)
    assert second.attempts == 2
    await hub.commit_episode(second.lease, running(second))
    await hub.send(message(), LIVE)
    assert (await lock()).attempts == 1


async def test_an_abandoned_episode_waits_for_its_delay_in_real_time(hub, lock, clock):
    await hub.create(new_instance(), ())
    locked = await lock()
    await hub.abandon_episode(locked.lease, MINUTE)
    clock.advance(10 * MINUTE)
    assert await hub.lock_episodes("me", LEASE, 1) == []
    clock.pass_time(MINUTE)
    await lock()


@pytest.mark.feature("Exactly once", "A stale owner cannot write")
async def test_an_abandoned_claim_is_void(hub, lock):
    await hub.create(new_instance(), ())
    locked = await lock()
    await hub.abandon_episode(locked.lease, NOW)
    await hub.abandon_episode(locked.lease, MINUTE)
    with pytest.raises(LeaseLost):
        await hub.commit_episode(locked.lease, running(locked))
    await lock()


async def test_renewing_extends_what_is_still_ours(hub, lock, clock):
    await hub.create(new_instance(), ())
    lost = await lock()
    clock.pass_time(LEASE)
    held = await lock()
    clock.pass_time(LEASE / 2)
    assert await hub.renew([lost.lease, held.lease], LEASE) == [held.lease]
    clock.pass_time(LEASE / 2)
    assert await hub.lock_episodes("me", LEASE, 1) == []


async def test_hubs_do_not_see_each_other_i39(store, hub):
    other = store.open_hub("Other")
    await other.create(new_instance(), ())
    assert await hub.get("a") is None
    assert await hub.lock_episodes("me", LEASE, 1) == []
    assert len(await other.lock_episodes("me", LEASE, 1)) == 1


async def test_hub_names_compare_without_case(store, hub):
    await hub.create(new_instance(), ())
    assert await store.open_hub("TESTHUBNAME").get("a") is not None


# What is known is not read again ------------------------------------------------------------------


async def test_known_events_are_left_out_and_can_be_read_after_all(hub, lock):
    await hub.create(new_instance(), ())
    first = await lock()
    told = [event("one"), event("two"), event("three")]
    await hub.commit_episode(first.lease, running(first, append=told))
    await hub.send(message(), LIVE)
    seen = {first.state.instance_id: Seen(first.state.execution_id, 2)}
    (locked,) = await hub.lock_episodes("me", LEASE, 10, seen)
    assert [one.name for one in locked.history] == ["three"]
    assert (locked.left_out, locked.recorded) == (2, 3)
    whole = await hub.read_whole(locked)
    assert [one.name for one in whole.history] == ["one", "two", "three"]
    assert (whole.left_out, whole.recorded, whole.lease) == (0, 3, locked.lease)
    await hub.commit_episode(locked.lease, running(locked, append=[event("four")]))
    assert [one.name for one in await hub.read_history(first.state.instance_id)][-1] == "four"


async def test_events_of_another_execution_are_not_known(hub, lock):
    await hub.create(new_instance(), ())
    first = await lock()
    await hub.commit_episode(first.lease, running(first, append=[event("one"), event("two")]))
    await hub.send(message(), LIVE)
    seen = {first.state.instance_id: Seen(ExecutionId("other"), 1)}
    (locked,) = await hub.lock_episodes("me", LEASE, 10, seen)
    assert (locked.left_out, len(locked.history)) == (0, 2)


async def test_a_history_that_is_another_one_by_now_is_a_lost_lease(hub, lock):
    await hub.create(new_instance(), ())
    first = await lock()
    await hub.commit_episode(first.lease, running(first, append=[event("one"), event("two")]))
    await hub.send(message(), LIVE)
    locked = await lock()
    await hub.purge(first.state.instance_id, LIVE)
    with pytest.raises(LeaseLost):
        await hub.read_whole(locked)
