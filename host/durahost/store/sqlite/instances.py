"""Starting, finding, messaging and deleting instances."""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from durahost.model.errors import InstanceExists, InstanceNotFound, InvalidState
from durahost.model.events import EventKind, HistoryEvent
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.instances import InstanceState, NewInstance
from durahost.model.messages import Message
from durahost.model.queries import InstancePage, InstanceQuery
from durahost.model.status import LIVE, RuntimeStatus
from durahost.store import rules
from durahost.store.sqlite import rows
from durahost.store.sqlite.connection import Connection, Row
from durahost.store.sqlite.residents import Resident
from durahost.store.sqlite.scope import HubScope

EVERY_STATUS = -1
"""The bit mask with all bits set."""
EARLIEST, LATEST = -(1 << 63), (1 << 63) - 1


def create(
    hub: HubScope, new: NewInstance, replaceable: Collection[RuntimeStatus], connection: Connection
) -> None:
    """Start an instance, replacing one in a replaceable state.

    Errors: InstanceExists.
    """
    known = _find(hub, new.state.instance_id, connection)
    if known is not None and rows.STATUSES[known[1]] not in replaceable:
        raise InstanceExists(new.state.instance_id, rows.STATUSES[known[1]])
    replace(hub, new, known, connection)


def replace(hub: HubScope, new: NewInstance, known: Row | None, connection: Connection) -> None:
    """Write a new instance in the place of the known one, if any."""
    if known is not None:
        _say_farewell(hub, known, new.state.instance_id, connection)
        _delete(hub, known, connection)
    instance_row = _insert(hub, new.state, connection)
    _put(hub, instance_row, new.started, connection)


def deliver(
    hub: HubScope,
    message: Message,
    connection: Connection,
    statuses: Collection[RuntimeStatus] = LIVE,
) -> None:
    """Put a message into the inbox; dropped when the instance, state or execution is another.

    An entity that does not exist starts with it.
    """
    target = _find(hub, message.instance_id, connection) or _awaken(hub, message, connection)
    if target is None:
        return
    instance_row, status, execution_id = target[:3]
    sent = partial(_read_sent, instance_row, message, connection)
    accepted = rules.accept(message, (rows.STATUSES[status], execution_id), statuses, sent)
    if accepted is not None:
        _put(hub, instance_row, accepted, connection)


def _put(hub: HubScope, instance_row: int, accepted: Message, connection: Connection) -> None:
    """Write the message into the inbox."""
    columns = rows.message_columns(instance_row, hub.name, accepted, hub.now())
    message_id = connection.scalar("insert_message", columns)
    if message_id is not None:
        connection.after_commit(partial(hub.answers.follow, message_id))
    connection.run("refresh_due", {"instance_row": instance_row})
    connection.after_commit(hub.episodes.notify)


def last_message(connection: Connection) -> int:
    """The message that was accepted last of those that wait in the inbox."""
    return int(connection.scalar("last_message", {}))


def send(
    hub: HubScope, message: Message, allowed: Collection[RuntimeStatus], connection: Connection
) -> None:
    """Accept a message if the instance's state allows it.

    Errors: InstanceNotFound, InvalidState.
    """
    require(hub, message.instance_id, allowed, connection)
    if message.event.kind is EventKind.EXECUTION_TERMINATED:
        state = get(hub, message.instance_id, connection)
        ended = state and rules.ended_unstarted(state, message, hub.clock.now())
        if ended is not None:
            own = {"instance_row": update(hub, ended, connection)}
            connection.run("delete_inbox", own)
            connection.run("refresh_due", own)
            connection.after_commit(partial(hub.ends.notify, ended.instance_id))
            return
    deliver(hub, message, connection, allowed)


def update(hub: HubScope, state: InstanceState, connection: Connection) -> int:
    """Write the row outside an episode; a claim on it is void. Returns its key."""
    connection.after_commit(partial(hub.states.forget, state.instance_id))
    values = rows.state_values(state) | {"hub": hub.name}
    return int(connection.scalar("update_instance", values))


def remove_idle(
    hub: HubScope, instance_id: InstanceId, execution_id: ExecutionId, connection: Connection
) -> bool:
    """Delete an instance that nothing waits for."""
    values = {"hub": hub.name, "id": instance_id, "execution_id": execution_id}
    known = connection.one("find_idle_instance", values)
    if known is not None:
        connection.after_commit(partial(hub.states.forget, instance_id))
        _delete(hub, known, connection)
    return known is not None


def purge(
    hub: HubScope,
    instance_id: InstanceId,
    allowed: Collection[RuntimeStatus],
    connection: Connection,
) -> None:
    """Delete all of an instance.

    Errors: InstanceNotFound, InvalidState.
    """
    connection.after_commit(partial(hub.states.forget, instance_id))
    _delete(hub, require(hub, instance_id, allowed, connection), connection)


def get(hub: HubScope, instance_id: InstanceId, connection: Connection) -> InstanceState | None:
    """The row as last committed."""
    row = connection.one("read_instance", {"hub": hub.name, "id": instance_id})
    return None if row is None else rows.read_state(row)


def query(hub: HubScope, query: InstanceQuery, connection: Connection) -> InstancePage:
    """One page; one row more than asked for tells whether it is the last."""
    after = query.after or ""
    found = connection.all(
        "query_instances",
        {
            "hub": hub.name,
            "prefix": query.prefix,
            "low": max(query.prefix, after),
            "after": after,
            "created_from": _bound(query.created_from, EARLIEST),
            "created_to": _bound(query.created_to, LATEST),
            "statuses": _mask(query.statuses),
            "at_most": query.at_most + 1,
        },
    )
    page = [rows.read_state(row) for row in found[: query.at_most]]
    has_more = len(found) > len(page)
    return InstancePage(page, page[-1].instance_id if has_more and page else None)


def read_history(
    hub: HubScope, instance_id: InstanceId, connection: Connection
) -> Sequence[HistoryEvent]:
    """The current execution's events in order."""
    found = connection.all("read_history", {"hub": hub.name, "id": instance_id})
    return [rows.read_event(row) for row in found]


def _say_farewell(
    hub: HubScope, known: Row, instance_id: InstanceId, connection: Connection
) -> None:
    """Answer the caller of a live instance that is replaced."""
    has_parent = known[3] is not None
    if not has_parent or (state := get(hub, instance_id, connection)) is None:
        return
    answer = rules.farewell(state, hub.clock.now())
    if answer is not None:
        deliver(hub, answer, connection)


def _read_sent(instance_row: int, answer: Message, connection: Connection) -> list[HistoryEvent]:
    """Messages in the history that may be the request which is answered."""
    values = {"instance_row": instance_row, "request_id": answer.event.name}
    return [rows.read_event(row) for row in connection.all("find_sent", values)]


def _find(hub: HubScope, instance_id: InstanceId, connection: Connection) -> Row | None:
    return connection.one("find_instance", {"hub": hub.name, "id": instance_id})


def _insert(hub: HubScope, state: InstanceState, connection: Connection) -> int:
    """Write the row of an instance; its key. What begins soon is not read again."""
    values = rows.state_values(state)
    row = int(connection.scalar("insert_instance", values | {"hub": hub.name}))
    connection.run("insert_input", values | {"instance_row": row})
    connection.after_commit(partial(hub.states.keep, state))
    if state.scheduled_at is None:
        begun = Resident((row, 0), state, [], 0)
        connection.after_commit(partial(hub.residents.keep, begun))
    return row


def _awaken(hub: HubScope, message: Message, connection: Connection) -> Row | None:
    state = rules.awakened(message, hub.clock.now())
    if state is None:
        return None
    row = _insert(hub, state, connection)
    return row, state.status.number, state.execution_id


def require(
    hub: HubScope,
    instance_id: InstanceId,
    allowed: Collection[RuntimeStatus],
    connection: Connection,
) -> Row:
    """The row that decides, of an instance in an allowed state.

    Errors: InstanceNotFound, InvalidState.
    """
    known = _find(hub, instance_id, connection)
    if known is None:
        raise InstanceNotFound(instance_id)
    if rows.STATUSES[known[1]] not in allowed:
        raise InvalidState(instance_id, rows.STATUSES[known[1]])
    return known


def delete_tasks(hub: HubScope, instance_row: int, connection: Connection) -> None:
    """Delete an instance's activities."""
    gone = connection.all("delete_tasks", {"instance_row": instance_row})
    if gone:
        connection.after_commit(partial(_forget_tasks, hub, gone))


def _forget_tasks(hub: HubScope, gone: Sequence[Row]) -> None:
    for task_row, *mark in gone:
        hub.tasks.forget(task_row)
        hub.activity_claims.void(str(task_row), tuple(mark))


def _delete(hub: HubScope, known: Row, connection: Connection) -> None:
    delete_tasks(hub, known[0], connection)
    values = {"instance_row": known[0]}
    for table in ("inbox", "history", "input", "instance"):
        connection.run(f"delete_{table}", values)


def _bound(time: Any, default: int) -> int:
    return default if time is None else rows.to_microseconds(time)


def _mask(statuses: frozenset[RuntimeStatus] | None) -> int:
    if statuses is None:
        return EVERY_STATUS
    return sum(1 << status.number for status in statuses)
