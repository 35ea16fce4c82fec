"""Code that changes under a running instance: Azure's text for clients, both places in the log."""

import sqlite3
from contextlib import closing

import pytest
from app_files import ORCHESTRATION
from running_host import RunningHost

pytestmark = pytest.mark.feature(
    "Non-determinism",
    "A hint with step, both actions and both places",
    "only in the host's log; Azure has none",
)


ACTIVITY = [{"name": "value", "type": "activityTrigger", "direction": "in"}]
FLOW = """\
import azure.durable_functions as df

def flow(context):
    yield context.call_activity("First", "x")
    yield context.wait_for_external_event("Go")

main = df.Orchestrator.create(flow)
"""


def test_the_log_shows_both_actions_and_the_instance_azures_text(default_app, write_function):
    functions = default_app / "function_app"
    for name in ("First", "Second"):
        write_function(
            functions, name, ACTIVITY, "def main(value: str) -> str:\n    return value\n"
        )
    write_function(functions, "Flow", ORCHESTRATION, FLOW)
    with RunningHost(default_app) as host:
        started = host.start("Flow")
        host.wait_for_status(started, "Running")
        changed = FLOW.replace('"First"', '"Second"').replace("def flow", "\n\ndef flow")
        write_function(functions, "Flow", ORCHESTRATION, changed)
        host.wait_for_line(r"^reloaded in")
        host.raise_event(started, "Go", 1)
        payload = host.wait_for_status(started, "Failed")
        assert payload["output"].startswith(
            "Non-Deterministic workflow detected: A previous execution of this orchestration "
            "scheduled an activity task with sequence number 0 named 'First', but the current "
            "orchestration replay instead scheduled an activity task named 'Second'"
        )
        history = host.status(started, showHistory="true", showHistoryOutput="true").text
        assert "__init__.py" not in history
        host.wait_for_line("is not deterministic: at step 0")
        recorded = host.wait_for_line("recorded:")
        assert recorded.endswith("activity 'First' at Flow/__init__.py:4")
        current = host.wait_for_line("current:")
        assert current.endswith("activity 'Second' at Flow/__init__.py:6")
    with closing(sqlite3.connect(default_app / ".durahost" / "hub.db")) as database:
        sites = database.execute("SELECT name, site FROM history WHERE site IS NOT NULL").fetchall()
    assert sites == [("First", "Flow/__init__.py:4"), ("Second", "Flow/__init__.py:6")]
