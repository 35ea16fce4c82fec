"""Calls one orchestration."""

import azure.durable_functions as df


def orchestrator_function(context: df.DurableOrchestrationContext):
    """Call the input's `child` with its `input` and `id`; return what it returns."""
    order = context.get_input()
    child = context.call_sub_orchestrator(order["child"], order.get("input"), order["id"])
    return (yield child)


main = df.Orchestrator.create(orchestrator_function)
