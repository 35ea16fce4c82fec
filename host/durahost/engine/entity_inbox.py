"""What an entity's scheduler does with arriving messages: queue, lock, release, resume.

Messages are received in the order of the inbox; then one batch is taken off the queue. Requests of
the lock's holder go before all others; of those nothing runs until the lock is released.
Source: Azure/azure-functions-durable-extension: DurableTaskExtension.cs (EntityMiddleware),
EntityScheduler/SchedulerState.cs.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from durahost.codec import entity_messages, history
from durahost.model.actions import Hint
from durahost.model.entities import EntityRequest, SchedulerState
from durahost.model.events import EventKind, HistoryEvent
from durahost.model.ids import InstanceId
from durahost.model.values import dataclass

TOO_EARLY = timedelta(milliseconds=100)
"""How much before its time a scheduled signal may run. Source: EntityMiddleware."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What runs next: operations, then at most one lock request.

    is_cut: the limit ended it while more could run.
    """

    operations: Sequence[EntityRequest]
    lock_request: EntityRequest | None
    is_cut: bool


class EntityInbox:
    """One scheduler while it receives its messages; `scheduler` is what it keeps."""

    def __init__(self, instance_id: InstanceId, scheduler: SchedulerState, now: datetime) -> None:
        self.is_suspended = scheduler.is_suspended
        self.early: list[EntityRequest] = []
        self.hints: list[Hint] = []
        self._instance_id = instance_id
        self._scheduler = scheduler
        self._now = now
        self._locked_by = scheduler.locked_by
        self._queue = deque(scheduler.queue)
        self._of_holder: list[EntityRequest] = []
        self._known = {request.request_id for request in scheduler.queue}

    @property
    def scheduler(self) -> SchedulerState:
        """What is kept now."""
        return replace(
            self._scheduler,
            queue=list(self._queue),
            locked_by=self._locked_by,
            is_suspended=self.is_suspended,
        )

    def receive(self, event: HistoryEvent) -> None:
        """Take the next message; what is none of an entity's is dropped with a hint."""
        name = event.name or ""
        if event.kind is not EventKind.EVENT_RAISED:
            self._drop(f"a message of the kind {event.kind.name}")
        elif name.startswith(entity_messages.REQUEST):
            self._requested(event)
        elif name == entity_messages.RELEASE:
            self._released(event)
        else:
            self.is_suspended = False

    def take_batch(self, max_operations: int) -> Batch:
        """Take as many operations off the queue as may run now, up to a lock request."""
        self._queue.extendleft(reversed(self._of_holder))
        self._of_holder = []
        operations: list[EntityRequest] = []
        while self._may_run():
            if len(operations) == max_operations:
                return Batch(operations, None, is_cut=True)
            request = self._queue.popleft()
            if request.lock_set is not None:
                return Batch(operations, request, is_cut=False)
            operations.append(request)
        return Batch(operations, None, is_cut=False)

    def _requested(self, event: HistoryEvent) -> None:
        request = entity_messages.decode_request(history.read_input(event))
        if request is None:
            self._drop(f"an event named '{event.name}' that is no request")
        elif request.request_id in self._known:
            self._drop(f"a second copy of the request {request.request_id}")
        elif request.due is not None and request.due - self._now > TOO_EARLY:
            self.early.append(request)
        else:
            self._known.add(request.request_id)
            is_holder = self._locked_by is not None and request.parent == self._locked_by
            (self._of_holder if is_holder else self._queue).append(request)

    def _released(self, event: HistoryEvent) -> None:
        parent = entity_messages.decode_release(history.read_input(event))
        if parent is not None and parent == self._locked_by:
            self._locked_by = None

    def _may_run(self) -> bool:
        if self.is_suspended or not self._queue:
            return False
        return self._locked_by is None or self._queue[0].parent == self._locked_by

    def _drop(self, what: str) -> None:
        self.hints.append(
            Hint(
                f"Entity '{self._instance_id}' was sent {what}; it was dropped and changes nothing."
            )
        )
