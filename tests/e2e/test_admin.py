"""Functions of services that nothing listens to: listed, run by hand, their outputs shown."""

import json

import pytest
from running_host import RunningHost, eventually
from served_apps import serving

OUTPUTS = "/admin/durahost/outputs"

pytestmark = [
    pytest.mark.feature("Functions host", "Outputs to other services"),
    pytest.mark.feature("Functions host", "Triggers of other services"),
]


decorated, folders = serving("services/decorated"), serving("services/folders")


@pytest.fixture
def host(request):
    return request.getfixturevalue(request.param)


def run(host, name, payload):
    response = host.client.post(f"/admin/functions/{name}", json={"input": payload})
    assert (response.status_code, response.content) == (202, b"")


def output(host, name, payload):
    """What a run of the function gives to its output."""
    host.client.delete(OUTPUTS)
    run(host, name, payload)

    def read():
        return host.client.get(OUTPUTS, params={"function": name}).json()["outputs"]

    (found,) = eventually(read, lambda outputs: len(outputs) == 1)
    return found


@pytest.mark.parametrize("host", ["decorated", "folders"], indirect=True)
def test_a_queue_function_with_a_blob_output(host):
    found = output(host, "OnMessage", "hello")
    assert (found["binding"], found["type"], found["kind"]) == ("copy", "blob", "string")
    assert found["value"] == "hello (0)"
    assert found["properties"]["path"] == "copies/{id}"
    host.wait_for_line(r"Output 'copy' of function 'OnMessage' \(blob\) is recorded, not sent")


@pytest.mark.parametrize("host", ["decorated", "folders"], indirect=True)
def test_the_start_says_what_is_not_listened_to(host):
    note = "(not listened to; POST /admin/functions/OnMessage runs it)"
    assert f"\tOnMessage: queueTrigger {note}" in host.lines
    (listed,) = [
        one for one in host.client.get("/admin/functions").json() if one["name"] == "OnMessage"
    ]
    assert [one["type"] for one in listed["config"]["bindings"]] in (
        ["queueTrigger", "blob"],
        ["blob", "queueTrigger"],
    )


@pytest.mark.parametrize(
    ("name", "payload", "kind", "value"),
    [
        ("OnBlob", "é", "bytes", "w6kgb2Ygc2FtcGxlcy9uYW1lLCAy"),
        ("OnEvents", '{"a": 1}', "string", '["{\\"a\\": 1}"]'),
        ("OnCount", "5", "json", [{"id": "1", "body": "5"}]),
        ("OnTime", None, "string", "False {'AdjustForDST': True}"),
    ],
)
def test_functions_get_what_their_services_would_give(decorated, name, payload, kind, value):
    found = output(decorated, name, payload)
    assert found["kind"] == kind
    shown = json.loads(found["value"]) if kind == "json" else found["value"]
    assert shown == value


def test_a_failing_run_is_in_the_log(decorated):
    run(decorated, "Read", "sorry")
    decorated.wait_for_line("documents: None")
    decorated.wait_for_line(r"Executed 'Functions.Read' \(Failed, Id=")
    decorated.wait_for_line("Exception: ValueError: sorry")


def test_an_unknown_binding_type_is_an_error_of_its_function(folders):
    text = (
        "The binding type(s) 'carrierPigeonTrigger' are not registered. Please ensure the type is "
        "correct and the binding extension is installed."
    )
    assert any(text in line for line in folders.lines)
    status = folders.client.get("/admin/functions/Odd/status").json()
    assert status == {"errors": [text]}
    response = folders.client.post("/admin/functions/Odd", json={"input": ""})
    assert response.status_code == 404


@pytest.mark.feature("Functions host", "`POST /admin/functions/{name}`")
def test_a_run_under_way_ends_before_the_host_does(tmp_path, write_function):
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    trigger = {"name": "message", "type": "queueTrigger", "direction": "in", "queueName": "q"}
    code = (
        "import pathlib, time\n"
        "def main(message):\n"
        "    print('begun', flush=True)\n"
        "    time.sleep(0.5)\n"
        "    pathlib.Path(message.get_body().decode()).write_text('done')\n"
    )
    write_function(tmp_path, "Slow", [trigger], code)
    with RunningHost(tmp_path, "--no-reload") as host:
        run(host, "Slow", str(tmp_path / "end"))
        host.wait_for_line("begun")
        assert host.stop() == 0
    assert (tmp_path / "end").read_text() == "done"


def test_functions_in_error_are_listed(folders):
    listed = {one["name"]: one for one in folders.client.get("/admin/functions").json()}
    assert sorted(listed) == ["Odd", "OnMessage"]
    assert listed["Odd"]["config"]["bindings"][0]["type"] == "carrierPigeonTrigger"
    assert listed["Odd"]["script_href"].endswith("/Odd/__init__.py")


@pytest.mark.feature("Functions host", "`app_offline.htm` takes the app offline")
def test_an_instance_survives_its_app_being_offline(default_app):
    with RunningHost(default_app, "--no-reload") as host:
        instance_id = host.start("HelloSequence")
        state = "/admin/host/state"
        assert host.client.put(state, json="offline").status_code == 202
        assert (default_app / "app_offline.htm").is_file()
        response = host.client.get(f"/api/orchestrators/{instance_id}")
        assert (response.status_code, "offline" in response.text) == (503, True)
        assert host.client.put(state, json="running").status_code == 202
        assert host.wait_for_status(instance_id, "Completed")["output"]
