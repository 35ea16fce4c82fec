"""The walk of the README on the default app, in both models, through a real host process."""

import json
import re
import shutil
import signal
import socket
import sys
from pathlib import Path

import pytest
from running_host import RunningHost, eventually

pytestmark = pytest.mark.feature("Functions host", "The same app in both programming models")
DECORATED = Path(__file__).parents[2] / "samples" / "hello_decorators"

ID = r"[0-9a-f]{32}"
CODE = r"[A-Za-z0-9_-]{54}=="
MANAGEMENT = "/runtime/webhooks/durabletask"


@pytest.fixture(scope="module", params=["folders", "decorators"])
def host(request, shared_app, tmp_path_factory):
    root = shared_app
    if request.param == "decorators":
        ignored = shutil.ignore_patterns("__pycache__", ".durahost")
        root = tmp_path_factory.mktemp("decorators") / "app"
        shutil.copytree(DECORATED, root, ignore=ignored)
    with RunningHost(root) as running:
        yield running
        assert running.stop() == 0
        assert running.children == []


def location_of(host, instance_id):
    base = re.escape(f"{host.client.base_url}".rstrip("/"))
    return (
        rf"{base}{MANAGEMENT}/instances/{instance_id}\?taskHub=TestHubName&connection=Storage"
        rf"&code={CODE}"
    )


@pytest.mark.feature("Functions host", "Start: the list of functions and addresses")
def test_the_function_list_names_every_function_and_url(host):
    text = "\n".join(host.lines)
    assert f"\tHttpStart: [POST] {host.base}/api/orchestrators/{{functionName}}\n" in text
    assert f"\tJobStatus: [GET] {host.base}/api/jobs/{{instanceId}}\n" in text
    assert f"\tStartJob: [POST] {host.base}/api/jobs/start/{{functionName}}\n" in text
    for name, kind in [
        ("Approval", "orchestrationTrigger"),
        ("HelloSequence", "orchestrationTrigger"),
        ("SayHello", "activityTrigger"),
    ]:
        assert f"\t{name}: {kind}\n" in text


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is this machine on Linux alone")
def test_it_listens_on_loopback_alone(host):
    port = int(host.base.rpartition(":")[2])
    socket.create_connection(("127.0.0.1", port), 10).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), 10)


@pytest.mark.feature("Client of the SDK", "`create_check_status_response`")
@pytest.mark.feature("Orchestrations", "Activity calls")
def test_http_start_answers_202_with_the_sdk_s_nine_urls(host):
    response = host.client.post("/api/orchestrators/HelloSequence")
    assert response.status_code == 202
    body = response.json()
    assert list(body) == [
        "id",
        "statusQueryGetUri",
        "sendEventPostUri",
        "terminatePostUri",
        "rewindPostUri",
        "purgeHistoryDeleteUri",
        "restartPostUri",
        "suspendPostUri",
        "resumePostUri",
    ]
    assert re.fullmatch(ID, body["id"])
    assert response.text == json.dumps(body)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["retry-after"] == "10"
    assert response.headers["location"] == body["statusQueryGetUri"]
    assert re.fullmatch(location_of(host, body["id"]), body["statusQueryGetUri"])
    operations = f"{host.client.base_url}".rstrip("/") + f"{MANAGEMENT}/instances/{body['id']}"
    assert body["terminatePostUri"].startswith(f"{operations}/terminate?reason={{text}}&taskHub=")
    assert body["sendEventPostUri"].startswith(f"{operations}/raiseEvent/{{eventName}}?taskHub=")


@pytest.mark.feature("Client of the SDK", "`create_check_status_response`")
@pytest.mark.feature("Orchestrations", "Activity calls")
def test_the_status_url_answers_202_while_it_runs_and_200_with_the_output(host):
    started = host.client.post("/api/orchestrators/Approval", content=b'{"minutes": 5}')
    url = started.headers["location"]
    running = eventually(
        lambda: host.client.get(url), lambda r: r.json()["runtimeStatus"] == "Running"
    )
    assert running.status_code == 202
    assert running.headers["retry-after"] == "5"
    assert running.headers["location"] == url
    assert running.headers["content-type"] == "application/json; charset=utf-8"
    body = running.json()
    times = r'"createdTime":"[^"]{19}Z","lastUpdatedTime":"[^"]{19}Z"'
    instance_id = body["instanceId"]
    assert re.fullmatch(
        rf'\{{"name":"Approval","instanceId":"{instance_id}","runtimeStatus":"Running",'
        rf'"input":"\{{\\"minutes\\": 5\}}","customStatus":null,"output":null,{times}\}}',
        running.text,
    ), running.text

    assert host.raise_event(instance_id, "ApprovalEvent", True).status_code == 202
    done = eventually(lambda: host.client.get(url), lambda r: r.status_code == 200)
    assert done.json()["runtimeStatus"] == "Completed"
    assert done.json()["output"] == "Approved"
    assert "location" not in done.headers
    assert "retry-after" not in done.headers


@pytest.mark.feature("Client of the SDK", "`create_check_status_response`")
@pytest.mark.feature("Orchestrations", "Activity calls")
def test_hello_sequence_gives_three_greetings(host):
    payload = host.wait_for_status(host.start("HelloSequence"), "Completed")
    assert payload["output"] == ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]
    assert payload["input"] is None


@pytest.mark.feature("Functions host", "Logs of user code")
def test_it_logs_the_sample_s_line(host):
    instance_id = host.start("HelloSequence")
    host.wait_for_line(rf"\] Started orchestration with ID = '{instance_id}'\.$")


@pytest.mark.feature("Management API", "`POST /orchestrators/{functionName}`")
@pytest.mark.parametrize(
    "path", ["orchestrators/HelloSequence", "orchestrators/HelloSequence/my-id"]
)
def test_the_management_api_starts_too(host, path):
    response = host.client.post(f"{MANAGEMENT}/{path}", content=b'{"a":1}')
    assert response.status_code == 202
    body = response.json()
    assert "rewindPostUri" not in body
    assert body["id"] == "my-id" or not path.endswith("my-id")
    payload = host.wait_for_status(body["id"], "Completed")
    assert payload["input"] == {"a": 1}


@pytest.mark.feature("External events", "Waiting and raising")
@pytest.mark.feature("Timers", "Durable timers")
@pytest.mark.parametrize(
    ("data", "output"), [(True, "Approved"), (False, "Rejected"), ("x", "Rejected")]
)
def test_approval_takes_its_minutes_from_the_input(host, data, output):
    instance_id = host.start("Approval", {"minutes": 1})
    assert host.raise_event(instance_id, "ApprovalEvent", data).status_code == 202
    assert host.wait_for_status(instance_id, "Completed")["output"] == output


@pytest.mark.feature("External events", "Waiting and raising")
@pytest.mark.feature("Timers", "Durable timers")
def test_approval_times_out(host):
    instance_id = host.start("Approval", {"minutes": 0.005})
    assert host.wait_for_status(instance_id, "Completed")["output"] == "Timed out"


def test_content_that_is_not_json_is_refused_by_the_sample(host):
    response = host.client.post("/api/orchestrators/HelloSequence", content=b"{nope")
    assert response.status_code == 400


# The pattern without the built-in endpoints -------------------------------------------------------


@pytest.mark.feature("Client of the SDK", "Client binding in the app's own endpoints")
def test_a_job_answers_202_then_200_with_its_output(host):
    started = host.client.post("/api/jobs/start/Approval", content=b'{"minutes": 5}')
    assert started.status_code == 202
    instance_id = started.json()["id"]
    url = started.headers["location"]
    assert url == f"{str(host.client.base_url).rstrip('/')}/api/jobs/{instance_id}"
    assert int(started.headers["retry-after"]) > 0
    waiting = host.client.get(url)
    assert waiting.status_code == 202
    assert waiting.headers["location"] == url
    assert waiting.json()["status"] in ("Pending", "Running")
    host.raise_event(instance_id, "ApprovalEvent", False)
    done = eventually(lambda: host.client.get(url), lambda r: r.status_code != 202)
    assert (done.status_code, done.json()) == (200, "Rejected")


@pytest.mark.feature("Client of the SDK", "Client binding in the app's own endpoints")
def test_a_failed_job_answers_500_with_the_failure_text(host):
    started = host.client.post("/api/jobs/start/Approval", content=b'{"minutes": "many"}')
    url = started.headers["location"]
    failed = eventually(lambda: host.client.get(url), lambda r: r.status_code != 202)
    assert failed.status_code == 500
    assert "Orchestrator function 'Approval' failed: " in failed.json()["error"]


@pytest.mark.feature("Client of the SDK", "Client binding in the app's own endpoints")
def test_an_unknown_job_answers_404(host):
    assert host.client.get("/api/jobs/nothing").status_code == 404


@pytest.mark.feature(
    "Functions host",
    "Stopping: Ctrl-C, SIGTERM, exit codes",
    "exit codes 0, 1 and 2, better than `func`",
)
def test_sigterm_ends_cleanly_too(shared_app):
    with RunningHost(shared_app, "--ephemeral") as running:
        assert running.stop(signal.SIGTERM) == 0
        assert running.children == []
