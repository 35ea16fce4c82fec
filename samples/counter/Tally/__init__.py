"""Adds amounts to a counter, one signal each, and asks for the sum."""

import azure.durable_functions as df


def orchestrator_function(context: df.DurableOrchestrationContext):
    """Return the counter's value after all amounts; the order of the messages is kept."""
    order = context.get_input()
    counter = df.EntityId("Counter", order["key"])
    for amount in order["amounts"]:
        context.signal_entity(counter, "add", amount)
    return (yield context.call_entity(counter, "get"))


main = df.Orchestrator.create(orchestrator_function)
