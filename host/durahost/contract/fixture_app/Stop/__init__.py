"""Terminates an orchestration through the SDK."""

import azure.durable_functions as df


async def main(instance: str, client: str) -> str:
    """Terminate the instance of this id."""
    await df.DurableOrchestrationClient(client).terminate(instance, "stopped")
    return instance
