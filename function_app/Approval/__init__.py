"""Waits for a decision, but not for ever: an external event races a durable timer."""

from datetime import timedelta

import azure.durable_functions as df


def orchestrator_function(context: df.DurableOrchestrationContext):
    """Return Approved or Rejected as ApprovalEvent says, Timed out after `minutes` (60 when not
    given).
    """
    minutes = (context.get_input() or {}).get("minutes", 60)
    deadline = context.current_utc_datetime + timedelta(minutes=minutes)
    timeout = context.create_timer(deadline)
    approval = context.wait_for_external_event("ApprovalEvent")

    winner = yield context.task_any([approval, timeout])
    if winner is timeout:
        return "Timed out"
    timeout.cancel()
    return "Approved" if is_yes(approval.result) else "Rejected"


def is_yes(decision: object) -> bool:
    """Whether the event says true: as JSON over HTTP, or as the text that the SDK's own client
    sends.
    """
    return decision is True or decision == "true"


main = df.Orchestrator.create(orchestrator_function)
