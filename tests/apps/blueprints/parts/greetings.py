"""HTTP functions of a blueprint."""

import json
import logging

import azure.functions as func

logger = logging.getLogger(__name__)
bp = func.Blueprint()


@bp.route()
def plain(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("plain")


@bp.route(route="%PLACE%/{name}", auth_level=func.AuthLevel.FUNCTION)
async def asynchronous(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    seen = [context.function_name, context.function_directory, req.route_params["name"]]
    logger.info("seen %s", seen[0])
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")
