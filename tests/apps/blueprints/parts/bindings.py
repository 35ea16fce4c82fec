"""Functions whose bindings are written by type."""

import azure.functions as func

bp = func.Blueprint()


@bp.function_name("generic")
@bp.generic_trigger(arg_name="req", type="httpTrigger", route="generic", methods=["POST"])
@bp.generic_output_binding(arg_name="$return", type="http")
@bp.generic_output_binding(arg_name="note", type="table", tableName="notes")
def generic(req: func.HttpRequest, note: func.Out[str]) -> func.HttpResponse:
    note.set("noted")
    return func.HttpResponse(req.get_body(), status_code=202)


@bp.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:05")
@bp.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
def newyear(timer: func.TimerRequest) -> None: ...
