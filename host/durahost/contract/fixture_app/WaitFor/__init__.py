"""Waits for an orchestration through the SDK."""

import azure.durable_functions as df
import azure.functions as func


async def main(req: func.HttpRequest, client: str) -> func.HttpResponse:
    """Answer with the output, or with where to ask once `timeout` milliseconds are over."""
    durable = df.DurableOrchestrationClient(client)
    return await durable.wait_for_completion_or_create_check_status_response(
        req, req.route_params["id"], int(req.params["timeout"]), int(req.params["interval"])
    )
