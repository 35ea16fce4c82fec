"""Messages between instances: events on their way, not yet in a history."""

from datetime import datetime

from durahost.model.events import HistoryEvent
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.values import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """An event addressed to an instance.

    execution_id: the generation it is meant for; None means whichever is current when it arrives.
    visible_at: not delivered before this time (durable timers, scheduled starts); None means at
    once.
    is_carried: delivered before every message that is not (events carried over a continue-as-new).
    dedupe_key: a second message with the same key in one task hub is dropped.
    """

    instance_id: InstanceId
    event: HistoryEvent
    execution_id: ExecutionId | None = None
    visible_at: datetime | None = None
    is_carried: bool = False
    dedupe_key: str | None = None


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A stored message: `message_id` grows in order of acceptance."""

    message_id: int
    message: Message


@dataclass(frozen=True, slots=True)
class ActivityTask:
    """One scheduled activity.

    input: the JSON array of one element that TaskScheduled carries on Azure.
    """

    instance_id: InstanceId
    execution_id: ExecutionId
    task_id: int
    name: str
    input: str | None
