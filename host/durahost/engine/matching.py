"""Replay check: each recorded scheduling event must meet the decision with its id, kind and name.

Texts: Azure/durabletask: src/DurableTask.Core/TaskOrchestrationContext.cs (Handle*Event), verbatim
with
their oddities (two blanks after "number.", "named but", the stray bracket of events).
"""

from typing import assert_never

from durahost.codec import history
from durahost.engine.decisions import (
    Complete,
    CreateSubOrchestration,
    Decision,
    ScheduleTask,
    SendEvent,
    StartTimer,
)
from durahost.model.events import EventKind, HistoryEvent

_QUESTION = (
    "Was a change made to the orchestrator code after this instance had already started running?"
)
_BEFORE = "A previous execution of this orchestration scheduled"
_REPLAY = "but the current orchestration replay instead"
_MISSING = "but the current replay execution hasn't (yet?) scheduled this task."


class NonDeterminism(Exception):
    """The replay produced something else than history holds; the text is DurableTask's, without
    its prefix.

    Never leaves the engine: it becomes the failure of the instance.
    """

    def __init__(self, text: str, event: HistoryEvent, decision: Decision | None) -> None:
        super().__init__(text)
        self.event = event
        self.decision = decision


def check(event: HistoryEvent, decision: Decision | None) -> None:
    """Raise NonDeterminism unless the decision is what the event recorded."""
    if not _is_match(event, decision):
        raise NonDeterminism(_difference(event, decision), event, decision)


def _is_match(event: HistoryEvent, decision: Decision | None) -> bool:
    match event.kind, decision:
        case EventKind.TASK_SCHEDULED, ScheduleTask(name=name):
            return _same(name, event.name)
        case EventKind.TIMER_CREATED, StartTimer():
            return True
        case EventKind.SUB_ORCHESTRATION_CREATED, CreateSubOrchestration(name=name):
            return _same(name, event.name)
        case EventKind.EVENT_SENT, SendEvent(name=name):
            return _same(name, event.name)
        case _:
            return False


def _difference(event: HistoryEvent, decision: Decision | None) -> str:
    match event.kind:
        case EventKind.TASK_SCHEDULED:
            return _activity(event, decision)
        case EventKind.TIMER_CREATED:
            return _timer(event, decision)
        case EventKind.SUB_ORCHESTRATION_CREATED:
            return _sub_orchestration(event, decision)
        case _:
            return _event(event, decision)


def _activity(event: HistoryEvent, decision: Decision | None) -> str:
    task_id, name = event.task_id, event.name
    start = f"{_BEFORE} an activity task with sequence"
    if decision is None:
        return f"{start} ID {task_id} and name '{name}' (version ''), {_MISSING} {_QUESTION}"
    start = f"{start} number {task_id} named '{name}', {_REPLAY}"
    if not isinstance(decision, ScheduleTask):
        start = f"{start} produced a {_action_type(decision)} action"
        return f"{start} with this sequence number. {_QUESTION}"
    start = f"{start} scheduled an activity task named '{decision.name}'"
    return f"{start} with this sequence number.  {_QUESTION}"


def _timer(event: HistoryEvent, decision: Decision | None) -> str:
    start = f"{_BEFORE} a timer task with sequence number {event.task_id}"
    if decision is None:
        return f"{start} {_MISSING} {_QUESTION}"
    start = f"{start} named {_REPLAY} produced a {_action_type(decision)} action"
    return f"{start} with this sequence number. {_QUESTION}"


def _sub_orchestration(event: HistoryEvent, decision: Decision | None) -> str:
    task_id, name = event.task_id, event.name
    instance = history.read_target(event)
    start = (
        f"{_BEFORE} a sub-orchestration task with sequence ID {task_id} and name '{name}' "
        f"(version '', instance ID '{instance}'),"
    )
    if decision is None:
        return f"{start} {_MISSING} {_QUESTION}"
    if not isinstance(decision, CreateSubOrchestration):
        kind = _action_type(decision)
        return f"{start} {_REPLAY} produced a {kind} action at this sequence number. {_QUESTION}"
    return (
        f"{start} {_REPLAY} scheduled a sub-orchestration task with name {decision.name} "
        f"at this sequence number. {_QUESTION}"
    )


def _event(event: HistoryEvent, decision: Decision | None) -> str:
    name, target = event.name, history.read_target(event)
    start = f"{_BEFORE} a send event task with sequence ID {event.task_id}, type 'EventSent'"
    if decision is None:
        return f"{start} name '{name}', instance ID '{target}', {_MISSING} {_QUESTION}"
    start = f"{start}, name '{name}', instance ID '{target}'"
    if not isinstance(decision, SendEvent):
        kind = _action_type(decision)
        return f"{start}, {_REPLAY} scheduled a {kind} task at this sequence number. {_QUESTION}"
    start = f"{start}), {_REPLAY} scheduled a send event task with name {decision.name}"
    return f"{start}at this sequence number. {_QUESTION}"


def _action_type(decision: Decision) -> str:
    match decision:
        case ScheduleTask():
            return "ScheduleTaskOrchestratorAction"
        case StartTimer():
            return "CreateTimerOrchestratorAction"
        case CreateSubOrchestration():
            return "CreateSubOrchestrationAction"
        case SendEvent():
            return "SendEventOrchestratorAction"
        case Complete():
            return "OrchestrationCompleteOrchestratorAction"
        case _:
            assert_never(decision)


def _same(one: str, other: str | None) -> bool:
    return one == other or (other is not None and one.lower() == other.lower())
