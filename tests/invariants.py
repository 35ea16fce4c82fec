"""The invariants of the engine, read from a task hub's database: every violation is named.

Numbers are those of the engine's contract: history and commit I1-I13, life cycle I14-I21, messages
I22-I29,
entities I30-I34. Those that only a run can show (no early timer, no lost message, exclusivity) are
asserted where
the run is; here stands what any committed state must satisfy.
"""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from itertools import pairwise

from durahost.model.events import ANSWERS, SCHEDULING, EventKind
from durahost.model.status import RuntimeStatus

STATUSES = {status.number: status for status in RuntimeStatus}
ENDS = (EventKind.EXECUTION_COMPLETED, EventKind.CONTINUE_AS_NEW)
ANSWER_OF = {
    EventKind.TASK_COMPLETED: EventKind.TASK_SCHEDULED,
    EventKind.TASK_FAILED: EventKind.TASK_SCHEDULED,
    EventKind.SUB_ORCHESTRATION_COMPLETED: EventKind.SUB_ORCHESTRATION_CREATED,
    EventKind.SUB_ORCHESTRATION_FAILED: EventKind.SUB_ORCHESTRATION_CREATED,
    EventKind.TIMER_FIRED: EventKind.TIMER_CREATED,
}


def violations(path):
    """Every violated invariant of every instance in the file, as `I7 instance: what`."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        instances = database.execute("SELECT * FROM instance").fetchall()
        found = list(_orphans(database))
        for instance in instances:
            rows = {
                table: database.execute(
                    f"SELECT * FROM {table} WHERE instance_row = ? ORDER BY 1, 2",
                    (instance["instance_row"],),
                ).fetchall()
                for table in ("history", "inbox", "task")
            }
            checks = [*_history(rows["history"]), *_row(instance, rows["history"])]
            checks += [*_queues(instance, **rows)]
            found += [f"{number} {instance['id']}: {text}" for number, text in checks]
    return found


def assert_invariants(path):
    """Fail with all violations."""
    if path.exists():
        found = violations(path)
        assert found == [], "\n".join(found)


def _orphans(database):
    for table in ("history", "inbox", "task"):
        query = (
            f"SELECT count(*) FROM {table} "
            "WHERE instance_row NOT IN (SELECT instance_row FROM instance)"
        )
        (count,) = database.execute(query).fetchone()
        if count:
            yield f"I17 {count} rows of {table} belong to no instance"


def _history(events):
    kinds = [EventKind(event["kind"]) for event in events]
    if [event["seq"] for event in events] != list(range(len(events))):
        yield "I3", f"sequence numbers {[event['seq'] for event in events]}"
    yield from _frames(kinds)
    if kinds and kinds.count(EventKind.EXECUTION_STARTED) != 1:
        yield "I4", f"{kinds.count(EventKind.EXECUTION_STARTED)} ExecutionStarted"
    if kinds and kinds[1] is not EventKind.EXECUTION_STARTED:
        yield "I4", f"second event is {kinds[1].name}"
    yield from _ends(kinds)
    yield from _ids(events, kinds)
    times = [e["timestamp"] for e in events if e["kind"] == EventKind.ORCHESTRATOR_STARTED]
    if any(later < earlier for earlier, later in pairwise(times)):
        yield "I15", "the time of episodes goes back"


def _frames(kinds):
    is_open = False
    for kind in kinds:
        if kind is EventKind.ORCHESTRATOR_STARTED:
            if is_open:
                yield "I2", "an episode begins inside another one"
            is_open = True
        elif not is_open:
            yield "I2", f"{kind.name} outside an episode"
        elif kind is EventKind.ORCHESTRATOR_COMPLETED:
            is_open = False
    if is_open:
        yield "I2", "an episode does not end"


def _ends(kinds):
    ends = [n for n, kind in enumerate(kinds) if kind in ENDS]
    if len(ends) > 1:
        yield "I5", f"{len(ends)} ends"
    if ends and kinds[ends[-1] + 1 :] != [EventKind.ORCHESTRATOR_COMPLETED]:
        yield "I5", f"{[kind.name for kind in kinds[ends[-1] + 1 :]]} after the end"


def _ids(events, kinds):
    created, answered = {}, Counter()
    for event, kind in zip(events, kinds, strict=True):
        if kind in SCHEDULING:
            created[event["task_id"]] = (kind, event)
        elif kind in ANSWERS:
            answered[event["task_id"]] += 1
            known = created.get(event["task_id"])
            if known is None or known[0] is not ANSWER_OF[kind]:
                yield "I6", f"{kind.name} {event['task_id']} answers nothing"
    own = [
        e["task_id"] for e, kind in zip(events, kinds, strict=True) if kind in (*SCHEDULING, *ENDS)
    ]
    # A rewind takes failed steps away until they run again, so ids may have gaps meanwhile.
    is_dense = sorted(own) == list(range(len(own)))
    is_rewound = EventKind.EXECUTION_REWOUND in kinds and len(set(own)) == len(own)
    if not is_dense and not is_rewound:
        yield "I8", f"ids {own}"
    for task_id, count in answered.items():
        if count > 1:
            yield "I7", f"task {task_id} was answered {count} times"
    yield from _early_timers(events, kinds)


def _early_timers(events, kinds):
    started = 0
    for event, kind in zip(events, kinds, strict=True):
        if kind is EventKind.ORCHESTRATOR_STARTED:
            started = event["payload"]
        elif kind is EventKind.TIMER_FIRED:
            now, fire_at = json.loads(started)["Timestamp"], json.loads(event["payload"])["FireAt"]
            if _comparable(now) < _comparable(fire_at):
                yield "I25", f"timer {event['task_id']} fired at {now}, before {fire_at}"


def _comparable(time):
    whole, _, fraction = time.rstrip("Z").partition(".")
    return whole, fraction.ljust(7, "0")


def _row(instance, events):
    status = STATUSES[instance["status"]]
    has_end = any(event["kind"] == EventKind.EXECUTION_COMPLETED for event in events)
    if status.is_terminal != has_end and not (status.is_terminal and not events):
        yield "I10", f"status {status.value}, {'an' if has_end else 'no'} ExecutionCompleted"
    if status is RuntimeStatus.COMPLETED:
        still_open = _open_ids(events)
        if still_open:
            yield "I18", f"Completed with open tasks {still_open}"
    if instance["updated_at"] < instance["created_at"]:
        yield "I15", "updated before it was created"
    if instance["next_seq"] != len(events):
        yield "I3", f"next_seq is {instance['next_seq']}, history has {len(events)} events"


def _open_ids(events):
    """Ids of unanswered activities and children; timers may be cancelled, which history does not
    show.
    """
    kinds = (EventKind.TASK_SCHEDULED, EventKind.SUB_ORCHESTRATION_CREATED)
    created = {event["task_id"] for event in events if event["kind"] in kinds}
    return sorted(created - {event["task_id"] for event in events if event["kind"] in ANSWERS})


def _queues(instance, history, inbox, task):
    status = STATUSES[instance["status"]]
    if status.is_terminal and (inbox or task):
        yield "I17", f"ended with {len(inbox)} messages and {len(task)} tasks"
    for message in inbox:
        if message["execution_id"] not in (None, instance["execution_id"]):
            yield "I24", f"a message for execution {message['execution_id']}"
    scheduled = {e["task_id"] for e in history if e["kind"] == EventKind.TASK_SCHEDULED}
    answers = {e["task_id"] for e in (*history, *inbox) if e["kind"] in ANSWERS}
    rows = {row["task_id"] for row in task}
    if not status.is_terminal and rows != scheduled - answers:
        yield "I12", f"tasks {sorted(rows)}, unanswered {sorted(scheduled - answers)}"
    timers = {e["task_id"] for e in history if e["kind"] == EventKind.TIMER_CREATED}
    fired = {e["task_id"] for e in (*history, *inbox) if e["kind"] == EventKind.TIMER_FIRED}
    if not status.is_terminal and timers - fired:
        yield "I25", f"timers {sorted(timers - fired)} will never fire"
