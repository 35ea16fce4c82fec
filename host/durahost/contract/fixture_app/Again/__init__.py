"""Starts over."""

import azure.durable_functions as df


def orchestrator_function(context: df.DurableOrchestrationContext):
    """Continue as new until the input's `left` is 0; return its `done`."""
    count = context.get_input()
    if count["left"] > 0:
        context.continue_as_new({"left": count["left"] - 1, "done": count.get("done", 0) + 1})
        return None
    return count["done"]
    yield  # what makes this a generator


main = df.Orchestrator.create(orchestrator_function)
