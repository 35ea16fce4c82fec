"""Starting and stopping as a person at a terminal meets it."""

import json
import os
import signal
import socket
import threading

import httpx
import pytest
from running_host import RunningHost, durahost, eventually

HTTP = [
    {"name": "req", "type": "httpTrigger", "direction": "in", "authLevel": "anonymous"},
    {"name": "$return", "type": "http", "direction": "out"},
]
OK = """
import azure.functions as func

def main(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("fine")
"""
STOPPING = pytest.mark.feature(
    "Functions host",
    "Stopping: Ctrl-C, SIGTERM, exit codes",
    "exit codes 0, 1 and 2, better than `func`",
)


@pytest.fixture
def blocked(default_app, write_function):
    """A host with an activity that goes on and on."""
    activity = [{"name": "name", "type": "activityTrigger", "direction": "in"}]
    code = "import time\ndef main(name):\n    time.sleep(99)\n"
    write_function(default_app / "function_app", "SayHello", activity, code)
    with RunningHost(default_app) as host:
        host.start("HelloSequence")
        host.wait_for_line(r"Executing 'Functions.SayHello'")
        yield host


@pytest.mark.feature("Settings", "`useGracefulShutdown`")
@STOPPING
def test_ctrl_c_ends_cleanly_with_work_in_hand(default_app):
    with RunningHost(default_app) as host:
        host.start("Approval")
        children = host.children
        assert host.stop(signal.SIGINT) == 0
        assert children
        assert host.children == []
        assert "Traceback" not in "\n".join(host.lines)


@STOPPING
def test_ctrl_c_while_an_activity_blocks_is_still_clean(blocked):
    blocked.process.send_signal(signal.SIGINT)
    assert blocked.process.wait(30) == 0
    assert "Traceback" not in "\n".join(blocked.lines)


@STOPPING
def test_a_second_ctrl_c_ends_at_once(blocked):
    children = blocked.children
    blocked.process.send_signal(signal.SIGINT)
    blocked.process.send_signal(signal.SIGTERM)
    assert blocked.process.wait(5) in (0, 1)
    assert children
    eventually(lambda: blocked.children, lambda found: found == [])


@STOPPING
def test_a_busy_port_names_its_holder_and_a_free_one(default_app):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = durahost(default_app, "start", "--port", str(port))
    assert result.returncode == 1
    assert f"Port {port} is unavailable." in result.stderr
    assert f"(process {os.getpid()})" in result.stderr
    assert "durahost start --port " in result.stderr
    assert "Traceback" not in result.stderr


@STOPPING
def test_no_host_json_up_the_tree_is_exit_1_with_a_hint(tmp_path):
    result = durahost(tmp_path, "start")
    assert result.returncode == 1
    assert "host.json" in result.stderr
    assert "--script-root" in result.stderr
    assert "Traceback" not in result.stderr


@STOPPING
def test_the_app_is_found_from_a_folder_below_it(default_app):
    below = default_app / "function_app" / "HttpStart"
    with RunningHost(below) as host:
        assert host.wait_for_status(host.start("HelloSequence"), "Completed")


@STOPPING
@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--help"], 0, "start"),
        (["start", "--help"], 0, "--script-root"),
        (["pack", "--help"], 0, "--output"),
        (["--version"], 0, "0.1.0"),
        (["nonsense"], 2, "No such command"),
        (["start", "--nonsense"], 2, "No such option"),
        (["start", "--port", "seven"], 2, "not a valid integer"),
        (["start", "--port", "65536"], 2, "65536 is not in the range 0<=x<=65535."),
        (["start", "Function"], 2, "Got unexpected extra argument (Function)"),
        (["start", "--user-log-level", "loud"], 2, "is not one of 'trace', 'debug'"),
        (["start", "--script-root", "none"], 1, "none\" doesn't exist."),
        (["check", "--help"], 0, "--format [text|json|sarif]"),
        (["check", "--format", "xml"], 2, "is not one of 'text', 'json', 'sarif'."),
        (["chek"], 2, "No such command 'chek'. Did you mean 'check'?"),
    ],
)
def test_usage(tmp_path, arguments, code, text):
    result = durahost(tmp_path, *arguments)
    assert result.returncode == code
    assert text in result.stdout + result.stderr


@STOPPING
def test_a_bad_host_json_is_exit_1_with_the_file_s_name(default_app):
    (default_app / "host.json").write_text('{"version": "9.0"}')
    result = durahost(default_app, "start", "--port", "0")
    assert result.returncode == 1
    assert "'9.0' is an invalid value for host.json 'version' property." in result.stderr


@pytest.mark.feature("Functions host", "Messages: file, function, reason, next step")
def test_every_fault_of_the_configuration_is_told_before_the_start_ends(default_app):
    (default_app / "host.json").write_text(
        '{"version": "2.0",\n"fileWatchingEnabled": "yes",\n"aggregator": {"batchSize": 0}}'
    )
    (default_app / "local.settings.json").write_text('{"IsEncrypted": true, "Values": {"A": "x"}}')
    result = durahost(default_app, "start", "--port", "0")
    assert result.returncode == 1
    for text in ("Failed to decrypt settings.", "in host.json, line 2", "in host.json, line 3"):
        assert result.stderr.count(text) == 1
    assert result.stdout == ""


@pytest.mark.feature("Functions host", "Messages: file, function, reason, next step")
def test_a_folder_that_cannot_be_written_is_exit_1_with_a_next_step(default_app):
    (default_app / ".durahost").write_text("")
    result = durahost(default_app, "start", "--port", "0")
    assert result.returncode == 1
    assert "Cannot write " in result.stderr
    assert "--ephemeral" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.feature("Functions host", "One bad function takes no other down")
def test_what_can_start_starts_and_each_bad_function_gets_one_message(default_app, write_function):
    functions = default_app / "function_app"
    write_function(functions, "Fine", HTTP, OK)
    (functions / "NotJson").mkdir()
    (functions / "NotJson" / "function.json").write_text('{"bindings": [}')
    write_function(functions, "NoType", [{"name": "req"}], OK)
    write_function(functions, "NoModule", HTTP, "import not_installed_anywhere\n" + OK)
    write_function(functions, "Slip", HTTP, "def main(req:\n")
    write_function(
        functions, "AtImport", HTTP, "def boom():\n    raise ValueError('why')\n\nboom()\n"
    )
    with RunningHost(default_app) as host:
        text = "\n".join(host.lines)
        for name in ("NotJson", "NoType", "NoModule", "Slip", "AtImport"):
            assert text.count(f"The '{name}' function is in error: ") == 1, text
        assert "Binding 'req' is invalid. Bindings must specify a Type." in text
        assert "ModuleNotFoundError: No module named 'not_installed_anywhere'" in text
        assert "requirements.txt" in text
        assert "line 4, in <module>" in text
        assert "raise ValueError('why')" in text
        assert "importlib" not in text
        assert "durahost/child" not in text
        assert host.client.get("/api/Fine").text == "fine"
        assert host.wait_for_status(host.start("HelloSequence"), "Completed")
        assert host.client.get("/api/NotJson").status_code == 404
        broken = host.client.get("/api/NoModule")
        assert (broken.status_code, broken.content) == (500, b"")


@pytest.mark.feature("Functions host", "Local RPC endpoint")
def test_the_rpc_port_moves_on_when_it_is_taken(default_app, tmp_path):
    second = tmp_path / "second"
    second.mkdir()
    for name in ("host.json", "local.settings.json"):
        (second / name).write_text((default_app / name).read_text())
    with RunningHost(default_app) as one, RunningHost(default_app, "--ephemeral") as other:
        for host in (one, other):
            assert host.wait_for_status(host.start("HelloSequence"), "Completed")
        listed = other.client.get("/runtime/webhooks/durabletask/instances")
        assert len(listed.json()) == 1


@pytest.mark.feature("Functions host", "Requests are held while the host starts")
def test_a_request_during_the_start_is_held_until_the_app_stands(default_app, write_function):
    functions = default_app / "function_app"
    write_function(functions, "Late", HTTP, "import time\ntime.sleep(1)\n" + OK)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = RunningHost(default_app, "--port", str(port)).launch()
    try:
        url = f"http://127.0.0.1:{port}/api/Late"

        def fetch():
            try:
                return httpx.get(url, timeout=20).text
            except httpx.ConnectError:
                return None

        assert eventually(fetch, lambda text: text is not None) == "fine"
        assert process.stop() == 0
    finally:
        process.__exit__()


def test_many_clients_at_once(default_app):
    with RunningHost(default_app) as host:
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(host.start("HelloSequence")))
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(found)) == 20
        for instance_id in found:
            host.wait_for_status(instance_id, "Completed")


def test_in_process_runs_the_app_without_a_child(default_app):
    with RunningHost(default_app, "--in-process") as host:
        assert host.children == []
        payload = host.wait_for_status(host.start("HelloSequence"), "Completed")
        assert (
            json.dumps(payload["output"]) == '["Hello Tokyo!", "Hello Seattle!", "Hello London!"]'
        )
