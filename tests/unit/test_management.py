"""What management decides by itself; the rest is seen through the HTTP contract."""

from datetime import timedelta

import pytest
from api_support import Target

from durahost.model.errors import InstanceNotFound, InvalidState, NotSupported
from durahost.model.ids import InstanceId
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


async def test_purge_by_goes_through_all_pages(target, monkeypatch):
    monkeypatch.setattr("durahost.management._PURGE_PAGE", 2)
    for number in range(5):
        await target.put(S.COMPLETED, f"i{number}")
    await target.put(S.RUNNING, "live")
    management = target.hubs()
    assert await management.purge_by(target.clock.now(), statuses=[S.COMPLETED, S.RUNNING]) == 5
    page = await management.list(InstanceQuery())
    assert [state.instance_id for state in page.instances] == ["live"]


@pytest.mark.parametrize(
    ("status", "error"),
    [(None, InstanceNotFound), (S.RUNNING, InvalidState), (S.FAILED, NotSupported)],
)
async def test_rewind(target, status, error):
    if status is not None:
        await target.put(status)
    with pytest.raises(error):
        await target.hubs().rewind(ABC, None)


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
