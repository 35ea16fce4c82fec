"""Locking and committing episodes."""

import heapq
import sqlite3
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Any

from durahost.model.ids import InstanceId
from durahost.model.instances import Commit, Lease, LockedEpisode, NewInstance, Seen
from durahost.model.status import RuntimeStatus
from durahost.model.values import dataclass
from durahost.store import rules
from durahost.store.sqlite import activities, instances, rows
from durahost.store.sqlite.answers import Answer
from durahost.store.sqlite.claims import Claim
from durahost.store.sqlite.connection import Connection, Row
from durahost.store.sqlite.residents import Resident
from durahost.store.sqlite.scope import HubScope
from durahost.store.sqlite.tasks import Task


@dataclass(frozen=True, slots=True)
class Taken:
    """A claimed instance that is not loaded yet.

    now: messages are visible until then. length: of its history, in events. is_stored: whether
    messages for it stand in the database.
    """

    claim: Claim
    now: int
    length: int
    is_stored: bool = True


def lock(
    hub: HubScope, owner: str, lease_for: timedelta, at_most: int, connection: Connection
) -> Sequence[Taken]:
    """Claim the instances that have been ready longest; on the event loop."""
    now, monotonic, claims = hub.now(), hub.clock.monotonic(), hub.episode_claims
    may_be_stored = hub.episodes.may_be_stored
    stored = _read(hub, now, at_most + len(claims), connection) if may_be_stored else []
    answered = _find_answered(hub, {row[1] for row in stored}, monotonic, connection)
    found = heapq.merge(stored, answered, key=itemgetter(0)) if stored else answered
    free = (row for row in found if claims.is_free(row[1], row[2:4], monotonic))
    chosen = list(islice(free, at_most))  # no claim is taken before the last read has succeeded
    token, until = next(hub.tokens), monotonic + lease_for.total_seconds()
    taken = []
    for _, instance_id, instance_row, mark, length, is_stored in chosen:
        lease = Lease(rules.EPISODE, instance_id, owner, token)
        claim = claims.take(lease, (instance_row, mark), until)
        taken.append(Taken(claim, now, length, bool(is_stored)))
    if taken:
        hub.episodes.claimed_until(until)
    if len(taken) < at_most:
        _find_none(hub, may_be_stored, now, monotonic, connection)
    return taken


def _find_none(
    hub: HubScope, was_read: bool, now: int, monotonic: float, connection: Connection
) -> None:
    """All that is ready now was found: say when there may be more."""
    if was_read:
        due = connection.scalar("next_due", {"hub": hub.name, "now": now})
        lapse_s = hub.episode_claims.next_free(monotonic)
        hub.episodes.found_nothing(rows.optional_time(due), lapse_s)
    else:
        hub.episodes.found_none_kept()


def _read(hub: HubScope, now: int, at_most: int, connection: Connection) -> list[Row]:
    """Instances with messages in the database, the claimed ones among them; oldest first."""
    return connection.all("find_instances", {"hub": hub.name, "now": now, "at_most": at_most})


def _find_answered(
    hub: HubScope, known: Container[InstanceId], now_s: float, connection: Connection
) -> Iterator[Row]:
    """The other instances with answers in memory; oldest first."""
    for answer in hub.answers.oldest(now_s):
        instance_id = answer.message.instance_id
        if instance_id in known:
            continue
        if (row := _find_instance(hub, answer, connection)) is None:
            hub.answers.remove_all(instance_id)
        else:
            yield answer.due, instance_id, *row


def _find_instance(hub: HubScope, answer: Answer, connection: Connection) -> Row | None:
    """Row, mark and length of an instance, and whether it is stored that messages wait for it."""
    instance_row, execution_id, _ = answer.claim.mark
    resident = hub.residents.get(answer.message.instance_id)
    if resident is not None and resident.state.execution_id == execution_id:
        return *resident.mark, resident.length, False
    own = {"instance_row": instance_row, "execution_id": execution_id}
    return connection.one("find_answered", own)


def remember(claim: Claim, locked: LockedEpisode) -> None:
    """Note what the episode's commit goes on from."""
    claim.resident = Resident(claim.mark, locked.state, locked.history, locked.left_out)


def load_resident(
    hub: HubScope, taken: Taken, seen: Mapping[InstanceId, Seen], connection: Connection
) -> LockedEpisode | None:
    """What the episode needs, and its commit goes on from, if the last commit left it; on the event
    loop.
    """
    claim = taken.claim
    instance_id = InstanceId(claim.lease.key)
    resident = hub.residents.take(instance_id)
    if resident is None or resident.mark != claim.mark:
        return None
    left_out = rules.known_events(resident.state, seen)
    if left_out < resident.left_out:
        return None
    claim.resident = resident = resident.from_event(left_out)
    values = own_row(claim) | {"now": taken.now}
    inbox = connection.all("load_inbox", values) if taken.is_stored else ()
    return LockedEpisode(
        claim.lease,
        resident.state,
        resident.history,
        [rows.read_message(instance_id, message) for message in inbox],
        claim.attempts,
        left_out,
    )


def load(
    taken: Taken, seen: Mapping[InstanceId, Seen], connection: Connection
) -> LockedEpisode | None:
    """What the episode needs; None when the instance was purged, replaced or rewound meanwhile."""
    claim = taken.claim
    own = own_row(claim) | {"now": taken.now}
    with connection.snapshot():
        columns = connection.one("load_state", own)
        if columns is None:
            return None
        state = rows.read_state(columns)
        left_out = rules.known_events(state, seen)
        history = connection.all("load_history", own | {"left_out": left_out})
        inbox = connection.all("load_inbox", own)
    instance_id = InstanceId(claim.lease.key)
    return LockedEpisode(
        claim.lease,
        state,
        [rows.read_event(event) for event in history],
        [rows.read_message(instance_id, message) for message in inbox],
        claim.attempts,
        left_out,
    )


def own_row(claim: Claim) -> dict[str, Any]:
    """The values that name the row which was claimed, as it was."""
    instance_row, mark = claim.mark
    return {"instance_row": instance_row, "mark": mark}


def is_there(claim: Claim, connection: Connection) -> bool:
    """Whether the instance is still the one that was claimed, and nobody else's."""
    return connection.one("find_claimed", own_row(claim)) is not None


def commit(
    hub: HubScope,
    claim: Claim,
    commit: Commit,
    answers: Sequence[Answer],
    connection: Connection,
) -> None:
    """Apply the commit and release the claim.

    answers: among what it consumes; their activities end with it. Errors: LeaseLost.
    """
    lease, state, instance_row = claim.lease, commit.state, claim.mark[0]
    next_seq, due = _write_state(claim, commit, connection)
    connection.after_commit(partial(_release, hub, claim, commit, bool(answers)))
    connection.after_commit(partial(hub.states.keep, state))
    own = {"instance_row": instance_row}
    _consume(hub, lease, commit, instance_row, answers, connection)
    if commit.starts_generation:
        instances.delete_tasks(hub, instance_row, connection)
        for query in ("delete_history", "drop_addressed_messages"):
            connection.run(query, own)
        connection.run("write_input", own | {"input": state.input})
    _append(lease, commit, instance_row, next_seq, connection)
    _schedule(hub, commit, instance_row, connection)
    for new in commit.create:
        _create_child(hub, new, connection)
    for message in commit.send:
        instances.deliver(hub, message, connection)
    if state.status.is_terminal:
        has_failed = state.status is RuntimeStatus.FAILED
        connection.run("drop_all_but_answers" if has_failed else "delete_inbox", own)
        instances.delete_tasks(hub, instance_row, connection)
        connection.after_commit(partial(hub.ends.notify, state.instance_id))
    is_over = commit.starts_generation or state.status.is_terminal
    if is_over:
        connection.after_commit(partial(hub.answers.remove_all, state.instance_id))
    if is_over or any(key > 0 for key in commit.consume):
        due = connection.scalar("refresh_due", own)
    if due is not None:
        connection.after_commit(hub.episodes.notify)


def _release(hub: HubScope, claim: Claim, commit: Commit, has_answers: bool) -> None:
    """Leave what will soon be asked for again, for who waits for activities or children, before
    anybody else can claim the instance: the next episode would find what was left before, or leave
    this behind its own commit.
    """
    goes_on = commit.schedule or commit.create or has_answers
    if claim.resident is not None and goes_on and not commit.state.status.is_terminal:
        hub.residents.keep(claim.resident.after(commit))
    hub.episode_claims.drop([claim.lease])


def _consume(
    hub: HubScope,
    lease: Lease,
    commit: Commit,
    instance_row: int,
    answers: Sequence[Answer],
    connection: Connection,
) -> None:
    if stored := [(instance_row, key) for key in commit.consume if key > 0]:
        connection.run_many("consume_message", stored)
    for answer in answers:
        if not connection.run("complete_task", activities.own_row(answer.claim)):
            raise rules.lease_lost(lease)
    if answers:
        connection.after_commit(partial(hub.answers.remove, answers))


def _schedule(hub: HubScope, commit: Commit, instance_row: int, connection: Connection) -> None:
    if not commit.schedule:
        return
    tasks = []
    for one in commit.schedule:
        columns = (instance_row, hub.name, one.execution_id, one.task_id, one.name, one.input)
        row = connection.scalar("schedule_task", columns)
        tasks.append(activities.scheduled(row, instance_row, one))
    connection.after_commit(partial(_announce, hub, tasks))


def _announce(hub: HubScope, tasks: Sequence[Task]) -> None:
    """Tell the dispatcher, which has them from memory if there is room."""
    if hub.tasks.keep(tasks):
        hub.activities.notify_kept()
    else:
        hub.activities.notify()


def _write_state(claim: Claim, commit: Commit, connection: Connection) -> Row:
    """Write the row if the claim is ours; the sequence number of the event that comes next, and
    when the earliest message is due.
    """
    appended = len(commit.append)
    if commit.starts_generation:
        values = rows.state_values(commit.state) | own_row(claim) | {"appended": appended}
        row = connection.one("begin_generation", values)
    else:
        columns = (*rows.progress_columns(commit.state), appended, *claim.mark)
        row = connection.one("commit_instance", columns)
    if row is None:
        raise rules.lease_lost(claim.lease)
    return row


def _append(
    lease: Lease, commit: Commit, instance_row: int, next_seq: int, connection: Connection
) -> None:
    first_seq = next_seq - len(commit.append)
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
