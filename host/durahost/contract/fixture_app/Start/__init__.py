"""Starts an orchestration through the SDK."""

import azure.durable_functions as df
import azure.functions as func


async def main(req: func.HttpRequest, client: str) -> func.HttpResponse:
    """Start the orchestrator that the route names; the body, when there is one, is its input."""
    durable = df.DurableOrchestrationClient(client)
    given = req.get_json() if req.get_body() else None
    instance_id = await durable.start_new(
        req.route_params["name"], req.route_params.get("id"), given
    )
    return durable.create_check_status_response(req, instance_id)
