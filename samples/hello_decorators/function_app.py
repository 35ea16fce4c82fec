"""The default app in the decorator model: the same functions, routes and answers."""

import json
import logging
from datetime import timedelta

import azure.durable_functions as df
import azure.functions as func

RETRY_AFTER_S = 1
Status = df.OrchestrationRuntimeStatus

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.function_name("HttpStart")
@app.route(route="orchestrators/{functionName}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def http_start(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Start an orchestration with the request's content as input; answer 202 with its status
    URLs.
    """
    try:
        event_data = content_of(req)
    except ValueError as error:
        return func.HttpResponse(f"The request's content is not JSON: {error}", status_code=400)
    instance_id = await client.start_new(req.route_params["functionName"], None, event_data)

    logging.info("Started orchestration with ID = '%s'.", instance_id)

    return client.create_check_status_response(req, instance_id)


@app.function_name("HelloSequence")
@app.orchestration_trigger(context_name="context")
def hello_sequence(context: df.DurableOrchestrationContext):
    """Call SayHello for Tokyo, Seattle and London; return the three greetings."""
    tokyo = yield context.call_activity("SayHello", "Tokyo")
    seattle = yield context.call_activity("SayHello", "Seattle")
    london = yield context.call_activity("SayHello", "London")
    return [tokyo, seattle, london]


@app.function_name("SayHello")
@app.activity_trigger(input_name="name")
def say_hello(name: str) -> str:
    """Greet one city."""
    return f"Hello {name}!"


@app.function_name("Approval")
@app.orchestration_trigger(context_name="context")
def approval(context: df.DurableOrchestrationContext):
    """Return Approved or Rejected as ApprovalEvent says, Timed out after `minutes` (60 when not
    given).
    """
    minutes = (context.get_input() or {}).get("minutes", 60)
    deadline = context.current_utc_datetime + timedelta(minutes=minutes)
    timeout = context.create_timer(deadline)
    decision = context.wait_for_external_event("ApprovalEvent")

    winner = yield context.task_any([decision, timeout])
    if winner is timeout:
        return "Timed out"
    timeout.cancel()
    # True is JSON over HTTP; the text is what the SDK's own client sends.
    is_yes = decision.result is True or decision.result == "true"
    return "Approved" if is_yes else "Rejected"


@app.function_name("StartJob")
@app.route(route="jobs/start/{functionName}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start_job(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Start the job with the request's content as input; answer 202 with where to ask for it."""
    try:
        job_input = content_of(req)
    except ValueError as error:
        return func.HttpResponse(f"The request's content is not JSON: {error}", status_code=400)
    instance_id = await client.start_new(req.route_params["functionName"], None, job_input)

    logging.info("Started job '%s'.", instance_id)

    jobs = req.url.partition("/jobs/start/")[0] + "/jobs"
    again = {"Location": f"{jobs}/{instance_id}", "Retry-After": str(RETRY_AFTER_S)}
    return answer(202, {"id": instance_id}, again)


@app.function_name("JobStatus")
@app.route(route="jobs/{instanceId}", methods=["GET"])
@app.durable_client_input(client_name="client")
async def job_status(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Answer for the job whose id is in the route: 202 while it runs, 200 with its output, 500 with
    its failure, 404 when unknown.
    """
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


def content_of(req: func.HttpRequest) -> object:
    """The request's JSON, None when it has no content. Errors: ValueError."""
    content = req.get_body()
    return json.loads(content) if content else None


def answer(status: int, body: object, headers: dict[str, str] | None = None) -> func.HttpResponse:
    """A JSON response."""
    text = json.dumps(body)
    return func.HttpResponse(text, status_code=status, mimetype="application/json", headers=headers)
