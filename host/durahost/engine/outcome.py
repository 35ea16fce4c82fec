"""What an episode's decisions change: events, activities, messages, children, the row, all in one
commit.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from durahost.codec import failures, history
from durahost.engine.decisions import (
    Complete,
    CreateSubOrchestration,
    Decision,
    ScheduleTask,
    SendEvent,
    StartTimer,
)
from durahost.engine.execution import Execution
from durahost.engine.walk import Walk
from durahost.model.actions import OrchestratorFailure, OrchestratorState
from durahost.model.events import EventKind, HistoryEvent
from durahost.model.ids import ExecutionId
from durahost.model.instances import Commit, InstanceState, NewInstance, ParentInstance
from durahost.model.messages import ActivityTask, Message
from durahost.model.status import RuntimeStatus
from durahost.model.values import dataclass

CUSTOM_STATUS_LIMIT_KB = 16
"""Source: Azure/azure-functions-durable-extension: MessagePayloadDataConverter.cs (Serialize)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Settings the engine decides by."""

    stores_inputs: bool = False
    max_actions: int = 100_000
    has_timer_limit: bool = True
    default_version: str = ""
    http_sleep: timedelta = timedelta(seconds=30)


class FreshIds:
    """Ids made from one random seed, so that deciding twice gives the same ones."""

    def __init__(self, seed: uuid.UUID) -> None:
        self._seed = seed

    def guid(self, purpose: str) -> uuid.UUID:
        """A GUID, one per purpose."""
        return uuid.uuid5(self._seed, purpose)

    def execution_id(self, purpose: str) -> ExecutionId:
        """32 hex digits, one per purpose."""
        return ExecutionId(self.guid(purpose).hex)


def check_custom_status(
    answer: OrchestratorState | OrchestratorFailure,
) -> OrchestratorState | OrchestratorFailure:
    """Replace an answer whose custom status is too large by the failure it causes, before any
    action runs.
    """
    if isinstance(answer, OrchestratorFailure) or answer.custom_status is None:
        return answer
    size_kb = len(answer.custom_status.encode("utf-16-le", "surrogatepass")) // 1024
    if size_kb <= CUSTOM_STATUS_LIMIT_KB:
        return answer
    error = (
        "The UTF-16 size of the JSON-serialized payload must not exceed "
        f"{CUSTOM_STATUS_LIMIT_KB} KB. The current payload size is {size_kb} KB."
    )
    return OrchestratorFailure(error, failures.orchestrator_details(error, ""))


def finish(
    execution: Execution,
    walk: Walk | None,
    answer: OrchestratorState | OrchestratorFailure,
    *,
    name: str,
) -> None:
    """End the execution if the answer says so and nothing is open: activities, children, timers
    hold it.
    """
    if execution.has_open_tasks:
        return
    error, details = _error(walk, answer)
    if error is not None:
        execution.complete(RuntimeStatus.FAILED, failures.orchestrator_failed(name, error), details)
    elif walk is None or not walk.is_finished or not getattr(answer, "is_done", False):
        return
    elif execution.has_continue_as_new:
        execution.complete(RuntimeStatus.CONTINUED_AS_NEW, execution.next_input)
    else:
        execution.complete(RuntimeStatus.COMPLETED, getattr(answer, "output", None))


def build_commit(
    execution: Execution,
    effects: "Effects",
    *,
    new_events: Sequence[HistoryEvent],
    taken: Mapping[int, int],
    dropped: Sequence[int],
) -> Commit:
    """Turn decisions into one commit; `taken` maps the identity of a new event to its message
    id, `dropped` are the messages that leave without one.
    """
    for decision in execution.decisions:
        effects.apply(decision)
    ending = effects.ending
    if ending is not None and ending.status is RuntimeStatus.CONTINUED_AS_NEW:
        return _next_generation(execution, effects, taken=taken, dropped=dropped)
    closing = history.orchestrator_completed(effects.now)
    return Commit(
        state=_row(execution, effects, new_events),
        append=[*new_events, *effects.events, closing],
        consume=[*dropped, *taken.values()],
        schedule=effects.tasks,
        create=effects.children,
        send=[*effects.messages, *to_parent(effects)],
    )


class Effects:
    """Collects what the decisions of one episode cause.

    state: the row before the episode. custom_status: the row's after it.
    """

    def __init__(
        self,
        state: InstanceState,
        rules: Rules,
        fresh: FreshIds,
        now: datetime,
        custom_status: str | None = None,
    ) -> None:
        self.state = state
        self.custom_status = custom_status
        self.now = now
        self.fresh = fresh
        self.events: list[HistoryEvent] = []
        self.tasks: list[ActivityTask] = []
        self.children: list[NewInstance] = []
        self.messages: list[Message] = []
        self.ending: Complete | None = None
        self._rules = rules

    def apply(self, decision: Decision) -> None:
        """Add what this decision causes."""
        match decision:
            case ScheduleTask():
                self._schedule(decision)
            case StartTimer():
                self._start_timer(decision)
            case CreateSubOrchestration():
                self._create_child(decision)
            case SendEvent():
                self._send_event(decision)
            case Complete(task_id, status, result):
                self.ending = decision
                self.events.append(history.execution_completed(task_id, status, result, self.now))
            case _:
                assert_never(decision)

    def _schedule(self, decision: ScheduleTask) -> None:
        state = self.state
        task = ActivityTask(
            state.instance_id, state.execution_id, decision.task_id, decision.name, decision.input
        )
        self.tasks.append(task)
        stores = self._rules.stores_inputs
        self.events.append(
            history.task_scheduled(task, self.now, stores_input=stores, site=decision.site)
        )

    def _start_timer(self, timer: StartTimer) -> None:
        self.events.append(
            history.timer_created(timer.task_id, timer.fire_at, self.now, timer.site)
        )
        self.messages.append(
            Message(
                self.state.instance_id,
                history.timer_fired(timer.task_id, timer.fire_at, self.now),
                execution_id=self.state.execution_id,
                visible_at=timer.fire_at,
            )
        )

    def _send_event(self, sent: SendEvent) -> None:
        target = sent.instance_id
        self.events.append(
            history.event_sent(
                sent.task_id, target, sent.name, sent.input, self.now, site=sent.site
            )
        )
        raised = history.event_raised(sent.name, sent.input, self.now)
        self.messages.append(Message(target, raised, visible_at=sent.deliver_at))

    def _create_child(self, decision: CreateSubOrchestration) -> None:
        parent = self.state
        child = InstanceState(
            instance_id=decision.instance_id,
            execution_id=self.fresh.execution_id(f"child {decision.task_id}"),
            name=decision.name,
            version=decision.version,
            status=RuntimeStatus.PENDING,
            created_at=self.now,
            updated_at=self.now,
            input=decision.input,
            parent=ParentInstance(
                parent.instance_id,
                parent.execution_id,
                parent.name,
                parent.version,
                decision.task_id,
            ),
            tags=parent.tags,
        )
        self.children.append(start_of(child, self.now))
        created = history.sub_orchestration_created(
            decision.task_id,
            child,
            self.now,
            stores_input=self._rules.stores_inputs,
            site=decision.site,
        )
        self.events.append(created)


def start_of(state: InstanceState, now: datetime) -> NewInstance:
    """The start of an instance: its row and the message that will run it."""
    started = Message(
        state.instance_id,
        history.execution_started(state, now),
        execution_id=state.execution_id,
        visible_at=state.scheduled_at,
    )
    return NewInstance(state, started)


def _error(
    walk: Walk | None, answer: OrchestratorState | OrchestratorFailure
) -> tuple[str | None, str | None]:
    if isinstance(answer, OrchestratorFailure):
        return answer.error, answer.details
    if walk is not None and walk.error is not None:
        return walk.error, failures.orchestrator_details(walk.error, "")
    if walk is not None and walk.is_finished and answer.error is not None:
        return answer.error, failures.orchestrator_details(answer.error, answer.stack)
    return None, None


def _row(
    execution: Execution, effects: Effects, new_events: Sequence[HistoryEvent]
) -> InstanceState:
    """The row after the episode.

    While Suspended, and after a resume, output holds the reason, as Azure Storage writes it; a
    missing
    reason leaves the earlier text. Source: Azure/durabletask: AzureTableTrackingStore.cs
    (UpdateStateAsync).
    """
    state, ending = effects.state, effects.ending
    completed_at = state.completed_at
    if ending is not None:
        status, output, completed_at = ending.status, ending.result, effects.now
    else:
        status = RuntimeStatus.SUSPENDED if execution.is_suspended else RuntimeStatus.RUNNING
        output = state.output
        for event in new_events:
            if event.kind in (EventKind.EXECUTION_SUSPENDED, EventKind.EXECUTION_RESUMED):
                reason = history.read_reason(event)
                output = output if reason is None else reason
    return replace(
        state,
        status=status,
        custom_status=effects.custom_status,
        output=output,
        updated_at=effects.now,
        completed_at=completed_at,
    )


def to_parent(effects: Effects) -> list[Message]:
    """The answer to a waiting caller, once the instance ends."""
    parent, ending = effects.state.parent, effects.ending
    if parent is None or ending is None:
        return []
    if ending.status is RuntimeStatus.COMPLETED:
        answer = history.sub_orchestration_completed(parent.task_id, ending.result, effects.now)
    else:
        answer = history.sub_orchestration_failed(
            parent.task_id, ending.result or "", ending.details, effects.now
        )
    return [Message(parent.instance_id, answer, execution_id=parent.execution_id)]


def _next_generation(
    execution: Execution, effects: Effects, *, taken: Mapping[int, int], dropped: Sequence[int]
) -> Commit:
    """Continue-as-new: a fresh execution with the carried-over events before it.

    A carried event of this batch simply stays in the inbox, so that its place is kept; one from an
    earlier
    episode is sent again ahead of all others.
    """
    now, old = effects.now, effects.state
    state = replace(
        old,
        execution_id=effects.fresh.execution_id("next generation"),
        generation=old.generation + 1,
        status=RuntimeStatus.RUNNING,
        input=execution.next_input,
        custom_status=effects.custom_status,
        output=None,
        created_at=now,
        updated_at=now,
    )
    left_over = execution.left_over
    kept = {id(event) for event in left_over}
    again = [
        Message(state.instance_id, event, is_carried=True)
        for event in left_over
        if id(event) not in taken
    ]
    return Commit(
        state=state,
        append=(),
        consume=[*dropped, *(number for event, number in taken.items() if event not in kept)],
        schedule=effects.tasks,
        create=effects.children,
        send=[*effects.messages, start_of(state, now).started, *again],
        starts_generation=True,
    )
