"""What management decides by itself; the rest is seen through the HTTP contract."""

from datetime import timedelta

import pytest
from api_support import Target

from durahost.codec import history
from durahost.model.errors import InstanceNotFound, InvalidState
from durahost.model.ids import InstanceId
from durahost.model.messages import ActivityTask
from durahost.model.queries import InstanceQuery
from durahost.model.status import RuntimeStatus

ABC = InstanceId("abc")
S = RuntimeStatus


@pytest.fixture
def target():
    return Target()


async def test_an_instance_starts_pending_with_its_message(target):
    management = target.hubs()
    instance_id = await management.start("Hello", '{"a": 1}')
    state = await management.status(instance_id)
    assert len(instance_id) == len(state.execution_id) == 32
    assert (state.status, state.input, state.version) == (S.PENDING, '{"a": 1}', "")
    assert await management.history(instance_id) == []
    assert [event.name for event in await target.inbox()] == ["Hello"]


@pytest.mark.feature("Management API", "`DELETE /instances`")
async def test_purge_by_goes_through_all_pages(target, monkeypatch):
    monkeypatch.setattr("durahost.management._PURGE_PAGE", 2)
    for number in range(5):
        await target.put(S.COMPLETED, f"i{number}")
    await target.put(S.RUNNING, "live")
    management = target.hubs()
    assert await management.purge_by(target.clock.now(), statuses=[S.COMPLETED, S.RUNNING]) == 5
    page = await management.list(InstanceQuery())
    assert [state.instance_id for state in page.instances] == ["live"]


@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/rewind`")
@pytest.mark.parametrize("status", [None, S.RUNNING, S.COMPLETED])
async def test_only_a_failed_instance_is_rewound(target, status):
    if status is not None:
        await target.put(status)
    with pytest.raises(InstanceNotFound if status is None else InvalidState):
        await target.hubs().rewind(ABC, None)


@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/rewind`")
async def test_a_rewind_gives_a_new_execution_and_hints_at_what_may_diverge(target, caplog):
    now = target.clock.now()
    scheduled = [
        history.task_scheduled(
            ActivityTask(ABC, "e", number, "Work", None), now, stores_input=False
        )
        for number in range(2)
    ]
    failed = history.task_failed(0, "why", "{}", now)
    ended = history.execution_completed(2, S.FAILED, "boom", now)
    events = [scheduled[0], failed, scheduled[1], ended]
    before = await target.put(S.FAILED, events=events, output="boom")
    await target.hubs().rewind(ABC, "repaired")
    after = await target.hubs().status(ABC)
    assert after.execution_id not in (before.execution_id, "")
    assert (after.status, after.output) == (S.PENDING, "boom")
    assert '"Reason":"repaired"' in (await target.hubs().history(ABC))[-2].text
    assert "went on after the failure" in caplog.text


@pytest.mark.feature("Client of the SDK", "Starts for later")
async def test_a_start_for_later_is_pending_until_then_or_terminated_at_once(target):
    management = target.hubs()
    at = target.clock.now() + timedelta(hours=1)
    for instance_id in ("kept", "ended"):
        await management.start("Hello", None, instance_id=InstanceId(instance_id), scheduled_at=at)
    await management.raise_event(InstanceId("kept"), "Go", "1")
    await management.terminate(InstanceId("ended"), "enough")
    assert (await management.status(InstanceId("ended"))).status is S.TERMINATED
    assert (await management.status(InstanceId("kept"))).status is S.PENDING
    assert await target.inbox() == []
    target.clock.advance(timedelta(hours=1))
    events = await target.inbox()
    assert [event.name for event in events] == ["Hello", "Go"]
    assert '"ScheduledStartTime":"2026-01-05T11:00:00.123456Z"' in events[0].text


@pytest.mark.feature("Versions", "Version of a start: the query's, else `defaultVersion`")
async def test_a_restart_has_the_default_version(target):
    await target.hubs().start("Hello", "1", instance_id=ABC, version="9.0")
    new_id = await target.hubs().restart(ABC)
    assert (await target.hubs().status(new_id)).version == ""


async def test_a_wait_of_no_length_looks_once(target):
    management = target.hubs()
    for limit in (timedelta(0), timedelta(seconds=-1)):
        assert await management.wait(ABC, limit, timedelta(0)) is None
    await target.put(S.COMPLETED)
    state = await management.wait(ABC, timedelta(days=1), timedelta(seconds=1))
    assert state.status is S.COMPLETED


async def test_hubs_are_apart_and_compare_without_case(target):
    await target.hubs("Other").start("Hello", None, instance_id=ABC)
    assert await target.hubs().status(ABC) is None
    assert await target.hubs("OTHER").status(ABC) is not None
    assert await target.hubs("testhubname").status(ABC) is None
