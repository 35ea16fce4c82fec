"""Entities: the messages they are sent, what their scheduler keeps, and what a batch gives back.

An entity is an instance whose id is `@name@key`. It runs for ever: each batch of operations ends
one generation and begins the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any

from durahost.model.ids import EntityId, ExecutionId, InstanceId
from durahost.model.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRequest:
    """A call, a signal or, with a lock set, a lock request.

    operation: None for a lock request. request_id: a GUID; it also names the answer.
    input: JSON text. parent: who asked; None for a client. due: not before this time.
    sent_at: None where the sender keeps no time.
    lock_set: sorted, each entity once. position: of the entity in it that is asked next.
    Source: Azure/azure-functions-durable-extension: EntityScheduler/RequestMessage.cs.
    """

    request_id: str
    operation: str | None = None
    is_signal: bool = False
    input: str | None = None
    parent: InstanceId | None = None
    parent_execution: ExecutionId | None = None
    due: datetime | None = None
    sent_at: datetime | None = None
    lock_set: Sequence[EntityId] | None = None
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerState:
    """What an entity's scheduler keeps between batches: the input of its instance.

    exists: whether there is user state. state: the user state, JSON text.
    queue: requests that wait, in order. locked_by: the orchestration that holds the lock.
    is_suspended: the last batch was cut short, and a message to go on is on its way.
    sorter: kept as it is; an inbox in order needs no sorting.
    Source: Azure/azure-functions-durable-extension: EntityScheduler/SchedulerState.cs.
    """

    exists: bool = False
    state: str | None = None
    queue: Sequence[EntityRequest] = ()
    locked_by: InstanceId | None = None
    is_suspended: bool = False
    sorter: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityStatus:
    """What an entity's row tells without its state: the custom status of its instance.

    Source: Azure/azure-functions-durable-extension: EntityScheduler/EntityStatus.cs.
    """

    exists: bool = False
    queue_size: int = 0
    locked_by: InstanceId | None = None


@dataclass(frozen=True, slots=True)
class OperationResult:
    """What one operation gave: its result as JSON text, or its error."""

    result: str | None
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class OutgoingSignal:
    """A signal that the entity itself sends; `input` is JSON text."""

    target: EntityId
    operation: str
    input: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """What the entity function gave back for one batch: a result per operation, in order."""

    exists: bool
    state: str | None
    results: Sequence[OperationResult]
    signals: Sequence[OutgoingSignal] = ()
