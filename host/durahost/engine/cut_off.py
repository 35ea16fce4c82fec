"""Ending an instance without its orchestrator's consent: what the host itself cannot go on with."""

from dataclasses import replace
from datetime import datetime

from durahost.codec import history
from durahost.codec.history import FailureDetails
from durahost.engine import outcome
from durahost.engine.decisions import Complete
from durahost.engine.episode import Plan
from durahost.model.instances import Commit
from durahost.model.status import RuntimeStatus


def cut_off(
    plan: Plan, fresh: outcome.FreshIds, now: datetime, *, output: str, failure: FailureDetails
) -> Commit:
    """Fail the instance now, whatever is open.

    output: of the row, and the reason its caller is given.
    The completion's id is the number of past events, as in DurableTask.
    Source: Azure/durabletask: TaskOrchestrationDispatcher.cs (OnProcessWorkItemAsync), where an
    instance of another version is failed.
    """
    effects = outcome.Effects(plan.locked.state, outcome.Rules(), fresh, max(now, plan.started_at))
    failed = RuntimeStatus.FAILED
    task_id = plan.locked.recorded
    effects.ending = Complete(task_id, failed, output, details="")
    completed = history.execution_completed(task_id, failed, None, effects.now, failure=failure)
    ended = replace(
        effects.state,
        status=failed,
        output=output,
        updated_at=effects.now,
        completed_at=effects.now,
    )
    closing = history.orchestrator_completed(effects.now)
    return Commit(
        state=ended,
        append=[*plan.new_events, completed, closing],
        consume=[*plan.dropped, *plan.taken.values()],
        send=outcome.to_parent(effects),
    )
