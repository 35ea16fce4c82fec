"""Locking and completing activities."""

from collections.abc import Sequence
from datetime import timedelta

from durahost.model.instances import Lease, LockedActivity
from durahost.model.messages import ActivityTask, Message
from durahost.store import rules
from durahost.store.sqlite import instances
from durahost.store.sqlite.claims import fence
from durahost.store.sqlite.connection import Connection
from durahost.store.sqlite.scope import HubScope


def lock(
    hub: HubScope, owner: str, lease_for: timedelta, at_most: int, connection: Connection
) -> Sequence[LockedActivity]:
    """Claim the oldest free activities."""
    monotonic = hub.clock.monotonic()
    token = next(hub.tokens)
    claimed = connection.all(
        "claim_tasks",
        {
            "hub": hub.name,
            "monotonic": monotonic,
            "at_most": at_most,
            "token": token,
            "owner": owner,
            "until": monotonic + lease_for.total_seconds(),
        },
    )
    if not claimed:
        lapse = connection.scalar("next_task_lapse", {"hub": hub.name})
        connection.after_commit(lambda: hub.activities.found_nothing(None, lapse))
        return []
    claimed.sort()
    return [
        LockedActivity(
            Lease(rules.ACTIVITY, str(task_row), owner, token), ActivityTask(*task), attempts
        )
        for task_row, attempts, *task in claimed
    ]


def complete(hub: HubScope, lease: Lease, answer: Message, connection: Connection) -> None:
    """Remove the activity and deliver its answer.

    Errors: LeaseLost, also when the instance has ended or moved on: its tasks went with it.
    """
    if not connection.run("complete_task", fence(hub, lease)):
        raise rules.lease_lost(lease)
    instances.deliver(hub, answer, connection)
