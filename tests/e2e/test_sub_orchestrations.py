"""Sub-orchestrations with the real SDK: ids, failures, termination, versions."""

import json
import time

import pytest
from app_files import ORCHESTRATION, copy_app, set_durable_option, write_function
from running_host import RunningHost, eventually

MANAGEMENT = "/runtime/webhooks/durabletask"
CALLER = """
import azure.durable_functions as df

def caller(context):
    call = context.get_input()
    try:
        answer = yield context.call_sub_orchestrator(
            call["name"], call.get("input"), call.get("id"), call.get("version")
        )
    except Exception as error:
        return f"caught {error}"
    return {"answer": answer, "version": context.version}

main = df.Orchestrator.create(caller)
"""
WAITER = """
import azure.durable_functions as df

def waiter(context):
    return (yield context.wait_for_external_event("Go"))

main = df.Orchestrator.create(waiter)
"""
TELLER = """
import azure.durable_functions as df

def teller(context):
    kind = context.get_input()
    if kind == "fail":
        raise ValueError("no")
    if kind == "again":
        context.continue_as_new("tell")
        return None
    return [context.instance_id, context.parent_instance_id, context.version]
    yield  # a generator, as orchestrators are

main = df.Orchestrator.create(teller)
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    root = copy_app(tmp_path_factory.mktemp("tree") / "app")
    set_durable_option(root, "defaultVersion", "1.0")
    for name, code in [("Caller", CALLER), ("Waiter", WAITER), ("Teller", TELLER)]:
        write_function(root / "function_app", name, ORCHESTRATION, code)
    with RunningHost(root) as running:
        yield running


def start(host, name, data=None, instance_id=None, **query):
    path = f"{MANAGEMENT}/orchestrators/{name}" + (f"/{instance_id}" if instance_id else "")
    response = host.client.post(path, json=json.dumps(data), params=query)
    assert response.status_code == 202, response.text
    return response.json()["id"]


def call(host, name, **more):
    """Start a caller of this child; its id."""
    return start(host, "Caller", {"name": name, **more})


def output(host, instance_id, status="Completed"):
    return host.wait_for_status(instance_id, status, 10)["output"]


@pytest.mark.feature("Versions", "Versions of children")
@pytest.mark.feature("Sub-orchestrations", "Default ids")
def test_a_child_is_named_after_its_callers_execution_and_inherits_the_default_version(host):
    caller = call(host, "Teller", input="tell")
    answer = output(host, caller)
    child, parent, version = answer["answer"]
    execution_id, _, number = child.rpartition(":")
    assert (len(execution_id), number) == (32, "0")
    assert (parent, version, answer["version"]) == (caller, "1.0", "1.0")


@pytest.mark.feature("Versions", "Versions of children")
def test_a_child_of_a_version_of_its_own(host):
    child, _, version = output(host, call(host, "Teller", input="tell", version="0.9"))["answer"]
    assert version == "0.9"
    assert output(host, child) == [child, output(host, child)[1], "0.9"]


@pytest.mark.feature("Sub-orchestrations", "Children that continue as new")
def test_a_caller_waits_for_the_last_generation_of_its_child(host):
    assert output(host, call(host, "Teller", input="again", id="cycle"))["answer"][0] == "cycle"


@pytest.mark.feature("Sub-orchestrations", "Failures are raised in the caller")
def test_the_failure_of_a_child_is_raised_where_it_was_called(host):
    text = output(host, call(host, "Teller", input="fail"))
    assert text.startswith("caught Orchestrator function 'Teller' failed: no \n Message: no, Stack")


@pytest.mark.feature("Sub-orchestrations", "Termination is told to the caller")
def test_a_terminated_child_answers_with_the_reason(host):
    caller = call(host, "Waiter", id="doomed")
    host.wait_for_status("doomed", "Running")
    host.client.post(f"{MANAGEMENT}/instances/doomed/terminate", params={"reason": "enough"})
    assert output(host, caller).startswith("caught enough")
    assert output(host, "doomed", "Terminated") == "enough"


@pytest.mark.feature(
    "Sub-orchestrations",
    "An id that already lives",
    "a live child of another caller is a clear failure; on Azure the caller waits for ever",
)
def test_a_live_child_of_somebody_else_is_a_clear_failure(host):
    start(host, "Waiter", instance_id="taken")
    host.wait_for_status("taken", "Running")
    text = output(host, call(host, "Waiter", id="taken"))
    assert "'taken' is already running and was started by somebody else" in text
    host.raise_event("taken", "Go", 1)
    assert output(host, "taken") == 1


@pytest.mark.feature("Sub-orchestrations", "Given ids")
def test_a_child_id_that_is_the_callers_own_but_for_case_is_never_called(host):
    caller = start(host, "Caller", {"name": "Teller", "id": "SELF"}, "self")
    host.wait_for_line("'self' asked for a call that never runs: its instance ID 'SELF' is this")
    assert host.status(caller).json()["runtimeStatus"] == "Running"
    assert host.status("SELF").status_code == 404


@pytest.mark.feature("Settings", "`versionMatchStrategy`")
@pytest.mark.feature("Settings", "`versionFailureStrategy`")
@pytest.mark.feature("Versions", "`Reject`: left to another host")
def test_a_newer_version_is_left_to_another_host_with_one_line(host):
    newer = start(host, "Teller", "tell", "newer", version="1.1")
    older = start(host, "Teller", "tell", "older", version="0.9")
    assert output(host, older)[2] == "0.9"
    line = "Instance 'newer' has version '1.1'; with defaultVersion '1.0'"
    eventually(lambda: sum(line in one for one in host.lines), lambda count: count == 1)
    time.sleep(1)  # two more tries in this time
    assert sum(line in one for one in host.lines) == 1
    assert host.status(newer).json()["runtimeStatus"] == "Pending"


@pytest.mark.feature("Settings", "`versionFailureStrategy`")
@pytest.mark.feature("Versions", "`Fail`: the instance fails")
@pytest.mark.parametrize(
    ("options", "version", "status"),
    [
        ({"versionFailureStrategy": "Fail"}, "2.0", "Failed"),
        ({"versionMatchStrategy": "Strict", "versionFailureStrategy": "Fail"}, "0.9", "Failed"),
        ({"versionMatchStrategy": "None", "versionFailureStrategy": "Fail"}, "2.0", "Completed"),
    ],
)
def test_a_version_mismatch_as_a_failure(host, tmp_path, options, version, status):
    environ = {
        f"AzureFunctionsJobHost__extensions__durableTask__{name}": value
        for name, value in options.items()
    }
    root = copy_app(tmp_path / "app")
    (root / "host.json").write_text((host.root / "host.json").read_text())
    with RunningHost(root, env=environ) as other:
        instance_id = start(other, "HelloSequence", version=version)
        text = output(other, instance_id, status)
        if status == "Failed":
            expected = "Orchestration version did not comply with Worker Versioning"
            assert text == f"VersionMismatch: {expected}"
