"""Greets three cities, one activity after the other."""

import azure.durable_functions as df


def orchestrator_function(context: df.DurableOrchestrationContext):
    """Call SayHello for Tokyo, Seattle and London; return the three greetings."""
    tokyo = yield context.call_activity("SayHello", "Tokyo")
    seattle = yield context.call_activity("SayHello", "Seattle")
    london = yield context.call_activity("SayHello", "London")
    return [tokyo, seattle, london]


main = df.Orchestrator.create(orchestrator_function)
