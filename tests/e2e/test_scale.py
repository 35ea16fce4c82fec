"""Many of everything, against a real host: all of it ends, and others are served meanwhile.

DURAHOST_TEST_SCALE=20 makes the numbers those of docs/limits.md (10,000 activities and events,
2,000 children, 1,000 generations, 1,000 waiting instances).
"""

import json
import os
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from app_files import ENTITY, ORCHESTRATION, copy_app, orchestrator, write_function
from running_host import RunningHost, eventually

SCALE = int(os.environ.get("DURAHOST_TEST_SCALE", "1"))
LIMIT_S = 30.0 + 15.0 * SCALE
CLIENTS = 4
MANAGEMENT = "/runtime/webhooks/durabletask"
ACTIVITY = [{"name": "value", "type": "activityTrigger", "direction": "in"}]
MANY = pytest.mark.feature(
    "Unusual input", "Many activities, children, events, signals, generations, waiting instances"
)


def flow(body):
    """An orchestrator whose input is the number `n`."""
    return orchestrator(f"n = context.get_input()\n{body.strip()}")


FUNCTIONS = {
    "Fan": (
        ORCHESTRATION,
        flow(
            """
calls = [context.call_activity("Echo", number) for number in range(n)]
return sum((yield context.task_all(calls)))
"""
        ),
    ),
    "Parent": (
        ORCHESTRATION,
        flow(
            """
calls = [context.call_sub_orchestrator("Leaf", number) for number in range(n)]
return sum((yield context.task_all(calls)))
"""
        ),
    ),
    "Chain": (
        ORCHESTRATION,
        flow(
            """
for number in range(n):
    yield context.call_activity("Echo", number)
return n
"""
        ),
    ),
    "Waits": (
        ORCHESTRATION,
        flow(
            """
for number in range(n):
    yield context.wait_for_external_event("Tick")
return n
"""
        ),
    ),
    "Again": (
        ORCHESTRATION,
        flow(
            """
if n > 0:
    context.continue_as_new(n - 1)
    return
return "end"
"""
        ),
    ),
    "Signals": (
        ORCHESTRATION,
        flow(
            """
for number in range(n):
    context.signal_entity(df.EntityId("Count", context.instance_id), "add", 1)
return n
"""
        ),
    ),
    "Long": (
        ORCHESTRATION,
        flow(
            """
calls = [context.call_activity("Echo", number) for number in range(n)]
found = sum((yield context.task_all(calls)))
for number in range(3 * n):
    context.signal_entity(df.EntityId("Count", context.instance_id), "add", 1)
more = yield context.wait_for_external_event("Go")
return found + (yield context.call_activity("Echo", more))
"""
        ),
    ),
    "Wait": (ORCHESTRATION, flow('return (yield context.wait_for_external_event("Go"))')),
    "Leaf": (ORCHESTRATION, flow("return n")),
    "Echo": (ACTIVITY, "def main(value):\n    return int(value)\n"),
    "Count": (
        ENTITY,
        "import azure.durable_functions as df\n\ndef entity(context):\n"
        "    context.set_state(context.get_state(lambda: 0) + 1)\n\n"
        "main = df.Entity.create(entity)\n",
    ),
}


class Busy:
    """A host, and what this file does with it."""

    def __init__(self, host):
        self.host = host
        self.client = host.client
        self.database = next(host.root.glob("**/.durahost/hub.db"))

    def start(self, name, number, instance_id=""):
        path = f"{MANAGEMENT}/orchestrators/{name}/{instance_id}".rstrip("/")
        response = self.client.post(path, json=json.dumps(number))
        assert response.status_code == 202, response.text
        return response.json()["id"]

    def output(self, instance_id):
        """The output once it has ended."""
        payload = eventually(
            lambda: self.host.status(instance_id, showInput="false").json(),
            lambda status: status["runtimeStatus"] not in ("Pending", "Running"),
            LIMIT_S,
        )
        assert payload["runtimeStatus"] == "Completed", payload
        return payload["output"]

    def assert_serves(self):
        """Somebody else's short chain ends."""
        assert self.output(self.start("Chain", 2)) == 2

    def post_all(self, paths, body):
        """Post to all paths from several clients; every one must be accepted."""

        def post(some):
            with httpx.Client(base_url=self.client.base_url, timeout=LIMIT_S) as client:
                return Counter(client.post(path, json=body).status_code for path in some)

        with ThreadPoolExecutor(CLIENTS) as pool:
            counts = sum(pool.map(post, [paths[n::CLIENTS] for n in range(CLIENTS)]), Counter())
        assert counts == {202: len(paths)}

    def scalar(self, query):
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            return database.execute(query).fetchone()[0]

    @property
    def threads_and_kb(self):
        """Threads and resident memory of the host, and the sum of both over its children."""
        pids = [self.host.process.pid, *self.host.children]
        found = [Path(f"/proc/{pid}/status").read_text().splitlines() for pid in pids]
        numbers = [dict(line.split(":", 1) for line in lines if ":" in line) for lines in found]
        return [(int(one["Threads"]), int(one["VmRSS"].split()[0])) for one in numbers]


def write_app(root):
    copy_app(root)
    for name, (bindings, code) in FUNCTIONS.items():
        write_function(root / "function_app", name, bindings, code)
    return root


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    with RunningHost(write_app(tmp_path_factory.mktemp("busy") / "app")) as running:
        yield Busy(running)


@MANY
def test_a_wide_fan_out(busy):
    count = 500 * SCALE
    instance_id = busy.start("Fan", count)
    busy.assert_serves()
    assert busy.output(instance_id) == sum(range(count))


@pytest.mark.feature("Unusual input", "A history of 5,000 events, replayed after a restart")
def test_a_history_of_5000_events_goes_on_after_a_restart(tmp_path):
    count = 1000
    root = write_app(tmp_path / "app")
    with RunningHost(root) as running:
        busy = Busy(running)
        instance_id = busy.start("Long", count, "long")
        of_it = "instance_row IN (SELECT instance_row FROM instance WHERE id = 'long')"
        events = f"SELECT count(*) FROM history WHERE {of_it}"
        eventually(lambda: busy.scalar(events), lambda found: found > 5 * count, LIMIT_S)
        running.kill()
    with RunningHost(root) as running:
        busy = Busy(running)
        assert running.raise_event(instance_id, "Go", 7).status_code == 202
        assert busy.output(instance_id) == sum(range(count)) + 7
        # 5 = TaskCompleted, 14 = EventSent: each once, whatever was replayed.
        assert busy.scalar(f"{events} AND kind = 5") == count + 1
        assert busy.scalar(f"{events} AND kind = 14") == 3 * count
        path = f"{MANAGEMENT}/entities/count/{instance_id}"
        eventually(lambda: busy.client.get(path).text, lambda t: t == str(3 * count), LIMIT_S)


@MANY
def test_many_children_of_one_parent(busy):
    count = 100 * SCALE
    instance_id = busy.start("Parent", count)
    busy.assert_serves()
    assert busy.output(instance_id) == sum(range(count))


@MANY
def test_a_long_chain(busy):
    count = 60 * SCALE
    instance_id = busy.start("Chain", count)
    busy.assert_serves()
    assert busy.output(instance_id) == count


@MANY
def test_many_generations_in_a_tight_loop(busy):
    count = 50 * SCALE
    instance_id = busy.start("Again", count)
    busy.assert_serves()
    assert busy.output(instance_id) == "end"
    query = f"SELECT generation FROM instance WHERE id = '{instance_id}'"
    assert busy.scalar(query) == count


@MANY
def test_many_events_of_one_name(busy):
    count = 500 * SCALE
    instance_id = busy.start("Waits", count)
    path = f"{MANAGEMENT}/instances/{instance_id}/raiseEvent/Tick"
    busy.post_all([path] * count, 1)
    busy.assert_serves()
    assert busy.output(instance_id) == count


@MANY
def test_many_events_that_nobody_waits_for(busy):
    count = 500 * SCALE
    instance_id = busy.start("Wait", None)
    path = f"{MANAGEMENT}/instances/{instance_id}/raiseEvent"
    busy.post_all([f"{path}/Name{number}" for number in range(count)], 1)
    busy.assert_serves()
    assert busy.host.raise_event(instance_id, "Go", "heard").status_code == 202
    assert busy.output(instance_id) == "heard"


@MANY
def test_many_signals_to_one_entity(busy):
    count = 500 * SCALE
    instance_id = busy.start("Signals", count)
    busy.assert_serves()
    assert busy.output(instance_id) == count
    path = f"{MANAGEMENT}/entities/count/{instance_id}"
    eventually(lambda: busy.client.get(path).text, lambda text: text == str(count), LIMIT_S)


@MANY
def test_instances_that_wait_occupy_nothing(busy):
    count = 50 * SCALE
    waiting = "SELECT count(*) FROM instance WHERE name = 'Wait' AND status = 0"
    before = busy.threads_and_kb
    busy.post_all([f"{MANAGEMENT}/orchestrators/Wait/wait{n}" for n in range(count)], "1")
    is_idle = f"{waiting} AND due_at IS NULL"
    eventually(lambda: busy.scalar(is_idle), lambda found: found == count, LIMIT_S)
    after = busy.threads_and_kb
    # Threads are kept for as many episodes as may run at once, whoever runs them.
    assert after[0][0] <= before[0][0] + 2
    assert sum(kb for _, kb in after) - sum(kb for _, kb in before) < 20_000
    busy.assert_serves()
    busy.post_all([f"{MANAGEMENT}/instances/wait{n}/raiseEvent/Go" for n in range(count)], 1)
    eventually(lambda: busy.scalar(waiting), lambda found: found == 0, LIMIT_S)
