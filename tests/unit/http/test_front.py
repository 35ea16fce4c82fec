"""The public port: precedence, holding, invocation, failures."""

import asyncio
from pathlib import Path

import pytest
from api_support import CallableWorker, Target

from durahost.codec.rest import Links
from durahost.http.durable_api import ApiSettings, DurableApi
from durahost.http.front_settings import FrontSettings, max_body_bytes
from durahost.http.rpc import RpcEndpoint
from durahost.model.errors import StoreUnavailable, WorkerExited, WorkerTimeout
from durahost.model.functions import Binding, FunctionFailure, FunctionMetadata
from durahost.registry import Registry
from durahost.worker.base import HttpData, Raised, Returned, TypedData


def http_function(name: str, **trigger) -> FunctionMetadata:
    bindings = [
        Binding("req", "httpTrigger", "in", trigger),
        Binding("$return", "http", "out"),
    ]
    return FunctionMetadata(name, Path("/app") / name, Path("/app") / name / "x.py", "", bindings)


def fail(error):
    raise error


def ok():
    return Returned(TypedData("string", "served"))


@pytest.fixture
def target():
    worker = CallableWorker(
        Echo=ok,
        Anything=lambda: Returned(TypedData("string", "anything")),
        Raises=lambda: Raised("ValueError", "secret", "File x"),
        Dies=lambda: fail(WorkerExited("gone")),
        Slow=lambda: fail(WorkerTimeout("slow")),
        Bad=lambda: Returned(TypedData("http", HttpData(status="204", body=b"x"))),
        Breaks=lambda: fail(RuntimeError("a defect of the host")),
    )
    target = Target(worker=worker)
    routes = {"Echo": "items/{id}", "Anything": None}
    names = [*worker.functions]
    functions = [http_function(n, **({"route": r} if (r := routes.get(n)) else {})) for n in names]
    target.serve(Registry.of(functions, [FunctionFailure("Broken", "why")]))
    return target


@pytest.mark.feature("Functions host", "HTTP requests")
async def test_the_function_gets_the_request(target):
    response = await target.send(
        "PUT",
        "/API/Items/a%2Fb%20c?name=a&name=b&empty=&code=k",
        content=b"\x00\xff",
        headers=[("X-Two", "1"), ("x-two", "2"), ("Traceparent", "tp")],
    )
    assert response.text == "served"
    (call,) = target.worker.calls
    data = call.inputs["req"].value
    assert data.method == "PUT"
    assert data.url == "http://localhost:7071/API/Items/a%2Fb%20c?name=a&name=b&empty=&code=k"
    assert data.headers["x-two"] == "1,2"
    assert data.query == {"name": "a,b", "code": "k"}
    assert data.params == {"id": "a%2Fb c"}
    assert data.body == b"\x00\xff"
    assert call.trace_parent == "tp"


@pytest.mark.feature("Functions host", "HTTP requests")
async def test_a_chunked_body_arrives_empty_with_a_hint(target, caplog):
    async def chunks():
        yield b"lost"

    await target.send("POST", "/api/items/1", content=chunks())
    assert target.worker.calls[0].inputs["req"].value.body == b""
    assert "Transfer-Encoding: chunked" in caplog.text


@pytest.mark.feature("Functions host", "HTTP requests")
@pytest.mark.parametrize("name", ["Raises", "Dies", "Slow", "Bad", "Breaks"])
async def test_failures_are_an_empty_500(target, name, caplog):
    response = await target.send("GET", f"/api/{name}")
    assert (response.status_code, response.content) == (500, b"")
    assert response.headers["content-length"] == "0"
    assert caplog.text


@pytest.mark.feature("Functions host", "HTTP requests")
@pytest.mark.parametrize(
    ("path", "status"), [("/api/nope", 404), ("/nope", 404), ("/", 200), ("/api/Echo", 404)]
)
async def test_what_no_function_matches(target, path, status):
    response = await target.send("GET", path)
    assert response.status_code == status
    assert ("Your Functions 4.0 app is up and running" in response.text) is (status == 200)


@pytest.mark.feature("Functions host", "Host endpoints come before the app's routes")
async def test_host_endpoints_come_before_a_catch_all_but_only_for_their_verbs(target):
    target.serve(Registry.of([http_function("Anything", route="{*path}")]), prefix="")
    for method, path, served in [
        ("GET", "/runtime/webhooks/durabletask/instances", False),
        ("PATCH", "/runtime/webhooks/durabletask/instances", True),
        ("GET", "/admin/host/status", False),
        ("DELETE", "/admin/host/status", True),
        ("GET", "/", True),
    ]:
        response = await target.send(method, path)
        assert (response.text == "anything") is served, (method, path)


@pytest.mark.feature("Functions host", "Requests are held while the host starts")
async def test_a_request_is_held_while_the_host_starts(target):
    waiting = Target(worker=target.worker, is_running=False)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        held = group.create_task(waiting.send("GET", "/api/items/1"))
        await asyncio.sleep(0)
        waiting.serve(Registry.of([http_function("Echo", route="items/{id}")]))
    assert held.result().text == "served"


@pytest.mark.feature("Functions host", "Requests are held while the host starts")
async def test_a_host_that_does_not_start_refuses(target):
    target.state.fail(["boom"])
    response = await target.send("GET", "/api/items/1")
    assert response.status_code == 503
    assert response.text == "Function host is not running."
    assert "content-type" not in response.headers
    status = (await target.send("GET", "/admin/host/status")).json()
    assert (status["state"], status["errors"]) == ("Error", ["boom"])


@pytest.mark.feature("Functions host", "`GET /admin/host/status`")
@pytest.mark.feature("Functions host", "`GET, POST /admin/host/ping`")
@pytest.mark.feature("Functions host", "`GET /admin/functions`")
@pytest.mark.feature("Functions host", "`GET /admin/functions/{name}`")
@pytest.mark.feature("Functions host", "`GET /admin/functions/{name}/status`")
async def test_admin_endpoints(target):
    status = await target.send("GET", "/admin/host/status")
    assert list(status.json()) == [
        "id", "state", "version", "versionDetails", "platformVersion", "instanceId",
        "computerName", "processUptime", "functionAppContentEditingState",
    ]  # fmt: skip
    ping = await target.send("POST", "/admin/host/ping")
    assert (ping.status_code, ping.content) == (200, b"")
    assert ping.headers["cache-control"] == "no-store,no-cache"
    listed = (await target.send("GET", "/admin/functions")).json()
    assert [one["name"] for one in listed][:2] == ["Anything", "Bad"]
    one = (await target.send("GET", "/admin/functions/echo")).json()
    assert one["href"] == "http://localhost:7071/admin/functions/Echo"
    assert one["invoke_url_template"] == "http://localhost:7071/api/items/{id}"
    assert one["config"]["name"] == "Echo"
    for path, status_code, text in [
        ("nope", 404, ""), ("nope/status", 404, ""), ("echo/status", 200, "{}"),
        ("broken/status", 200, '{"errors":["why"]}'),
    ]:  # fmt: skip
        response = await target.send("GET", f"/admin/functions/{path}")
        assert (response.status_code, response.text) == (status_code, text)


@pytest.mark.feature("Functions host", "HTTP requests")
async def test_other_connections_are_left_alone(target):
    for app in (target.front, target.rpc):
        await app({"type": "lifespan"}, None, None)


@pytest.mark.feature("Functions host", "HTTP requests")
async def test_a_body_over_the_limit():
    made = Target(front=FrontSettings(max_body_bytes=3))
    response = await made.send("POST", "/api/items/1", content=b"four")
    assert (response.status_code, response.content) == (413, b"")


@pytest.mark.feature("Functions host", "`FUNCTIONS_REQUEST_BODY_SIZE_LIMIT`")
@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, 104857600), ("5", 5), (" 7 ", 7), ("x", 104857600), ("-1", 104857600)],
)
def test_the_limit_of_bodies_is_a_setting(text, expected):
    values = {} if text is None else {"functions_request_body_size_limit": text}
    assert max_body_bytes(values) == expected


@pytest.mark.feature("Functions host", "`GET /admin/functions/{name}`")
@pytest.mark.parametrize(
    ("text", "config"),
    [(b"{// c\n'bindings': []}", {"bindings": []}), (b"[1]", {}), (b"nope", {}), (b"\xff", {})],
)
async def test_the_config_of_a_function_is_its_file(target, tmp_path, text, config):
    folder = tmp_path / "T"
    folder.mkdir()
    (folder / "function.json").write_bytes(text)
    timer = Binding("timer", "timerTrigger", "in")
    target.serve(Registry.of([FunctionMetadata("T", folder, folder / "x.py", "", [timer])]))
    one = (await target.send("GET", "/admin/functions/T")).json()
    assert (one["config"], one["invoke_url_template"]) == (config, None)


@pytest.mark.feature("Functions host", "HTTP requests")
async def test_a_client_that_leaves_is_not_answered(target):
    async def leave():
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/runtime/webhooks/durabletask/orchestrators/H",
        "raw_path": b"/runtime/webhooks/durabletask/orchestrators/H",
        "query_string": b"",
        "headers": [(b"content-length", b"9")],
    }
    for app in (target.front, target.rpc):
        await app(scope, leave, None)


@pytest.mark.feature("Functions host", "HTTP requests")
async def test_a_client_that_leaves_a_wait_is_not_answered(target):
    messages = [{"type": "http.request"}, {"type": "http.disconnect"}]

    async def receive():
        return messages.pop(0)

    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "raw_path": b"/durabletask/orchestrators/H",
        "query_string": b"timeout=3600&pollingInterval=1",
        "headers": [(b"content-length", b"0")],
    }
    async with asyncio.timeout(5):
        await target.rpc(scope, receive, None)


@pytest.mark.feature("Management API", "Errors")
async def test_an_unexpected_error_is_logged_and_told_as_azure_does(target, caplog):
    def broken(hub):
        raise StoreUnavailable("disk full")

    links = Links(origin="http://h", hub="H", connection="Storage")
    api = DurableApi(broken, ApiSettings(links=lambda: links, now=target.clock.now))
    response = await target.send("GET", "/durabletask/instances", app=RpcEndpoint(api))
    assert response.status_code == 500
    assert response.json() == {
        "Message": "Something went wrong while processing your request",
        "ExceptionMessage": "disk full",
        "ExceptionType": "System.InvalidOperationException",
        "StackTrace": None,
    }
    assert "StoreUnavailable" in caplog.text
