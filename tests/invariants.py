"""The invariants of the engine, read from what a store holds: every violation is named.

Numbers are those of the engine's contract: history and commit I1-I13, life cycle I14-I21, messages
I22-I29, entities I30-I34. `violations` finds what no committed state may show, `Watch` what may not
change from one committed state to a later one. Those that only a run can show (no lost message,
order, attempts) are asserted where the run is.
"""

import json
from collections import Counter
from itertools import pairwise

from stored_rows import read_file

from durahost.codec import entity_messages, failures
from durahost.engine.transitions import EPISODE
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


def violations(rows):
    """Every violated invariant of every instance, as `I7 instance: what`."""
    hub = Hub(rows)
    found = [f"I17 {n} rows of {table} belong to no instance" for table, n in _orphans(rows)]
    for instance in rows.instances:
        of = hub.of(instance)
        checks = [*history_violations(of["history"]), *row_violations(instance, of["history"])]
        checks += [*_queues(instance, **of), *_calls(hub, instance, of["history"], of["inbox"])]
        checks += [*store_violations(instance, of["inbox"]), *_entity(instance, of["inbox"])]
        found += [f"{number} {instance['id']}: {text}" for number, text in checks]
    return found


def _orphans(rows):
    return [(table, count) for table, count in rows.orphans().items() if count]


class Hub:
    """Other instances of the hub that is looked at."""

    def __init__(self, rows):
        self._rows = rows
        self._by_id = {(row["hub"], row["id"]): row for row in rows.instances}
        self._of = {}

    def of(self, instance):
        key = instance["instance_row"]
        if key not in self._of:
            self._of[key] = self._rows.of(instance)
        return self._of[key]

    def find(self, asking, instance_id):
        return self._by_id.get((asking["hub"], instance_id))

    def has_call(self, caller, task_id):
        return any(
            event["kind"] == EventKind.SUB_ORCHESTRATION_CREATED and event["task_id"] == task_id
            for event in self.of(caller)["history"]
        )


def assert_invariants(path):
    """Fail with all violations in a file."""
    if path.exists():
        with read_file(path) as rows:
            assert_sound(rows)


def assert_sound(rows):
    """Fail with all violations."""
    found = violations(rows)
    assert found == [], "\n".join(found)


def assert_kept(rows):
    """Fail with what no store may show, whatever it was told to keep."""
    found = [f"I17 {n} rows of {table} belong to no instance" for table, n in _orphans(rows)]
    for instance in rows.instances:
        checks = store_violations(instance, rows.of(instance)["inbox"])
        found += [f"{number} {instance['id']}: {text}" for number, text in checks]
    assert found == [], "\n".join(found)


def history_violations(events):
    """What no history may show."""
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
    # A rewind takes failed steps away until they run again, an end those that a suspension held
    # back for ever; then ids have gaps.
    is_dense = sorted(own) == list(range(len(own)))
    is_cut = {EventKind.EXECUTION_SUSPENDED, EventKind.EXECUTION_COMPLETED} <= set(kinds)
    may_have_gaps = EventKind.EXECUTION_REWOUND in kinds or is_cut
    has_gaps = may_have_gaps and len(set(own)) == len(own)
    # A replay that differs from history ends with its own decisions, under ids that history has.
    is_diverged = f'"Result":"{failures.NON_DETERMINISM}' in (events[-2]["payload"] if own else "")
    if not is_dense and not has_gaps and not is_diverged:
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


def row_violations(instance, events):
    """What a row and its history may not show together."""
    yield from _suspension(instance, events)
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
    if status.is_terminal and task:
        yield "I17", f"ended with {len(task)} tasks"
    scheduled = {e["task_id"] for e in history if e["kind"] == EventKind.TASK_SCHEDULED}
    answers = {e["task_id"] for e in (*history, *inbox) if e["kind"] in ANSWERS}
    rows = {row["task_id"] for row in task}
    if not status.is_terminal and rows != scheduled - answers:
        yield "I12", f"tasks {sorted(rows)}, unanswered {sorted(scheduled - answers)}"
    timers = {e["task_id"] for e in history if e["kind"] == EventKind.TIMER_CREATED}
    fired = {e["task_id"] for e in (*history, *inbox) if e["kind"] == EventKind.TIMER_FIRED}
    if not status.is_terminal and timers - fired:
        yield "I25", f"timers {sorted(timers - fired)} will never fire"


def _is_answer(message):
    """An entity's, which waits in a failed instance for its rewind."""
    return message["kind"] == EventKind.EVENT_RAISED and message["execution_id"] is not None


def _suspension(instance, events):
    """I26: an episode that begins and ends suspended does nothing new."""
    is_suspended = False
    for episode in _episodes(events):
        was_suspended, is_resumed = is_suspended, False
        for event in episode:
            if event["kind"] == EventKind.EXECUTION_SUSPENDED:
                is_suspended = True
            elif event["kind"] == EventKind.EXECUTION_RESUMED:
                is_suspended, is_resumed = False, True
        new = [EventKind(e["kind"]).name for e in episode if e["kind"] in SCHEDULING]
        if was_suspended and not is_resumed and new:
            yield "I26", f"while suspended it did {new}"
    status = STATUSES[instance["status"]]
    says_so = status is RuntimeStatus.SUSPENDED
    if not status.is_terminal and status is not RuntimeStatus.PENDING and says_so != is_suspended:
        yield "I26", f"status {status.value}, history says suspended: {is_suspended}"


def _episodes(events):
    episode = []
    for event in events:
        episode.append(event)
        if event["kind"] == EventKind.ORCHESTRATOR_COMPLETED:
            yield episode
            episode = []


def _calls(hub, instance, history, inbox):
    """I13 and I19: an open call has its child, and a child its open call."""
    answered = {e["task_id"] for e in (*history, *inbox) if e["kind"] in ANSWERS}
    calls = {
        event["task_id"]: json.loads(event["payload"])["InstanceId"]
        for event in history
        if event["kind"] == EventKind.SUB_ORCHESTRATION_CREATED
    }
    if not STATUSES[instance["status"]].is_terminal:
        for task_id in calls.keys() - answered:
            child = hub.find(instance, calls[task_id])
            own = (instance["id"], instance["execution_id"], task_id)
            if child is None or STATUSES[child["status"]].is_terminal or _caller(child) != own:
                yield "I19", f"call {task_id} of {calls[task_id]!r} will never be answered"
    parent = hub.find(instance, instance["parent_id"])
    is_called = parent is not None and parent["execution_id"] == instance["parent_execution_id"]
    if is_called and not hub.has_call(parent, instance["parent_task_id"]):
        yield "I13", f"its caller {parent['id']!r} never called it"


def _caller(child):
    return child["parent_id"], child["parent_execution_id"], child["parent_task_id"]


def store_violations(instance, inbox):
    """What an instance's row and inbox may not show together.

    I20 and I21: what has messages is found by dispatchers, what has none occupies nobody.
    """
    status = STATUSES[instance["status"]]
    kept = [m for m in inbox if status is RuntimeStatus.FAILED and _is_answer(m)]
    if status.is_terminal and len(inbox) > len(kept):
        yield "I17", f"ended with {len(inbox)} messages"
    for message in inbox:
        if message["execution_id"] not in (None, instance["execution_id"]):
            yield "I24", f"a message for execution {message['execution_id']}"
    due = min((max(m["visible_at"], instance["scheduled_at"] or 0) for m in inbox), default=None)
    if status is RuntimeStatus.FAILED:
        due = None
    if instance["due_at"] != due:
        yield "I20", f"due at {instance['due_at']}, by its inbox {due}"
    # In a file there is no claim: `World.rest` looks at those that the host has in memory.
    owner = instance["claim_owner"] if "claim_owner" in instance.keys() else None  # noqa: SIM118
    if due is None and owner is not None:
        yield "I21", f"claimed by {owner} with nothing to do"


def _entity(instance, inbox):
    """I30-I34, as far as the scheduler's state and its inbox show them."""
    is_entity = instance["name"] == instance["id"] and instance["id"].startswith("@")
    if not is_entity or STATUSES[instance["status"]].is_terminal:
        return
    scheduler = entity_messages.decode_scheduler(instance["input"])
    status = entity_messages.decode_status(instance["custom_status"])
    told = (status.exists, status.queue_size, status.locked_by)
    if told != (scheduler.exists, len(scheduler.queue), scheduler.locked_by):
        yield "I34", f"its row tells {told}, its state is {scheduler}"
    ids = [request.request_id for request in scheduler.queue]
    ids += [request.request_id for request in map(_request, inbox) if request is not None]
    if len(set(ids)) != len(ids):
        yield "I31", f"requests twice: {ids}"
    if scheduler.is_suspended and entity_messages.CONTINUE not in [m["name"] for m in inbox]:
        yield "I20", "its batch was cut, and no message makes it go on"
    may_run = scheduler.queue and scheduler.locked_by in (None, scheduler.queue[0].parent)
    if may_run and not scheduler.is_suspended:
        yield "I32", f"{len(scheduler.queue)} requests wait for nothing"


def _request(message):
    if not (message["name"] or "").startswith(entity_messages.REQUEST):
        return None
    return entity_messages.decode_request(json.loads(message["payload"])["Input"])


class Watch:
    """What may not change between two looks at one file, crashes and restarts between them or not.

    Histories of one execution only grow (I1), statuses move as they may (I14), what has ended stays
    as it is (I27), and time does not go back (I15). A new row of the same id is another instance.
    """

    def __init__(self):
        self._seen = {}

    def look(self, rows):
        """Every violation since the last look."""
        seen, found = {}, []
        for row in rows.instances:
            events = [(event["kind"], event["payload"]) for event in rows.of(row)["history"]]
            key = row["instance_row"], row["execution_id"]
            seen[key] = row, events
            if key in self._seen:
                found += [
                    f"{number} {row['id']}: {text}"
                    for number, text in _changes(self._seen[key], seen[key])
                ]
        self._seen = seen
        return found

    def assert_kept(self, path):
        """Fail with all violations in a file."""
        if path.exists():
            with read_file(path) as rows:
                self.assert_none_lost(rows)

    def assert_none_lost(self, rows):
        """Fail with all violations."""
        found = self.look(rows)
        assert found == [], "\n".join(found)


def _changes(before, after):
    (old, past), (new, events) = before, after
    if events[: len(past)] != past:
        yield "I1", f"{len(past)} events of execution {new['execution_id']} were rewritten"
    was, now = STATUSES[old["status"]], STATUSES[new["status"]]
    if now is not was and now not in EPISODE[was]:
        yield "I14", f"{was.value} became {now.value}"
    if was.is_terminal and len(events) > len(past):
        yield "I27", f"it was {was.value}, and {len(events) - len(past)} events came after"
    if new["updated_at"] < old["updated_at"] or new["created_at"] != old["created_at"]:
        yield "I15", "its times went back"
