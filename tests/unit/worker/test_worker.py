"""What user code sees and what the host gets back, the same for every worker."""

import asyncio
import json
import logging
from datetime import timedelta

import pytest

from durahost.model.errors import AppLoadError, WorkerExited, WorkerTimeout
from durahost.worker.base import AppSource, HttpData, Raised, Returned, TypedData

ECHO = """
    import json, os, sys
    import azure.functions as func

    def main(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(json.dumps({
            "method": req.method, "url": req.url, "q": dict(req.params),
            "route": dict(req.route_params),
            "header": req.headers.get("X-One"), "body": req.get_body().decode(),
        }), status_code=201, headers={"X-Two": "2"}, mimetype="application/json")
"""

REQUEST = TypedData(
    "http",
    HttpData(
        method="post",
        url="http://localhost:7071/api/echo/7?q=1",
        headers={"x-one": "1"},
        query={"q": "1"},
        params={"id": "7"},
        body="hällo".encode(),
    ),
)
EMPTY = TypedData("http", HttpData(method="GET", url="http://localhost/"))


@pytest.mark.feature("Functions host", "Async and sync functions, `Out` parameters")
@pytest.mark.feature("Functions host", "HTTP requests")
async def test_http_request_and_response_cross_whole(worker, app):
    await worker.load(app.add("echo", ECHO).source)
    result = await worker.invoke(app.call("echo", req=REQUEST), deadline_s=20)
    assert isinstance(result, Returned)
    response = result.value.value
    assert (response.status, response.headers) == (
        "201",
        {"X-Two": "2", "content-type": "application/json"},
    )
    assert json.loads(response.body) == {
        "method": "POST",
        "url": "http://localhost:7071/api/echo/7?q=1",
        "q": {"q": "1"},
        "route": {"id": "7"},
        "header": "1",
        "body": "hällo",
    }


@pytest.mark.feature("Functions host", "Async and sync functions, `Out` parameters")
@pytest.mark.feature("Functions host", "HTTP requests")
async def test_async_functions_outputs_and_cookies(worker, app):
    app.add(
        "f",
        """
        import azure.functions as func

        COOKIE = "a=b; Path=/; Expires=Wed, 21 Oct 2015 07:28:00 GMT; HttpOnly; SameSite=Lax"

        async def main(req, res: func.Out[func.HttpResponse], note: func.Out[str]):
            res.set(func.HttpResponse("x", headers={"Set-Cookie": COOKIE}))
        """,
        [
            app.http[0],
            {"name": "res", "type": "http", "direction": "out"},
            {"name": "note", "type": "table", "direction": "out"},
        ],
    )
    await worker.load(app.source)
    result = await worker.invoke(app.call("f", req=EMPTY), deadline_s=20)
    assert result.value is None
    assert list(result.outputs) == ["res"]
    (cookie,) = result.outputs["res"].value.cookies
    assert cookie == {
        "name": "a",
        "value": "b",
        "domain": "",
        "path": "/",
        "expires": "2015-10-21T07:28:00Z",
        "secure": False,
        "http_only": True,
        "same_site": "Lax",
        "max_age": None,
    }


@pytest.mark.feature("Orchestrations", "Inputs and outputs as the SDK gives them")
@pytest.mark.parametrize(
    ("given", "seen"),
    [
        (TypedData("string", '"abc"'), "abc"),
        (TypedData("string", "abc"), "abc"),
        (TypedData("string", '{"a": [1]}'), {"a": [1]}),
        (TypedData("json", "null"), None),
        (TypedData("string", ""), ""),
    ],
)
async def test_activities_get_json_text_and_return_it(worker, app, given, seen):
    app.add("act", "def main(value): return [value]", app.activity)
    await worker.load(app.source)
    result = await worker.invoke(app.call("act", value=given), deadline_s=20)
    assert result == Returned(TypedData("json", json.dumps([seen])))


@pytest.mark.feature("Orchestrations", "Activity calls")
async def test_an_orchestrator_of_the_real_sdk_runs_an_episode(worker, app):
    app.add(
        "Hello",
        """
        import azure.durable_functions as df

        def steps(context):
            return (yield context.call_activity("SayHello", "Tokyo"))

        main = df.Orchestrator.create(steps)
        """,
        app.orchestrator,
    )
    loaded = await worker.load(app.source)
    assert loaded.failures == []
    started = {
        "EventType": 12, "EventId": -1, "IsPlayed": False, "Timestamp": "2024-01-01T00:00:00Z",
    }  # fmt: skip
    execution = {
        "EventType": 0, "EventId": -1, "IsPlayed": False, "Timestamp": "2024-01-01T00:00:00Z",
        "Name": "Hello", "Input": None, "Version": "",
    }  # fmt: skip
    body = {
        "history": [started, execution],
        "input": None,
        "instanceId": "i",
        "isReplaying": False,
        "parentInstanceId": None,
        "upperSchemaVersion": 1,
        "upperSchemaVersionNew": 2,
    }
    context = TypedData("string", json.dumps(body))
    result = await worker.invoke(app.call("Hello", context=context), deadline_s=20)
    assert isinstance(result, Returned)
    answer = json.loads(result.value.value)
    assert answer["isDone"] is False
    assert answer["actions"][0][0]["functionName"] == "SayHello"


@pytest.mark.feature("Functions host", "The worker's `context`")
async def test_context_carries_the_invocation(worker, app):
    app.add(
        "f",
        """
        def main(value, context):
            trace, retry = context.trace_context, context.retry_context
            return [context.invocation_id, context.function_name, context.function_directory,
                    trace.trace_parent, trace.Tracestate, retry.retry_count, retry.max_retry_count,
                    context.thread_local_storage.invocation_id]
        """,
        app.activity,
    )
    await worker.load(app.source)
    call = app.call("f", "an-id", value=TypedData("string", ""))
    result = await worker.invoke(call, deadline_s=20)
    folder = str(app.root / "f")
    expected = ["an-id", "f", folder, "", "", 0, 0, "an-id"]
    assert json.loads(result.value.value) == expected


@pytest.mark.feature("Functions host", "Failures of user code, with the worker's texts")
async def test_user_exceptions_are_data_and_begin_in_the_app(worker, app):
    source = """
    class Trouble(Exception): pass

    def main(value):
        raise Trouble("no " + value)
    """
    await worker.load(app.add("f", source, app.activity).source)
    result = await worker.invoke(app.call("f", value=TypedData("string", "x")), deadline_s=20)
    assert isinstance(result, Raised)
    assert result.wire_message == "Trouble: no x"
    assert result.stack_trace.startswith(
        f'Traceback (most recent call last):\n  File "{app.root}/f/__init__.py", line 5, in main\n'
    )


@pytest.mark.feature("Functions host", "Failures of user code, with the worker's texts")
@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "return {}",
            'TypeError: unable to encode outgoing TypedData: unsupported type "<class'
            ' \'azure.functions.http.HttpResponseConverter\'>" for Python type "dict"',
        ),
        (
            "class E(Exception):\n        def __str__(self): raise ValueError\n    raise E",
            "Unhandled exception in function. Could not serialize original exception message.",
        ),
        ("import asyncio; raise asyncio.CancelledError", "CancelledError: "),
    ],
)
async def test_failures_have_the_real_workers_texts(worker, app, body, text):
    await worker.load(app.add("f", f"async def main(req):\n    {body}\n").source)
    result = await worker.invoke(app.call("f", req=EMPTY), deadline_s=20)
    assert result.wire_message == text


@pytest.mark.feature("Functions host", "Failures of user code, with the worker's texts")
async def test_a_value_nobody_takes_fails(worker, app):
    app.add("f", "def main(req): return 1", app.http[:1])
    await worker.load(app.source)
    result = await worker.invoke(app.call("f", req=EMPTY), deadline_s=20)
    assert result.wire_message == (
        "RuntimeError: function 'f' without a $return bindingreturned a non-None value"
    )


@pytest.mark.feature("Functions host", "One bad function takes no other down")
async def test_one_bad_function_takes_no_other_down(worker, app):
    app.add("good", "def main(req): return 'ok'")
    app.add("missing", "from . import helper\n", app.http)
    app.write("missing/helper.py", "import not_there_at_all\n")
    app.add("syntax", "x = 1\ndef main(:\n    pass\n")
    app.add("signature", "def main(request): pass")
    app.add("no_entry", "pass", entry_point="run")
    app.add("exits", "import sys; sys.exit(3)")
    app.add("raises", "def deep(): raise KeyError('x')\ndeep()")
    loaded = await worker.load(app.source)
    assert [function.name for function in loaded.functions] == ["good"]
    failures = {failure.name: failure for failure in loaded.failures}
    assert list(failures) == ["missing", "syntax", "signature", "no_entry", "exits", "raises"]

    missing = failures["missing"]
    assert missing.message.startswith(
        "ModuleNotFoundError: No module named 'not_there_at_all'. Cannot find module. Please check"
    )
    assert missing.file == f"{app.root}/missing/helper.py:1"
    assert "pip install not_there_at_all" in missing.advice
    assert missing.frames.count("File ") == 2
    assert "importlib" not in missing.frames
    assert failures["syntax"].file == f"{app.root}/syntax/__init__.py:2"
    assert "def main(:" in failures["syntax"].frames
    assert failures["signature"].message == (
        "FunctionLoadError: cannot load the signature function: the following parameters are"
        " declared in Python but not in function.json: {'request'}"
    )
    assert failures["no_entry"].message == (
        "RuntimeError: cannot load function no_entry: function run() is not present in"
        " no_entry/__init__.py"
    )
    assert failures["exits"].message == "SystemExit: 3"
    assert failures["raises"].frames.count("File ") == 2

    result = await worker.invoke(app.call("raises", req=EMPTY), deadline_s=20)
    assert result.wire_message == "KeyError: 'x'"
    result = await worker.invoke(app.call("good", req=EMPTY), deadline_s=20)
    assert result.value == TypedData("string", "ok")


@pytest.mark.feature("Functions host", "Folder model: imports as on Azure")
async def test_modules_are_found_as_in_azure(worker, app):
    app.write("shared/__init__.py", "")
    app.write("shared/lib.py", "name = __name__")
    app.add(
        "f",
        """
        from ..shared import lib
        from __app__.shared import lib as same
        from shared import lib as other
        def main(value): return [__name__, lib.name, same is lib, other.name]
        """,
        app.activity,
        script="f/handler.py",
    )
    await worker.load(app.source)
    result = await worker.invoke(app.call("f", value=TypedData("string", "")), deadline_s=20)
    expected = ["__app__.f.handler", "__app__.shared.lib", True, "shared.lib"]
    assert json.loads(result.value.value) == expected


@pytest.mark.feature("Functions host", "Decorator model: discovery and indexing")
async def test_a_decorator_app_is_indexed_by_the_worker(worker, app):
    app.write(
        "function_app.py",
        """
        import azure.functions as func
        import azure.durable_functions as df

        app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

        @app.route(route="hello/{id}", methods=["GET"])
        def hello(req: func.HttpRequest) -> func.HttpResponse:
            return func.HttpResponse("hi")

        @app.activity_trigger(input_name="value", activity="Say")
        def say(value: str):
            return value
        """,
    )
    loaded = await worker.load(AppSource(app.root))
    hello, say = loaded.functions
    assert (hello.name, hello.entry_point, hello.directory) == ("hello", "hello", app.root)
    assert hello.trigger.get("route") == "hello/{id}"
    assert hello.trigger.get("authLevel") == "ANONYMOUS"
    assert say.trigger.get("activity") == "Say"
    result = await worker.invoke(app.call("say", value=TypedData("string", "5")), deadline_s=20)
    assert result == Returned(TypedData("json", "5"))


@pytest.mark.feature("Functions host", "Decorator model: discovery and indexing")
async def test_a_decorator_app_fails_as_a_whole(worker, app):
    app.write("function_app.py", "import azure.functions as func\nx = 1\n")
    with pytest.raises(AppLoadError) as caught:
        await worker.load(AppSource(app.root))
    assert str(caught.value) == (
        "ValueError: Could not find top level function app instances in function_app.py."
    )


@pytest.mark.feature("Functions host", "Logs of user code")
async def test_log_records_know_their_invocation(worker, app, logs):
    app.add(
        "f",
        """
        import asyncio, logging
        logging.warning("at import")
        log = logging.getLogger("mine")
        async def main(value):
            await asyncio.create_task(inner())
            logging.getLogger("azure.functions.x").error("of the system")
            try:
                1 / 0
            except ZeroDivisionError:
                log.exception("broken")
        async def inner():
            log.info("number %d", 7)
        """,
        app.activity,
    )
    await worker.load(app.source)
    await worker.invoke(app.call("f", "an-id", value=TypedData("string", "")), deadline_s=20)
    first, inner, system, broken = [log for log in logs if "df_loads" not in log.message]
    assert (first.message, first.level, first.invocation_id) == ("at import", logging.WARNING, None)
    assert (inner.message, inner.category, inner.level) == ("number 7", "mine", logging.INFO)
    assert (inner.invocation_id, inner.function, inner.is_system) == ("an-id", "f", False)
    assert system.is_system
    assert broken.message.startswith("broken\nTraceback (most recent call last):\n")


@pytest.mark.feature("Functions host", "Logs of user code")
async def test_a_user_thread_logs_for_its_invocation_when_it_says_so(worker, app, logs):
    source = """
    import logging, threading
    def main(value, context):
        def work():
            context.thread_local_storage.invocation_id = context.invocation_id
            logging.info("from a thread")
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    """
    await worker.load(app.add("f", source, app.activity).source)
    await worker.invoke(app.call("f", "an-id", value=TypedData("string", "")), deadline_s=20)
    (log,) = [log for log in logs if log.message == "from a thread"]
    assert (log.invocation_id, log.function) == ("an-id", "f")


async def test_blocked_functions_delay_no_episode(worker, app, monkeypatch):
    monkeypatch.setenv("PYTHON_THREADPOOL_THREAD_COUNT", "1")
    blocks = """
    import threading
    gate = threading.Event()
    def main(value): gate.wait(20); return "through"
    """
    app.add("blocks", blocks, app.activity)
    opens = """
    from __app__.blocks import gate
    def main(context): gate.set(); return context.body
    """
    app.add("episode", opens, app.orchestrator)
    await worker.load(app.source)
    async with asyncio.TaskGroup() as group:
        blocked = group.create_task(
            worker.invoke(app.call("blocks", value=TypedData("string", "")), deadline_s=20)
        )
        await asyncio.sleep(0)
        context = TypedData("string", "{}")
        episode = await worker.invoke(app.call("episode", context=context), deadline_s=10)
    assert episode == Returned(TypedData("json", "{}"))
    assert blocked.result() == Returned(TypedData("json", '"through"'))


@pytest.mark.feature("Functions host", "`functionTimeout`")
async def test_a_deadline_ends_the_worker_and_its_other_calls(worker, app):
    app.add("blocks", "import time\ndef main(value): time.sleep(value)", app.activity)
    await worker.load(app.source)
    short = app.call("blocks", "short", value=TypedData("string", "2"))
    async with asyncio.TaskGroup() as group:
        other = group.create_task(_failure(worker, short))
        await asyncio.sleep(0)
        with pytest.raises(WorkerTimeout) as caught:
            await worker.invoke(short, deadline_s=0.1)
    assert str(caught.value) == (
        "Timeout value of 00:00:00.1000000 exceeded by function 'Functions.blocks' (Id: 'short')."
        " Initiating cancellation."
    )
    assert isinstance(other.result(), WorkerExited)
    with pytest.raises(WorkerExited):
        await worker.invoke(short, deadline_s=1)


async def test_a_call_whose_caller_was_cancelled_keeps_its_deadline(worker, app, logs):
    source = """
        import logging, threading

        def main(value):
            logging.warning("in the call")
            threading.Event().wait(20)
    """
    await worker.load(app.add("blocks", source, app.activity).source)
    call = app.call("blocks", value=TypedData("string", ""))
    calling = asyncio.create_task(worker.invoke(call, deadline_s=0.5))
    async with asyncio.timeout(20):
        while "in the call" not in logs.messages:  # noqa: ASYNC110  # nothing announces it
            await asyncio.sleep(0.01)
        calling.cancel()
        reason = await worker.wait_exited()
    assert str(reason).startswith("Timeout value of 00:00:00.5000000 exceeded by function")
    assert calling.cancelled()


async def test_a_call_that_ends_takes_its_deadline_along(worker, app):
    app.add("f", "def main(value): pass", app.activity)
    app.add("slow", "import time\ndef main(value): time.sleep(0.6)", app.activity)
    await worker.load(app.source)
    await worker.invoke(app.call("f", value=TypedData("string", "")), deadline_s=0.5)
    await worker.invoke(app.call("slow", value=TypedData("string", "")), deadline_s=60)
    assert worker.is_standing


async def test_the_deadline_of_an_ended_call_leaves_that_of_the_next(worker, app):
    app.add("f", "def main(value): pass", app.activity)
    app.add("blocks", "import time\ndef main(value): time.sleep(2)", app.activity)
    await worker.load(app.source)
    await worker.invoke(app.call("f", value=TypedData("string", "")), deadline_s=0.5)
    with pytest.raises(WorkerTimeout, match="00:00:01 exceeded"):
        await worker.invoke(app.call("blocks", value=TypedData("string", "")), deadline_s=1)


@pytest.mark.feature("Functions host", "Failures of user code, with the worker's texts")
async def test_system_exit_ends_the_worker_and_says_so(worker, app, logs):
    app.add("leaves", "import sys\ndef main(value): sys.exit(3)", app.activity)
    await worker.load(app.source)
    call = app.call("leaves", value=TypedData("string", ""))
    with pytest.raises(WorkerExited, match="code 3"):
        await worker.invoke(call, deadline_s=20)
    assert any("raised SystemExit(3), which ends the worker" in text for text in logs.messages)


async def test_drain_lets_running_calls_end(worker, app):
    app.add("slow", "import time\ndef main(value): time.sleep(0.2); return 1", app.activity)
    await worker.load(app.source)
    call = app.call("slow", value=TypedData("string", ""))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(worker.invoke(call, deadline_s=20))
        await asyncio.sleep(0)
        await worker.drain(timedelta(seconds=10))
    assert running.result() == Returned(TypedData("json", "1"))
    with pytest.raises(WorkerExited):
        await worker.invoke(call, deadline_s=1)


async def _failure(worker, call):
    try:
        await worker.invoke(call, deadline_s=20)
    except WorkerExited as error:
        return error
    return None
