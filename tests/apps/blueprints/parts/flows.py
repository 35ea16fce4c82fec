"""Durable functions of a blueprint."""

import azure.durable_functions as df
import azure.functions as func

bp = df.Blueprint()


@bp.route(route="flows/{name}", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def begin(req: func.HttpRequest, client: df.DurableOrchestrationClient):
    number = await client.start_new(req.route_params["name"], client_input=req.get_json())
    return client.create_check_status_response(req, number)


@bp.orchestration_trigger(context_name="context", orchestration="Flow")
def flow(context: df.DurableOrchestrationContext):
    doubled = yield context.call_activity("Double", context.get_input())
    counter = df.EntityId("counter", context.instance_id)
    return (yield context.call_entity(counter, "add", doubled))


@bp.activity_trigger(input_name="number", activity="Double")
def twice(number: int):
    return 2 * number


@bp.entity_trigger(context_name="context")
def counter(context: df.DurableEntityContext):
    total = context.get_state(lambda: 0) + context.get_input()
    context.set_state(total)
    context.set_result(total)
