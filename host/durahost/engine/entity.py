"""The entity scheduler: which operations run next, and what a batch of them leaves behind.

Operations of one entity run one batch at a time, in the order of the inbox; while the entity is
locked, only those of the lock's holder. Every batch, an empty one too, ends in one commit that
begins the next generation, so that an entity's history never grows. `plan_batch` and
`conclude_batch` are values in, values out, as `engine.episode`.
Sources: Azure/azure-functions-durable-extension: DurableTaskExtension.cs (EntityMiddleware),
Listener/TaskEntityShim.cs, ContextImplementations/DurableEntityContext.cs (SendOutbox).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from durahost.codec import entity_messages, history
from durahost.engine.entity_inbox import EntityInbox
from durahost.engine.outcome import FreshIds
from durahost.model.actions import Hint
from durahost.model.entities import BatchResult, EntityRequest, OperationResult, SchedulerState
from durahost.model.events import EventKind, HistoryEvent
from durahost.model.ids import EntityId, InstanceId
from durahost.model.instances import Commit, InstanceState, LockedEpisode
from durahost.model.messages import Message
from durahost.model.status import RuntimeStatus
from durahost.model.values import dataclass

STUCK = timedelta(seconds=10)
"""An entity suspended for longer goes on by itself. Source: EntityMiddleware."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlan:
    """A batch that can run; without operations there is nothing to ask of the entity's function.

    scheduler: what it keeps once the operations and the lock request are taken off its queue.
    early: requests that came before they were due, to be sent again.
    is_cut: more operations wait than one batch may hold.
    """

    locked: LockedEpisode
    scheduler: SchedulerState
    operations: Sequence[EntityRequest]
    lock_request: EntityRequest | None
    early: Sequence[EntityRequest]
    is_cut: bool
    hints: Sequence[Hint]


@dataclass(frozen=True, slots=True)
class BatchConclusion:
    """What to commit, and lines for the developer."""

    commit: Commit
    hints: Sequence[Hint]


def is_entity(state: InstanceState) -> bool:
    """Whether the instance is an entity's scheduler: started by a message, its id is its name.

    Source: Azure/azure-functions-durable-extension: DurableTaskExtension.cs (GetObject).
    """
    return state.name == state.instance_id and EntityId.parse(state.name) is not None


def plan_batch(locked: LockedEpisode, now: datetime, max_operations: int) -> BatchPlan | Commit:
    """Sort the inbox and take the next batch; a Commit means there is nothing left to schedule."""
    state = locked.state
    if state.status.is_terminal:
        return Commit(state=state, consume=[message.message_id for message in locked.inbox])
    if (ended := _termination(locked)) is not None:
        return _terminated(locked, ended, now)
    scheduler = entity_messages.decode_scheduler(state.input)
    inbox = EntityInbox(state.instance_id, scheduler, now)
    for item in locked.inbox:
        inbox.receive(item.message.event)
    if state.created_at < now - STUCK:
        inbox.is_suspended = False
    batch = inbox.take_batch(max_operations)
    return BatchPlan(
        locked=locked,
        scheduler=inbox.scheduler,
        operations=batch.operations,
        lock_request=batch.lock_request,
        early=inbox.early,
        is_cut=batch.is_cut,
        hints=inbox.hints,
    )


def failed(plan: BatchPlan, text: str) -> BatchResult:
    """The result of a batch whose function ran too long, or whose outcome cannot be stored.

    Every operation failed, nothing changed.

    Source: Listener/TaskEntityShim.cs (ExecuteOutOfProcBatch).
    """
    failed = OperationResult(text, is_error=True)
    return BatchResult(
        exists=plan.scheduler.exists,
        state=plan.scheduler.state,
        results=[failed] * len(plan.operations),
    )


def conclude_batch(
    plan: BatchPlan, result: BatchResult | None, *, fresh: FreshIds, now: datetime
) -> BatchConclusion:
    """Put the batch's state, answers and signals into one commit; None is the result of no
    operations.
    """
    locked = plan.locked
    now = max([now, *(event.timestamp for event in locked.history[-1:])])
    scheduler, hints = plan.scheduler, list(plan.hints)
    if result is not None:
        scheduler = replace(scheduler, exists=result.exists, state=result.state)
        hints += _failures(plan, result)
    if plan.lock_request is not None:
        scheduler = replace(scheduler, locked_by=plan.lock_request.parent)
    if plan.is_cut:
        scheduler = replace(scheduler, is_suspended=True)
    commit = Commit(
        state=_next_generation(locked.state, scheduler, fresh, now),
        consume=[message.message_id for message in locked.inbox],
        send=_outbox(plan, result, fresh, now),
        starts_generation=True,
    )
    return BatchConclusion(replace(commit, append=_history(commit.state, now)), hints)


def _termination(locked: LockedEpisode) -> HistoryEvent | None:
    events = (message.message.event for message in locked.inbox)
    return next((e for e in events if e.kind is EventKind.EXECUTION_TERMINATED), None)


def _terminated(locked: LockedEpisode, ended: HistoryEvent, now: datetime) -> Commit:
    """The entity never runs again, as on Azure, until it is purged."""
    reason, status = history.read_reason(ended), RuntimeStatus.TERMINATED
    state = replace(locked.state, status=status, output=reason, updated_at=now, completed_at=now)
    events = [
        history.orchestrator_started(now),
        ended,
        history.execution_completed(0, status, reason, now),
        history.orchestrator_completed(now),
    ]
    consume = [message.message_id for message in locked.inbox]
    return Commit(state=state, append=events, consume=consume)


def _next_generation(
    state: InstanceState, scheduler: SchedulerState, fresh: FreshIds, now: datetime
) -> InstanceState:
    return replace(
        state,
        execution_id=fresh.execution_id("next generation"),
        generation=state.generation + 1,
        status=RuntimeStatus.RUNNING,
        input=entity_messages.encode_scheduler(scheduler),
        custom_status=entity_messages.encode_status(scheduler),
        created_at=now,
        updated_at=now,
    )


def _history(state: InstanceState, now: datetime) -> list[HistoryEvent]:
    return [
        history.orchestrator_started(now),
        history.execution_started(state, now),
        history.orchestrator_completed(now),
    ]


def _outbox(
    plan: BatchPlan, result: BatchResult | None, fresh: FreshIds, now: datetime
) -> list[Message]:
    own_id = plan.locked.state.instance_id
    messages = [_request(own_id, request, now) for request in plan.early]
    if result is not None:
        answers = zip(plan.operations, result.results, strict=True)
        messages += [_answer(call, given, now) for call, given in answers if not call.is_signal]
        messages += _signals(own_id, result, fresh, now)
    if plan.lock_request is not None:
        messages.append(_granted(plan.lock_request, now))
    if plan.is_cut:
        messages.append(Message(own_id, history.event_raised(entity_messages.CONTINUE, None, now)))
    return messages


def _signals(
    own_id: InstanceId, result: BatchResult, fresh: FreshIds, now: datetime
) -> list[Message]:
    requests = [
        EntityRequest(
            request_id=str(fresh.guid(f"signal {number}")),
            operation=signal.operation,
            is_signal=True,
            input=signal.input,
            parent=own_id,
            sent_at=now,
        )
        for number, signal in enumerate(result.signals)
    ]
    targets = [signal.target.instance_id for signal in result.signals]
    return [_request(*pair, now) for pair in zip(targets, requests, strict=True)]


def _granted(request: EntityRequest, now: datetime) -> Message:
    """The lock is ours: ask the next entity of the set, or tell the orchestration that it has all.

    Source: Listener/TaskEntityShim.cs (ProcessLockRequest).
    """
    position, lock_set = request.position + 1, request.lock_set or ()
    if position < len(lock_set):
        following = replace(request, position=position)
        return _request(lock_set[position].instance_id, following, now)
    return _answer(request, OperationResult(entity_messages.LOCK_ACQUIRED), now)


def _request(target: InstanceId, request: EntityRequest, now: datetime) -> Message:
    name, text = entity_messages.request_name(request.due), entity_messages.encode_request(request)
    return Message(target, history.event_raised(name, text, now), visible_at=request.due)


def _answer(request: EntityRequest, given: OperationResult, now: datetime) -> Message:
    """The answer goes to the execution that asked; a later one of the same instance never sees
    it.
    """
    text = entity_messages.encode_response(given)
    event = history.event_raised(request.request_id, text, now)
    return Message(InstanceId(request.parent or ""), event, request.parent_execution)


def _failures(plan: BatchPlan, result: BatchResult) -> list[Hint]:
    own_id = plan.locked.state.instance_id
    return [
        Hint(f"Entity '{own_id}': operation '{request.operation}' failed: {given.result}")
        for request, given in zip(plan.operations, result.results, strict=True)
        if given.is_error
    ]
