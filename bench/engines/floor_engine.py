"""The engine floor: the SDK's replay and SQLite commits in one process, without any host.

One thread, one connection, no HTTP, no scheduling, no logs. An instance of W1 takes the eight
transactions any durable host needs: one start, four episodes, three activity results. W1-1 has one
transaction a commit; W1-100 shares each commit among up to 32 instances. Every episode hands the
whole history to the SDK, whose timestamp parse is replaced by a quick one.
"""

import json
import sqlite3
import sys
import tempfile
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

import azure.durable_functions as df
from load import perf, report, summary

# The module, not the class of the same name that its package exports.
history_event = sys.modules["azure.durable_functions.models.history.HistoryEvent"]
history_event.dt_parse = lambda text: datetime.fromisoformat(text[:26] + "+00:00")

TABLES = """
CREATE TABLE instances(id TEXT PRIMARY KEY, status TEXT, output TEXT) WITHOUT ROWID;
CREATE TABLE history(id TEXT, seq INTEGER, body TEXT, PRIMARY KEY(id, seq)) WITHOUT ROWID;
CREATE TABLE tasks(id TEXT, task INTEGER, input TEXT, PRIMARY KEY(id, task)) WITHOUT ROWID;
CREATE TABLE inbox(id TEXT, task INTEGER, result TEXT, PRIMARY KEY(id, task)) WITHOUT ROWID;
"""
EXECUTION_STARTED, TASK_SCHEDULED, TASK_COMPLETED, BEGIN, END = 0, 4, 5, 12, 13


def sequence(context):
    greetings = []
    for city in ("Tokyo", "Seattle", "London"):
        greetings.append((yield context.call_activity("say_hello", city)))
    return greetings


def fan(context):
    tasks = [context.call_activity("say_hello", str(n)) for n in range(context.get_input())]
    return len((yield context.task_all(tasks)))


def event(kind, event_id=-1, **more):
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"  # noqa: TID251  # no Clock here
    return {"EventType": kind, "EventId": event_id, "IsPlayed": False, "Timestamp": now, **more}


class Instance:
    """One instance; each call of `step` does the work and the writes of one transaction."""

    def __init__(self, database, number, orchestrator, value):
        self._execute = database.execute
        self._id, self._value = f"i{number:08}", json.dumps(value)
        self._replay = df.Orchestrator.create(orchestrator)
        self._seq = self._scheduled = 0
        self._open, self._ready = deque(), []
        self._next = self._start
        self.begun = perf()

    @property
    def is_done(self):
        return self._next is None

    @property
    def is_activity(self):
        return self._next == self._activity

    def step(self):
        self._next()

    def _start(self):
        self._execute("INSERT INTO instances VALUES(?, 'Pending', NULL)", (self._id,))
        self._next = self._episode

    def _activity(self):
        task, text = self._open.popleft()
        self._execute("DELETE FROM tasks WHERE id=? AND task=?", (self._id, task))
        result = json.dumps(f"Hello {json.loads(text)}!")
        self._execute("INSERT INTO inbox VALUES(?,?,?)", (self._id, task, result))
        self._ready.append((task, result))
        if not self._open:
            self._next = self._episode

    def _episode(self):
        new = [event(BEGIN)]
        if not self._seq:
            new.append(event(EXECUTION_STARTED, Name="o", Version="", Input=self._value))
        new += [event(TASK_COMPLETED, TaskScheduledId=i, Result=r) for i, r in self._ready]
        answer = json.loads(self._replay(self._context(new)))
        self._execute("DELETE FROM inbox WHERE id=?", (self._id,))
        self._ready = []
        for one in new:
            one["IsPlayed"] = True
        if not answer["isDone"]:
            new += self._schedule(answer["actions"])
        self._append([*new, {**event(END), "IsPlayed": True}])
        status, output = "Running", None
        if answer["isDone"]:
            status, output = "Completed", json.dumps(answer["output"])
        row = (status, output, self._id)
        self._execute("UPDATE instances SET status=?, output=? WHERE id=?", row)
        self._next = None if answer["isDone"] else self._activity

    def _context(self, new):
        query = "SELECT body FROM history WHERE id=? ORDER BY seq"
        past = [body for (body,) in self._execute(query, (self._id,))]
        history = ",".join(past + [json.dumps(one) for one in new])
        return (
            f'{{"history":[{history}],"instanceId":"{self._id}","isReplaying":false,'
            f'"parentInstanceId":null,"input":{json.dumps(self._value)},'
            '"upperSchemaVersion":2,"upperSchemaVersionNew":4}'
        )

    def _schedule(self, batches):
        listed = [action for batch in batches for action in batch]
        flat = [leaf for action in listed for leaf in action.get("compoundActions") or [action]]
        events = []
        for action in flat[self._scheduled :]:
            named = {"Name": action["functionName"], "Input": action["input"]}
            events.append({**event(TASK_SCHEDULED, self._scheduled, **named), "IsPlayed": True})
            row = (self._id, self._scheduled, action["input"])
            self._execute("INSERT INTO tasks VALUES(?,?,?)", row)
            self._open.append((self._scheduled, action["input"]))
            self._scheduled += 1
        return events

    def _append(self, events):
        for one in events:
            row = (self._id, self._seq, json.dumps(one))
            self._execute("INSERT INTO history VALUES(?,?,?)", row)
            self._seq += 1


def run(orchestrator, value, count, at_once, group):
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.executescript(TABLES)
        waiting, latencies = deque(range(count)), []
        active, begun = deque(), perf()
        while waiting or active:
            while waiting and len(active) < at_once:
                active.append(Instance(database, waiting.popleft(), orchestrator, value))
            database.execute("BEGIN IMMEDIATE")
            ended = [one for one in _transact(active, group) if one.is_done]
            database.execute("COMMIT")
            now = perf()
            latencies += [now - one.begun for one in ended]
        wall = perf() - begun
        database.close()
    return wall, latencies


def _transact(active, group):
    """One transaction of each of the next `group` instances; of one alone, several activities."""
    stepped = []
    for _ in range(group):
        if not active:
            break
        one = active.popleft()
        was_activity = one.is_activity
        one.step()
        stepped.append(one)
        if not one.is_done:
            active.append(one)
        if len(active) <= 1 and not (was_activity and one.is_activity):
            break
    return stepped


def main(wanted):
    if "W1-1" in wanted:
        report("W1-1", **summary(*run(sequence, None, 300, 1, 1)))
    if "W1-100" in wanted:
        report("W1-100", **summary(*run(sequence, None, 1000, 100, 32)))
    if "W2-1000" in wanted:
        wall, _ = run(fan, 1000, 1, 1, 32)
        report("W2-1000", wall_s=round(wall, 4))


if __name__ == "__main__":
    main(sys.argv[1:])
