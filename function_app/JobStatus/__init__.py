"""Where a job stands: 202 while it runs, 200 with its output, 500 with its failure, 404 when
unknown.
"""

import json

import azure.durable_functions as df
import azure.functions as func

RETRY_AFTER_S = 1
Status = df.OrchestrationRuntimeStatus


async def main(req: func.HttpRequest, starter: str) -> func.HttpResponse:
    """Answer for the job whose id is in the route."""
    client = df.DurableOrchestrationClient(starter)
    instance_id = req.route_params["instanceId"]
    job = await client.get_status(instance_id)
    state = job.runtime_status if job else None

    if state is None:
        return answer(404, {"error": f"There is no job '{instance_id}'."})
    if state is Status.Completed:
        return answer(200, job.output)
    if state is Status.Failed:
        return answer(500, {"error": job.output})
    if state in (Status.Terminated, Status.Canceled):
        return answer(200, {"status": state.value, "reason": job.output})
    again = {"Location": req.url, "Retry-After": str(RETRY_AFTER_S)}
    return answer(202, {"id": instance_id, "status": state.value}, again)


def answer(status: int, body: object, headers: dict[str, str] | None = None) -> func.HttpResponse:
    """A JSON response."""
    text = json.dumps(body)
    return func.HttpResponse(text, status_code=status, mimetype="application/json", headers=headers)
