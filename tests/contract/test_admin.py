"""The host's own endpoints below `/admin`, and running functions by hand."""

import asyncio
import json
import logging
import math
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from api_support import JSON_TYPE, NOW, CallableWorker, Target

from durahost.host_state import HostState
from durahost.http.offline import bring_back, take_offline
from durahost.model.errors import StoreUnavailable, WorkerExited
from durahost.model.functions import Binding, FunctionFailure, FunctionMetadata
from durahost.model.timers import ScheduleStatus
from durahost.registry import Registry
from durahost.worker.base import Raised, Returned, TypedData

pytestmark = pytest.mark.feature("Functions host", "Admin endpoints: who may, and which verbs")

INVOKE = pytest.mark.feature("Functions host", "`POST /admin/functions/{name}`")
TEXT_TYPE = "text/plain; charset=utf-8"
REASON = "This function was programmatically called via the host APIs."


def function(name, *bindings):
    folder = Path("/app") / name
    return FunctionMetadata(name, folder, folder / "x.py", "", [Binding(*b) for b in bindings])


BLOB = ("copy", "blob", "out", {"name": "copy", "type": "blob", "path": "copies/{queueTrigger}"})
FUNCTIONS = [
    function("OnMessage", ("message", "queueTrigger", "in"), BLOB),
    function("OnTime", ("timer", "timerTrigger", "in", {"schedule": "0 * * * * *"})),
    function("Say", ("name", "activityTrigger", "in")),
    function("Orchestrate", ("context", "orchestrationTrigger", "in")),
    function("Get", ("req", "httpTrigger", "in"), ("$return", "http", "out")),
]
WARM = function("Warm", ("context", "warmupTrigger", "in"))


def fail(error):
    raise error


@asynccontextmanager
async def running(target):
    """The runs that are asked for, at their end when this ends."""
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(target.runs.run())
        yield target
        target.runs.stop()


def make_target(*more, disabled=(), offline_page=None, **answers):
    outputs = {"copy": TypedData("string", "text")}
    worker = CallableWorker(
        **{one.name: Returned for one in FUNCTIONS},
        **answers,
    )
    worker.functions.setdefault("OnMessage", Returned)
    worker.functions["OnMessage"] = answers.get("Copy", lambda: Returned(outputs=outputs))
    target = Target(worker=worker, offline_page=offline_page)
    failures = [FunctionFailure("Broken", "why.")]
    target.serve(Registry.of([*FUNCTIONS, *more], failures, frozenset(disabled)))
    return target


@pytest.fixture
def target():
    return make_target()


async def invoke(target, name, body, **options):
    return await target.send("POST", f"/admin/functions/{name}", json=body, **options)


@INVOKE
@pytest.mark.parametrize("name", ["OnMessage", "onmessage"])
async def test_a_run_is_accepted_and_goes_on_after_the_answer(target, caplog, name):
    caplog.set_level(logging.INFO)
    async with running(target):
        response = await invoke(target, name, {"input": "hello"})
        assert (response.status_code, response.content) == (202, b"")
        assert response.headers["content-length"] == "0"
        assert "content-type" not in response.headers
        assert target.worker.calls == []
    (call,) = target.worker.calls
    assert call.function == "OnMessage"
    assert call.inputs == {"message": TypedData("string", "hello")}
    assert call.trigger_metadata["DequeueCount"] == TypedData("json", "0")
    lines = [record.getMessage() for record in caplog.records if "Execut" in record.getMessage()]
    id_ = call.invocation_id
    assert lines[0] == f"Executing 'Functions.OnMessage' (Reason='{REASON}', Id={id_})"
    assert lines[1].startswith(f"Executed 'Functions.OnMessage' (Succeeded, Id={id_}, Duration=")


@INVOKE
@pytest.mark.parametrize(
    ("body", "given"),
    [
        ("{}", ""),
        ('{"input": null}', ""),
        ('{"INPUT": "x", "more": [1]}', "x"),
        ("{'input': 12}", "12"),
        ('{"input": true}', "true"),
        ('\ufeff{"input": "é"}', "é"),
    ],
)
async def test_the_payload_of_a_run(target, body, given):
    headers = {"content-type": "application/json"}
    async with running(target):
        path = "/admin/functions/OnMessage"
        response = await target.send("POST", path, content=body.encode(), headers=headers)
        assert response.status_code == 202
    assert target.worker.calls[0].inputs["message"] == TypedData("string", given)


@INVOKE
@pytest.mark.parametrize(
    ("name", "body", "media_type", "status"),
    [
        ("OnMessage", "", "application/json", 400),
        ("OnMessage", "nope", "application/json", 400),
        ("OnMessage", "null", "application/json", 400),
        ("OnMessage", '"text"', "text/json", 400),
        ("OnMessage", '{"input": {"a": 1}}', "application/json", 400),
        ("OnMessage", '{"input": ["a"]}', "application/merge-patch+json", 400),
        ("OnMessage", '{"input": "a"}', "text/plain", 415),
        ("OnMessage", '{"input": "a"}', None, 415),
        ("Nope", '{"input": "a"}', "application/json; charset=utf-8", 404),
        ("Broken", '{"input": "a"}', "application/json", 404),
        ("Nope", "nope", "application/json", 400),
    ],
)
async def test_what_is_not_accepted(target, name, body, media_type, status):
    headers = {} if media_type is None else {"content-type": media_type}
    path = f"/admin/functions/{name}"
    async with running(target):
        response = await target.send("POST", path, content=body.encode(), headers=headers)
    assert (response.status_code, response.content) == (status, b"")
    assert target.worker.calls == []


@INVOKE
async def test_a_disabled_function_runs(caplog):
    target = make_target(disabled=["OnTime"])
    async with running(target):
        assert (await invoke(target, "OnTime", {"input": ""})).status_code == 202
    (call,) = target.worker.calls
    assert call.inputs["timer"].kind == "json"
    assert (await target.send("GET", "/admin/functions/OnTime")).json()["isDisabled"] is True


@INVOKE
async def test_a_timer_is_told_its_stored_status(target):
    status = ScheduleStatus(NOW, NOW + timedelta(minutes=1), NOW)
    await target.monitor.write("OnTime", status)
    async with running(target):
        await invoke(target, "OnTime", {"input": "does not count"})
    (call,) = target.worker.calls
    assert json.loads(call.inputs["timer"].value) == {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": {
            "Last": NOW.isoformat(),
            "Next": (NOW + timedelta(minutes=1)).isoformat(),
            "LastUpdated": NOW.isoformat(),
        },
        "IsPastDue": False,
    }


@INVOKE
async def test_an_activity_runs_outside_of_an_orchestration(target):
    async with running(target):
        await invoke(target, "Say", {"input": '"Tokyo"'})
    assert target.worker.calls[0].inputs == {"name": TypedData("string", "Tokyo")}


@INVOKE
@pytest.mark.parametrize(
    ("name", "parameter", "text"),
    [
        ("Get", "req", "An HttpRequest is required"),
        ("Orchestrate", "context", "Don't know how to bind to String. (Parameter 'value')"),
    ],
)
async def test_a_run_that_its_trigger_refuses_fails_in_the_log(
    target, caplog, name, parameter, text
):
    async with running(target):
        assert (await invoke(target, name, {"input": "x"})).status_code == 202
    assert target.worker.calls == []
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith(f"Executed 'Functions.{name}' (Failed, Id=")
    assert second == (
        f"Exception while executing function: Functions.{name}. "
        f"Exception binding parameter '{parameter}'. {text}"
    )


@INVOKE
@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (lambda: Raised("ValueError", "secret", "File x"), "ValueError: secret"),
        (lambda: fail(WorkerExited("gone")), "'OnMessage' was not run to its end: gone"),
        (lambda: fail(StoreUnavailable("full")), "'OnMessage' was not run to its end: full"),
    ],
)
async def test_a_run_that_fails_disturbs_no_other(caplog, answer, text):
    target = make_target(Copy=answer)
    async with running(target):
        await invoke(target, "OnMessage", {"input": "x"})
        await invoke(target, "Say", {"input": "1"})
    assert text in caplog.text
    assert [call.function for call in target.worker.calls] == ["OnMessage", "Say"]


@INVOKE
@pytest.mark.feature("Functions host", "`POST /admin/host/synctriggers`")
async def test_what_needs_the_app_waits_for_it_and_is_refused_without():
    waiting = Target(is_running=False)
    for path, body in [
        ("/admin/functions/OnMessage", {"input": ""}),
        ("/admin/host/scale/status", {}),
        ("/admin/host/synctriggers", None),
    ]:
        response = await waiting.send("POST", path, json=body)
        assert (response.status_code, response.content) == (503, b""), path
    status = (await waiting.send("GET", "/admin/host/status")).json()
    assert status["state"] == "Starting"
    assert (await waiting.send("GET", "/admin/host/ping")).status_code == 200


@pytest.mark.feature("Functions host", "`GET /admin/durahost/outputs`", "of this host alone")
@pytest.mark.feature("Functions host", "`DELETE /admin/durahost/outputs`", "of this host alone")
async def test_recorded_outputs_are_shown_and_forgotten(target):
    async with running(target):
        await invoke(target, "OnMessage", {"input": "hello"})
    response = await target.send("GET", "/admin/durahost/outputs")
    assert response.headers["content-type"] == JSON_TYPE
    assert response.json() == {
        "outputs": [
            {
                "recordedAt": "2026-01-05T10:00:00.123456Z",
                "function": "OnMessage",
                "invocationId": target.worker.calls[0].invocation_id,
                "binding": "copy",
                "type": "blob",
                "properties": {"name": "copy", "type": "blob", "path": "copies/hello"},
                "kind": "string",
                "value": "text",
                "size": 4,
                "isCut": False,
            }
        ],
        "dropped": 0,
    }
    for name, count in [("ONMESSAGE", 1), ("Other", 0)]:
        shown = await target.send("GET", f"/admin/durahost/outputs?function={name}")
        assert len(shown.json()["outputs"]) == count
    response = await target.send("DELETE", "/admin/durahost/outputs")
    assert (response.status_code, response.content) == (204, b"")
    shown = (await target.send("GET", "/admin/durahost/outputs")).json()
    assert shown == {"outputs": [], "dropped": 0}


async def test_bytes_are_shown_in_base64():
    outputs = {"copy": TypedData("bytes", b"\x00\xff")}
    target = make_target(Copy=lambda: Returned(outputs=outputs))
    async with running(target):
        await invoke(target, "OnMessage", {"input": ""})
    (shown,) = (await target.send("GET", "/admin/durahost/outputs")).json()["outputs"]
    assert (shown["kind"], shown["value"], shown["size"]) == ("bytes", "AP8=", 2)


@pytest.mark.feature("Functions host", "`/admin/warmup`")
async def test_the_warm_up_function_runs_once():
    target = make_target(WARM, Warm=Returned)
    for method in ("GET", "PUT"):
        response = await target.send(method, "/admin/warmup")
        assert (response.status_code, response.content) == (200, b"")
    (call,) = target.worker.calls
    assert call.inputs == {"context": TypedData("json", "{}")}


@pytest.mark.feature("Functions host", "`/admin/warmup`")
async def test_a_warm_up_without_a_function_one_that_fails_and_one_too_early(target):
    assert (await target.send("GET", "/admin/warmup")).status_code == 200
    failing = make_target(WARM, Warm=lambda: Raised("ValueError", "x", ""))
    assert (await failing.send("GET", "/admin/warmup")).status_code == 500
    assert (await Target(is_running=False).send("GET", "/admin/warmup")).status_code == 404


@pytest.mark.feature("Functions host", "`POST /admin/host/synctriggers`")
async def test_triggers_are_synced(target):
    response = await target.send("POST", "/admin/host/synctriggers")
    assert (response.status_code, response.text) == (200, '{"status":"success"}')
    assert response.headers["content-type"] == JSON_TYPE


@pytest.mark.feature("Functions host", "`POST /admin/host/scale/status`")
async def test_scale_monitoring_is_off(target):
    response = await target.send("POST", "/admin/host/scale/status", json={})
    assert (response.status_code, response.text) == (
        400,
        "Runtime scale monitoring is not enabled.",
    )
    assert response.headers["content-type"] == TEXT_TYPE
    assert response.headers["cache-control"] == "no-store,no-cache"
    assert (await target.send("POST", "/admin/host/scale/status")).status_code == 415


@pytest.mark.feature("Functions host", "`POST /admin/host/log`")
async def test_log_entries_are_logged(target, caplog):
    caplog.set_level(logging.DEBUG)
    entries = [
        {"level": "Error", "message": "one"},
        {"Level": 3, "Message": "two", "source": "s", "functionName": "F"},
        {"message": "silent"},
        {"level": "verbose"},
    ]
    response = await target.send("POST", "/admin/host/log", json=entries)
    assert (response.status_code, response.content) == (200, b"")
    own = [one for one in caplog.records if one.name.startswith("durahost")]
    logged = [(record.levelname, record.getMessage()) for record in own]
    assert logged == [("ERROR", "one"), ("INFO", "two"), ("DEBUG", "")]


@pytest.mark.feature("Functions host", "`POST /admin/host/log`")
@pytest.mark.parametrize(
    "body", [{}, ["text"], [{"level": "Loud"}], [{"level": 9}], [{"message": []}], None]
)
async def test_what_is_no_log_entry(target, body):
    response = await target.send("POST", "/admin/host/log", json=body)
    if body is None:
        assert response.status_code == 415
        return
    assert response.status_code == 400
    assert response.text == "An array of log entry objects is expected."
    assert response.headers["content-type"] == TEXT_TYPE


@pytest.mark.feature("Functions host", "`GET /admin/instance/http-health`")
async def test_the_front_is_healthy():
    response = await Target(is_running=False).send("GET", "/admin/instance/http-health")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.feature("Functions host", "Home page", "its text is this host's own")
async def test_the_home_page(target):
    for method in ("GET", "POST"):
        response = await target.send(method, "/")
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/html"
        assert "<h1>Your Functions 4.0 app is up and running</h1>" in response.text


@pytest.mark.feature("Functions host", "`GET /admin/functions/{name}`")
async def test_the_description_of_a_function(tmp_path):
    trigger = Binding(
        "req", "httpTrigger", "in", {"type": "httpTrigger", "route": "Items/{id:int?}"}
    )
    folder = tmp_path / "Get"
    folder.mkdir()
    (folder / "function.json").write_text('{"bindings": []}')
    script = folder / "__init__.py"
    by_file = FunctionMetadata("Get", folder, script, "", [trigger])
    timer = Binding("timer", "timerTrigger", "in", {"name": "timer", "type": "timerTrigger"})
    app_file = tmp_path / "function_app.py"
    decorated = FunctionMetadata("Tick", tmp_path, app_file, "tick", [timer])
    target = Target(registry=Registry.of([by_file, decorated]))
    one = (await target.send("GET", "/admin/functions/Get")).json()
    vfs = f"http://localhost:7071/admin/vfs{folder.as_posix()}"
    assert list(one.items()) == [
        ("name", "Get"),
        ("script_root_path_href", f"{vfs}/"),
        ("script_href", f"{vfs}/__init__.py"),
        ("config_href", f"{vfs}/function.json"),
        ("test_data_href", None),
        ("href", "http://localhost:7071/admin/functions/Get"),
        ("invoke_url_template", "http://localhost:7071/api/items/{id:int?}"),
        ("language", "python"),
        ("config", {"bindings": []}),
        ("files", None),
        ("test_data", None),
        ("isDisabled", False),
        ("isDirect", False),
        ("isProxy", False),
    ]
    listed = (await target.send("GET", "/admin/functions?includeProxies=true")).json()
    assert listed[0]["href"] == "https://localhost:7071/admin/functions/Get"
    other = listed[1]
    assert (other["script_root_path_href"], other["config_href"]) == (None, None)
    assert other["invoke_url_template"] is None
    assert other["config"] == {
        "name": "Tick",
        "entryPoint": "tick",
        "scriptFile": "function_app.py",
        "language": "python",
        "functionDirectory": str(tmp_path),
        "bindings": [{"name": "timer", "type": "timerTrigger"}],
    }


@pytest.mark.parametrize("route", Target().admin.routes, ids=lambda route: route.title)
async def test_each_endpoint_asks_for_the_master_key_unless_it_is_open(route):
    target = Target(is_auth_enabled=True)
    await target.keys.load()
    target.serve(Registry())
    path = route.path.replace("{name}", "X")
    method = route.methods[0] if route.methods else "GET"
    answers = {}
    for key in (None, "wrong", target.keys.extension_key, await target.keys.master_key()):
        headers = {} if key is None else {"x-functions-key": key}
        answers[key] = (await target.send(method, path, headers=headers)).status_code
    refused = [status for status in answers.values() if status in (401, 403)]
    assert refused == ([] if route.is_open else [401, 401, 403])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/admin/host/ping"),
        ("HEAD", "/admin/host/status"),
        ("POST", "/admin/functions"),
        ("GET", "/admin/host/synctriggers"),
        ("GET", "/admin/functions/OnMessage/nope"),
        ("GET", "/admin"),
    ],
)
async def test_other_verbs_and_paths_are_not_found(target, method, path):
    response = await target.send(method, path)
    assert (response.status_code, response.content) == (404, b"")


OFFLINE = pytest.mark.feature("Functions host", "`app_offline.htm` takes the app offline")
STATE = pytest.mark.feature("Functions host", "`PUT /admin/host/state`")


@pytest.fixture
def page(tmp_path):
    return tmp_path / "app_offline.htm"


@OFFLINE
async def test_an_offline_app_shows_its_page_and_no_more(page):
    target = make_target(offline_page=page)
    page.write_bytes(b"<p>Back soon\xff")
    for method, path, body in [
        ("GET", "/", None),
        ("GET", "/api/Get", None),
        ("GET", "/runtime/webhooks/durabletask/instances", None),
        ("POST", "/admin/functions/OnMessage", {"input": ""}),
        ("POST", "/admin/host/synctriggers", None),
        ("POST", "/admin/host/scale/status", {}),
    ]:
        response = await target.send(method, path, json=body)
        assert (response.status_code, response.content) == (503, b"<p>Back soon\xff"), path
        assert response.headers["content-type"] == "text/html"
    status = await target.send("GET", "/admin/host/status")
    assert (status.status_code, status.json()["state"]) == (200, "Offline")
    assert (await target.send("GET", "/admin/functions")).status_code == 200
    page.unlink()
    assert (await target.send("GET", "/")).status_code == 200
    assert target.worker.calls == []


@OFFLINE
@STATE
async def test_the_state_of_the_host_is_set(page):
    target = make_target(offline_page=page)
    for asked, status, state in [
        ("running", 200, "Running"),
        ("Offline", 202, "Offline"),
        ("offline", 200, "Offline"),
        ("RUNNING", 202, "Running"),
    ]:
        response = await target.send("PUT", "/admin/host/state", json=asked)
        assert (response.status_code, response.content) == (status, b"")
        assert (await target.send("GET", "/admin/host/status")).json()["state"] == state
    assert not page.exists()


@STATE
async def test_states_that_cannot_be_set(target, page):
    async def put(asked, target=target):
        return (await target.send("PUT", "/admin/host/state", json=asked)).status_code

    assert [await put(asked) for asked in ("Error", "", 1, {"state": "offline"})] == [400] * 4
    assert await put(None) == 415
    assert await put("offline") == 400
    assert await put("running", Target(is_running=False)) == 400
    unwritable = Target(offline_page=page / "x" / "app_offline.htm")
    assert await put("offline", unwritable) == 400


@OFFLINE
async def test_a_look_at_the_page_is_good_for_a_moment(page):
    state = HostState(page, look_good_for_s=math.inf)
    assert not state.is_offline
    page.touch()
    assert not state.is_offline
    state.look_again()
    assert state.is_offline
    bring_back(state)
    assert not state.is_offline
    take_offline(state)
    assert state.is_offline


async def test_a_page_that_goes_away_meanwhile(page, monkeypatch):
    target = make_target(offline_page=page)
    monkeypatch.setattr(type(target.state), "is_offline", True)
    response = await target.send("GET", "/")
    assert (response.status_code, response.content) == (503, b"")


@pytest.mark.feature("Functions host", "`GET /admin/functions`")
@pytest.mark.feature("Functions host", "`GET /admin/functions/{name}`")
async def test_functions_that_are_not_served_are_known():
    refused = function("Broken", ("a", "httpTrigger", "in"), ("b", "queueTrigger", "in"))
    bare = function("Bare", ("x", "blob", "in"))
    target = Target()
    failures = [FunctionFailure("Broken", "why.")]
    target.serve(Registry.of(FUNCTIONS, failures, unserved=[refused, bare]))
    listed = [one["name"] for one in (await target.send("GET", "/admin/functions")).json()]
    assert listed == ["Bare", "Broken", "Get", "OnMessage", "OnTime", "Orchestrate", "Say"]
    one = (await target.send("GET", "/admin/functions/broken")).json()
    assert one["invoke_url_template"] == "http://localhost:7071/api/broken"
    assert (await target.send("GET", "/admin/functions/Bare/status")).text == "{}"
    for name in ("Broken", "Bare"):
        assert (await invoke(target, name, {})).status_code == 404
