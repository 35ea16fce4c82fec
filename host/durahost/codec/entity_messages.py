"""Messages to entities, their answers and what schedulers keep: event names and JSON shapes.

Sources: Azure/azure-functions-durable-extension: EntityScheduler/RequestMessage.cs,
ResponseMessage.cs, ReleaseMessage.cs, SchedulerState.cs, EntityStatus.cs,
EntityMessageEventNames.cs; Azure/durabletask: Entities/EventFormat/*.cs.
"""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from durahost.codec.history import format_time
from durahost.codec.json_text import dumps
from durahost.model.entities import EntityRequest, EntityStatus, OperationResult, SchedulerState
from durahost.model.ids import EntityId, ExecutionId, InstanceId

REQUEST = "op"
RELEASE = "release"
CONTINUE = "continue"
LOCK_ACQUIRED = "Lock Acquisition Completed"
"""Source: Azure/azure-functions-durable-extension: DurableEntityContext.cs
(SendLockResponseMessage)."""

ORPHANED_LOCK = "fix-orphaned-lock"
"""Source: Azure/durabletask: Entities/ClientEntityHelpers.cs (EmitUnlockForOrphanedLock)."""

_NO_TIME = "0001-01-01T00:00:00"
_MALFORMED = (AttributeError, KeyError, TypeError, ValueError)
"""What reading JSON of another shape ends in."""


def request_name(due: datetime | None) -> str:
    """The event name of a request; one that is due later carries its time."""
    return REQUEST if due is None else f"{REQUEST}@{round_trip_time(due)}"


def round_trip_time(when: datetime) -> str:
    """.NET's format "o": seven digits of fraction, suffix Z."""
    return f"{when.strftime('%Y-%m-%dT%H:%M:%S')}.{when.microsecond:06}0Z"


def encode_request(request: EntityRequest) -> str:
    """The event data of a request.

    Predecessor stays empty: the inbox keeps the order of one sender, so nothing needs to be sorted.
    """
    return dumps(_request_members(request))


def decode_request(text: str | None) -> EntityRequest | None:
    """Read a request; None when the text is none."""
    try:
        return _read_request(json.loads(text or ""))
    except _MALFORMED:
        return None


def encode_response(answer: OperationResult) -> str:
    """The answer to a call. Source: EntityScheduler/ResponseMessage.cs; TaskEntityShim.cs."""
    members = {"result": answer.result}
    return dumps({**members, "exceptionType": "Error"} if answer.is_error else members)


def encode_release(parent: InstanceId, lock_id: str) -> str:
    """The release of the lock that `parent` holds."""
    return dumps({"parent": parent, "id": lock_id})


def decode_release(text: str | None) -> InstanceId | None:
    """Who releases; None when the text is no release."""
    try:
        parent = json.loads(text or "")["parent"]
    except _MALFORMED:
        return None
    return InstanceId(parent) if isinstance(parent, str) else None


def encode_scheduler(state: SchedulerState) -> str:
    """The input of an entity's instance; default members are left out, the sorter is not."""
    members = {
        "exists": state.exists,
        "state": state.state,
        "queue": [_request_members(request) for request in state.queue],
        "lockedBy": state.locked_by,
        "suspended": state.is_suspended,
    }
    return dumps(_without_defaults(members) | {"sorter": state.sorter})


def decode_scheduler(text: str | None) -> SchedulerState:
    """Read an entity's input; that of a new one is None. Errors: ValueError for what is none."""
    if text is None:
        return SchedulerState()
    try:
        members = json.loads(text)
        return SchedulerState(
            exists=members.get("exists", False),
            state=members.get("state"),
            queue=[_read_request(request) for request in members.get("queue") or ()],
            locked_by=members.get("lockedBy"),
            is_suspended=members.get("suspended", False),
            sorter=members.get("sorter") or {},
        )
    except _MALFORMED as error:
        raise ValueError(
            f"Not the state of an entity's scheduler: {text[:200]}. Purge the instance."
        ) from error


def decode_state(text: str | None) -> str | None:
    """The user state alone in an entity's input: readers need no requests that wait."""
    state = json.loads(text or "{}").get("state")
    return None if state is None else str(state)


def encode_status(state: SchedulerState) -> str:
    """The custom status of an entity's instance; default members are left out."""
    members = {
        "entityExists": state.exists,
        "queueSize": len(state.queue),
        "lockedBy": state.locked_by,
    }
    return dumps(_without_defaults(members))


def decode_status(text: str | None) -> EntityStatus:
    """Read an entity's custom status; one that never ran has none."""
    members = json.loads(text or "{}")
    return EntityStatus(
        exists=members.get("entityExists", False),
        queue_size=members.get("queueSize", 0),
        locked_by=members.get("lockedBy"),
    )


def _without_defaults(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}


def _request_members(request: EntityRequest) -> dict[str, Any]:
    """Members in .NET's order; `op` is there even in a lock request."""
    members: dict[str, Any] = {"op": request.operation}
    if request.is_signal:
        members["signal"] = True
    if request.input is not None:
        members["input"] = request.input
    members["id"] = request.request_id
    if request.parent is not None:
        members["parent"] = request.parent
    if request.parent_execution is not None:
        members["parentExecution"] = request.parent_execution
    if request.due is not None:
        members["due"] = format_time(request.due)
    sent_at = _NO_TIME if request.sent_at is None else format_time(request.sent_at)
    members |= {"Timestamp": sent_at, "Predecessor": _NO_TIME}
    if request.lock_set is not None:
        members["lockset"] = [{"name": one.name, "key": one.key} for one in request.lock_set]
    if request.position:
        members["pos"] = request.position
    return members


def _read_request(members: Mapping[str, Any]) -> EntityRequest:
    lock_set, parent = members.get("lockset"), _text(members, "parent")
    execution = _text(members, "parentExecution")
    return EntityRequest(
        request_id=str(uuid.UUID(members["id"])),
        operation=_text(members, "op"),
        is_signal=members.get("signal") is True,
        input=_text(members, "input"),
        parent=None if parent is None else InstanceId(parent),
        parent_execution=None if execution is None else ExecutionId(execution),
        due=_read_time(_text(members, "due")),
        sent_at=_read_time(_text(members, "Timestamp")),
        lock_set=None if lock_set is None else [_read_entity(one) for one in lock_set],
        position=int(members.get("pos", 0)),
    )


def _read_entity(members: Mapping[str, Any]) -> EntityId:
    return EntityId.of(members["name"], members["key"])


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} is no text: {value}")
    return value


def _read_time(text: str | None) -> datetime | None:
    if text is None or text == _NO_TIME:
        return None
    when = datetime.fromisoformat(text)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when
