"""When a lease counts as lost."""

import asyncio

from durahost.dispatch.renewal import Renewal
from durahost.model.errors import StoreUnavailable
from durahost.model.instances import Lease

LEASE = Lease("episode", "a", "me", 1)


async def test_a_commit_that_ended_its_claim_in_the_same_batch_is_not_reported_as_lost(caplog):
    batch_done = asyncio.Event()
    held = asyncio.Event()

    async def renew(leases, lease_for):
        assert leases == [LEASE]
        await batch_done.wait()
        return ()

    async def commit():
        await batch_done.wait()

    renewal = Renewal(renew)

    async def work():
        renewal.hold(LEASE, "An episode")
        held.set()
        await commit()
        renewal.let_go(LEASE)
        return "done"

    working = asyncio.create_task(work())
    await held.wait()
    renewing = asyncio.create_task(renewal._renew_all())
    asyncio.get_running_loop().call_soon(batch_done.set)
    await renewing
    assert await working == "done"
    assert caplog.text == ""


async def test_a_lost_lease_cancels_its_task_and_is_told(caplog):
    async def renew(leases, lease_for):
        return ()

    renewal = Renewal(renew)

    async def work():
        renewal.hold(LEASE, "An episode")
        await asyncio.Event().wait()

    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    await renewal._renew_all()
    await asyncio.wait({working})
    assert working.cancelled()
    assert (
        "An episode was claimed by somebody else, or is gone with its instance; its" in caplog.text
    )


async def test_a_store_that_cannot_answer_takes_no_work_away(caplog):
    async def renew(leases, lease_for):
        raise StoreUnavailable("busy")

    renewal = Renewal(renew)
    renewal.hold(LEASE, "An episode")
    await renewal._renew_all()
    assert "Could not renew 1 leases now: busy" in caplog.text
