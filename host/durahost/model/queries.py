"""What a client may ask of a task hub's instances."""

from collections.abc import Sequence
from datetime import datetime

from durahost.model.instances import InstanceState
from durahost.model.status import RuntimeStatus
from durahost.model.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceQuery:
    """Filters joined by AND; None means no condition; an empty `statuses` matches nothing.

    created_from, created_to: inclusive. prefix: ordinal. after: ids greater than this, for paging.
    """

    created_from: datetime | None = None
    created_to: datetime | None = None
    statuses: frozenset[RuntimeStatus] | None = None
    prefix: str = ""
    after: str | None = None
    at_most: int = 100


@dataclass(frozen=True, slots=True)
class InstancePage:
    """One page in ordinal order of ids; `next_after` is None on the last one."""

    instances: Sequence[InstanceState]
    next_after: str | None
