"""Decisions: the actions of one execution after ids were given, as DurableTask's core knows
them.

site: `file:line` of the yield that asked for it, None when not known; for the developer only.
"""

from datetime import datetime

from durahost.model.ids import InstanceId
from durahost.model.status import RuntimeStatus
from durahost.model.values import dataclass


@dataclass(frozen=True, slots=True)
class ScheduleTask:
    """Run an activity; `input` is the JSON array that its message carries."""

    task_id: int
    name: str
    input: str | None
    site: str | None = None


@dataclass(frozen=True, slots=True)
class CreateSubOrchestration:
    """Start a child and wait for it; `input` is stored as the child's input."""

    task_id: int
    name: str
    instance_id: InstanceId
    version: str
    input: str | None
    site: str | None = None


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Deliver TimerFired at `fire_at`."""

    task_id: int
    fire_at: datetime
    site: str | None = None


@dataclass(frozen=True, slots=True)
class SendEvent:
    """Raise an event on another instance (an entity's message); nothing waits for its answer here.

    deliver_at: not before this time; None means at once.
    """

    task_id: int
    instance_id: InstanceId
    name: str
    input: str
    deliver_at: datetime | None = None
    site: str | None = None


@dataclass(frozen=True, slots=True)
class Complete:
    """End the execution.

    result: output text; for continue-as-new the next input. details: for a waiting parent.
    """

    task_id: int
    status: RuntimeStatus
    result: str | None
    details: str | None = None


Awaited = ScheduleTask | CreateSubOrchestration | StartTimer
"""Decisions that an event answers."""

Decision = ScheduleTask | CreateSubOrchestration | StartTimer | SendEvent | Complete
