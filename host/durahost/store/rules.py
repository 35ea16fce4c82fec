"""Decisions that every store makes alike: what is accepted, what is dropped, and the texts."""

from datetime import datetime

from durahost.codec.history import sub_orchestration_failed
from durahost.model.errors import LeaseLost
from durahost.model.instances import InstanceState, Lease, ParentInstance
from durahost.model.messages import Message

EPISODE = "episode"
ACTIVITY = "activity"


def is_same_call(known: ParentInstance | None, parent: ParentInstance | None) -> bool:
    """Whether a live child was started by this very call, so that the start is a re-delivery."""
    if known is None or parent is None:
        return False
    return (known.instance_id, known.execution_id, known.task_id) == (
        parent.instance_id,
        parent.execution_id,
        parent.task_id,
    )


def refusal(state: InstanceState, child: InstanceState, now: datetime) -> Message | None:
    """Build the answer to a call whose child id is taken; None when nobody waits for one."""
    if child.parent is None:
        return None
    reason = (
        f"An orchestration instance with ID '{child.instance_id}' is already running and was "
        "started by somebody else; use another ID, or wait until that instance has ended."
    )
    event = sub_orchestration_failed(
        task_id=child.parent.task_id, reason=reason, details="", now=now
    )
    return Message(state.instance_id, event, execution_id=state.execution_id)


def lease_lost(lease: Lease) -> LeaseLost:
    """Build the error of a claim that is void."""
    return LeaseLost(
        f"{lease.kind} '{lease.key}': the claim with token {lease.token} is void; nothing was "
        "written, and whoever holds the work now runs it again."
    )
