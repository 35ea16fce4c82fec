"""Calls one activity."""

import azure.durable_functions as df


def orchestrator_function(context: df.DurableOrchestrationContext):
    """Call the input's `activity` with its `input`; return what it returns."""
    order = context.get_input()
    return (yield context.call_activity(order["activity"], order.get("input")))


main = df.Orchestrator.create(orchestrator_function)
