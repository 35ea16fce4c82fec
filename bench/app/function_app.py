"""The workloads as an ordinary function app; it runs unmodified on any compatible host."""

import json
import time

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="hello", methods=["GET", "POST"])
def hello(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"Hello, {req.params.get('name', 'World')}")


@app.route(route="orchestrators/{name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client) -> func.HttpResponse:
    body = req.get_body()
    value = json.loads(body) if body else None
    instance_id = await client.start_new(req.route_params["name"], None, value)
    return client.create_check_status_response(req, instance_id)


@app.activity_trigger(input_name="name")
def say_hello(name: str) -> str:
    return f"Hello {name}!"


@app.activity_trigger(input_name="milliseconds")
def work_hard(milliseconds: int) -> int:
    """Keep one core busy for so long, in CPU time of this thread."""
    end = time.thread_time() + milliseconds / 1000
    turns = 0
    while time.thread_time() < end:
        turns += 1
    return turns


@app.orchestration_trigger(context_name="context")
def sequence(context: df.DurableOrchestrationContext):
    greetings = []
    for city in ("Tokyo", "Seattle", "London"):
        greetings.append((yield context.call_activity("say_hello", city)))
    return greetings


@app.orchestration_trigger(context_name="context")
def fan(context: df.DurableOrchestrationContext):
    count = context.get_input()
    tasks = [context.call_activity("say_hello", str(number)) for number in range(count)]
    return len((yield context.task_all(tasks)))


@app.orchestration_trigger(context_name="context")
def chain(context: df.DurableOrchestrationContext):
    last = None
    for number in range(context.get_input()):
        last = yield context.call_activity("say_hello", str(number))
    return last


@app.orchestration_trigger(context_name="context")
def heavy_sequence(context: df.DurableOrchestrationContext):
    for _ in range(3):
        yield context.call_activity("work_hard", 50)
    return "done"


@app.orchestration_trigger(context_name="context")
def wait_event(context: df.DurableOrchestrationContext):
    return (yield context.wait_for_external_event("go"))


@app.orchestration_trigger(context_name="context")
def wait_event_or_timer(context: df.DurableOrchestrationContext):
    """A waiting instance with a timer of its own: what an idle hub is full of."""
    from datetime import timedelta

    timer = context.create_timer(context.current_utc_datetime + timedelta(days=1))
    yield context.task_any([context.wait_for_external_event("go"), timer])
    return "done"
