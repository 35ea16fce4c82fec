"""The JavaScript SDK's client (durable-functions 3.x under Node) against a running host.

The package loads outside a Functions worker; its client comes from the SDK's own `getClient`, given
the binding's JSON as a worker would give it. Set up: `npm ci` in tests/js, which .ci/run does.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from app_files import write_function
from running_host import RunningHost

SCRIPTS = Path(__file__).parent.parent / "js"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="node is not installed"),
    pytest.mark.skipif(
        not (SCRIPTS / "node_modules" / "durable-functions").is_dir(),
        reason="the JavaScript SDK is not installed; run: npm ci --prefix tests/js",
    ),
    pytest.mark.feature("Client of the SDK", "The JavaScript SDK's, over RPC and the webhook"),
]

BINDING = """\
def main(req, starter: str):
    return starter
"""
WAITER = """\
import azure.durable_functions as df

def run(context):
    data = yield context.wait_for_external_event("Go")
    return [context.get_input(), data]

main = df.Orchestrator.create(run)
"""
FAILS = """\
import azure.durable_functions as df

def run(context):
    return (yield context.call_activity("FailsOnce", context.instance_id))

main = df.Orchestrator.create(run)
"""
FAILS_ONCE = """\
from pathlib import Path

def main(name: str):
    marker = Path(__file__).parent / f"{name}.tried"
    if not marker.exists():
        marker.touch()
        raise ValueError("the first time")
    return "recovered"
"""
COUNTER = """\
import azure.durable_functions as df

def run(context):
    value = context.get_state(lambda: 0)
    is_twice = context.operation_name == "twice"
    context.set_state(value * 2 if is_twice else value + context.get_input())

main = df.Entity.create(run)
"""


def trigger(kind, name):
    return [{"name": name, "type": f"{kind}Trigger", "direction": "in"}]


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    root = tmp_path_factory.mktemp("javascript")
    durable = {"durableTask": {"defaultVersion": "1.2"}}
    (root / "host.json").write_text(json.dumps({"version": "2.0", "extensions": durable}))
    http = [
        {"name": "req", "type": "httpTrigger", "authLevel": "anonymous"},
        {"name": "starter", "type": "durableClient", "direction": "in"},
        {"name": "$return", "type": "http", "direction": "out"},
    ]
    functions = {
        "Binding": (http, BINDING),
        "Waiter": (trigger("orchestration", "context"), WAITER),
        "Fails": (trigger("orchestration", "context"), FAILS),
        "FailsOnce": (trigger("activity", "name"), FAILS_ONCE),
        "Counter": (trigger("entity", "context"), COUNTER),
    }
    for name, (bindings, code) in functions.items():
        write_function(root, name, bindings, code)
    with RunningHost(root) as running:
        yield running


@pytest.fixture(scope="module", params=["rpc", "webhook"])
def seen(host, request):
    """What the client returned, call by call."""
    # As text/plain: the host would send JSON that a function returns indented.
    binding = json.dumps(host.client.get("/api/Binding").json())
    finished = subprocess.run(
        [NODE, SCRIPTS / "client.js", binding, host.base, request.param],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr + "\n".join(host.lines)
    yield {"way": request.param, "origin": host.base, **json.loads(finished.stdout)}
    assert not [line for line in host.lines if "Traceback" in line and "FailsOnce" not in line]


def test_a_life(seen):
    name = f"js-{seen['way']}"
    assert seen["started"] == name
    assert (seen["running"]["name"], seen["running"]["instanceId"]) == ("Waiter", name)
    assert seen["stillRunning"][0] == 202
    assert seen["completed"] == [200, [{"a": [1, "ü"]}, {"b": "→"}]]
    status = seen["completedStatus"]
    assert status["input"] == {"a": [1, "ü"]}
    assert status["output"] == [{"a": [1, "ü"]}, {"b": "→"}]
    # The SDK looks for "history"; the extension, and this host, send "historyEvents".
    assert "history" not in status


def test_what_it_hands_out(seen):
    name, origin = f"js-{seen['way']}", seen["origin"]
    where = f"{origin}/runtime/webhooks/durabletask/instances/{name}"
    assert seen["links"]["id"] == name
    assert seen["links"]["statusQueryGetUri"].startswith(f"{where}?taskHub=")
    assert seen["checkStatus"] == [202, seen["links"]]
    assert seen["stillRunning"][1] == seen["links"]["statusQueryGetUri"]


def test_ends_and_new_beginnings(seen):
    assert seen["terminated"]["output"] == "enough"
    assert seen["rewound"]["output"] == "recovered"


def test_lists_and_purges(seen):
    assert set(seen["expected"]) <= set(seen["all"])
    assert seen["by"] == [seen["restarted"]]
    assert seen["purged"] == {"instancesDeleted": 1}
    assert seen["purgedAgain"] == {"instancesDeleted": 0}
    assert seen["purgedBy"] == {"instancesDeleted": 2}


def test_entities(seen):
    assert seen["noEntity"] == {"entityExists": False}
    assert seen["entity"] == {"entityExists": True, "entityState": 10}


def test_failures_are_the_ones_it_knows(seen):
    assert seen["gone"] == "no failure: undefined"
    unknown = seen["unknown"]
    assert re.match("DurableClient error: .* HTTP 404 .* provided: nope.$", unknown["status"])
    for call in ("event", "terminate", "suspend"):
        assert unknown[call] == "No instance with ID 'nope' found."
    assert unknown["rewind"] == 'No orchestration with instance ID "$nope" found.'
    assert unknown["notFailed"] == (
        "This orchestration has status Completed, but only orchestrations in the "
        '"Failed" state can be rewound.'
    )
