"""What a developer is told of a replay that differs from history: the step, both actions, both
places.

The instance itself fails with DurableTask's text (`engine.matching`); this goes into the log only.
"""

from datetime import datetime
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
from durahost.engine.matching import NonDeterminism
from durahost.model.actions import Hint
from durahost.model.events import EventKind, HistoryEvent
from durahost.model.instances import InstanceState


def describe(state: InstanceState, failure: NonDeterminism, site: str | None) -> Hint:
    """Put the recorded and the current action side by side.

    site: where the current code stood, for the case that it asked for nothing.
    """
    event, decision = failure.event, failure.decision
    if decision is None:
        place = f", the code stands at {site}" if site else ""
        current = f"nothing (yet){place}"
    else:
        current = _with_site(_current(decision), getattr(decision, "site", None))
    return Hint(
        f"Instance '{state.instance_id}' is not deterministic: at step {event.task_id} the code of "
        f"'{state.name}' no longer does what it did.\n"
        f"  recorded: {_with_site(_recorded(event), event.site)}\n"
        f"  current:  {current}\n"
        "An orchestrator must take the same steps at each replay: undo the change for instances "
        "that run, or give the new code a new name or version."
    )


def _with_site(action: str, site: str | None) -> str:
    return f"{action} at {site}" if site else action


def _recorded(event: HistoryEvent) -> str:
    match event.kind:
        case EventKind.TASK_SCHEDULED:
            return _activity(event.name or "")
        case EventKind.TIMER_CREATED:
            return _timer(history.read_fire_at(event))
        case EventKind.SUB_ORCHESTRATION_CREATED:
            return _child(event.name or "", history.read_target(event))
        case _:
            return _message(event.name or "", history.read_target(event), history.read_input(event))


def _current(decision: Decision) -> str:
    match decision:
        case ScheduleTask():
            return _activity(decision.name)
        case StartTimer():
            return _timer(decision.fire_at)
        case CreateSubOrchestration():
            return _child(decision.name, decision.instance_id)
        case SendEvent():
            return _message(decision.name, decision.instance_id, decision.input)
        case Complete():
            return "the end of the orchestration"
        case _:
            assert_never(decision)


def _activity(name: str) -> str:
    return "durable HTTP call" if name == ACTIVITY_NAME else f"activity '{name}'"


def _timer(fire_at: datetime) -> str:
    return f"timer for {history.format_time(fire_at)}"


def _child(name: str, instance_id: str) -> str:
    return f"sub-orchestrator '{name}' (instance '{instance_id}')"


def _message(name: str, target: str, text: str | None) -> str:
    """Name an entity's operation, else (a lock's request or release) the message."""
    request = entity_messages.decode_request(text)
    if request is None or request.operation is None:
        return f"event '{name}' to '{target}'"
    kind = "signal" if request.is_signal else "call"
    return f"{kind} of '{request.operation}' on entity '{target}'"
