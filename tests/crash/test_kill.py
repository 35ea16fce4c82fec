"""kill -9 of the host or of its worker child: nothing is lost, no result is recorded twice."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from app_files import ORCHESTRATION
from running_host import RunningHost, eventually

pytestmark = pytest.mark.feature("Exactly once", "`kill -9` of host or child")


SLOW_ACTIVITY = """
import pathlib, time

HERE = pathlib.Path(__file__).parent

def main(name: str) -> str:
    with open(HERE / "runs", "a") as runs:
        runs.write(f"{name}\\n")
    while name == "slow" and not (HERE / "go").exists():
        time.sleep(0.02)
    return f"did {name}"
"""
SLOW_FLOW = """
import azure.durable_functions as df

def flow(context):
    first = yield context.call_activity("Work", "quick")
    second = yield context.call_activity("Work", "slow")
    return [first, second]

main = df.Orchestrator.create(flow)
"""


@pytest.fixture
def slow_app(default_app, write_function):
    functions = default_app / "function_app"
    activity = [{"name": "name", "type": "activityTrigger", "direction": "in"}]
    write_function(functions, "Work", activity, SLOW_ACTIVITY)
    write_function(functions, "SlowFlow", ORCHESTRATION, SLOW_FLOW)
    return default_app


def runs(app: Path):
    file = app / "function_app" / "Work" / "runs"
    return file.read_text().split() if file.exists() else []


def history(host, instance_id):
    payload = host.status(instance_id, showHistory="true", showHistoryOutput="true").json()
    return payload.get("historyEvents", [])


def recorded(host, instance_id, kind):
    return [event for event in history(host, instance_id) if event["EventType"] == kind]


def test_a_killed_host_goes_on_where_it_was(default_app):
    with RunningHost(default_app) as host:
        waiting = host.start("Approval", {"minutes": 5})
        finished = host.start("HelloSequence")
        host.wait_for_status(waiting, "Running")
        host.wait_for_status(finished, "Completed")
        children = host.children
        host.kill()
    for pid in children:
        eventually(
            lambda pid=pid: Path(f"/proc/{pid}/cmdline").exists(), lambda is_there: not is_there
        )

    with RunningHost(default_app) as host:
        assert host.status(waiting).json()["runtimeStatus"] == "Running"
        assert len(recorded(host, finished, "TaskCompleted")) == 3
        assert host.raise_event(waiting, "ApprovalEvent", True).status_code == 202
        assert host.wait_for_status(waiting, "Completed")["output"] == "Approved"
        assert len(recorded(host, waiting, "TimerCreated")) == 1


def test_a_durable_timer_survives_the_host(default_app):
    with RunningHost(default_app) as host:
        waiting = host.start("Approval", {"minutes": 0.03})
        host.wait_for_status(waiting, "Running")
        host.kill()
    with RunningHost(default_app) as host:
        assert host.wait_for_status(waiting, "Completed")["output"] == "Timed out"


def test_a_host_killed_in_the_middle_of_an_activity_runs_it_again_and_records_it_once(slow_app):
    with RunningHost(slow_app) as host:
        instance_id = host.start("SlowFlow")
        eventually(lambda: runs(slow_app), lambda lines: lines == ["quick", "slow"])
        host.kill()
    with RunningHost(slow_app) as host:
        eventually(lambda: runs(slow_app), lambda lines: lines == ["quick", "slow", "slow"])
        (slow_app / "function_app" / "Work" / "go").touch()
        payload = host.wait_for_status(instance_id, "Completed")
        assert payload["output"] == ["did quick", "did slow"]
        results = [event["Result"] for event in recorded(host, instance_id, "TaskCompleted")]
        assert results == ["did quick", "did slow"]


def test_a_killed_child_is_replaced_and_its_activity_runs_again(slow_app):
    with RunningHost(slow_app) as host:
        instance_id = host.start("SlowFlow")
        eventually(lambda: runs(slow_app), lambda lines: lines == ["quick", "slow"])
        (child,) = host.children
        os.kill(child, signal.SIGKILL)
        eventually(lambda: runs(slow_app), lambda lines: lines == ["quick", "slow", "slow"])
        assert host.children != [child]
        (slow_app / "function_app" / "Work" / "go").touch()
        payload = host.wait_for_status(instance_id, "Completed")
        assert payload["output"] == ["did quick", "did slow"]
        assert len(recorded(host, instance_id, "TaskCompleted")) == 2
        text = "\n".join(host.lines)
        assert "exited with code 137 (0x89); starting a new one in 0.1 s" in text


def test_hosts_killed_at_random_moments_finish_every_instance(slow_app):
    """Twelve starts over six lives; every acknowledged one ends with its three greetings."""
    started = []
    for life in range(6):
        with RunningHost(slow_app) as host:
            for _ in range(2):
                started.append(host.start("HelloSequence"))
            eventually(lambda: len(host.lines), lambda n, life=life: n > 20 + 4 * life, 10)
            host.kill()
    with RunningHost(slow_app) as host:
        for instance_id in started:
            payload = host.wait_for_status(instance_id, "Completed")
            assert payload["output"] == ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]
            assert len(recorded(host, instance_id, "TaskCompleted")) == 3
            assert len(recorded(host, instance_id, "ExecutionCompleted")) == 1
    database = sqlite3.connect(slow_app / ".durahost" / "hub.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_a_second_host_on_the_same_file_refuses_and_names_the_holder(default_app):
    with RunningHost(default_app) as host:
        second = subprocess.run(
            [sys.executable, "-m", "durahost", "start", "--port", "0"],
            cwd=default_app,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert second.returncode == 1
        assert f"{host.process.pid}" in second.stderr
        assert "hub.db" in second.stderr
        assert "Traceback" not in second.stderr
        assert host.wait_for_status(host.start("HelloSequence"), "Completed")
