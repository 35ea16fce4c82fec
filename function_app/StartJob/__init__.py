"""The asynchronous HTTP pattern without the built-in endpoints: starts a job, names a status URL
of the app's own.
"""

import json
import logging

import azure.durable_functions as df
import azure.functions as func

RETRY_AFTER_S = 1


async def main(req: func.HttpRequest, starter: str) -> func.HttpResponse:
    """Start the job with the request's content as input; answer 202 with where to ask for it."""
    client = df.DurableOrchestrationClient(starter)
    content = req.get_body()
    try:
        job_input = json.loads(content) if content else None
    except ValueError as error:
        return func.HttpResponse(f"The request's content is not JSON: {error}", status_code=400)
    instance_id = await client.start_new(req.route_params["functionName"], None, job_input)

    logging.info("Started job '%s'.", instance_id)

    jobs = req.url.partition("/jobs/start/")[0] + "/jobs"
    return func.HttpResponse(
        json.dumps({"id": instance_id}),
        status_code=202,
        mimetype="application/json",
        headers={"Location": f"{jobs}/{instance_id}", "Retry-After": str(RETRY_AFTER_S)},
    )
