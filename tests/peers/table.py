"""Small functions, and the calls that the platform's engine and the child answer alike.

Rows of the folder model share one app, and so do those of the decorator model, whose function is
named as the row; a row with `fails` has an app of its own. A row that `differs` must: it is a row
of docs/compatibility.md, with the reason.
"""

from peers.rows import (
    ACTIVITY,
    CANCELLED,
    EXPIRES,
    HTTP,
    MAX_AGE,
    REQUEST,
    RESULT,
    TUPLES,
    WORDING,
    Row,
    activity,
    bind,
    decorated,
    decorated_http,
    fails,
    gives,
    http,
    http_request,
    puts,
    refuses,
    responds,
    sees,
    trigger,
)  # fmt: skip

CLIENT = ("string", '{"taskHubName": "h", "creationUrls": {}, "managementUrls": {}}')
OUT_O = (*HTTP, bind("o", "queue", "out"))
ENVELOPE = '{"__class__": "C", "__module__": "%s", "__data__": 1}'
COOKIE = "func.HttpResponse('', headers={'Set-Cookie': %r})"
CONTEXT = """
def main(value, context):
    trace, retry = context.trace_context, context.retry_context
    before = retry.rpc_exception
    return [
        context.invocation_id, context.function_name, context.function_directory[-7:],
        trace.trace_parent, trace.trace_state, trace.Traceparent, trace.Tracestate,
        trace.attributes, trace.Attributes,
        retry.retry_count, retry.max_retry_count, before.message, before.stack_trace, before.source,
        context.thread_local_storage.invocation_id, hasattr(retry, "exception"),
    ]
"""
VARIABLES = """
import contextvars
seen = contextvars.ContextVar("seen", default="nothing")
seen.set("at import")
def main(value): return seen.get()
"""
CUSTOM = """
class C:
    def __init__(self, data): self.data = data
    @staticmethod
    def to_json(one): return one.data
    @staticmethod
    def from_json(data): return C(data)
"""
ORCHESTRATOR = """
@app.orchestration_trigger(context_name="context")
def f(context):
    yield context.call_activity("a", {"n": 1})
"""
ORCHESTRATION = (
    '{"history": [{"EventType": 12, "EventId": -1, "IsPlayed": false, "Timestamp":'
    ' "2024-01-01T00:00:00Z"}, {"EventType": 0, "EventId": -1, "IsPlayed": false, "Timestamp":'
    ' "2024-01-01T00:00:00Z", "Name": "f", "Input": null, "Version": ""}], "input": null,'
    ' "instanceId": "i", "isReplaying": false, "parentInstanceId": null, "upperSchemaVersion": 1,'
    ' "upperSchemaVersionNew": 2}'
)
ENTITY = (
    '{"self": {"name": "f", "key": "k"}, "exists": false, "state": null, "batch": [{"name": "add",'
    ' "input": "\\"5\\"", "isSignal": false}]}'
)

REQUESTS = [
    sees("method", "req.method", method="post"),
    sees("url", "req.url"),
    sees(
        "headers",
        "[req.headers.get('X-One'), 'X-ONE' in req.headers, list(req.headers)]",
        headers={"x-one": "1", "x-two": "a,b"},
    ),
    sees("params", "dict(req.params)", query={"q": "a,b"}),
    sees("route_params", "dict(req.route_params)", params={"id": "ü x"}),
    sees("body", "req.get_body().hex()", body=b"\x00\xff", method="post"),
    sees("body_empty", "[req.get_body().hex(), type(req.get_body()).__name__]"),
    sees("body_json", "req.get_json()", body=b'{"a": [1, 2.5, null]}', method="post"),
    http("body_not_json", "def main(req): req.get_json()", http_request(b"{", "post")),
    http("body_no_json", "def main(req): req.get_json()"),
    sees(
        "form",
        "[dict(req.form), list(req.files)]",
        body=b"a=1&b=2",
        method="post",
        headers={"content-type": "application/x-www-form-urlencoded"},
    ),
    sees(
        "files",
        "[req.form['a'], req.files['f'].filename, req.files['f'].read().decode()]",
        body=(
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x\r\n'
            b'Content-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\n'
            b"content\r\n--x--\r\n"
        ),
        method="post",
        headers={"content-type": "multipart/form-data; boundary=x"},
    ),
]
RESPONSES = [
    responds("response", "func.HttpResponse('hällo', status_code=201)"),
    responds("response_bare", "func.HttpResponse()"),
    responds("response_bytes", "func.HttpResponse(b'\\x00', mimetype='image/png')"),
    responds("response_charset", "func.HttpResponse('ä', charset='latin-1')"),
    responds(
        "response_type", "func.HttpResponse('x', headers={'CONTENT-TYPE': 'a/b'}, mimetype='c/d')"
    ),
    responds(
        "response_enum",
        "func.HttpResponse(status_code=__import__('http').HTTPStatus.NOT_FOUND)",
    ),
    responds("response_dict_body", "func.HttpResponse({})"),
    http(
        "response_repeated",
        "def main(req):\n"
        "    response = func.HttpResponse('')\n"
        "    for value in '12': response.headers.add('X-One', value)\n"
        "    for value in ('a=1', 'b=2; Path=/'): response.headers.add('Set-Cookie', value)\n"
        "    return response\n",
    ),
    responds("text", "'{\"a\": 1}'"),
    responds("nothing", "None"),
    responds("dictionary", "{}"),
    responds("pair", "('', 200)"),
    responds("raw_bytes", "b''"),
    responds(
        "cookie_full",
        COOKIE % "a=b; Path=/; Domain=d; Expires=Wed, 21 Oct 2015 07:28:00 GMT; Max-Age=5; Secure;"
        " HttpOnly; SameSite=Strict",
    ),
    responds("cookie_bare", COOKIE % "a=b"),
    responds("cookie_none", COOKIE % "a=b; SameSite=None"),
    responds("cookie_odd_same_site", COOKIE % "a=b; SameSite=Odd"),
    responds("cookie_empty", COOKIE % ""),
    responds("cookie_expires", COOKIE % "a=b; Expires=2015-10-21T07:28:00Z", EXPIRES),
    responds("cookie_max_age", COOKIE % "a=b; Max-Age=soon", MAX_AGE),
    http("http_async", "async def main(req): return func.HttpResponse('x')"),
    http("http_str", "def main(req: str): return ''", differs=TUPLES),
    http("raises", "def main(req): raise KeyError('x')"),
    http(
        "raises_unreadable",
        "class E(Exception):\n    def __str__(self): raise ValueError\ndef main(req): raise E",
    ),
    http(
        "cancelled",
        "import asyncio\nasync def main(req): raise asyncio.CancelledError",
        differs=CANCELLED,
    ),
]
ACTIVITIES = [
    *(
        activity(f"activity_{name}", "def main(value): return [value]", value)
        for name, value in {
            "text": ("string", "abc"),
            "json_text": ("string", '"abc"'),
            "object": ("json", '{"a": 1}'),
            "number": ("string", "5"),
            "nothing": ("string", ""),
            "null": ("string", "null"),
            "bytes": ("bytes", b"x"),
            "none": None,
            "int": ("int", 5),
            "double": ("double", 1.5),
        }.items()
    ),
    activity("activity_escapes", "def main(value): return {'é': [True, None]}"),
    activity("activity_returns_none", "def main(value): pass"),
    activity("activity_annotated", "def main(value: str) -> str: return 5"),
    activity("activity_unserialisable", "def main(value): return object"),
    activity("activity_typed", "import typing\ndef main(value: typing.List[int]): return value"),
    activity("custom_out", f"{CUSTOM}\ndef main(value): return C([1])"),
    activity(
        "custom_in",
        f"{CUSTOM}\ndef main(value): return value.data",
        ("string", ENVELOPE % "__app__.custom_in"),
    ),
    activity("custom_unknown", "def main(value): return 1", ("string", ENVELOPE % "no.such")),
    activity("context", CONTEXT),
    activity("context_async", CONTEXT.replace("def main", "async def main", 1)),
    activity("variables", VARIABLES),
    activity("positional_only", "def main(value, /): pass"),
    activity("module_name", "def main(value): return __name__"),
    activity(
        "wrapped",
        "import functools\ndef wrap(f):\n    @functools.wraps(f)\n"
        "    def inner(**k): return [f(**k)]\n    return inner\n"
        "@wrap\ndef main(value): return value",
    ),
    activity(
        "thread", "import threading\ndef main(value): return threading.current_thread().name[:19]"
    ),
    activity(
        "client",
        "def main(value, starter: str): return [type(starter).__name__, starter]",
        bindings=(*ACTIVITY, bind("starter", "durableClient")),
        starter=CLIENT,
    ),
    activity(
        "client_old_name",
        "def main(value, starter): return starter",
        bindings=(*ACTIVITY, bind("starter", "orchestrationClient")),
        starter=CLIENT,
    ),
    activity(
        "client_empty",
        "def main(value, starter): return starter",
        bindings=(*ACTIVITY, bind("starter", "durableClient")),
        starter=None,
    ),
    activity("input_of_nobody", "def main(value): pass", other=("string", "x")),
]
OUTPUTS = [
    *(
        puts(f"table_{name}", "table", expression)
        for name, expression in {
            "str": "'x'",
            "bytes": "b'x'",
            "dict": "{'a': 1}",
            "list": "[1]",
            "int": "5",
            "float": "1.5",
            "bool": "True",
            "object": "object()",
            "none": "None",
        }.items()
    ),
    *(
        puts(f"queue_{name}", "queue", expression)
        for name, expression in {
            "str": "'x'",
            "bytes": "b'x'",
            "list": "['a', 'b']",
            "dict": "{'a': 1}",
            "message": "func.QueueMessage(id='1', body='b')",
            "int": "5",
            "object": "object()",
        }.items()
    ),
    puts("queue_annotated", "queue", "{'a': 1}", ": func.Out[str]"),
    puts("queue_annotated_list", "queue", "['a']", ": func.Out[typing.List[str]]"),
    puts("event_hub", "eventHub", "['a', 'b']"),
    puts("event_grid", "eventGrid", "'x'"),
    puts("cosmos", "cosmosDB", "func.Document.from_dict({'id': '1'})"),
    puts("blob_str", "blob", "'x'"),
    puts("blob_bytes", "blob", "b'x'"),
    puts("service_bus", "serviceBus", "'x'"),
    puts("http_named", "http", "func.HttpResponse('x', status_code=202)"),
    puts("last_wins", "table", "'x'); o.set('y'"),
    gives("gives_table_none", "table", "None"),
    gives("gives_queue_none", "queue", "None"),
    gives("gives_blob_none", "blob", "None"),
    gives("gives_queue", "queue", "'x'"),
    gives("gives_event_hub", "eventHub", "5"),
    Row("no_output", "def main(req): pass", HTTP[:1], {"req": REQUEST}),
    Row("no_output_value", "def main(req): return 1", HTTP[:1], {"req": REQUEST}, {}, TUPLES),
    Row(
        "implied",
        "def main(req): return {'a': 1}",
        (HTTP[0], bind("x", "signalR", "out")),
        {"req": REQUEST},
    ),
    Row(
        "implied_with_x",
        "def main(req, x): x.set('set'); return {'a': 1}",
        (HTTP[0], bind("x", "signalR", "out")),
        {"req": REQUEST},
    ),
]
INPUTS = [
    trigger(
        "t_timer",
        "timerTrigger",
        ("json", '{"IsPastDue": true, "Schedule": {"a": 1}}'),
        "[trigger.past_due, trigger.schedule, trigger.schedule_status]",
    ),
    trigger(
        "t_queue",
        "queueTrigger",
        ("string", "text"),
        "[trigger.get_body().decode(), trigger.id, trigger.dequeue_count]",
        Id="7",
    ),
    trigger("t_queue_json", "queueTrigger", ("json", "{}"), "1"),
    trigger(
        "t_blob",
        "blobTrigger",
        ("bytes", b"content"),
        "[trigger.read().decode(), trigger.name, trigger.uri]",
        BlobTrigger="c/b",
        Uri='"http://x"',
    ),
    trigger("t_blob_none", "blobTrigger", None, "trigger"),
    trigger(
        "t_event_grid",
        "eventGridTrigger",
        (
            "json",
            '{"id": "1", "topic": "t", "subject": "s", "eventType": "e", "eventTime":'
            ' "2024-01-01T00:00:00Z", "data": {"a": 1}, "dataVersion": "1"}',
        ),
        "[trigger.id, trigger.get_json(), str(trigger.event_time)]",
    ),
    trigger(
        "t_cosmos_trigger",
        "cosmosDBTrigger",
        ("string", '[{"id": "1"}]'),
        "[one.to_dict() for one in trigger]",
    ),
    trigger(
        "t_service_bus_trigger",
        "serviceBusTrigger",
        ("string", "x"),
        "trigger.get_body().decode()",
        MessageId='"m"',
        UserProperties="{}",
    ),
    trigger("t_event_hub_none", "eventHubTrigger", ("string", "x"), "1"),
    trigger("t_warmup", "warmupTrigger", ("string", ""), "type(trigger).__name__"),
    trigger("t_unknown_json", "someTrigger", ("json", '{"a": 1}'), "trigger"),
    trigger("t_unknown_bytes", "someTrigger", ("bytes", b"x"), "trigger"),
    trigger("t_unknown_none", "someTrigger", None, "trigger"),
    Row(
        "blob_input",
        "def main(trigger, other): return [trigger.name, other.name]",
        (bind("trigger", "blobTrigger"), bind("other", "blob"), RESULT),
        {"trigger": ("bytes", b"t"), "other": ("bytes", b"o")},
        {"BlobTrigger": ("string", "c/t")},
    ),
    Row(
        "blob_text",
        "def main(blob: str): return blob",
        (bind("blob", "blobTrigger"), RESULT),
        {"blob": ("string", "x")},
    ),
    Row(
        "metadata_number",
        "def main(value): pass",
        ACTIVITY,
        {"value": ("string", "")},
        {"n": ("double", 1.5)},
    ),
]
REFUSED = [
    refuses("r_inout", "req", (bind("req", "blob", "inout"), HTTP[1])),
    refuses("r_return_in", "req", (HTTP[0], bind("$return", "http", "in"))),
    refuses("r_context", "req, context: str", differs=WORDING),
    refuses("r_context_any", "req, context: typing.Any", differs=WORDING),
    refuses("r_extra", "req, other=1"),
    refuses("r_args", "req, *args"),
    refuses("r_missing", "req", OUT_O),
    refuses("r_bare_out", "req, o: func.Out", OUT_O),
    refuses("r_optional", "req: typing.Optional[str]"),
    refuses("r_builtin_generic", "req: list[str]"),
    refuses("r_union", "req: str | None"),
    refuses("r_tuple", "req: typing.Tuple[str]"),
    refuses("r_out_plain", "req, o: str", OUT_O),
    refuses("r_in_out", "req: func.Out[str]"),
    refuses("r_type", "req: int"),
    refuses("r_type_any", "req: typing.Any"),
    refuses(
        "r_data_type", "req: int", (bind("req", "httpTrigger", dataType="string"), HTTP[1]), WORDING
    ),
    refuses("r_returns_out", "req", returns=" -> func.Out[str]"),
    refuses("r_returns_list", "req", returns=" -> list[str]"),
    refuses("r_returns_typing", "req", returns=" -> typing.List[str]"),
    refuses("r_returns_dict", "req", returns=" -> dict"),
    refuses("r_returns_none", "req", returns=" -> None"),
    refuses(
        "r_client_class",
        "req, starter: df.DurableOrchestrationClient",
        (*HTTP, bind("starter", "durableClient")),
    ),
    refuses("r_alias", "req, rows: typing.List[str]", (*HTTP, bind("rows", "table"))),
    refuses("r_name", "req: 'Nowhere'"),
    Row("r_partial", "import functools\nmain = functools.partial(print)", HTTP, {}),
    Row("r_instance", "class C:\n    def __call__(self, req): pass\nmain = C()", HTTP, {}),
    Row("r_no_entry", "pass", HTTP, {}, {}, TUPLES),
    Row("r_raises", "raise KeyError('x')", HTTP, {}),
    Row("r_import", "import not_there_at_all", HTTP, {}),
    Row("r_import_name", "from json import not_there_at_all", HTTP, {}),
]
DECORATED = [
    decorated("d_activity", "@app.activity_trigger('value')\ndef f(value): return [value]"),
    decorated(
        "d_context",
        "@app.activity_trigger('value')\ndef f(value, context): return context.function_directory"
        ".rpartition('/')[2] and context.function_name",
    ),
    decorated_http(
        "d_http", "@app.route()\ndef f(req: func.HttpRequest) -> str: return req.method"
    ),
    decorated_http(
        "d_route",
        "@app.route('x/{id}', methods=['get', 'POST'], auth_level='admin')\n"
        "async def f(req): return func.HttpResponse('x')",
    ),
    decorated_http(
        "d_named_output",
        "@app.route(binding_arg_name='res')\ndef f(req, res: func.Out[func.HttpResponse]):"
        " res.set(func.HttpResponse('x'))",
    ),
    decorated_http(
        "d_outputs",
        "@app.route()\n@app.queue_output('q', queue_name='n', connection='c')\n"
        "@app.generic_output_binding('g', type='table')\n"
        "def f(req, q: func.Out[str], g): q.set('q'); g.set({'a': 1}); return 'x'",
    ),
    decorated_http(
        "d_generic_trigger",
        "@app.generic_trigger('req', type='httpTrigger', methods=['GET'])\n"
        "@app.generic_output_binding('$return', type='http')\ndef f(req): return 'x'",
    ),
    decorated_http(
        "d_blueprint",
        "bp = func.Blueprint()\n@bp.function_name('f')\n@bp.route('y')\n"
        "def other(req): return __name__\napp.register_functions(bp)",
    ),
    decorated(
        "d_client",
        "@app.activity_trigger('value')\n@app.durable_client_input('client')\n"
        "async def f(value, client): return type(client).__name__",
        client=CLIENT,
    ),
    decorated(
        "d_client_sync",
        "@app.activity_trigger('value')\n@app.durable_client_input('client')\n"
        "def f(value, client): return 'x'",
        client=CLIENT,
    ),
    decorated(
        "d_client_none",
        "@app.activity_trigger('value')\n@app.durable_client_input('client')\n"
        "async def f(value, client): return 'x'",
        client=None,
    ),
    decorated("d_orchestrator", ORCHESTRATOR, {"context": ("string", ORCHESTRATION)}),
    decorated(
        "d_orchestrator_raises",
        ORCHESTRATOR.replace("yield", "raise ValueError('no')\n    yield"),
        {"context": ("string", ORCHESTRATION)},
    ),
    decorated(
        "d_entity",
        "@app.entity_trigger(context_name='context')\ndef f(context):"
        " context.set_state(context.get_input()); context.set_result('r')",
        {"context": ("string", ENTITY)},
    ),
    fails("d_no_trigger", "@app.function_name('f')\ndef f(value): pass"),
    fails(
        "d_two_names",
        "@app.activity_trigger('value')\ndef f(value): pass\n"
        "@app.function_name('f')\n@app.activity_trigger('value')\ndef g(value): pass",
    ),
    fails("d_two_triggers", "@app.route()\n@app.activity_trigger('value')\ndef f(value): pass"),
    fails("d_two_apps", "other = func.FunctionApp()"),
    fails("d_same_app_twice", "other = app"),
    fails("d_no_app", "del app"),
    fails("d_level", "func.FunctionApp(http_auth_level='admin')"),
    fails("d_method", "@app.route(methods=['FETCH'])\ndef f(req): pass"),
    fails("d_raises", "raise KeyError('x')"),
    fails("d_import", "import not_there_at_all"),
    fails("d_relative", "from . import x"),
    fails("d_mismatch", "@app.route()\ndef f(req: int): pass", differs=WORDING),
    fails("d_return", "@app.route()\ndef f(req) -> dict: pass"),
    fails("d_extra", "@app.route()\ndef f(req, other): pass", differs=WORDING),
    fails("d_missing", "@app.activity_trigger('v')\ndef f(): pass", differs=WORDING),
    fails(
        "d_context_name", "@app.orchestration_trigger('ctx')\ndef f(ctx): yield", differs=WORDING
    ),
    fails("d_entity_name", "@app.entity_trigger('ctx')\ndef f(ctx): pass", differs=WORDING),
    fails("d_alone", "@app.activity_trigger\ndef f(value): pass"),
    fails("d_empty", ""),
]

ROWS = [*REQUESTS, *RESPONSES, *ACTIVITIES, *OUTPUTS, *INPUTS, *REFUSED, *DECORATED]
