"""Rewind: a new execution of an ended instance, in which what failed has not happened yet.

Only what failed, or was lost when the instance ended, runs again; successes are replayed. Nothing
of the orchestrator runs here.
Source: Azure/durabletask: src/DurableTask.Core/TaskOrchestrationDispatcher.cs
(ProcessRewindOrchestrationDecision), 3.6 and later. There, steps that were still open when the
instance ended hang for ever after a rewind; here they run again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from durahost.codec import failures, history
from durahost.model.actions import Hint
from durahost.model.events import ANSWERS, SCHEDULING, EventKind, HistoryEvent
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.instances import InstanceState, ParentInstance
from durahost.model.messages import Message
from durahost.model.status import RuntimeStatus

_FAILURES = frozenset({EventKind.TASK_FAILED, EventKind.SUB_ORCHESTRATION_FAILED})


@dataclass(frozen=True, slots=True)
class ChildRewind:
    """A sub-orchestration whose caller is rewound: it is rewound too, and answers the new
    execution.

    request: the event for it. parent: whom it answers from now on. former: whom it answered so far;
    an instance that answers any other is not this call's child any more.
    """

    instance_id: InstanceId
    request: HistoryEvent
    parent: ParentInstance
    former: ParentInstance


@dataclass(frozen=True, slots=True)
class Rewound:
    """The instance afterwards: its row, its whole history, and what goes with them.

    send: messages of the new execution. children: to be rewound, or answered for, as well.
    """

    state: InstanceState
    history: Sequence[HistoryEvent]
    send: Sequence[Message]
    children: Sequence[ChildRewind]
    hints: Sequence[Hint] = ()


def rewind(
    old: InstanceState,
    past: Sequence[HistoryEvent],
    request: HistoryEvent,
    execution_id: ExecutionId,
    now: datetime,
) -> Rewound:
    """Build the new execution.

    It is Pending and keeps its output until it ends again, as on Azure Storage. With no child to
    wait for, a message that becomes no event wakes it (`episode.plan`).
    Source of the row: Azure/durabletask: AzureTableTrackingStore.cs (UpdateStatusForRewindAsync).
    """
    now = max([now, old.updated_at, *(event.timestamp for event in past[-1:])])
    state = replace(
        old,
        execution_id=execution_id,
        status=RuntimeStatus.PENDING,
        updated_at=now,
        completed_at=None,
    )
    steps = _sort_steps(past, has_diverged=_has_diverged(old))
    kept = [_adopted(event, state) for n, event in enumerate(past) if n not in steps.dropped]
    rewound = [history.orchestrator_started(now), request, history.orchestrator_completed(now)]
    children = [
        _rewind_child(event, old, state, request)
        for event in steps.unanswered(past, EventKind.SUB_ORCHESTRATION_CREATED)
    ]
    timers = [
        _fire_again(event, state, now) for event in steps.unanswered(past, EventKind.TIMER_CREATED)
    ]
    wake = Message(state.instance_id, history.execution_rewound("", now), execution_id)
    return Rewound(
        state,
        [*kept, *rewound],
        [*timers, *([] if children else [wake])],
        children,
        [_hint(old)] if steps.went_on else [],
    )


@dataclass(slots=True)
class _Steps:
    """Places in the history: events to leave out, and the latest open step by its id.

    went_on: whether steps that are kept were taken after a failure.
    """

    dropped: set[int] = field(default_factory=set)
    open: dict[int | None, int] = field(default_factory=dict)
    went_on: bool = False

    def unanswered(self, past: Sequence[HistoryEvent], kind: EventKind) -> list[HistoryEvent]:
        return [past[place] for place in self.open.values() if past[place].kind is kind]


def _sort_steps(past: Sequence[HistoryEvent], *, has_diverged: bool) -> _Steps:
    steps = _Steps()
    last_episode = max(
        (place for place, event in enumerate(past) if event.kind is EventKind.ORCHESTRATOR_STARTED),
        default=0,
    )
    has_failed = False
    for place, event in enumerate(past):
        if event.kind in SCHEDULING and has_diverged and place > last_episode:
            # What the changed code asked for when the divergence was found.
            steps.dropped.add(place)
        elif event.kind in _FAILURES:
            has_failed = True
            steps.dropped.add(place)
        elif event.kind in ANSWERS:
            steps.open.pop(event.task_id, None)
        elif event.kind is EventKind.EXECUTION_COMPLETED:
            steps.dropped.add(place)
        elif event.kind in SCHEDULING:
            steps.went_on = steps.went_on or has_failed
            if event.kind is not EventKind.EVENT_SENT:
                steps.open[event.task_id] = place
    steps.dropped.update(
        place for place in steps.open.values() if past[place].kind is EventKind.TASK_SCHEDULED
    )
    return steps


def _has_diverged(state: InstanceState) -> bool:
    return (state.output or "").startswith(failures.NON_DETERMINISM)


def _adopted(event: HistoryEvent, state: InstanceState) -> HistoryEvent:
    """The start names the new execution, and the caller's; all else is kept as it stands."""
    if event.kind is not EventKind.EXECUTION_STARTED:
        return event
    return history.execution_started(state, event.timestamp)


def _rewind_child(
    created: HistoryEvent, old: InstanceState, state: InstanceState, request: HistoryEvent
) -> ChildRewind:
    assert created.task_id is not None
    child = InstanceId(history.read_target(created))
    event = history.execution_rewound(
        history.read_reason(request),
        state.updated_at,
        instance_id=child,
        parent_execution_id=state.execution_id,
    )
    former, parent = (
        ParentInstance(one.instance_id, one.execution_id, one.name, one.version, created.task_id)
        for one in (old, state)
    )
    return ChildRewind(child, event, parent, former)


def _fire_again(created: HistoryEvent, state: InstanceState, now: datetime) -> Message:
    """The firing that was lost when the instance ended."""
    assert created.task_id is not None
    fire_at = history.read_fire_at(created)
    fired = history.timer_fired(created.task_id, fire_at, now)
    return Message(state.instance_id, fired, state.execution_id, visible_at=fire_at)


def _hint(state: InstanceState) -> Hint:
    return Hint(
        f"Instance '{state.instance_id}' went on after the failure that is rewound (a retry, or a "
        "caught exception), so its replay may differ from its history and fail as "
        "non-deterministic, as on Azure; if it does, restart it instead."
    )
