"""Signals a counter: nobody waits for the operation."""

import azure.durable_functions as df
import azure.functions as func


async def main(req: func.HttpRequest, client: str) -> func.HttpResponse:
    """Answer 202 once the signal is stored."""
    counter = df.EntityId("Counter", req.route_params["key"])
    amount = int(req.route_params["amount"])
    await df.DurableOrchestrationClient(client).signal_entity(counter, "add", amount)
    return func.HttpResponse(status_code=202)
