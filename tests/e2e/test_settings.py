"""What settings of extensions.durableTask change in a running host."""

import json

import pytest
from running_host import RunningHost

ACTIVITY = [{"name": "name", "type": "activityTrigger", "direction": "in"}]
ORCHESTRATOR = [{"name": "context", "type": "orchestrationTrigger", "direction": "in"}]
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
    write_function(functions, "Fan", ORCHESTRATOR, FAN)
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
