"""What a client may ask of a task hub's entities: signal, read, list, clean.

Reads see what the last batch committed and wait for nothing.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

from durahost.clock import Clock
from durahost.codec import entity_messages, history
from durahost.engine.entity import is_entity
from durahost.model.entities import EntityRequest
from durahost.model.ids import EntityId, InstanceId
from durahost.model.instances import InstanceState
from durahost.model.messages import Message
from durahost.model.queries import InstancePage, InstanceQuery
from durahost.model.status import RuntimeStatus
from durahost.off_loop import LONG_TEXT, run_pure
from durahost.store.base import InstanceStore

_EMPTY_PAGES_FOR = timedelta(milliseconds=100)
"""How long a listing goes on over pages without a result. Source: Azure/durabletask:
EntityTrackingStoreQueries.cs (QueryEntitiesAsync)."""

_MAY_HOLD_LOCKS = frozenset({RuntimeStatus.RUNNING, RuntimeStatus.SUSPENDED})
_CLEAN_PAGE = 100


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a cleaning did."""

    empty_entities_removed: int = 0
    orphaned_locks_released: int = 0


class Entities:
    """The entities of one task hub, as its clients see them."""

    def __init__(self, hub: InstanceStore, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock

    async def signal(self, entity: EntityId, operation: str, input_text: str | None) -> None:
        """Send an operation; an entity that does not exist comes into being with it.

        input_text: JSON text. Nobody hears of a failure.
        """
        request = EntityRequest(
            request_id=str(self._clock.new_guid()),
            operation=operation,
            is_signal=True,
            input=input_text,
        )
        await self._send(
            entity.instance_id, entity_messages.REQUEST, entity_messages.encode_request(request)
        )

    async def read(self, entity: EntityId) -> str | None:
        """The user state, JSON text; None for an entity that was deleted or never was."""
        row = await self._hub.get(entity.instance_id)
        if row is None or not exists(row):
            return None
        return await run_pure(lambda: state_of(row), is_long=len(row.input or "") > LONG_TEXT)

    async def list(self, query: InstanceQuery) -> InstancePage:
        """One page of the entities that exist; it may be short, even empty, while more follow.

        `created_from` and `created_to` compare with the time of the last operation.
        """
        until = self._clock.monotonic() + _EMPTY_PAGES_FOR.total_seconds()
        while True:
            page = await self._hub.query(query)
            found = [row for row in page.instances if exists(row)]
            is_last = page.next_after is None or self._clock.monotonic() > until
            if found or is_last:
                return InstancePage(found, page.next_after)
            query = replace(query, after=page.next_after)

    async def clean(self, *, remove_empty: bool = True, release_locks: bool = True) -> Cleaned:
        """Remove entities without state, queue and lock; release locks whose holder is gone.

        Source: Azure/durabletask: EntityTrackingStoreQueries.cs (CleanEntityStorageAsync); as the
        inbox keeps the order, an empty entity needs no time to grow cold.
        """
        removed = released = 0
        async for row in self._all():
            status = entity_messages.decode_status(row.custom_status)
            if release_locks and status.locked_by is not None:
                released += await self._release_orphan(row.instance_id, status.locked_by)
            is_empty = not status.exists and status.locked_by is None and status.queue_size == 0
            if remove_empty and is_empty:
                removed += await self._hub.remove_idle(row.instance_id, row.execution_id)
        return Cleaned(removed, released)

    async def _release_orphan(self, instance_id: InstanceId, holder: InstanceId) -> bool:
        owner = await self._hub.get(holder)
        if owner is not None and owner.status in _MAY_HOLD_LOCKS:
            return False
        text = entity_messages.encode_release(holder, entity_messages.ORPHANED_LOCK)
        await self._send(instance_id, entity_messages.RELEASE, text)
        return True

    async def _send(self, instance_id: InstanceId, name: str, text: str) -> None:
        event = history.event_raised(name, text, self._clock.now())
        await self._hub.signal(Message(instance_id, event))

    async def _all(self) -> AsyncIterator[InstanceState]:
        query = InstanceQuery(prefix="@", at_most=_CLEAN_PAGE)
        while True:
            page = await self._hub.query(query)
            for row in page.instances:
                if is_entity(row):
                    yield row
            if page.next_after is None:
                return
            query = replace(query, after=page.next_after)


def exists(row: InstanceState) -> bool:
    """Whether the row is an entity's, and the entity has user state."""
    return is_entity(row) and entity_messages.decode_status(row.custom_status).exists


def state_of(row: InstanceState) -> str | None:
    """The user state in this row, JSON text."""
    return entity_messages.decode_state(row.input)
