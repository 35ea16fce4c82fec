"""History events as JSON text: one constructor per event type, property order as Newtonsoft writes
it.

Order: the type's own fields, then its properties, then the base's (`EventId`, `IsPlayed`,
`Timestamp`).
Source: Azure/durabletask: src/DurableTask.Core/History/*.cs; the recorded contexts in
tests/histories.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from durahost.codec.json_text import dump_plain, write_text
from durahost.model.events import EventKind, HistoryEvent
from durahost.model.instances import InstanceState, ParentInstance
from durahost.model.messages import ActivityTask
from durahost.model.status import RuntimeStatus

_IS_PLAYED = '"IsPlayed":false'

GAP = "\0"
"""Stands for what is not known yet; strict JSON has no such character."""

GAPS = 3
"""Of `task_completed_later`."""

_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def format_time(when: datetime) -> str:
    """Newtonsoft's UTC form: fraction without trailing zeros, suffix Z."""
    text = when.isoformat()
    return f"{text[:26].rstrip('0') if when.microsecond else text[:19]}Z"


def mark_played(text: str) -> str:
    """The event's text with IsPlayed true.

    The last occurrence is the property: inside string values every quote is escaped.
    """
    head, found, tail = text.rpartition(_IS_PLAYED)
    return f'{head}"IsPlayed":true{tail}' if found else text


def orchestrator_started(now: datetime) -> HistoryEvent:
    """First event of every episode."""
    return _written(EventKind.ORCHESTRATOR_STARTED, now, "")


def orchestrator_completed(now: datetime) -> HistoryEvent:
    """Last event of every episode."""
    return _written(EventKind.ORCHESTRATOR_COMPLETED, now, "")


def execution_started(state: InstanceState, now: datetime) -> HistoryEvent:
    """The message that starts an execution, from the instance's row."""
    instance = {"InstanceId": state.instance_id, "ExecutionId": state.execution_id}
    scheduled = format_time(state.scheduled_at) if state.scheduled_at else None
    own = {"OrchestrationInstance": instance}
    rest = {
        "ParentInstance": _parent(state.parent),
        "Name": state.name,
        "Version": state.version,
        "Input": state.input,
        "Tags": dict(state.tags) or None,
        "Correlation": None,
        "ParentTraceContext": None,
        "ScheduledStartTime": scheduled,
        "Generation": state.generation,
    }
    return _event(EventKind.EXECUTION_STARTED, now, rest, first=own, name=state.name)


@dataclass(frozen=True, slots=True)
class FailureDetails:
    """A failure that DurableTask itself found; user code's failures are plain texts here."""

    error_type: str
    message: str
    is_non_retriable: bool = False


def execution_completed(
    task_id: int,
    status: RuntimeStatus,
    result: str | None,
    now: datetime,
    *,
    failure: FailureDetails | None = None,
) -> HistoryEvent:
    """The end of an execution; ContinueAsNew has an event type of its own with the same members."""
    continued = status is RuntimeStatus.CONTINUED_AS_NEW
    kind = EventKind.CONTINUE_AS_NEW if continued else EventKind.EXECUTION_COMPLETED
    details = failure and {
        "ErrorType": failure.error_type,
        "ErrorMessage": failure.message,
        "StackTrace": None,
        "InnerFailure": None,
        "IsNonRetriable": failure.is_non_retriable,
        "Properties": None,
    }
    rest = {"OrchestrationStatus": status.number, "Result": result, "FailureDetails": details}
    return _event(kind, now, rest, task_id=task_id, own_id=task_id)


def execution_terminated(reason: str | None, now: datetime) -> HistoryEvent:
    """A client asked for termination."""
    return _event(EventKind.EXECUTION_TERMINATED, now, {"Input": reason})


def execution_suspended(reason: str | None, now: datetime) -> HistoryEvent:
    """A client asked for suspension."""
    return _event(EventKind.EXECUTION_SUSPENDED, now, {"Reason": reason})


def execution_resumed(reason: str | None, now: datetime) -> HistoryEvent:
    """A client asked to go on."""
    return _event(EventKind.EXECUTION_RESUMED, now, {"Reason": reason})


def execution_rewound(
    reason: str | None,
    now: datetime,
    *,
    instance_id: str | None = None,
    parent_execution_id: str | None = None,
) -> HistoryEvent:
    """A rewind was asked for, by a client or, with the last two, by the rewound caller."""
    rest = {
        "Reason": reason,
        "ParentExecutionId": parent_execution_id,
        "InstanceId": instance_id,
        "ParentTraceContext": None,
    }
    return _event(EventKind.EXECUTION_REWOUND, now, rest)


def task_scheduled(
    task: ActivityTask, now: datetime, *, stores_input: bool, site: str | None = None
) -> HistoryEvent:
    """An activity was asked for; its input is kept only when the settings say so."""
    written = write_text(task.input if stores_input else None)
    rest = (
        f',"Name":{write_text(task.name)},"Version":"","Input":{written}'
        ',"ParentTraceContext":null,"Tags":null'
    )
    number = task.task_id
    return _written(
        EventKind.TASK_SCHEDULED,
        now,
        rest,
        task_id=number,
        own_id=number,
        name=task.name,
        site=site,
    )


def task_completed(task_id: int, result: str | None, now: datetime) -> HistoryEvent:
    """An activity returned; result is its JSON text."""
    rest = _completed(task_id, write_text(result))
    return _written(EventKind.TASK_COMPLETED, now, rest, task_id=task_id)


def task_completed_later(task_id: int) -> Sequence[HistoryEvent]:
    """The first two events of the episode that an activity's result will wake, with gaps for the
    time, the result and the time again.
    """
    started, completed = EventKind.ORCHESTRATOR_STARTED, EventKind.TASK_COMPLETED
    text = _text(completed, _completed(task_id, GAP), GAP)
    return [
        HistoryEvent(started, _SOME_TIME, _text(started, "", GAP)),
        HistoryEvent(completed, _SOME_TIME, text, task_id=task_id),
    ]


def task_failed(task_id: int, reason: str, details: str | None, now: datetime) -> HistoryEvent:
    """An activity raised."""
    return _failed(EventKind.TASK_FAILED, task_id, reason, details, now)


def sub_orchestration_created(
    task_id: int, child: InstanceState, now: datetime, *, stores_input: bool, site: str | None
) -> HistoryEvent:
    """A sub-orchestration was asked for."""
    rest = {
        "Name": child.name,
        "Version": child.version,
        "InstanceId": child.instance_id,
        "Input": child.input if stores_input else None,
        "ClientSpanId": None,
    }
    kind = EventKind.SUB_ORCHESTRATION_CREATED
    return _event(kind, now, rest, task_id=task_id, own_id=task_id, name=child.name, site=site)


def sub_orchestration_completed(task_id: int, result: str | None, now: datetime) -> HistoryEvent:
    """A sub-orchestration completed; result is its output."""
    rest = {"TaskScheduledId": task_id, "Result": result}
    return _event(EventKind.SUB_ORCHESTRATION_COMPLETED, now, rest, task_id=task_id)


def sub_orchestration_failed(
    task_id: int, reason: str, details: str | None, now: datetime
) -> HistoryEvent:
    """A sub-orchestration failed or was terminated; reason is its output."""
    return _failed(EventKind.SUB_ORCHESTRATION_FAILED, task_id, reason, details, now)


def timer_created(
    task_id: int, fire_at: datetime, now: datetime, site: str | None = None
) -> HistoryEvent:
    """A durable timer was asked for."""
    rest = {"FireAt": format_time(fire_at)}
    return _event(
        EventKind.TIMER_CREATED, now, rest, task_id=task_id, own_id=task_id, site=site
    )  # fmt: skip


def timer_fired(task_id: int, fire_at: datetime, now: datetime) -> HistoryEvent:
    """The message of a due timer; made, and time-stamped, when the timer is created."""
    rest = {"TimerId": task_id, "FireAt": format_time(fire_at)}
    return _event(EventKind.TIMER_FIRED, now, rest, task_id=task_id)


def event_sent(
    task_id: int, target: str, name: str, input: str, now: datetime, *, site: str | None = None
) -> HistoryEvent:
    """A message to another instance was asked for; input is its JSON text."""
    rest = {"InstanceId": target, "Name": name, "Input": input}
    kind = EventKind.EVENT_SENT
    return _event(kind, now, rest, task_id=task_id, own_id=task_id, name=name, site=site)


def event_raised(name: str, input: str | None, now: datetime) -> HistoryEvent:
    """An external event; input is JSON text."""
    rest = {"Name": name, "Input": input, "ParentTraceContext": None}
    return _event(EventKind.EVENT_RAISED, now, rest, name=name)


def read_reason(event: HistoryEvent) -> str | None:
    """The reason a client gave with terminate, suspend or resume."""
    members = json.loads(event.text)
    reason = members.get("Reason", members.get("Input"))
    return None if reason is None else str(reason)


def read_fire_at(event: HistoryEvent) -> datetime:
    """The time that TimerCreated recorded."""
    return datetime.fromisoformat(json.loads(event.text)["FireAt"])


def read_input(event: HistoryEvent) -> str | None:
    """The data of a raised event, JSON text."""
    data = json.loads(event.text).get("Input")
    return None if data is None else str(data)


def read_result(event: HistoryEvent) -> str | None:
    """The result that an answer carries, JSON text."""
    result = json.loads(event.text).get("Result")
    return None if result is None else str(result)


def read_target(event: HistoryEvent) -> str:
    """The instance id that SubOrchestrationInstanceCreated or EventSent recorded."""
    return str(json.loads(event.text)["InstanceId"])


def _failed(
    kind: EventKind, task_id: int, reason: str, details: str | None, now: datetime
) -> HistoryEvent:
    rest = {
        "TaskScheduledId": task_id,
        "Reason": reason,
        "Details": details,
        "FailureDetails": None,
    }
    return _event(kind, now, rest, task_id=task_id)


def _parent(parent: ParentInstance | None) -> dict[str, Any] | None:
    if parent is None:
        return None
    instance = {"InstanceId": parent.instance_id, "ExecutionId": parent.execution_id}
    return {
        "OrchestrationInstance": instance,
        "Name": parent.name,
        "Version": parent.version,
        "TaskScheduleId": parent.task_id,
    }


def _event(
    kind: EventKind,
    now: datetime,
    rest: dict[str, Any],
    *,
    first: dict[str, Any] | None = None,
    task_id: int | None = None,
    own_id: int = -1,
    name: str | None = None,
    site: str | None = None,
) -> HistoryEvent:
    """An event of these members; what stands in every episode is written without them."""
    start = f"{dump_plain(first)[1:-1]}," if first else ""
    written = f",{dump_plain(rest)[1:-1]}" if rest else ""
    return _written(
        kind, now, written, first=start, task_id=task_id, own_id=own_id, name=name, site=site
    )


def _written(
    kind: EventKind,
    now: datetime,
    rest: str,
    *,
    first: str = "",
    task_id: int | None = None,
    own_id: int = -1,
    name: str | None = None,
    site: str | None = None,
) -> HistoryEvent:
    """An event whose members are written already, each after a comma; first: those before its
    type.
    """
    text = _text(kind, rest, format_time(now), first=first, own_id=own_id)
    return HistoryEvent(kind, now, text, task_id=task_id, name=name, site=site)


def _text(kind: EventKind, rest: str, time: str, *, first: str = "", own_id: int = -1) -> str:
    return (
        f'{{{first}"EventType":{kind:d}{rest},"EventId":{own_id},{_IS_PLAYED}'
        f',"Timestamp":"{time}"}}'
    )


def _completed(task_id: int, result: str) -> str:
    return f',"TaskScheduledId":{task_id},"Result":{result}'
