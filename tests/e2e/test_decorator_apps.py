"""Apps of the decorator model, each a folder of `tests/apps`, started by the command line."""

import json
from pathlib import Path

import pytest
from running_host import RunningHost
from served_apps import serving

AZURE = [
    f"azure_functions.{name}"
    for name in (
        "function_directory", "function_name", "invocation_id", "retry_context",
        "thread_local_storage", "trace_context",
    )
]  # fmt: skip
WHOLE = pytest.mark.feature(
    "Functions host", "FastAPI and Flask apps served whole (`AsgiFunctionApp`, `WsgiFunctionApp`)"
)
MODEL = pytest.mark.feature("Functions host", "Decorator model: discovery and indexing")
HTTP = [
    {"name": "req", "type": "httpTrigger", "direction": "in", "authLevel": "anonymous"},
    {"name": "$return", "type": "http", "direction": "out"},
]
FINE = "def main(req): return 'folder'\n"


fastapi, flask, blueprints = (serving(name) for name in ("fastapi", "flask", "blueprints"))


@WHOLE
def test_fastapi_has_one_function_for_every_route(fastapi):
    line = fastapi.lines[fastapi.lines.index("Functions:") + 2]
    methods = "[GET,POST,DELETE,HEAD,PATCH,PUT,OPTIONS]"
    assert line == f"\thttp_app_func: {methods} {fastapi.base}//{{*route}}"


@WHOLE
def test_fastapi_starts_with_the_first_request_and_sees_the_invocation(fastapi):
    for _ in range(2):
        answer = fastapi.client.get("/items/5?q=a").json()
        assert answer == {
            "number": 5,
            "q": "a",
            "events": ["started"],
            "path": "/items/5",
            "client": None,
            "http_version": "1.1",
            "azure": AZURE,
            "function": "http_app_func",
        }


@WHOLE
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("PUT", "/items/5", 405), ("GET", "/items/x", 422)],
)
def test_fastapi_answers_for_itself(fastapi, method, path, status):
    response = fastapi.client.request(method, path)
    assert response.status_code == status
    assert "detail" in response.json()


@WHOLE
def test_fastapi_bodies(fastapi):
    response = fastapi.client.post("/echo", content=b"\0\xff", headers={"content-type": "a/b"})
    assert (response.status_code, response.content) == (201, b"\0\xff")
    assert (response.headers["x-size"], response.headers["content-type"]) == ("2", "a/b")
    streamed = fastapi.client.get("/stream")
    assert (streamed.text, streamed.headers["content-length"]) == ("ab", "2")
    cookies = fastapi.client.get("/cookies").headers.get_list("set-cookie")
    assert [cookie.partition(";")[0] for cookie in cookies] == ["a=1", "b=2"]


@WHOLE
def test_a_failure_of_fastapi_is_a_500_without_a_body(fastapi):
    response = fastapi.client.get("/fails")
    assert (response.status_code, response.content) == (500, b"")
    fastapi.wait_for_line("Exception: ValueError: no")


@WHOLE
def test_the_hosts_own_paths_come_first(fastapi):
    assert fastapi.client.get("/admin/host/status").json()["state"] == "Running"
    assert fastapi.client.get("/runtime/webhooks/durabletask/instances").json() == []


@WHOLE
def test_flask_is_served_whole(flask):
    answer = flask.client.get("/items/7?q=b").json()
    assert answer == {"number": 7, "q": "b", "path": "/items/7", "azure": AZURE}
    response = flask.client.post("/form", data={"name": "n"}, files={"file": ("a.txt", b"content")})
    assert response.json() == ["n", "a.txt", "content"]
    assert flask.client.get("/nowhere").status_code == 404
    assert "\tweb: " in "\n".join(flask.lines)


@WHOLE
@pytest.mark.parametrize("path", ["/complains", "/unavailable"])
def test_what_flask_reports_as_an_error_fails_the_invocation(flask, path):
    response = flask.client.get(path)
    assert (response.status_code, response.content) == (500, b"")


@MODEL
def test_blueprints_bring_their_functions(blueprints):
    listed = "\n".join(blueprints.lines)
    for text in (
        f"plain:  {blueprints.base}/api/plain",
        f"own_name: [GET,PUT] {blueprints.base}/api/named/{{who:alpha?}}",
        f"generic: [POST] {blueprints.base}/api/generic",
        "flow: orchestrationTrigger",
        "counter: entityTrigger",
    ):
        assert text in listed


@MODEL
def test_routes_are_those_of_the_decorators(blueprints):
    get = blueprints.client.get
    assert get("/api/plain").text == "plain"
    assert get("/api/named/bob").text == "GET bob"
    assert blueprints.client.put("/api/named").text == "PUT None"
    assert get("/api/any_name").status_code == 404
    assert blueprints.client.post("/api/named/bob").status_code == 404
    name, directory, given = get("/api/somewhere/x").json()
    assert (name, Path(directory).name, given) == ("asynchronous", "parts", "x")
    blueprints.wait_for_line("seen asynchronous")


@MODEL
def test_bindings_written_by_type(blueprints):
    response = blueprints.client.post("/api/generic", content=b"body")
    assert (response.status_code, response.content) == (202, b"body")
    blueprints.wait_for_line("'note' of function 'generic'")


@MODEL
def test_durable_functions_of_a_blueprint(blueprints):
    number = blueprints.client.post("/api/flows/Flow", json=21).json()["id"]
    assert blueprints.wait_for_status(number, "Completed")["output"] == 42


@pytest.mark.feature("Functions host", "Decorator model: apps with function.json folders beside it")
def test_functions_of_the_script_hide_the_folders(tmp_path, write_function):
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    write_function(tmp_path, "Folder", HTTP, FINE)
    settings = {"IsEncrypted": False, "Values": {"PYTHON_SCRIPT_FILE_NAME": "other-app.py"}}
    (tmp_path / "local.settings.json").write_text(json.dumps(settings))
    (tmp_path / "other-app.py").write_text(
        "import azure.functions as func\n"
        "app = func.FunctionApp(http_auth_level='ANONYMOUS')\n"
        "@app.route()\n"
        "def Script(req): return 'script'\n"
    )
    with RunningHost(tmp_path, "--no-reload") as host:
        assert host.client.get("/api/Script").text == "script"
        assert host.client.get("/api/Folder").status_code == 404
        text = "\n".join(host.lines)
    folder = tmp_path.resolve() / "Folder"
    assert f"Detected mixed function app. Some functions may not be indexed - {folder}" in text


@pytest.mark.feature("Functions host", "Decorator model: apps with function.json folders beside it")
def test_a_script_without_functions_leaves_the_app_to_the_folders(tmp_path, write_function):
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    write_function(tmp_path, "Folder", HTTP, FINE)
    script = "import azure.functions as func\napp = func.FunctionApp()\n"
    (tmp_path / "function_app.py").write_text(script)
    with RunningHost(tmp_path, "--no-reload") as host:
        assert host.client.get("/api/Folder").text == "folder"
        assert "Detected mixed function app" not in "\n".join(host.lines)
