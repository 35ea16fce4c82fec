"""Starts a tally: the body is a JSON array of amounts."""

import azure.durable_functions as df
import azure.functions as func


async def main(req: func.HttpRequest, client: str) -> func.HttpResponse:
    """Answer 202 with the status URLs of the orchestration."""
    starter = df.DurableOrchestrationClient(client)
    order = {"key": req.route_params["key"], "amounts": req.get_json()}
    instance_id = await starter.start_new("Tally", None, order)
    return starter.create_check_status_response(req, instance_id)
