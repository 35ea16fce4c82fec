"""Signals a Box."""

import azure.durable_functions as df


def orchestrator_function(context: df.DurableOrchestrationContext):
    """Send the input's `value` to the Box of the input's `key`, and do not wait."""
    order = context.get_input()
    context.signal_entity(df.EntityId("Box", order["key"]), "set", order["value"])
    return None
    yield  # what makes this a generator


main = df.Orchestrator.create(orchestrator_function)
