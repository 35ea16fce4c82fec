"""What surprises people about the Python worker, one test a fact, on the worker that users get.

Facts that other files prove stand in ELSEWHERE. The real worker's texts: Azure/azure-functions-
python-worker (4.34), Azure/azure-functions-python-library (1.26).
"""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from facts import assert_test_exists, facts

from durahost.model.errors import AppLoadError
from durahost.worker.base import AppSource, HttpData, Raised, Returned, TypedData
from durahost.worker.inprocess import InProcessWorker

FACTS = pytest.mark.feature("Functions host", "Surprising facts about the Python worker")
pytestmark = FACTS

GET = TypedData("http", HttpData(method="GET", url="http://localhost/"))
TEXT = TypedData("string", "")
UNENCODABLE = (
    'TypeError: unable to encode outgoing TypedData: unsupported type "{}" for Python type "{}"'
)
RESPONSES = "<class 'azure.functions.http.HttpResponseConverter'>"

ELSEWHERE = facts(
    {
        "unit/worker/test_worker.py": [
            ("modules live in `__app__`", "test_modules_are_found_as_in_azure"),
            ("one file, two modules", "test_modules_are_found_as_in_azure"),
            ("one bad folder function fails alone", "test_one_bad_function_takes_no_other_down"),
            ("one bad decorated function fails all", "test_a_decorator_app_fails_as_a_whole"),
            ("the missing blank of `bindingreturned`", "test_a_value_nobody_takes_fails"),
            (
                "`azure.functions` loggers are the system's",
                "test_log_records_know_their_invocation",
            ),
            (
                "user threads have no invocation",
                "test_a_user_thread_logs_for_its_invocation_when_it_says_so",
            ),
            ("SystemExit ends the worker", "test_system_exit_ends_the_worker_and_says_so"),
            (
                "functionTimeout takes the others along",
                "test_a_deadline_ends_the_worker_and_its_other_calls",
            ),
        ],
        "unit/child/test_signature.py": [
            ("defaults are declared parameters", "test_texts"),
            ("order of the signature checks", "test_texts"),
            ("dataType None in decorators", "test_texts"),
            ("partials and callables are no functions", "test_what_is_no_function_is_refused"),
            ("a binding named context wins", "test_a_binding_named_context_wins"),
            ("an unknown binding allows a result", "test_unknown_bindings_allow_a_return_value"),
        ],
        "e2e/test_decorator_apps.py": [
            (
                "a script without functions",
                "test_a_script_without_functions_leaves_the_app_to_the_folders",
            ),
            (
                "functions of the script hide folders",
                "test_functions_of_the_script_hide_the_folders",
            ),
        ],
        "unit/http/test_function_responses.py": [
            ("text is read as JSON by the host", "test_returned_text_is_sniffed"),
        ],
        "unit/http/test_front.py": [
            ("names are lower-case, empty values vanish", "test_the_function_gets_the_request"),
            ("chunked bodies are empty", "test_a_chunked_body_arrives_empty_with_a_hint"),
        ],
        "unit/functions/test_function_json.py": [
            ("underscores in binding names", "test_valid_binding_names"),
        ],
    }
)


@pytest.mark.parametrize("fact", ELSEWHERE, ids=lambda fact: fact.row)
def test_a_fact_that_another_test_proves(fact):
    assert_test_exists(fact)


@pytest.fixture
async def worker(logs):
    inside = InProcessWorker(logs)
    yield inside
    await inside.drain(timedelta())


async def called(worker, call):
    """What the call gives: its value's content, or the text it fails with."""
    result = await worker.invoke(call, deadline_s=20)
    if isinstance(result, Raised):
        return result.wire_message
    return result.value.value if result.value else None


async def result_of(worker, app, source, bindings=None, **inputs):
    """Load one function and call it once."""
    loaded = await worker.load(app.add("f", source, bindings or app.activity).source)
    assert loaded.failures == []
    return await called(worker, app.call("f", **(inputs or {"value": TEXT})))


async def load_failure(worker, app, source, bindings=None):
    (failure,) = (await worker.load(app.add("f", source, bindings or app.activity).source)).failures
    return failure.message


async def decorated_failure(worker, app, body):
    app.write("function_app.py", f"{DECORATED}\n{body}")
    with pytest.raises(AppLoadError) as caught:
        await worker.load(AppSource(app.root))
    return str(caught.value)


DECORATED = """
import azure.durable_functions as df
import azure.functions as func
app = df.DFApp()
"""


# Entry points and parameters ----------------------------------------------------------------------


async def test_arguments_go_by_keyword_alone(worker, app):
    text = await result_of(worker, app, "def main(value, /): return 1")
    assert text.startswith("TypeError: main() got some positional-only arguments passed as keyword")


async def test_a_plain_wrapper_of_an_async_function_gives_its_coroutine(worker, app):
    source = "async def inner(req): return 'x'\ndef main(req): return inner(req)"
    with pytest.warns(RuntimeWarning, match="was never awaited"):
        text = await result_of(worker, app, source, app.http, req=GET)
    assert text == UNENCODABLE.format(RESPONSES, "coroutine")


async def test_a_wrapper_with_wraps_shows_the_parameters_of_what_it_wraps(worker, app):
    source = """
    import functools
    def shout(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs).upper()
        return wrapper
    @shout
    def main(value): return "x"
    """
    assert await result_of(worker, app, source) == '"X"'


async def test_a_bound_method_is_a_function(worker, app):
    source = """
    class App:
        def run(self, value): return "method"
    main = App().run
    """
    assert await result_of(worker, app, source) == '"method"'


async def test_text_annotation_of_a_request_loads_and_fails_every_call(worker, app):
    text = await result_of(worker, app, "def main(req: str): return ''", app.http, req=GET)
    expected = "ValueError: unexpected type of data received for the \"generic\" binding : 'http'"
    assert text == expected


async def test_a_generic_alias_on_an_unknown_binding_is_a_type_error(worker, app):
    table = [*app.activity, {"name": "rows", "type": "table", "direction": "in"}]
    source = "import typing\ndef main(value, rows: typing.List[str]): pass"
    text = await load_failure(worker, app, source, table)
    assert text == "TypeError: issubclass() arg 1 must be a class"


async def test_an_activity_s_annotation_is_not_enforced(worker, app):
    value = TypedData("string", "5")
    source = "def main(value: str): return type(value).__name__"
    assert await result_of(worker, app, source, value=value) == '"int"'


@pytest.mark.parametrize("annotation", ["list[str]", "str | None", "dict[str, int]"])
async def test_built_in_generics_and_unions_are_refused_everywhere(worker, app, annotation):
    text = await load_failure(worker, app, f"def main(value: {annotation}): pass")
    start = "FunctionLoadError: cannot load the f function: binding value has invalid non-type"
    assert text == f"{start} annotation {annotation}"


async def test_an_input_that_is_left_out_fails_in_the_call(worker, app):
    await worker.load(app.add("f", "def main(value): pass", app.activity).source)
    text = await called(worker, app.call("f"))
    assert text == "TypeError: main() missing 1 required positional argument: 'value'"


async def test_an_unknown_function_is_an_assertion_without_text(worker, app):
    await worker.load(app.add("f", "def main(value): pass", app.activity).source)
    assert await called(worker, app.call("g", value=TEXT)) == "AssertionError: "


# Results ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "kind"),
    [("None", "NoneType"), ("{}", "dict"), ("('', 200)", "tuple"), ("b''", "bytes"), ("5", "int")],
)
async def test_what_is_no_response_fails_an_http_function(worker, app, result, kind):
    text = await result_of(worker, app, f"def main(req): return {result}", app.http, req=GET)
    assert text == UNENCODABLE.format(RESPONSES, kind)


async def test_without_an_http_output_none_is_fine(worker, app):
    await worker.load(app.add("f", "def main(req): pass", app.http[:1]).source)
    assert await worker.invoke(app.call("f", req=GET), deadline_s=20) == Returned(None)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("table", None),
        (
            "queue",
            UNENCODABLE.format(
                "<class 'azure.functions.queue.QueueMessageOutConverter'>", "NoneType"
            ),
        ),
        ("blob", UNENCODABLE.format("<class 'azure.functions.blob.BlobConverter'>", "NoneType")),
    ],
)
async def test_none_goes_through_the_converter_of_the_result(worker, app, kind, text):
    output = {"name": "$return", "type": kind, "direction": "out"}
    assert (
        await result_of(worker, app, "def main(req): pass", [app.http[0], output], req=GET) == text
    )


async def test_an_activity_that_returns_nothing_gives_null(worker, app):
    assert await result_of(worker, app, "def main(value): pass") == "null"


async def test_json_of_results_has_ascii_escapes_and_blanks(worker, app):
    assert await result_of(worker, app, "def main(value): return {'é': [True]}") == (
        '{"\\u00e9": [true]}'
    )


async def test_the_last_value_of_an_output_wins_and_none_is_left_out(worker, app):
    bindings = [
        *app.activity,
        *({"name": name, "type": "table", "direction": "out"} for name in ("a", "b", "c")),
    ]
    source = """
    def main(value, a, b, c):
        a.set("first"); a.set("last")
        b.set("x"); b.set(None)
        return a.get()
    """
    await worker.load(app.add("f", source, bindings).source)
    result = await worker.invoke(app.call("f", value=TEXT), deadline_s=20)
    assert result.outputs == {"a": TypedData("string", "last")}
    # `table` is a type that the library does not know: the last such binding takes the result.
    assert result.value == TypedData("string", "last")


async def test_one_output_that_cannot_be_sent_fails_the_call(worker, app):
    bindings = [*app.activity, {"name": "o", "type": "queue", "direction": "out"}]
    source = "def main(value, o): o.set(object())"
    text = await result_of(worker, app, source, bindings)
    converter = "<class 'azure.functions.queue.QueueMessageOutConverter'>"
    assert text == UNENCODABLE.format(converter, "object")


# Inputs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("5", 5),
        ("true", True),
        ("abc", "abc"),
        ('"abc"', "abc"),
        ("", ""),
        ('{"a": 1}', {"a": 1}),
        ("null", None),
    ],
)
async def test_an_activity_s_text_is_read_as_json_if_it_is_some(worker, app, given, seen):
    value = TypedData("string", given)
    result = await result_of(worker, app, "def main(value): return [value]", value=value)
    assert json.loads(result) == [seen]


async def test_an_activity_without_a_value_fails(worker, app):
    text = await result_of(worker, app, "def main(value): pass", value=None)
    assert text == "AttributeError: 'NoneType' object has no attribute 'type'"


ENVELOPE = '{"__class__": "C", "__module__": "%s", "__data__": 1}'


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("not.loaded", None),
        ("__app__.f", "1"),
    ],
)
async def test_custom_objects_need_a_module_that_is_loaded(worker, app, module, reason):
    source = """
    class C:
        def __init__(self, data): self.data = data
        @staticmethod
        def from_json(data): return C(data)
    def main(value): return value.data
    """
    given = ENVELOPE % module
    result = await result_of(worker, app, source, value=TypedData("string", given))
    failure = (
        "ValueError: activity trigger input must be a string or a valid json serializable"
        f" ({given})"
    )
    assert result == (reason or failure)


@pytest.mark.parametrize("kind", ["int", "double"])
async def test_numbers_on_the_wire_are_refused(worker, app, kind):
    text = await result_of(worker, app, "def main(value): pass", value=TypedData(kind, 1))
    assert text == f"NotImplementedError: unsupported TypeData kind: '{kind}'"


async def test_a_number_in_the_metadata_fails_the_call(worker, app):
    call = app.add("f", "def main(value): pass", app.activity).call("f", value=TEXT)
    await worker.load(app.source)
    number = {"n": TypedData("double", 1.5)}
    text = await called(worker, replace(call, trigger_metadata=number))
    assert text == "NotImplementedError: unsupported TypeData kind: 'double'"


async def test_metadata_goes_to_converters_of_triggers_and_so_to_blob_inputs(worker, app):
    bindings = [
        {"name": "trigger", "type": "blobTrigger", "direction": "in"},
        {"name": "other", "type": "blob", "direction": "in"},
        {"name": "$return", "type": "table", "direction": "out"},
    ]
    source = "def main(trigger, other): return [trigger.name, other.name, other.read().decode()]"
    await worker.load(app.add("f", source, bindings).source)
    call = app.call("f", trigger=TypedData("bytes", b"t"), other=TypedData("bytes", b"o"))
    metadata = {"BlobTrigger": TypedData("string", "container/trigger")}
    result = await called(worker, replace(call, trigger_metadata=metadata))
    assert json.loads(result) == ["container/trigger", "container/trigger", "o"]


async def test_text_annotation_of_a_blob_gives_what_the_host_sent(worker, app):
    bindings = [
        {"name": "blob", "type": "blobTrigger", "direction": "in"},
        {"name": "$return", "type": "table", "direction": "out"},
    ]
    source = "def main(blob: str): return [type(blob).__name__, blob]"
    result = await result_of(worker, app, source, bindings, blob=TypedData("string", "content"))
    assert json.loads(result) == ["str", "content"]


@pytest.mark.parametrize("kind", ["durableClient", "orchestrationClient"])
async def test_the_client_is_json_text_under_both_names(worker, app, kind):
    bindings = [*app.activity, {"name": "starter", "type": kind, "direction": "in"}]
    text = '{"taskHubName": "x"}'
    source = "def main(value, starter: str): return starter"
    await worker.load(app.add("f", source, bindings).source)
    call = app.call("f", value=TEXT, starter=TypedData("string", text))
    result = await worker.invoke(call, deadline_s=20)
    # The old name is one that the library does not know: it takes the result, as text.
    expected = TypedData("json", json.dumps(text))
    assert result.value == (expected if kind == "durableClient" else TypedData("string", text))


# The decorator model ------------------------------------------------------------------------------


async def test_bindings_are_written_in_upper_case_with_defaults_filled_in(worker, app):
    app.write(
        "function_app.py", f"{DECORATED}\n@app.route(methods=['get'])\ndef hello(req): return ''"
    )
    (hello,) = (await worker.load(AppSource(app.root))).functions
    assert [dict(binding.properties) for binding in hello.bindings] == [
        {
            "direction": "IN",
            "type": "httpTrigger",
            "name": "req",
            "methods": ["GET"],
            "authLevel": "FUNCTION",
            "route": "hello",
        },
        {"direction": "OUT", "type": "http", "name": "$return"},
    ]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "again = app",
            "ValueError: More than one DFApp or other top level function app instances are"
            " defined.",
        ),
        ("func.FunctionApp(http_auth_level='admin')", "KeyError: 'admin'"),
        (
            "@app.function_name('f')\ndef f(req): pass",
            "ValueError: Function f does not have a trigger. A valid function must have one and"
            " only one trigger registered.",
        ),
        (
            "@app.route()\ndef f(req): return ''\n@app.function_name('f')\n@app.route('x')\n"
            "def g(req): return ''",
            "ValueError: Function f does not have a unique function name. Please change"
            " @app.function_name() or the function method name to be unique.",
        ),
        (
            "other = df.Blueprint()\napp.register_functions(func.FunctionApp())",
            "TypeError: functions can not be type of FunctionRegister!",
        ),
        (
            "@app.orchestration_trigger(context_name='ctx')\ndef f(ctx): yield",
            'FunctionLoadError: cannot load the f function: the "context" parameter is expected to'
            " be of type azure.functions.Context, got <class"
            " 'azure.functions._durable_functions.OrchestrationContext'>",
        ),
        (
            "@app.entity_trigger(context_name='ctx')\ndef f(ctx): pass",
            "FunctionLoadError: cannot load the f function: the following parameters are declared"
            " in function.json but not in Python: {'ctx'}",
        ),
        ("from . import helper", None),
    ],
)
async def test_what_fails_a_decorated_app(worker, app, body, text):
    app.write("helper.py", "")
    message = await decorated_failure(worker, app, body)
    if text is None:
        assert message.startswith("ImportError: attempted relative import with no known parent")
    else:
        assert message == text


async def test_the_module_has_its_own_name_and_siblings_are_imported_absolutely(worker, app):
    app.write("helper.py", "NAME = __name__")
    body = """
import helper
@app.activity_trigger('value')
def f(value): return [__name__, helper.NAME]
"""
    app.write("function_app.py", f"{DECORATED}\n{body}")
    await worker.load(AppSource(app.root))
    result = await called(worker, app.call("f", value=TEXT))
    assert json.loads(result) == ["function_app", "helper"]


async def test_a_function_s_directory_is_that_of_its_file(worker, app):
    app.write(
        "parts/part.py",
        """
        import azure.functions as func
        bp = func.Blueprint()
        @bp.activity_trigger('value')
        def f(value, context): return context.function_directory
        """,
    )
    body = """
from parts.part import bp
app.register_blueprint(bp)
@app.activity_trigger('value')
@app.durable_client_input('client')
async def g(value, client, context): return context.function_directory
"""
    app.write("function_app.py", f"{DECORATED}\n{body}")
    await worker.load(AppSource(app.root))
    assert json.loads(await called(worker, app.call("f", value=TEXT))) == str(app.root / "parts")
    client = '{"taskHubName": "h", "creationUrls": {}, "managementUrls": {}}'
    call = app.call("g", value=TEXT, client=TypedData("string", client))
    # What is loaded is the SDK's wrapper, so the directory is the SDK's.
    directory = json.loads(await called(worker, call))
    assert directory.endswith("azure/durable_functions/decorators")


async def test_a_sync_function_with_the_client_runs_and_fails_then(worker, app, logs):
    body = """
import logging
@app.activity_trigger('value')
@app.durable_client_input('client')
def f(value, client):
    logging.info("has run")
    return "x"
"""
    app.write("function_app.py", f"{DECORATED}\n{body}")
    await worker.load(AppSource(app.root))
    client = '{"taskHubName": "h", "creationUrls": {}, "managementUrls": {}}'
    call = app.call("f", value=TEXT, client=TypedData("string", client))
    text = await called(worker, call)
    assert text.startswith("TypeError: object str can't be used in 'await' expression")
    assert "has run" in logs.messages


async def test_a_client_without_a_value_fails(worker, app):
    body = """
@app.activity_trigger('value')
@app.durable_client_input('client')
async def f(value, client): return 1
"""
    app.write("function_app.py", f"{DECORATED}\n{body}")
    await worker.load(AppSource(app.root))
    text = await called(worker, app.call("f", value=TEXT, client=None))
    assert text == "TypeError: the JSON object must be str, bytes or bytearray, not NoneType"


async def test_a_decorated_function_stays_callable(worker, app):
    body = "@app.activity_trigger('value')\ndef f(value): return value\nassert f(5) == 5"
    app.write("function_app.py", f"{DECORATED}\n{body}")
    loaded = await worker.load(AppSource(app.root))
    assert [function.name for function in loaded.functions] == ["f"]


# Context, threads, failures -----------------------------------------------------------------------


async def test_the_context_is_the_worker_s_own_class(worker, app):
    source = """
    import azure.functions as func
    def main(value, context: func.Context):
        return [isinstance(context, func.Context), hasattr(context.retry_context, "exception")]
    """
    assert json.loads(await result_of(worker, app, source)) == [False, False]


async def test_context_variables_are_not_carried_into_threads_and_do_not_leak(worker, app):
    source = """
    import contextvars
    seen = contextvars.ContextVar("seen", default="nothing")
    seen.set("at import")
    def main(value): return seen.get()
    async def run(value):
        before = seen.get()
        seen.set(value)
        return before
    """
    app.add("f", source, app.activity)
    app.add("g", source, app.activity, script="f/__init__.py", entry_point="run")
    await worker.load(app.source)
    assert json.loads(await called(worker, app.call("f", value=TEXT))) == "nothing"
    first = await called(worker, app.call("g", value=TypedData("string", "mine")))
    assert json.loads(await called(worker, app.call("g", value=TEXT))) == json.loads(first)


async def test_async_functions_share_one_loop_and_run_side_by_side(worker, app):
    source = """
    import asyncio
    gate = asyncio.Event()
    async def main(value):
        if value == "open":
            gate.set()
        await asyncio.wait_for(gate.wait(), 10)
        return id(asyncio.get_running_loop())
    """
    await worker.load(app.add("f", source, app.activity).source)
    calls = [app.call("f", text, value=TypedData("string", text)) for text in ("wait", "open")]
    loops = await asyncio.gather(*(called(worker, call) for call in calls))
    assert loops[0] == loops[1]


async def test_sync_functions_have_threads_of_the_executor(worker, app):
    source = "import threading\ndef main(value): return threading.current_thread().name"
    assert json.loads(await result_of(worker, app, source)).startswith("ThreadPoolExecutor-")


async def test_the_bare_class_name_stands_before_the_text(worker, app):
    source = "import json\ndef main(value): json.loads('{')"
    text = await result_of(worker, app, source)
    assert text.startswith("JSONDecodeError: Expecting property name enclosed in double quotes")


async def test_a_cancelled_function_is_answered_unlike_on_azure(worker, app):
    """The real worker never answers it; a client would wait until functionTimeout."""
    source = "import asyncio\nasync def main(value): raise asyncio.CancelledError"
    assert await result_of(worker, app, source) == "CancelledError: "


async def test_what_is_logged_at_import_is_shown_unlike_on_azure(worker, app, logs):
    """The real host drops records without a running invocation; a developer needs them."""
    source = "import logging\nlogging.warning('at import')\ndef main(value): pass"
    await result_of(worker, app, source)
    (log,) = [log for log in logs if log.message == "at import"]
    assert log.invocation_id is None
