"""Rewind of a failed tree on a real host, with and without kill -9 in the middle."""

import time

import pytest
from app_files import ORCHESTRATION
from running_host import RunningHost, eventually

pytestmark = [
    pytest.mark.feature("Management API", "`POST /instances/{instanceId}/rewind`"),
    pytest.mark.feature("Exactly once", "`kill -9` of host or child"),
]


ACTIVITY = [{"name": "name", "type": "activityTrigger", "direction": "in"}]
# Fails until the file `repaired` is there; every run leaves a line.
WORK = """
import pathlib

HERE = pathlib.Path(__file__).parent.parent.parent

def main(name: str) -> str:
    with open(HERE / "runs", "a") as runs:
        runs.write(f"{name}\\n")
    if name == "broken" and not (HERE / "repaired").exists():
        raise RuntimeError("not repaired")
    return f"did {name}"
"""
CHILD = """
import azure.durable_functions as df

def child(context):
    first = yield context.call_activity("Work", "before")
    second = yield context.call_activity("Work", "broken")
    return [first, second]

main = df.Orchestrator.create(child)
"""
PARENT = """
import azure.durable_functions as df

def parent(context):
    own = yield context.call_activity("Work", "parent")
    ids = [f"{context.instance_id}-{number}" for number in range(2)]
    both = yield context.task_all(
        [context.call_sub_orchestrator("Child", None, one) for one in ids]
    )
    return [own, *both]

main = df.Orchestrator.create(parent)
"""
RESULT = ["did parent", ["did before", "did broken"], ["did before", "did broken"]]
FAILED = "Activity function 'Work' failed:  RuntimeError: not repaired"


@pytest.fixture
def app(default_app, write_function):
    functions = default_app / "function_app"
    write_function(functions, "Work", ACTIVITY, WORK)
    write_function(functions, "Child", ORCHESTRATION, CHILD)
    write_function(functions, "Parent", ORCHESTRATION, PARENT)
    return default_app


def runs(app):
    return sorted((app / "runs").read_text().split())


def rewind(host, instance_id):
    path = f"/runtime/webhooks/durabletask/instances/{instance_id}/rewind"
    return host.client.post(path, params={"reason": "repaired"})


def kinds(host, instance_id):
    payload = host.status(instance_id, showHistory="true").json()
    return [event["EventType"] for event in payload["historyEvents"]]


def fail(host, app):
    (app / "runs").write_text("")
    instance_id = host.start("Parent")
    payload = host.wait_for_status(instance_id, "Failed")
    assert FAILED in payload["output"]
    assert runs(app) == sorted(["parent", *["before", "broken"] * 2])
    return instance_id, payload["output"]


def check_rewound(host, app, instance_id):
    payload = host.wait_for_status(instance_id, "Completed")
    assert payload["output"] == RESULT
    for child in (f"{instance_id}-0", f"{instance_id}-1"):
        assert host.status(child).json()["runtimeStatus"] == "Completed"
        assert kinds(host, child).count("ExecutionRewound") == 1
        assert kinds(host, child).count("TaskCompleted") == 2
        assert "TaskFailed" not in kinds(host, child)
    own = kinds(host, instance_id)
    assert own.count("ExecutionRewound") == 1
    assert own.count("SubOrchestrationInstanceCompleted") == 2
    assert own.count("ExecutionCompleted") == 1
    # Successes are replayed, not run again.
    assert runs(app).count("parent") == 1
    assert runs(app).count("before") == 2


def test_a_failed_tree_runs_again_from_what_failed(app):
    with RunningHost(app) as host:
        instance_id, _ = fail(host, app)
        (app / "repaired").touch()
        assert rewind(host, instance_id).status_code == 202
        check_rewound(host, app, instance_id)
        assert runs(app).count("broken") == 4
        assert rewind(host, instance_id).status_code == 412


def test_a_tree_that_is_not_repaired_fails_again_and_can_be_rewound_again(app):
    with RunningHost(app) as host:
        instance_id, output = fail(host, app)
        assert rewind(host, instance_id).status_code == 202
        eventually(lambda: runs(app).count("broken"), lambda count: count == 4)
        assert host.wait_for_status(instance_id, "Failed")["output"] == output
        (app / "repaired").touch()
        assert rewind(host, instance_id).status_code == 202
        assert host.wait_for_status(instance_id, "Completed")["output"] == RESULT
        assert kinds(host, instance_id).count("ExecutionRewound") == 2


@pytest.mark.parametrize("delay_s", [0, 0.005, 0.02, 0.05])
def test_a_rewind_survives_a_kill_in_the_middle_c21(app, delay_s):
    with RunningHost(app) as host:
        instance_id, _ = fail(host, app)
        (app / "repaired").touch()
        assert rewind(host, instance_id).status_code == 202
        time.sleep(delay_s)  # where in the tree the kill strikes
        host.kill()
    with RunningHost(app) as host:
        check_rewound(host, app, instance_id)
