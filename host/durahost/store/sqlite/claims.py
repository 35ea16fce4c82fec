"""Giving claims back and making them longer; taking them stands with the work itself."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from durahost.model.instances import Lease
from durahost.store import rules
from durahost.store.sqlite.connection import Connection
from durahost.store.sqlite.scope import HubScope


def fence(hub: HubScope, lease: Lease) -> dict[str, Any]:
    """The values that prove a claim, for the queries that are fenced by it."""
    return {"hub": hub.name, "key": lease.key, "token": lease.token, "owner": lease.owner}


def abandon(hub: HubScope, lease: Lease, retry_after: timedelta, connection: Connection) -> None:
    """Release the claim unchanged; a lost one is no error."""
    is_episode = lease.kind == rules.EPISODE
    until = hub.clock.monotonic() + retry_after.total_seconds()
    query = "abandon_instance" if is_episode else "abandon_task"
    connection.run(query, fence(hub, lease) | {"until": until})
    connection.after_commit((hub.episodes if is_episode else hub.activities).notify)


def renew(
    hub: HubScope, leases: Sequence[Lease], lease_for: timedelta, connection: Connection
) -> Sequence[Lease]:
    """Extend the claims still ours and return them."""
    until = hub.clock.monotonic() + lease_for.total_seconds()
    renewed = []
    for lease in leases:
        query = "renew_instance" if lease.kind == rules.EPISODE else "renew_task"
        if connection.run(query, fence(hub, lease) | {"until": until}):
            renewed.append(lease)
    return renewed
