"""Fails at once."""

import azure.durable_functions as df


def orchestrator_function(context: df.DurableOrchestrationContext):
    """Raise ValueError."""
    raise ValueError("This orchestrator always fails.")
    yield  # what makes this a generator


main = df.Orchestrator.create(orchestrator_function)
