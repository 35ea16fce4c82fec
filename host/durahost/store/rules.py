"""Decisions that every store makes alike: what is accepted, what is dropped, and the texts."""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from durahost.codec import entity_messages
from durahost.codec.history import read_input, read_reason, sub_orchestration_failed
from durahost.model.errors import LeaseLost, WorkGone
from durahost.model.events import EventKind, HistoryEvent
from durahost.model.ids import EntityId, ExecutionId, InstanceId
from durahost.model.instances import InstanceState, Lease, LockedEpisode, ParentInstance, Seen
from durahost.model.messages import Message
from durahost.model.status import RuntimeStatus

EPISODE = "episode"
ACTIVITY = "activity"


def accept(
    message: Message,
    state: tuple[RuntimeStatus, ExecutionId],
    statuses: Collection[RuntimeStatus],
    read_sent: Callable[[], Iterable[HistoryEvent]],
) -> Message | None:
    """The message as it goes into the inbox of an instance that is there; None when it is dropped.

    state: status and execution of the instance. read_sent: at least those events of its history
    that may hold the request which the message answers.
    An entity's answer outlives the failure of its caller, since only that operation's run gives
    one: it waits in the inbox of the failed instance for a rewind, and reaches the execution that
    was rewound to, whose history holds the call. Any other message for another execution is
    dropped.
    """
    status, execution_id = state
    if status not in statuses and not (is_answer(message) and status is RuntimeStatus.FAILED):
        return None
    if message.execution_id in (None, execution_id):
        return message
    if is_answer(message) and any(_asks(event, message) for event in read_sent()):
        return replace(message, execution_id=execution_id)
    return None


def is_answer(message: Message) -> bool:
    """Whether an entity answers: no other event is meant for one execution."""
    return message.event.kind is EventKind.EVENT_RAISED and message.execution_id is not None


def _asks(event: HistoryEvent, answer: Message) -> bool:
    if event.kind is not EventKind.EVENT_SENT:
        return False
    request = entity_messages.decode_request(read_input(event))
    return request is not None and request.request_id == answer.event.name


def is_same_call(known: ParentInstance | None, parent: ParentInstance | None) -> bool:
    """Whether a live child was started by this very call, so that the start is a re-delivery."""
    if known is None or parent is None:
        return False
    return (known.instance_id, known.execution_id, known.task_id) == (
        parent.instance_id,
        parent.execution_id,
        parent.task_id,
    )


def refusal(child: InstanceState, now: datetime) -> Message | None:
    """Build the answer to a call whose child id is taken; None when nobody waits for one."""
    if child.parent is None:
        return None
    reason = (
        f"An orchestration instance with ID '{child.instance_id}' is already running and was "
        "started by somebody else; use another ID, or wait until that instance has ended."
    )
    return failure_of_child(child.parent, reason, now)


def ended_unstarted(state: InstanceState, message: Message, now: datetime) -> InstanceState | None:
    """The row of an instance that is terminated before its time has come; None in any other case.

    Source: Azure/durabletask: AzureStorageOrchestrationService.cs (IsExecutableInstanceAsync),
    AzureTableTrackingStore.cs (UpdateStatusForTerminationAsync).
    """
    is_waiting = state.status is RuntimeStatus.PENDING and (state.scheduled_at or now) > now
    if not is_waiting or message.event.kind is not EventKind.EXECUTION_TERMINATED:
        return None
    return replace(
        state,
        status=RuntimeStatus.TERMINATED,
        output=read_reason(message.event),
        updated_at=max(state.updated_at, now),
        completed_at=now,
    )


def farewell(state: InstanceState, now: datetime) -> Message | None:
    """Tell the caller of a live instance that a start replaces it; None when nobody waits.

    Text: microsoft/durabletask-dotnet: ShimDurableTaskClient.cs
    (TerminateTaskOrchestrationWithReusableRunningStatusAndWaitAsync), as for AnyState.
    """
    if state.parent is None or state.status.is_terminal:
        return None
    reason = (
        f"A new instance creation request has been issued for instance {state.instance_id} which "
        f"currently has status {state.status.value}. Since the dedupe statuses of the creation "
        "request, [] (all statuses reusable), do not contain the orchestration's status, the "
        "orchestration has been terminated and a new instance with the same instance ID will be "
        "created."
    )
    return failure_of_child(state.parent, reason, now)


def failure_of_child(parent: ParentInstance, reason: str, now: datetime) -> Message:
    """Build the answer to a call whose child cannot answer by itself."""
    event = sub_orchestration_failed(task_id=parent.task_id, reason=reason, details="", now=now)
    return Message(parent.instance_id, event, execution_id=parent.execution_id)


def awakened(message: Message, now: datetime) -> InstanceState | None:
    """Build the row of the entity that a message starts; None when the message starts none.

    An entity is not started by anybody: the first event raised on it brings it into being. Its
    execution id is made of what starts it, so that no store needs randomness.
    Source: Azure/durabletask: Common/Entities.cs (AutoStart).
    """
    is_open = message.event.kind is EventKind.EVENT_RAISED and message.execution_id is None
    if not is_open or EntityId.parse(message.instance_id) is None:
        return None
    start = f"{message.instance_id} {now.isoformat()} {message.event.text}"
    return InstanceState(
        instance_id=message.instance_id,
        execution_id=ExecutionId(uuid.uuid5(uuid.NAMESPACE_OID, start).hex),
        name=message.instance_id,
        status=RuntimeStatus.RUNNING,
        created_at=now,
        updated_at=now,
    )


def known_events(state: InstanceState, seen: Mapping[InstanceId, Seen]) -> int:
    """How many events of this execution need not be read."""
    known = seen.get(state.instance_id)
    return known.events if known is not None and known.execution_id == state.execution_id else 0


def completed(locked: LockedEpisode, history: Sequence[HistoryEvent]) -> LockedEpisode:
    """Put the whole history into a claimed episode, which alone may add to it.

    Errors: LeaseLost when it is another one, so that the claim must be void.
    """
    if len(history) != locked.recorded:
        raise lease_lost(locked.lease)
    return replace(locked, history=history, left_out=0)


def lease_lost(lease: Lease) -> LeaseLost:
    """Build the error of a claim that is void."""
    return LeaseLost(
        f"{lease.kind} '{lease.key}': the claim with token {lease.token} is void; nothing was "
        "written, and whoever holds the work now runs it again."
    )


def work_gone(lease: Lease) -> WorkGone:
    """Build the error of a claim on what is not there any more."""
    return WorkGone(f"{lease.kind} '{lease.key}' went with its instance; nothing was written.")
