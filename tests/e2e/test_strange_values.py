"""Values that no JSON text, UTF-8 or clock can hold: the instance ends, at once and with a text."""

import pytest
from app_files import ORCHESTRATION, copy_app, write_function
from running_host import RunningHost

ACTIVITY = [{"name": "what", "type": "activityTrigger", "direction": "in"}]
ACT = r"""
def main(what: str) -> str:
    if what == "raise":
        raise ValueError("caf\udce9")
    return "caf\udce9"
"""
FLOW = r"""
import azure.durable_functions as df

def nested(depth):
    whole = []
    for _ in range(depth):
        whole = [whole]
    return whole

def flow(context):
    match context.get_input():
        case "returns":
            return "caf\udce9"
        case "raises":
            raise ValueError("caf\udce9")
        case "status":
            context.set_custom_status({"caf\udce9": "caf\udce9"})
        case "activity returns":
            return (yield context.call_activity("Act", "return"))
        case "activity raises":
            return (yield context.call_activity("Act", "raise"))
        case "numeric child id":
            return (yield context.call_sub_orchestrator("Flow", "child", instance_id=42))
        case "long interval":
            options = df.RetryOptions(10**18, 2)
            yield context.call_activity_with_retry("Act", options, "raise")
        case "attempts":
            options = df.RetryOptions(1, "many")
            yield context.call_activity_with_retry("Act", options, "raise")
        case "deep":
            return nested(2000)
    return "fine"

main = df.Orchestrator.create(flow)
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    root = copy_app(tmp_path_factory.mktemp("strange") / "app")
    for name, bindings, code in (("Act", ACTIVITY, ACT), ("Flow", ORCHESTRATION, FLOW)):
        write_function(root / "function_app", name, bindings, code)
    with RunningHost(root) as running:
        yield running


def end_of(host, case, status):
    """The status payload once it has ended, which is at once."""
    return host.wait_for_status(host.start("Flow", case), status, within_s=10)


@pytest.mark.parametrize("case", ["returns", "activity returns"])
def test_an_output_with_a_lone_surrogate(host, case):
    assert end_of(host, case, "Completed")["output"] == "caf\ufffd"


def test_a_custom_status_with_a_lone_surrogate(host):
    assert end_of(host, "status", "Completed")["customStatus"] == {"caf\ufffd": "caf\ufffd"}


def test_a_failure_with_a_lone_surrogate(host):
    output = end_of(host, "raises", "Failed")["output"]
    assert output == "Orchestrator function 'Flow' failed: caf\ufffd"


def test_an_activity_s_failure_with_a_lone_surrogate_is_recorded_once(host):
    ended = end_of(host, "activity raises", "Failed")
    start = "Orchestrator function 'Flow' failed: Activity function 'Act' failed:  ValueError: "
    assert ended["output"].startswith(f"{start}caf\ufffd")
    shown = host.status(ended["instanceId"], showHistory="true").json()["historyEvents"]
    (failed,) = [event for event in shown if event["EventType"] == "TaskFailed"]
    assert failed["Reason"] == "Activity function 'Act' failed:  ValueError: caf\ufffd"
    assert not any("is tried again" in line for line in host.lines)


def test_a_number_is_a_child_s_id(host):
    assert end_of(host, "numeric child id", "Completed")["output"] == "fine"
    assert host.status("42").json()["runtimeStatus"] == "Completed"


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("long interval", "OverflowError: "),
        ("attempts", "invalid literal for int() with base 10: 'many'"),
        ("deep", "maximum recursion depth exceeded"),
    ],
)
def test_what_cannot_be_done_fails_the_instance_with_a_text(host, case, text):
    assert text in end_of(host, case, "Failed")["output"]
