"""How the log names what an orchestrator asked for."""

from typing import assert_never

from durahost.codec import entity_messages, history
from durahost.codec.durable_http import ACTIVITY_NAME
from durahost.engine.decisions import (
    Complete,
    CreateSubOrchestration,
    Decision,
    ScheduleTask,
    SendEvent,
    StartTimer,
)
from durahost.model.events import EventKind, HistoryEvent


def with_site(action: str, site: str | None) -> str:
    """The action and the line of code it comes from, where that is known."""
    return f"{action} at {site}" if site else action


def recorded(event: HistoryEvent) -> str:
    """What a scheduling event says was asked for."""
    match event.kind:
        case EventKind.TASK_SCHEDULED:
            return _activity(event.name or "")
        case EventKind.TIMER_CREATED:
            return f"timer for {history.format_time(history.read_fire_at(event))}"
        case EventKind.SUB_ORCHESTRATION_CREATED:
            return _child(event.name or "", history.read_target(event))
        case _:
            return _sent(event.name or "", history.read_target(event), history.read_input(event))


def current(decision: Decision) -> str:
    """What this replay asks for."""
    match decision:
        case ScheduleTask():
            return _activity(decision.name)
        case StartTimer():
            return f"timer for {history.format_time(decision.fire_at)}"
        case CreateSubOrchestration():
            return _child(decision.name, decision.instance_id)
        case SendEvent():
            return _sent(decision.name, decision.instance_id, decision.input)
        case Complete():
            return "the end of the orchestration"
        case _:
            assert_never(decision)


def message(target: str, operation: str, *, is_signal: bool) -> str:
    """An operation that an entity is asked for."""
    return f"{'signal' if is_signal else 'call'} of '{operation}' on entity '{target}'"


def _activity(name: str) -> str:
    return "durable HTTP call" if name == ACTIVITY_NAME else f"activity '{name}'"


def _child(name: str, instance_id: str) -> str:
    return f"sub-orchestrator '{name}' (instance '{instance_id}')"


def _sent(name: str, target: str, text: str | None) -> str:
    """Name an entity's operation, else (a lock's request or release) the message."""
    request = entity_messages.decode_request(text)
    if request is None or request.operation is None:
        return f"event '{name}' to '{target}'"
    return message(target, request.operation, is_signal=request.is_signal)
