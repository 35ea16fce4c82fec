"""Is ended from outside."""

import azure.durable_functions as df


def orchestrator_function(context: df.DurableOrchestrationContext):
    """Have itself terminated, and wait for what never comes."""
    yield context.call_activity("Stop", context.instance_id)
    yield context.wait_for_external_event("Never")


main = df.Orchestrator.create(orchestrator_function)
