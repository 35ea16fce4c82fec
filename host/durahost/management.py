"""What a client may ask of a task hub: start, look, wait, send, end and forget instances.

Payload texts are passed on as they came. Nothing here waits for an instance but `wait`: requests
are messages, and what they change is seen later.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from durahost.clock import Clock
from durahost.codec import history
from durahost.config.settings import DurableSettings
from durahost.engine.outcome import start_of
from durahost.engine.transitions import ACCEPTED, Request
from durahost.entities import Entities
from durahost.model.errors import InstanceNotFound, InvalidState
from durahost.model.events import HistoryEvent
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.instances import InstanceState
from durahost.model.messages import Message
from durahost.model.queries import InstancePage, InstanceQuery
from durahost.model.status import TERMINAL, RuntimeStatus
from durahost.store.base import InstanceStore, StoreProvider

logger = logging.getLogger(__name__)

_PURGE_PAGE = 500
_LOOK_AGAIN = timedelta(seconds=1)
"""The end of an instance ends a wait; looking again is for a store that might not tell."""
_ANY_STATE = frozenset(RuntimeStatus)


class Management:
    """One task hub, as its clients see it."""

    def __init__(self, hub: InstanceStore, clock: Clock, settings: DurableSettings) -> None:
        self._hub = hub
        self._clock = clock
        self._settings = settings

    @property
    def entities(self) -> Entities:
        """The operations on the hub's entities."""
        return Entities(self._hub, self._clock)

    async def start(
        self,
        name: str,
        input_text: str | None,
        *,
        instance_id: InstanceId | None = None,
        version: str | None = None,
        scheduled_at: datetime | None = None,
    ) -> InstanceId:
        """Start an orchestration; without an id it gets a GUID of 32 lower-case hex digits.

        version: None means the app's default version. scheduled_at: Pending until then; events wait
        for it, a termination does not.
        Errors: InstanceExists when the id is taken by an instance that a start does not replace.
        """
        now = self._clock.now()
        state = InstanceState(
            instance_id=instance_id or InstanceId(self._clock.new_guid().hex),
            execution_id=ExecutionId(self._clock.new_guid().hex),
            name=name,
            status=RuntimeStatus.PENDING,
            created_at=now,
            updated_at=now,
            version=(self._settings.default_version or "") if version is None else version,
            input=input_text,
            scheduled_at=scheduled_at,
        )
        await self._hub.create(start_of(state, now), self._settings.replaceable)
        return state.instance_id

    def peek(self, instance_id: InstanceId) -> InstanceState | None:
        """The instance as last committed, if it is in memory."""
        return self._hub.peek(instance_id)

    async def status(self, instance_id: InstanceId) -> InstanceState | None:
        """The instance as last committed; None when there is none."""
        return await self._hub.get(instance_id)

    async def history(self, instance_id: InstanceId) -> Sequence[HistoryEvent]:
        """The current execution's events; empty for an unknown or not yet run instance."""
        return await self._hub.read_history(instance_id)

    async def list(self, query: InstanceQuery) -> InstancePage:
        """One page of instances, entities among them, in ordinal order of ids."""
        return await self._hub.query(query)

    async def wait(
        self, instance_id: InstanceId, limit: timedelta, interval: timedelta
    ) -> InstanceState | None:
        """Wait until the instance has ended or the time is up; return what was seen last.

        interval: how often Azure looks; here the end is noticed at once.

        Time here is real time. A zero or negative limit looks once.
        Source: Azure/azure-functions-durable-extension: HttpApiHandler.cs
        (WaitForCompletionOrCreateCheckStatusResponseAsync).
        """
        until = self._clock.monotonic() + limit.total_seconds()
        while True:
            left = until - self._clock.monotonic()
            if left > 0:
                at_most = min(max(interval, _LOOK_AGAIN), timedelta(seconds=left))
                await self._hub.wait_for_end(instance_id, at_most)
            state = await self._hub.get(instance_id)
            if left <= 0 or (state is not None and state.status.is_terminal):
                return state

    async def raise_event(self, instance_id: InstanceId, name: str, input_text: str | None) -> None:
        """Send an external event. Errors: InstanceNotFound, InvalidState when it has ended."""
        event = history.event_raised(name, input_text, self._clock.now())
        await self._send(instance_id, event, Request.RAISE_EVENT)

    async def terminate(self, instance_id: InstanceId, reason: str | None) -> None:
        """Ask for termination. Errors: InstanceNotFound, InvalidState when it has ended."""
        event = history.execution_terminated(reason, self._clock.now())
        await self._send(instance_id, event, Request.TERMINATE)

    async def suspend(self, instance_id: InstanceId, reason: str | None) -> None:
        """Ask for suspension.

        Errors: InstanceNotFound; InvalidState when it has ended or is suspended.
        """
        event = history.execution_suspended(reason, self._clock.now())
        await self._send(instance_id, event, Request.SUSPEND)

    async def resume(self, instance_id: InstanceId, reason: str | None) -> None:
        """Ask to go on. Errors: InstanceNotFound; InvalidState unless it is suspended."""
        event = history.execution_resumed(reason, self._clock.now())
        await self._send(instance_id, event, Request.RESUME)

    async def rewind(self, instance_id: InstanceId, reason: str | None) -> None:
        """Ask for another try of what failed, in this instance and in its failed children.

        Errors: InstanceNotFound; InvalidState unless it has failed.
        """
        event = history.execution_rewound(reason, self._clock.now())
        seed = self._clock.new_guid()
        for hint in await self._hub.rewind(instance_id, event, seed, ACCEPTED[Request.REWIND]):
            logger.warning("%s", hint.text, extra={"instance_id": instance_id})

    async def restart(self, instance_id: InstanceId, *, with_new_id: bool = True) -> InstanceId:
        """Start the same function with the same input, under a new id or the same.

        Errors: InstanceNotFound; with the same id InstanceExists, as for a start.
        """
        state = await self._require(instance_id)
        return await self.start(
            state.name, state.input, instance_id=None if with_new_id else instance_id
        )

    async def purge(self, instance_id: InstanceId) -> int:
        """Forget an instance that has ended, or anything whose id begins with "@".

        Returns the number of deleted instances.
        Errors, but not for such ids: InstanceNotFound; InvalidState when it has not ended.
        Source: Azure/azure-functions-durable-extension: HttpApiHandler.cs
        (HandleDeleteHistoryByIdRequestAsync).
        """
        if not instance_id.startswith("@"):
            await self._hub.purge(instance_id, ACCEPTED[Request.PURGE])
            return 1
        try:
            await self._hub.purge(instance_id, _ANY_STATE)
        except InstanceNotFound:
            return 0
        return 1

    async def purge_by(
        self,
        created_from: datetime,
        created_to: datetime | None = None,
        statuses: Collection[RuntimeStatus] | None = None,
    ) -> int:
        """Forget every instance created in the range (bounds included); returns their number.

        Only terminal statuses count as a filter; when none of them is given everything in the range
        goes, live instances and entities too, as on Azure Storage.
        Source: Azure/durabletask: Tracking/AzureTableTrackingStore.cs (PurgeInstanceHistoryAsync).
        """
        chosen = TERMINAL & frozenset(statuses or ())
        query = InstanceQuery(
            created_from=created_from,
            created_to=created_to or self._clock.now(),
            statuses=chosen or None,
            at_most=_PURGE_PAGE,
        )
        deleted = live = 0
        while True:
            page = await self._hub.query(query)
            for state in page.instances:
                if await self._forget(state, chosen or _ANY_STATE):
                    deleted += 1
                    live += not state.status.is_terminal
            if page.next_after is None:
                break
            query = replace(query, after=page.next_after)
        if live:
            logger.warning(
                "Purge without a terminal status deleted %d live instance(s), as Azure Storage "
                "does; name runtimeStatus to keep them.",
                live,
            )
        return deleted

    async def _forget(self, state: InstanceState, allowed: Collection[RuntimeStatus]) -> bool:
        try:
            await self._hub.purge(state.instance_id, allowed)
        except (InstanceNotFound, InvalidState):  # gone, or started anew, since the page was read
            return False
        return True

    async def _send(self, instance_id: InstanceId, event: HistoryEvent, request: Request) -> None:
        await self._hub.send(Message(instance_id, event), ACCEPTED[request])

    async def _require(self, instance_id: InstanceId) -> InstanceState:
        state = await self._hub.get(instance_id)
        if state is None:
            raise InstanceNotFound(instance_id)
        return state


Managements = Callable[[str | None], Management]
"""Gives the management of a hub by name; None means the app's own hub."""


class Hubs:
    """The hubs of one database; one that a request names is opened on demand, never dispatched."""

    def __init__(self, stores: StoreProvider, clock: Clock, settings: DurableSettings) -> None:
        self._stores = stores
        self._clock = clock
        self._settings = settings
        self._own = self._open(settings.hub_name)

    def __call__(self, name: str | None = None) -> Management:
        """The management of this hub."""
        if not name or name == self._settings.hub_name:
            return self._own
        return self._open(name)

    def _open(self, name: str) -> Management:
        return Management(self._stores.open_hub(name), self._clock, self._settings)
