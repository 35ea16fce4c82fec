"""Waits for an external event."""

import azure.durable_functions as df


def orchestrator_function(context: df.DurableOrchestrationContext):
    """Show the input's `customStatus`, then return what the event Go brings."""
    context.set_custom_status((context.get_input() or {}).get("customStatus"))
    return (yield context.wait_for_external_event("Go"))


main = df.Orchestrator.create(orchestrator_function)
