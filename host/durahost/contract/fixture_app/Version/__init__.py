"""Knows its version."""

import azure.durable_functions as df


def orchestrator_function(context: df.DurableOrchestrationContext):
    """Return the version it was started with."""
    return context.version
    yield  # what makes this a generator


main = df.Orchestrator.create(orchestrator_function)
