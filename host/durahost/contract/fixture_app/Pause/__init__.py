"""Lets time pass."""

from datetime import timedelta

import azure.durable_functions as df


def orchestrator_function(context: df.DurableOrchestrationContext):
    """Sleep for the input's `seconds`."""
    pause = timedelta(seconds=context.get_input()["seconds"])
    yield context.create_timer(context.current_utc_datetime + pause)


main = df.Orchestrator.create(orchestrator_function)
