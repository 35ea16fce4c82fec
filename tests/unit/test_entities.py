"""What clients of entities get beyond the HTTP routes: cleaning, and pages without a result."""

from uuid import UUID

import pytest
from api_support import Target, TickingClock
from entity_support import put_entity, run_batches

from durahost.codec import entity_messages, history
from durahost.entities import Cleaned
from durahost.model.entities import EntityRequest
from durahost.model.ids import EntityId
from durahost.model.messages import Message
from durahost.model.queries import InstanceQuery
from durahost.model.status import RuntimeStatus

S = RuntimeStatus


@pytest.fixture
def entities(target):
    return target.hubs().entities


@pytest.fixture
def target():
    return Target()


async def lock(target, name, holder):
    entity = EntityId.of(name, "k")
    request = EntityRequest(request_id=str(UUID(int=1)), parent=holder, lock_set=[entity])
    event = history.event_raised("op", entity_messages.encode_request(request), target.clock.now())
    await target.store.open_hub("TestHubName").signal(Message(entity.instance_id, event))
    await run_batches(target)


async def names(target):
    page = await target.hubs().list(InstanceQuery(prefix="@"))
    return [row.instance_id for row in page.instances]


@pytest.mark.feature("Entities", "Deletion and cleaning")
async def test_cleaning_removes_what_is_empty_and_idle(target, entities, monkeypatch):
    monkeypatch.setattr("durahost.entities._CLEAN_PAGE", 2)
    await put_entity(target, "full", "k")
    await put_entity(target, "gone", "k", exists=False)
    await put_entity(target, "busy", "k", exists=False)
    await put_entity(target, "last", "k", exists=False)
    await lock(target, "locked", "o")
    await target.put(S.RUNNING, "@flow@1")
    await entities.signal(EntityId("busy", "k"), "add", None)
    await entities.signal(EntityId("new", "k"), "add", None)
    assert await entities.clean(remove_empty=False, release_locks=False) == Cleaned(0, 0)
    assert await entities.clean(release_locks=False) == Cleaned(2, 0)
    assert await names(target) == ["@busy@k", "@flow@1", "@full@k", "@locked@k", "@new@k"]


@pytest.mark.feature("Entities", "Locks and releases, for SDKs that have them")
@pytest.mark.feature("Entities", "Deletion and cleaning")
@pytest.mark.parametrize(
    ("holder", "released"),
    [
        (None, 1),
        (S.RUNNING, 0),
        (S.SUSPENDED, 0),
        (S.COMPLETED, 1),
        (S.TERMINATED, 1),
        (S.PENDING, 1),
    ],
)
async def test_cleaning_releases_the_locks_of_those_who_are_gone(
    target, entities, holder, released
):
    await lock(target, "locked", "o")
    if holder is not None:
        await target.put(holder, "o")
    assert await entities.clean(remove_empty=False) == Cleaned(0, released)
    await run_batches(target)
    row = await target.hubs().status(EntityId("locked", "k").instance_id)
    locked_by = entity_messages.decode_status(row.custom_status).locked_by
    assert locked_by == (None if released else "o")


@pytest.mark.feature("Entities", "Reads and listing")
async def test_a_listing_ends_in_time_on_empty_pages():
    target = Target(clock=TickingClock())
    for key in ("a", "b"):
        await put_entity(target, "gone", key, exists=False)
    page = await target.hubs().entities.list(InstanceQuery(prefix="@", at_most=1))
    assert (page.instances, page.next_after) == ([], "@gone@a")
