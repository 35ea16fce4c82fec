"""History events: immutable facts of one execution, kept as the JSON text the SDK reads.

An event is its columns (what the engine matches on) and its text (what is shown); `codec.history`
makes both, so that replay never parses JSON.
"""

from datetime import datetime
from enum import IntEnum

from durahost.model.values import dataclass


class EventKind(IntEnum):
    """Event types by their number on the wire.

    Source: Azure/durabletask: src/DurableTask.Core/History/EventType.cs.
    """

    EXECUTION_STARTED = 0
    EXECUTION_COMPLETED = 1
    EXECUTION_FAILED = 2
    EXECUTION_TERMINATED = 3
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    SUB_ORCHESTRATION_CREATED = 7
    SUB_ORCHESTRATION_COMPLETED = 8
    SUB_ORCHESTRATION_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    ORCHESTRATOR_COMPLETED = 13
    EVENT_SENT = 14
    EVENT_RAISED = 15
    CONTINUE_AS_NEW = 16
    GENERIC_EVENT = 17
    HISTORY_STATE = 18
    EXECUTION_SUSPENDED = 19
    EXECUTION_RESUMED = 20
    EXECUTION_REWOUND = 21


SCHEDULING = frozenset(
    {
        EventKind.TASK_SCHEDULED,
        EventKind.SUB_ORCHESTRATION_CREATED,
        EventKind.TIMER_CREATED,
        EventKind.EVENT_SENT,
    }
)
"""Kinds an episode writes for its actions; each carries an id of its own."""

ANSWERS = frozenset(
    {
        EventKind.TASK_COMPLETED,
        EventKind.TASK_FAILED,
        EventKind.SUB_ORCHESTRATION_COMPLETED,
        EventKind.SUB_ORCHESTRATION_FAILED,
        EventKind.TIMER_FIRED,
    }
)
"""Kinds that answer a scheduling event."""

DECISIONS = SCHEDULING | {
    EventKind.EXECUTION_COMPLETED,
    EventKind.CONTINUE_AS_NEW,
    EventKind.ORCHESTRATOR_STARTED,
    EventKind.ORCHESTRATOR_COMPLETED,
}
"""Kinds written by an episode itself; all others arrive as messages."""


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One event.

    task_id: the own id of a scheduling event, the id that an answer answers, else None.
    name: of the activity, sub-orchestrator, external event or entity message, else None.
    text: the event as a JSON object, `"IsPlayed":false`.
    site: file:line of the yield that scheduled the action, for the developer only.
    """

    kind: EventKind
    timestamp: datetime
    text: str
    task_id: int | None = None
    name: str | None = None
    site: str | None = None
