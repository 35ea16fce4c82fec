"""What management clients do: start, find, list, message, purge; and the host's own values."""

import asyncio
from datetime import timedelta

import pytest
from clocks import START
from store.builders import completed, message, new_instance, running, state, task

from durahost.model.errors import InstanceExists, InstanceNotFound, InvalidState, LeaseLost
from durahost.model.queries import InstanceQuery
from durahost.model.status import LIVE, TERMINAL, RuntimeStatus

LEASE = timedelta(seconds=30)
DAY = timedelta(days=1)


async def test_every_column_comes_back(hub):
    new = new_instance(
        "ü-1",
        status=RuntimeStatus.SUSPENDED,
        version="1.0",
        generation=2,
        input='{"a": [1,  2]}',
        output="nicht JSON",
        custom_status="null",
        completed_at=START + timedelta(microseconds=1),
        scheduled_at=START + DAY,
        tags={"a": "ä"},
    )
    await hub.create(new, ())
    assert await hub.get("ü-1") == new.state


async def test_ids_compare_with_case(hub):
    await hub.create(new_instance("a"), ())
    await hub.create(new_instance("A"), ())
    assert await hub.get("b") is None


@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}/{instanceId}`")
async def test_a_live_instance_is_not_replaced(hub):
    await hub.create(new_instance(), TERMINAL)
    with pytest.raises(InstanceExists) as caught:
        await hub.create(new_instance(execution_id="e2"), TERMINAL)
    assert caught.value.status is RuntimeStatus.PENDING
    assert (await hub.get("a")).execution_id == "e1"


@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}/{instanceId}`")
async def test_of_concurrent_starts_one_wins_i16(hub):
    starts = [hub.create(new_instance(execution_id=f"e{n}"), TERMINAL) for n in range(10)]
    results = await asyncio.gather(*starts, return_exceptions=True)
    assert results.count(None) == 1
    assert sum(isinstance(result, InstanceExists) for result in results) == 9
    assert (await hub.get("a")).execution_id == f"e{results.index(None)}"


@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}/{instanceId}`")
async def test_replacing_replaces_everything(hub, lock):
    await hub.create(new_instance(), ())
    locked = await lock()
    await hub.commit_episode(locked.lease, running(locked, schedule=[task()]))
    await hub.send(message(name="old"), LIVE)
    await hub.create(new_instance(execution_id="e2"), LIVE)
    locked = await lock()
    assert (locked.state.execution_id, len(locked.inbox), locked.history) == ("e2", 1, [])
    assert await hub.lock_activities("me", LEASE, 1) == []


async def test_history_of_an_unknown_instance_is_empty(hub):
    assert await hub.read_history("a") == []


async def test_sending_checks_the_state(hub, lock):
    with pytest.raises(InstanceNotFound):
        await hub.send(message(), LIVE)
    await hub.create(new_instance(), ())
    locked = await lock()
    await hub.commit_episode(locked.lease, running(locked, status=RuntimeStatus.SUSPENDED))
    with pytest.raises(InvalidState) as caught:
        await hub.send(message(), {RuntimeStatus.RUNNING})
    assert caught.value.status is RuntimeStatus.SUSPENDED
    await hub.send(message(), {RuntimeStatus.SUSPENDED})
    locked = await lock()
    assert len(locked.inbox) == 1
    await hub.commit_episode(locked.lease, completed(locked))
    with pytest.raises(InvalidState) as caught:
        await hub.send(message(), LIVE)
    assert caught.value.status is RuntimeStatus.COMPLETED


@pytest.mark.feature("Management API", "`DELETE /instances/{instanceId}`")
async def test_purge_leaves_nothing_i17(hub, lock):
    with pytest.raises(InstanceNotFound):
        await hub.purge("a", RuntimeStatus)
    await hub.create(new_instance(), ())
    locked = await lock()
    await hub.commit_episode(locked.lease, running(locked, schedule=[task()]))
    await hub.send(message(), LIVE)
    locked = await lock()
    (activity,) = await hub.lock_activities("me", LEASE, 1)
    with pytest.raises(InvalidState):
        await hub.purge("a", TERMINAL)
    await hub.purge("a", RuntimeStatus)
    with pytest.raises(LeaseLost):
        await hub.commit_episode(locked.lease, running(locked))
    with pytest.raises(LeaseLost):
        await hub.complete_activity(activity.lease, message())
    assert await hub.get("a") is None
    assert await hub.read_history("a") == []
    await hub.create(new_instance(), ())
    assert len((await lock()).inbox) == 1


@pytest.mark.feature("Management API", "`GET /instances`")
async def test_pages_follow_ordinal_ids(hub):
    for instance_id in ("b", "B", "@e@k", "é", "a10", "a2"):
        await hub.create(new_instance(instance_id), ())
    ids, after = [], None
    for _ in range(3):
        page = await hub.query(InstanceQuery(after=after, at_most=2))
        ids += [s.instance_id for s in page.instances]
        after = page.next_after
    assert ids == ["@e@k", "B", "a10", "a2", "b", "é"]
    assert after is None


@pytest.mark.feature("Management API", "`GET /instances`")
@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (InstanceQuery(), "a ab b"),
        (InstanceQuery(prefix="a"), "a ab"),
        (InstanceQuery(prefix="a", after="a"), "ab"),
        (InstanceQuery(prefix="b", after="a"), "b"),
        (InstanceQuery(prefix="ac"), ""),
        (InstanceQuery(after="b"), ""),
        (InstanceQuery(statuses=frozenset()), ""),
        (InstanceQuery(statuses=frozenset({RuntimeStatus.RUNNING})), "ab"),
        (InstanceQuery(statuses=LIVE), "a ab b"),
        (InstanceQuery(statuses=TERMINAL), ""),
        (InstanceQuery(created_from=START + DAY), "ab b"),
        (InstanceQuery(created_to=START + DAY), "a ab"),
        (InstanceQuery(created_from=START + DAY, created_to=START + DAY), "ab"),
    ],
)
async def test_filters(hub, query, ids):
    await hub.create(new_instance("a"), ())
    day = START + DAY
    await hub.create(new_instance("ab", status=RuntimeStatus.RUNNING, created_at=day), ())
    await hub.create(new_instance("b", created_at=day + timedelta(microseconds=1)), ())
    page = await hub.query(query)
    assert " ".join(s.instance_id for s in page.instances) == ids
    assert page.next_after is None


async def test_the_row_is_the_one_committed_last_i10(hub, lock):
    await hub.create(new_instance(), ())
    locked = await lock()
    after = state(status=RuntimeStatus.FAILED, output="boom", updated_at=START + DAY)
    await hub.commit_episode(locked.lease, running(locked, state=after))
    assert await hub.get("a") == after


async def test_host_values(store):
    values = store.host_store
    assert await values.read("k") is None
    assert await values.write_if_absent("k", "1") == "1"
    assert await values.write_if_absent("k", "2") == "1"
    await values.write("k", "3")
    assert await values.read("k") == "3"
    assert await values.delete("k")
    assert not await values.delete("k")
    assert await values.write_if_absent("empty", "") == ""
