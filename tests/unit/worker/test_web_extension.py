"""When an app that imports a web extension gets its requests through the extension's server."""

import dataclasses
import os
import sys

import pytest

from durahost.model.errors import AppLoadError
from durahost.worker.base import AppSource, HttpData, Raised, TypedData

pytestmark = pytest.mark.feature(
    "Functions host", "HTTP streaming (`azurefunctions-extensions-http-fastapi`)"
)

SETTING = "PYTHON_ENABLE_INIT_INDEXING"
below_3_13 = pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="the platform's worker asks for no setting from 3.13 on"
)
APP = """
import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, StreamingResponse

app = func.FunctionApp()

@app.route("f")
def F(req: {request}) -> {response}: ...
"""


async def loaded(app, processes, setting, request="Request", response="StreamingResponse"):
    app.write("function_app.py", APP.format(request=request, response=response))
    environ = {name: value for name, value in os.environ.items() if name != SETTING}
    worker = processes(environ=environ | ({} if setting is None else {SETTING: setting}))
    return worker, await worker.load(AppSource(app.root))


async def invoked(worker, app):
    call = app.call("F", req=TypedData("http", HttpData("GET", "http://h/api/f")))
    return await worker.invoke(call, deadline_s=30)


@pytest.mark.parametrize("setting", [" True "])
async def test_with_the_setting_the_worker_has_a_server(app, processes, setting):
    worker, found = await loaded(app, processes, setting)
    assert found.has_web_server
    # Nothing waits for a request that the host does not pass on.
    result = await invoked(worker, app)
    assert isinstance(result, Raised)
    assert "this call came without one" in result.message


@below_3_13
async def test_without_the_setting_calls_fail_and_the_log_says_why(app, processes, logs):
    worker, found = await loaded(app, processes, None)
    assert not found.has_web_server
    assert any(f"{SETTING} is not 1: on Azure no request" in one for one in logs.messages)
    result = await invoked(worker, app)
    assert isinstance(result, Raised)
    assert f"the server runs where {SETTING} is 1" in result.message


@below_3_13
@pytest.mark.parametrize("setting", ["False"])
async def test_with_the_setting_off_the_types_are_those_of_every_app(app, processes, setting):
    with pytest.raises(AppLoadError, match='type annotation "Request"'):
        await loaded(app, processes, setting)
    _, found = await loaded(app, processes, setting, "func.HttpRequest", "func.HttpResponse")
    assert not found.has_web_server


@pytest.mark.parametrize(
    ("types", "text"),
    [
        ({"request": "func.HttpRequest"}, 'type annotation "HttpRequest"'),
        (
            {"response": "func.HttpResponse"},
            'Python return annotation "HttpResponse" does not match binding type "http"',
        ),
    ],
)
async def test_all_functions_have_the_types_of_the_extension(app, processes, types, text):
    with pytest.raises(AppLoadError, match=text):
        await loaded(app, processes, "1", **types)


async def test_a_worker_without_a_server_takes_a_call_with_an_exchange(app, processes):
    """One that replaces another may have loaded an app that has changed."""
    app.add("F", "def main(req): return 'whole'")
    worker = processes()
    await worker.load(app.source)
    call = app.call("F", req=TypedData("http", HttpData("GET", "http://h/api/f")))
    result = await worker.invoke(dataclasses.replace(call, exchange=object()), deadline_s=30)
    assert result.value == TypedData("string", "whole")
