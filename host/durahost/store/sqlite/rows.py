"""Values ↔ rows: the column orders here are those of the queries."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from durahost.model.events import EventKind, HistoryEvent
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.instances import InstanceState, ParentInstance
from durahost.model.messages import InboxMessage, Message
from durahost.model.status import RuntimeStatus
from durahost.store.sqlite.connection import Row

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
KINDS = {kind.value: kind for kind in EventKind}
STATUSES = {status.number: status for status in RuntimeStatus}


def to_microseconds(time: datetime) -> int:
    """The column of a time."""
    return (time - EPOCH) // MICROSECOND


def from_microseconds(value: int) -> datetime:
    """The time of a column, UTC."""
    return EPOCH + timedelta(microseconds=value)


def _optional_column(time: datetime | None) -> int | None:
    return None if time is None else to_microseconds(time)


def optional_time(value: int | None) -> datetime | None:
    """The time of a column that may be NULL."""
    return None if value is None else from_microseconds(value)


def state_values(state: InstanceState) -> dict[str, Any]:
    """The columns of an instance's state by name."""
    parent = state.parent
    return {
        "id": state.instance_id,
        "execution_id": state.execution_id,
        "name": state.name,
        "status": state.status.number,
        "created_at": to_microseconds(state.created_at),
        "updated_at": to_microseconds(state.updated_at),
        "version": state.version,
        "generation": state.generation,
        "input": state.input,
        "output": state.output,
        "custom_status": state.custom_status,
        "completed_at": _optional_column(state.completed_at),
        "scheduled_at": _optional_column(state.scheduled_at),
        "parent_id": parent and parent.instance_id,
        "parent_execution_id": parent and parent.execution_id,
        "parent_name": parent and parent.name,
        "parent_version": parent and parent.version,
        "parent_task_id": parent and parent.task_id,
        "tags": json.dumps(dict(state.tags)) if state.tags else None,
    }


def progress_columns(state: InstanceState) -> Row:
    """What an episode may change within an execution: status, updated_at, completed_at,
    custom_status, output.
    """
    return (
        state.status.number,
        to_microseconds(state.updated_at),
        _optional_column(state.completed_at),
        state.custom_status,
        state.output,
    )


def read_state(row: Row) -> InstanceState:
    """The state in the first nineteen columns."""
    return InstanceState(
        instance_id=row[0],
        execution_id=row[1],
        name=row[2],
        status=STATUSES[row[3]],
        created_at=from_microseconds(row[4]),
        updated_at=from_microseconds(row[5]),
        version=row[6],
        generation=row[7],
        input=row[8],
        output=row[9],
        custom_status=row[10],
        completed_at=optional_time(row[11]),
        scheduled_at=optional_time(row[12]),
        parent=read_parent(row[13:18]),
        tags=json.loads(row[18]) if row[18] else {},
    )


def read_parent(row: Row) -> ParentInstance | None:
    """The parent in its five columns."""
    return None if row[0] is None else ParentInstance(*row)


def event_columns(event: HistoryEvent) -> Row:
    """Kind, timestamp, payload, task_id, name, site."""
    return (
        event.kind.value,
        to_microseconds(event.timestamp),
        event.text,
        event.task_id,
        event.name,
        event.site,
    )


def read_event(row: Row) -> HistoryEvent:
    """The event in the first six columns, in the order of `event_columns`."""
    kind, timestamp, text, task_id, name, site = row[:6]
    return HistoryEvent(KINDS[kind], from_microseconds(timestamp), text, task_id, name, site)


def message_columns(instance_row: int, hub: str, message: Message, now: int) -> Row:
    """The row of a message accepted now, in the order of `insert_message`."""
    visible_at = message.visible_at
    return (
        instance_row,
        hub,
        message.execution_id,
        now if visible_at is None else to_microseconds(visible_at),
        message.is_carried,
        message.dedupe_key,
        *event_columns(message.event),
    )


def read_message(instance_id: InstanceId, row: Row) -> InboxMessage:
    """A message in the order of `load_inbox`."""
    message_id, execution_id, visible_at, is_carried, dedupe_key = row[6:]
    message = Message(
        instance_id,
        read_event(row),
        None if execution_id is None else ExecutionId(execution_id),
        from_microseconds(visible_at),
        bool(is_carried),
        dedupe_key,
    )
    return InboxMessage(message_id, message)
