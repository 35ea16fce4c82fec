"""Entities brought into a state without running a function."""

from datetime import timedelta
from uuid import UUID

from durahost.engine import entity
from durahost.engine.outcome import FreshIds
from durahost.model.entities import BatchResult, OperationResult
from durahost.model.ids import EntityId

LEASE = timedelta(seconds=30)


async def put_entity(target, name, key, state='{"value": 1}', *, exists=True):
    """An entity that has run one operation, at the target's time."""
    await target.hubs().entities.signal(EntityId.of(name, key), "set", None)
    await run_batches(target, state, exists=exists)


async def run_batches(target, state="1", *, exists=True):
    """Run what waits in every entity; the operations that ran, by instance id."""
    hub = target.store.open_hub("TestHubName")
    ran = {}
    for locked in await hub.lock_episodes("test", LEASE, 1000):
        if not entity.is_entity(locked.state):
            await hub.abandon_episode(locked.lease, timedelta(0))
            continue
        planned = entity.plan_batch(locked, target.clock.now(), 1000)
        results = [OperationResult("null")] * len(planned.operations)
        given = BatchResult(exists=exists, state=state, results=results) if results else None
        fresh = FreshIds(UUID(int=len(locked.state.instance_id)))
        now = target.clock.now()
        concluded = entity.conclude_batch(planned, given, fresh=fresh, now=now)
        await hub.commit_episode(locked.lease, concluded.commit)
        ran[locked.state.instance_id] = planned.operations
    return ran
