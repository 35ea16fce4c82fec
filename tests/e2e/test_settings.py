"""What settings of extensions.durableTask change in a running host."""

import json

import pytest
from app_files import ORCHESTRATION
from running_host import RunningHost

ACTIVITY = [{"name": "name", "type": "activityTrigger", "direction": "in"}]
WORK = """
import pathlib, time

LOG = pathlib.Path(__file__).parent / "log"

def main(name: str) -> str:
    with open(LOG, "a") as log:
        log.write("begin ")
    time.sleep(0.05)
    with open(LOG, "a") as log:
        log.write("end ")
    return name
"""
FAN = """
import azure.durable_functions as df

def fan(context):
    return (yield context.task_all([context.call_activity("Work", str(n)) for n in range(4)]))

main = df.Orchestrator.create(fan)
"""


def configure(app, **options):
    document = json.loads((app / "host.json").read_text())
    document.setdefault("extensions", {})["durableTask"] = options
    (app / "host.json").write_text(json.dumps(document))


@pytest.fixture
def busy_app(default_app, write_function):
    functions = default_app / "function_app"
    write_function(functions, "Work", ACTIVITY, WORK)
    write_function(functions, "Fan", ORCHESTRATION, FAN)
    return default_app


@pytest.mark.feature("Settings", "`maxConcurrentActivityFunctions`")
@pytest.mark.feature("Settings", "`maxConcurrentOrchestratorFunctions`")
@pytest.mark.feature("Orchestrations", "An instance that waits occupies nothing")
def test_one_at_a_time_and_those_that_wait_are_not_counted(busy_app):
    configure(busy_app, maxConcurrentActivityFunctions=1, maxConcurrentOrchestratorFunctions=1)
    with RunningHost(busy_app) as host:
        waiting = [host.start("Approval", {"minutes": 5}) for _ in range(3)]
        for instance_id in waiting:
            host.wait_for_status(instance_id, "Running")
        payload = host.wait_for_status(host.start("Fan"), "Completed")
        assert payload["output"] == ["0", "1", "2", "3"]
        log = (busy_app / "function_app" / "Work" / "log").read_text()
        assert log == "begin end " * 4
        for instance_id in waiting:
            host.raise_event(instance_id, "ApprovalEvent", True)
            host.wait_for_status(instance_id, "Completed")


@pytest.mark.feature("Settings", "`storeInputsInOrchestrationHistory`")
@pytest.mark.feature("Settings", "`hubName`")
@pytest.mark.parametrize("stores", [True, False])
def test_inputs_stand_in_the_history_only_when_asked_for(default_app, stores):
    configure(default_app, hubName="%OWN%", storeInputsInOrchestrationHistory=stores)
    with RunningHost(default_app, env={"OWN": "MyHub"}) as host:
        started = host.start("HelloSequence")
        host.wait_for_status(started, "Completed")
        links = host.client.post("/api/orchestrators/HelloSequence", content=b"").json()
        assert "taskHub=MyHub&" in links["statusQueryGetUri"]
        shown = {"showHistory": "true", "showHistoryOutput": "true", "showInput": "true"}
        events = host.status(started, **shown).json()["historyEvents"]
        completed = [event for event in events if event["EventType"] == "TaskCompleted"]
        inputs = [event.get("Input") for event in completed]
        assert len(inputs) == 3
        for name, stored in zip(["Tokyo", "Seattle", "London"], inputs, strict=True):
            assert name in stored if stores else stored is None


@pytest.mark.feature("Settings", "`localRpcEndpointEnabled`")
def test_without_the_local_endpoint_the_python_client_has_no_address(default_app):
    """As on Azure: the SDK knows no other way to start, and says so in its own words."""
    configure(default_app, localRpcEndpointEnabled=False)
    with RunningHost(default_app) as host:
        refused = host.client.post("/api/orchestrators/HelloSequence", content=b"")
        assert refused.status_code == 500
        host.wait_for_line("InvalidUrlClientError: Noneorchestrators/HelloSequence")
        path = "/runtime/webhooks/durabletask/orchestrators/HelloSequence"
        started = host.client.post(path, content=b"").json()["id"]
        host.wait_for_status(started, "Completed")


LOGS = """
import logging
import azure.functions as func

def main(req: func.HttpRequest) -> func.HttpResponse:
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logging.log(level, "at %s in %s", logging.getLevelName(level), "{name}")
    return func.HttpResponse("x")
"""
HTTP = [
    {"name": "req", "type": "httpTrigger", "direction": "in", "authLevel": "anonymous"},
    {"name": "$return", "type": "http", "direction": "out"},
]


@pytest.fixture
def logging_app(tmp_path, write_function):
    levels = {"default": "Error", "Function.Loud": "Debug", "Function.Quiet.User": "None"}
    document = {"version": "2.0", "logging": {"logLevel": levels}}
    (tmp_path / "host.json").write_text(json.dumps(document))
    for name in ("Loud", "Quiet", "Other"):
        write_function(tmp_path, name, HTTP, LOGS.replace("{name}", name))
    return tmp_path


def shown_levels(host, name):
    """The levels of a function's own records, once its invocation is over."""
    assert host.client.get(f"/api/{name}").text == "x"
    return [line.rpartition(" in ")[0].split()[-1] for line in host.lines if f"in {name}" in line]


@pytest.mark.feature("Functions host", "`logging.logLevel`")
def test_log_levels_of_host_json(logging_app):
    with RunningHost(logging_app, "--ephemeral", "--no-reload") as host:
        # A record may be shown after the answer: the last function's comes after all of them.
        for name in ("Quiet", "Other", "Loud"):
            shown_levels(host, name)
        host.wait_for_line(r"Executed 'Functions.Loud'")
        text = "\n".join(host.lines)
        assert "in Quiet" not in text
        assert text.count("in Other") == 1
        assert "at ERROR in Other" in text
        assert text.count("in Loud") == 4
        assert "Executed 'Functions.Other'" not in text


@pytest.mark.feature(
    "Functions host", "`--functions`, `--user-log-level` and other options of `func`"
)
def test_the_command_line_wins_over_host_json(logging_app):
    options = ("--ephemeral", "--no-build", "--user-log-level", "warning")
    with RunningHost(logging_app, *options, "--functions", "loud", "Quiet") as host:
        assert host.client.get("/api/Other").status_code == 404
        for name in ("Quiet", "Loud"):
            shown_levels(host, name)
        host.wait_for_line(r"Executed 'Functions.Loud'")
        shown = [line for line in host.lines if " in Quiet" in line or " in Loud" in line]
        assert [line.split("at ")[1] for line in shown] == [
            "WARNING in Quiet", "ERROR in Quiet", "WARNING in Loud", "ERROR in Loud",
        ]  # fmt: skip
