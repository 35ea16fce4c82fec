"""Starts the orchestrator named in the route: the C# sample HttpStart, ported."""

import json
import logging

import azure.durable_functions as df
import azure.functions as func


async def main(req: func.HttpRequest, starter: str) -> func.HttpResponse:
    """Start an orchestration with the request's content as input; answer 202 with its status
    URLs.
    """
    client = df.DurableOrchestrationClient(starter)
    content = req.get_body()
    try:
        event_data = json.loads(content) if content else None
    except ValueError as error:
        return func.HttpResponse(f"The request's content is not JSON: {error}", status_code=400)
    instance_id = await client.start_new(req.route_params["functionName"], None, event_data)

    logging.info("Started orchestration with ID = '%s'.", instance_id)

    return client.create_check_status_response(req, instance_id)
