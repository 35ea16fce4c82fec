"""Locking and completing activities."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from itertools import islice

from durahost.model.instances import Lease, LockedActivity
from durahost.model.messages import ActivityTask, Message
from durahost.store import rules
from durahost.store.sqlite import instances
from durahost.store.sqlite.answers import Answer
from durahost.store.sqlite.claims import Claim
from durahost.store.sqlite.connection import Connection
from durahost.store.sqlite.scope import HubScope
from durahost.store.sqlite.tasks import Task


def lock(
    hub: HubScope, owner: str, lease_for: timedelta, at_most: int, connection: Connection
) -> Sequence[LockedActivity]:
    """Claim the oldest free activities; on the event loop."""
    monotonic, claims = hub.clock.monotonic(), hub.activity_claims
    may_be_stored = hub.activities.may_be_stored
    found = _read(hub, at_most + len(claims), connection) if may_be_stored else hub.tasks.take()
    free = (one for one in found if claims.is_free(str(one.row), one.mark, monotonic))
    token, until = next(hub.tokens), monotonic + lease_for.total_seconds()
    locked = []
    for task in islice(free, at_most):
        lease = Lease(rules.ACTIVITY, str(task.row), owner, token)
        claim = claims.take(lease, task.mark, until)
        locked.append(LockedActivity(lease, task.activity, claim.attempts))
    if locked:
        hub.activities.claimed_until(until)
    if len(locked) < at_most:
        _find_none(hub, may_be_stored, monotonic)
    return locked


def _find_none(hub: HubScope, was_read: bool, monotonic: float) -> None:
    """All that is free now was found: say when there may be more."""
    if was_read:
        hub.activities.found_nothing(None, hub.activity_claims.next_free(monotonic))
    else:
        hub.activities.found_none_kept()


def _read(hub: HubScope, at_most: int, connection: Connection) -> Iterator[Task]:
    """The oldest activities in the file, the claimed ones among them."""
    hub.tasks.clear()
    for row in connection.all("find_tasks", {"hub": hub.name, "at_most": at_most}):
        yield scheduled(row[0], row[1], ActivityTask(*row[2:]))


def scheduled(row: int, instance_row: int, activity: ActivityTask) -> Task:
    """The activity in its row."""
    return Task(row, (instance_row, activity.execution_id, activity.task_id), activity)


def own_row(claim: Claim) -> dict[str, object]:
    """The values that name the row which was claimed, and no other one in its place."""
    instance_row, execution_id, task_id = claim.mark
    return {
        "task_row": int(claim.lease.key),
        "instance_row": instance_row,
        "execution_id": execution_id,
        "task_id": task_id,
    }


def complete(hub: HubScope, claim: Claim, answer: Message, connection: Connection) -> None:
    """Remove the activity and deliver its answer.

    Errors: WorkGone when the instance has ended or moved on: its tasks went with it.
    """
    if not connection.run("complete_task", own_row(claim)):
        raise rules.work_gone(claim.lease)
    connection.after_commit(partial(hub.activity_claims.drop, [claim.lease]))
    instances.deliver(hub, answer, connection)


def record(hub: HubScope, answers: Sequence[Answer], connection: Connection) -> None:
    """Write answers that no episode takes now to the inbox, but for activities that are gone."""
    for answer in answers:
        if connection.run("complete_task", own_row(answer.claim)):
            instances.deliver(hub, answer.message, connection)


def is_there(claim: Claim, connection: Connection) -> bool:
    """Whether the row that was claimed still stands."""
    return connection.one("find_task", own_row(claim)) is not None
