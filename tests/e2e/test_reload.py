"""Edit while it runs: the change is served, the port stays open, instances go on."""

import threading

import pytest
from running_host import RunningHost, eventually

pytestmark = pytest.mark.feature(
    "Functions host",
    "Reload on edit",
    "the port stays open and code that does not load keeps the old one; `func start` restarts",
)


HTTP = [
    {"name": "req", "type": "httpTrigger", "direction": "in", "authLevel": "anonymous"},
    {"name": "$return", "type": "http", "direction": "out"},
]


def code(text):
    return (
        "import azure.functions as func\n"
        "def main(req: func.HttpRequest) -> func.HttpResponse:\n"
        f"    return func.HttpResponse({text!r})\n"
    )


def test_an_edit_is_served_and_no_request_is_refused_meanwhile(default_app, write_function):
    functions = default_app / "function_app"
    write_function(functions, "Word", HTTP, code("old"))
    with RunningHost(default_app) as host:
        waiting = host.start("Approval")
        host.wait_for_status(waiting, "Running")
        answers, stop = [], threading.Event()

        def keep_asking():
            while not stop.is_set():
                answers.append(host.client.get("/api/Word"))

        asking = threading.Thread(target=keep_asking)
        asking.start()
        write_function(functions, "Word", HTTP, code("new"))
        host.wait_for_line(r"^reloaded in \d+ ms")
        assert host.client.get("/api/Word").text == "new"
        stop.set()
        asking.join()
        assert {response.status_code for response in answers} == {200}
        texts = [response.text for response in answers]
        assert texts == sorted(texts, reverse=True)

        host.raise_event(waiting, "ApprovalEvent", True)
        assert host.wait_for_status(waiting, "Completed")["output"] == "Approved"


def test_a_syntax_error_keeps_the_old_code_serving(default_app, write_function):
    functions = default_app / "function_app"
    write_function(functions, "Word", HTTP, code("old"))
    with RunningHost(default_app) as host:
        write_function(functions, "Word", HTTP, "def main(req:\n")
        host.wait_for_line(r"^not reloaded: the code from before goes on serving")
        assert "The 'Word' function is in error: SyntaxError" in "\n".join(host.lines)
        assert host.client.get("/api/Word").text == "old"
        write_function(functions, "Word", HTTP, code("mended"))
        host.wait_for_line(r"^reloaded in")
        assert host.client.get("/api/Word").text == "mended"


def test_functions_come_and_go(default_app, write_function):
    functions = default_app / "function_app"
    with RunningHost(default_app) as host:
        assert host.client.get("/api/Word").status_code == 404
        folder = write_function(functions, "Word", HTTP, code("here"))
        # Two files are written one after the other: a first reload may see only one of them.
        eventually(lambda: host.client.get("/api/Word").text, lambda text: text == "here")
        (folder / "function.json").unlink()
        eventually(lambda: host.client.get("/api/Word").status_code, lambda code: code == 404)


def test_an_edited_orchestrator_runs_at_the_next_episode(default_app):
    approval = default_app / "function_app" / "Approval" / "__init__.py"
    with RunningHost(default_app) as host:
        waiting = host.start("Approval")
        host.wait_for_status(waiting, "Running")
        approval.write_text(approval.read_text().replace('"Approved"', '"Yes"'))
        host.wait_for_line(r"^reloaded in")
        host.raise_event(waiting, "ApprovalEvent", True)
        assert host.wait_for_status(waiting, "Completed")["output"] == "Yes"


def test_an_activity_that_runs_during_a_reload_may_end(default_app, write_function):
    functions = default_app / "function_app"
    slow = "import time\ndef main(name):\n    time.sleep(2)\n    return 'slow ' + name\n"
    activity = [{"name": "name", "type": "activityTrigger", "direction": "in"}]
    write_function(functions, "SayHello", activity, slow)
    with RunningHost(default_app) as host:
        instance_id = host.start("HelloSequence")
        host.wait_for_line(r"Executing 'Functions.SayHello'")
        write_function(functions, "SayHello", activity, slow.replace("sleep(2)", "sleep(0)"))
        host.wait_for_line(r"^reloaded in")
        payload = host.wait_for_status(instance_id, "Completed")
        assert payload["output"] == ["slow Tokyo", "slow Seattle", "slow London"]
    # The last lines of a log come with its end: it is written by a thread of its own.
    executions = [line for line in host.lines if "Executing 'Functions.SayHello'" in line]
    assert len(executions) == 3
