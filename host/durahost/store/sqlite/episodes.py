"""Locking and committing episodes."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from durahost.model.ids import InstanceId
from durahost.model.instances import Commit, Lease, LockedEpisode, NewInstance, Seen
from durahost.model.status import RuntimeStatus
from durahost.store import rules
from durahost.store.sqlite import instances, rows
from durahost.store.sqlite.claims import fence
from durahost.store.sqlite.connection import Connection, Row
from durahost.store.sqlite.scope import HubScope


def lock(
    hub: HubScope,
    owner: str,
    lease_for: timedelta,
    at_most: int,
    seen: Mapping[InstanceId, Seen],
    connection: Connection,
) -> Sequence[LockedEpisode]:
    """Claim the instances that have been ready longest, and load what their episodes need."""
    now, monotonic = hub.now(), hub.clock.monotonic()
    token = next(hub.tokens)
    claimed = connection.all(
        "claim_instances",
        {
            "hub": hub.name,
            "now": now,
            "monotonic": monotonic,
            "at_most": at_most,
            "token": token,
            "owner": owner,
            "until": monotonic + lease_for.total_seconds(),
        },
    )
    if not claimed:
        _report_idle(hub, now, connection)
        return []
    claimed.sort()
    return [_load(row, (owner, token), seen, now, connection) for row in claimed]


def _report_idle(hub: HubScope, now: int, connection: Connection) -> None:
    values = {"hub": hub.name, "now": now}
    due = rows.optional_time(connection.scalar("next_due", values))
    lapse = connection.scalar("next_instance_lapse", values)
    connection.after_commit(lambda: hub.episodes.found_nothing(due, lapse))


def _load(
    row: Row,
    claim: tuple[str, int],
    seen: Mapping[InstanceId, Seen],
    now: int,
    connection: Connection,
) -> LockedEpisode:
    _, instance_id, instance_row, attempts = row
    (columns,) = connection.all("load_state", {"instance_row": instance_row})
    state = rows.read_state(columns)
    left_out = rules.known_events(state, seen)
    history = connection.all("load_history", {"instance_row": instance_row, "left_out": left_out})
    inbox = connection.all("load_inbox", {"instance_row": instance_row, "now": now})
    return LockedEpisode(
        Lease(rules.EPISODE, instance_id, *claim),
        state,
        [rows.read_event(event) for event in history],
        [rows.read_message(instance_id, message) for message in inbox],
        attempts,
        left_out,
    )


def commit(hub: HubScope, lease: Lease, commit: Commit, connection: Connection) -> None:
    """Apply the commit and release the claim.

    Errors: LeaseLost.
    """
    instance_row, first_seq = _write_state(hub, lease, commit, connection)
    own = {"instance_row": instance_row}
    if commit.starts_generation:
        for query in ("delete_history", "delete_tasks", "drop_addressed_messages"):
            connection.run(query, own)
    _append(lease, commit, instance_row, first_seq, connection)
    connection.run_many("consume_message", [(instance_row, key) for key in commit.consume])
    connection.run_many(
        "schedule_task",
        [
            (instance_row, hub.name, task.execution_id, task.task_id, task.name, task.input)
            for task in commit.schedule
        ],
    )
    for new in commit.create:
        _create_child(hub, new, connection)
    for message in commit.send:
        instances.deliver(hub, message, connection)
    if commit.state.status.is_terminal:
        has_failed = commit.state.status is RuntimeStatus.FAILED
        for query in ("drop_all_but_answers" if has_failed else "delete_inbox", "delete_tasks"):
            connection.run(query, own)
        connection.after_commit(partial(hub.ends.notify, commit.state.instance_id))
    if connection.scalar("refresh_due", own) is not None:
        connection.after_commit(hub.episodes.notify)
    if commit.schedule:
        connection.after_commit(hub.activities.notify)


def _write_state(
    hub: HubScope, lease: Lease, commit: Commit, connection: Connection
) -> tuple[int, int]:
    """Write the row if the claim is ours; its key, and the sequence number of the next event."""
    appended = len(commit.append)
    counts = {"starts_generation": commit.starts_generation, "appended": appended}
    values = rows.state_values(commit.state) | fence(hub, lease) | counts
    row = connection.one("commit_instance", values)
    if row is None:
        raise rules.lease_lost(lease)
    connection.run("write_input", values | {"instance_row": row[0]})
    return row[0], row[1] - appended


def _append(
    lease: Lease, commit: Commit, instance_row: int, first_seq: int, connection: Connection
) -> None:
    try:
        connection.run_many(
            "append_event",
            [
                (instance_row, seq, *rows.event_columns(event))
                for seq, event in enumerate(commit.append, first_seq)
            ],
        )
    except sqlite3.IntegrityError as error:
        raise rules.lease_lost(lease) from error


def _create_child(hub: HubScope, new: NewInstance, connection: Connection) -> None:
    known = connection.one("find_instance", {"hub": hub.name, "id": new.state.instance_id})
    if known is None or rows.STATUSES[known[1]].is_terminal:
        instances.replace(hub, new, known, connection)
    elif not rules.is_same_call(rows.read_parent(known[3:8]), new.state.parent):
        answer = rules.refusal(new.state, hub.clock.now())
        if answer is not None:
            instances.deliver(hub, answer, connection)
