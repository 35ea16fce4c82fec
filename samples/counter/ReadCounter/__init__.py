"""Reads a counter without asking it: what its last batch of operations left."""

import json

import azure.durable_functions as df
import azure.functions as func


async def main(req: func.HttpRequest, client: str) -> func.HttpResponse:
    """Answer with the value, 404 for a counter that does not exist."""
    counter = df.EntityId("Counter", req.route_params["key"])
    read = await df.DurableOrchestrationClient(client).read_entity_state(counter)
    if not read.entity_exists:
        return func.HttpResponse(status_code=404)
    return func.HttpResponse(json.dumps(read.entity_state), mimetype="application/json")
