"""Orchestrators that live on answer as replays do; who has no such session says so."""

import copy
import importlib.metadata
import json
import sys
from pathlib import Path

import azure.durable_functions as df
import pytest
from azure.durable_functions.models.TaskOrchestrationExecutor import TaskOrchestrationExecutor

from durahost.child import live
from durahost.child.sessions import Ask, SessionLost, Sessions
from durahost.child.sites import note_sites, watch
from durahost.model.events import DECISIONS

pytestmark = pytest.mark.filterwarnings("ignore:Potential duplicate Task completion")

HISTORIES = sorted((Path(__file__).parents[2] / "histories").glob("*.json"))
T0 = "2026-01-05T10:00:00Z"


def ask(key, follows=None, replaces=None, idle_s=30):
    return Ask({"key": key, "follows": follows, "replaces": replaces, "idle_s": idle_s})


def told(call):
    """The state, by whichever way it comes, or the error."""
    try:
        return "returned", json.loads(call())
    except SessionLost:
        raise
    except Exception as error:  # noqa: BLE001 - the SDK raises a bare one
        text, found, state = str(error).partition("$OutOfProcData$:")
        return text, json.loads(state) if found else None


def event(kind, played=False, number=-1, **more):
    return {"EventType": kind, "EventId": number, "IsPlayed": played, "Timestamp": T0, **more}


STARTED = [event(12), event(0, Name="o", Version="", Input=None)]


def completed(number, result="1"):
    return event(5, TaskScheduledId=number, Result=json.dumps(result))


def context(history, **more):
    return json.dumps(
        {
            "history": history,
            "input": None,
            "instanceId": "i",
            "isReplaying": False,
            "parentInstanceId": None,
            "upperSchemaVersionNew": 2,
            **more,
        }
    )


def chain(context):
    """Asks for one activity after the other."""
    found = []
    while True:
        found.append((yield context.call_activity("A", len(found))))


CHAIN = df.Orchestrator.create(chain)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


# As a replay answers -----------------------------------------------------------------------------


def executions():
    """Recorded orchestrations, each with the contexts of one execution after the other."""
    for path in HISTORIES:
        recorded = json.loads(path.read_text(encoding="utf-8"))
        contexts = [episode["context"] for episode in recorded["episodes"]]
        if contexts[0].get("upperSchemaVersionNew") == 2:
            yield pytest.param(recorded, contexts, id=path.stem)


def execution_of(context):
    started = next(one for one in context["history"] if one["EventType"] == 0)
    return started["OrchestrationInstance"]["ExecutionId"]


@pytest.mark.parametrize(("recorded", "contexts"), list(executions()))
def test_recorded_orchestrations_answer_what_they_answer_to_a_replay(recorded, contexts):
    names = {}
    exec(recorded["preamble"] + recorded["source"], names)
    handle = df.Orchestrator.create(names[recorded["orchestrator"]])
    sessions, follows, seen, actions = Sessions(), None, [], []
    for number, whole in enumerate(contexts):
        history = whole["history"]
        expected = told(lambda whole=whole: handle(json.dumps(whole)))
        this = ask(str(number), follows)
        goes_on = follows is not None and execution_of(whole) == execution_of(seen)
        if goes_on:
            text = json.dumps(history[len(seen["history"]) :])
        else:
            this.follows, text = None, json.dumps(whole)
        answer = told(lambda this=this, text=text: sessions.run(this, handle, text, []))
        if answer[1] is not None:
            answer[1]["actions"][0][:0] = actions[: this.kept]
            actions = answer[1]["actions"][0]
        if recorded["name"] == "deterministic_values" and answer[1].get("output"):
            # It answers with is_replaying, which a replay sees of steps taken before.
            for steps in (answer[1]["output"], expected[1]["output"]):
                steps[:] = [values[:-1] for values in steps]
        assert answer == expected
        seen, follows = whole, this.key if this.is_alive else None


class Noted:
    """Wraps an orchestrator: what it sees at each step it takes, at the first time it is there."""

    def __init__(self, steps):
        self.steps = steps
        self.seen = {}

    def __call__(self, context):
        taken = 0
        for value in self.steps(context):
            self._note(context, taken)
            try:
                sent = yield value
            except Exception as error:  # noqa: BLE001 - as the SDK throws it
                sent = error
            taken += 1
            self._note(context, taken + 0.5)
            self.last = sent
        self._note(context, "end")
        return taken

    def _note(self, context, step):
        history = [(one.event_type, one.is_played, str(one.timestamp)) for one in context.histories]
        now, guid = context.current_utc_datetime, context.new_guid()
        seen = context.is_replaying, str(now), str(guid), history, context.new_uuid()
        self.seen.setdefault(step, seen)


def eager(context):
    """Awaits what has ended before, in compounds made early and late, and what came too early."""
    tasks = [context.call_activity("A", number) for number in range(4)]
    first = context.task_any(tasks[:2])
    yield first
    yield context.call_activity("B")
    yield tasks[1]
    both = context.task_all([tasks[2], context.task_any(tasks[2:])])
    yield both
    yield context.wait_for_external_event("early")
    yield context.call_activity_with_retry("C", df.RetryOptions(1000, 2))
    yield context.task_all(tasks)
    timer = context.create_timer(context.current_utc_datetime.replace(hour=23))
    yield context.task_any([timer, context.wait_for_external_event("go")])
    timer.cancel()
    yield context.call_activity("D")


def test_the_code_sees_the_same_when_it_is_there_for_the_first_time():
    """Time passes, messages come alone and together, early and late, over many episodes."""
    failed = event(6, TaskScheduledId=5, Reason="r", Details="d")
    messages = [
        [completed(1)],
        [event(15, Name="early", Input='"x"')],
        [completed(0), completed(2)],
        [],
        [completed(4), event(15, Name="other", Input=None)],
        [completed(3)],
        [failed, completed(4)],
        [event(11, TimerId=6), completed(7)],
        [event(15, Name="go", Input="1")],
        [event(11, TimerId=8), completed(9)],
    ]
    replayed, lived = Noted(eager), Noted(eager)
    replay, live_on = df.Orchestrator.create(replayed.__call__), Sessions()
    handle = df.Orchestrator.create(lived.__call__)
    for one in (replay, handle):
        # A bound method is no generator function for the SDK's eyes, but it makes generators.
        assert one.__qualname__ == live.HANDLE
    past, follows, actions, unseen = [], None, [], []
    for number, new in enumerate([STARTED[1:], *messages]):
        stamp = f"2026-01-05T10:{number:02}:00Z"
        fresh = [{**one, "Timestamp": stamp} for one in [event(12), *copy.deepcopy(new)]]
        expected = json.loads(replay(context([*past, *fresh])))
        this = ask(str(number), follows)
        text = context(fresh) if follows is None else json.dumps([*unseen, *fresh])
        answer = json.loads(live_on.run(this, handle, text, []))
        answer["actions"][0][:0] = actions[: this.kept]
        actions = answer["actions"][0]
        assert answer == expected
        assert lived.seen == replayed.seen
        written = [event(4, number=100), {**event(13), "Timestamp": stamp}]
        played = [{**one, "IsPlayed": one["EventType"] not in DECISIONS} for one in fresh]
        past, unseen, follows = [*past, *played, *written], written, this.key
    assert lived.seen["end"][0] is False
    assert any(was_replaying for was_replaying, *_ in lived.seen.values())


def test_the_kinds_that_an_episode_writes_are_the_engine_s():
    assert set(live.WRITTEN_BY_EPISODES) == {kind.value for kind in DECISIONS}


def test_sites_are_those_of_the_actions_that_are_answered(tmp_path):
    handle = df.Orchestrator.create(chain)
    watch(handle, str(Path(__file__).parent))
    sessions, sites, later = Sessions(), [], []
    with note_sites(sites):
        sessions.run(ask("1"), handle, context(STARTED), sites)
    with note_sites(later):
        sessions.run(ask("2", "1"), handle, json.dumps([event(12), completed(0)]), later)
    line = chain.__code__.co_firstlineno + 4
    assert sites[:1] == later == [f"{Path(__file__).name}:{line}"]


# Keys, bounds, ends ------------------------------------------------------------------------------


def begin(sessions, key, **more):
    this = ask(key, **more)
    sessions.run(this, CHAIN, context(STARTED), [])
    return this


def follow(sessions, key, follows, events=None):
    this = ask(key, follows)
    events = [event(12), completed(0)] if events is None else events
    return this, json.loads(sessions.run(this, CHAIN, json.dumps(events), []))


def test_only_the_last_key_can_be_followed():
    sessions = Sessions()
    assert begin(sessions, "1").told() == {"is_alive": True, "kept": 0}
    this, answer = follow(sessions, "2", "1")
    assert this.told() == {"is_alive": True, "kept": 1}
    assert [one["input"] for one in answer["actions"][0]] == ["1"]
    for key in ("1", "unknown"):
        with pytest.raises(SessionLost):
            follow(sessions, "3", key)
    this, answer = follow(sessions, "3", "2", [event(12), completed(1)])
    assert (this.kept, answer["actions"][0][0]["input"]) == (2, "2")


def test_one_that_is_replaced_is_gone():
    sessions = Sessions()
    begin(sessions, "1")
    begin(sessions, "2", replaces="1")
    begin(sessions, "3", replaces="never there")
    with pytest.raises(SessionLost):
        follow(sessions, "4", "1")
    assert follow(sessions, "4", "2")[0].is_alive


def test_the_one_used_longest_ago_goes_first_and_the_last_one_always_stays():
    ended = []
    sessions = Sessions(max_events=5, end=ended.append)
    begin(sessions, "1")
    begin(sessions, "2")
    follow(sessions, "1b", "1")
    assert len(ended) == 1
    with pytest.raises(SessionLost):
        follow(sessions, "3", "2")
    many = [event(12), *[event(17) for _ in range(50)], completed(1)]
    assert follow(sessions, "3", "1b", many)[0].is_alive
    assert follow(sessions, "4", "3", [event(12), completed(2)])[0].is_alive


def test_one_that_is_not_used_in_time_is_ended():
    clock, ended = Clock(), []
    sessions = Sessions(clock, end=ended.append)
    assert sessions.expire() is None
    begin(sessions, "1")
    clock.now = 10
    begin(sessions, "2")
    assert sessions.expire() == 20
    clock.now = 30
    assert sessions.expire() == 10
    assert len(ended) == 1
    with pytest.raises(SessionLost):
        follow(sessions, "3", "1")
    follow(sessions, "3", "2")
    clock.now = 61
    assert sessions.expire() is None


def test_what_waits_in_the_code_is_left_when_a_session_ends(caplog):
    left = []

    def careful(context):
        try:
            yield context.call_activity("A")
        finally:
            left.append(context.instance_id)

    def stubborn(context):
        try:
            yield context.call_activity("A")
        finally:
            yield context.call_activity("B")

    for orchestrator in (careful, stubborn):
        sessions = Sessions()
        sessions.run(ask("1"), df.Orchestrator.create(orchestrator), context(STARTED), [])
        begin(sessions, "2", replaces="1")
    assert left == ["i"]
    assert "an orchestrator that is not needed any more did not end" in caplog.text


def test_a_timer_that_is_cancelled_later_makes_the_answer_whole():
    def race(context):
        timers = [context.create_timer(context.current_utc_datetime) for _ in range(2)]
        yield context.task_any([context.wait_for_external_event("go"), *timers])
        for timer in timers:
            if not timer.is_completed:
                timer.cancel()
        yield context.call_activity("A")
        yield context.call_activity("B")

    handle, sessions = df.Orchestrator.create(race), Sessions()
    sessions.run(ask("1"), handle, context(STARTED), [])
    new = json.dumps([event(12), event(11, TimerId=1)])
    this = ask("2", "1")
    state = json.loads(sessions.run(this, handle, new, []))
    timers = [one["isCanceled"] for one in state["actions"][0][0]["compoundActions"][1:]]
    assert (this.kept, timers, len(state["actions"][0])) == (0, [True, False], 2)
    this = ask("3", "2")
    state = json.loads(sessions.run(this, handle, json.dumps([event(12), completed(2)]), []))
    assert (this.kept, len(state["actions"][0])) == (2, 1)


@pytest.mark.parametrize("end", ["return", "raise", "again"])
def test_what_has_ended_does_not_live_on(end):
    def short(context):
        yield context.call_activity("A")
        if end == "raise":
            raise ValueError("no")
        if end == "again":
            context.continue_as_new(1)

    handle, sessions = df.Orchestrator.create(short), Sessions()
    sessions.run(ask("1"), handle, context(STARTED), [])
    this = ask("2", "1")
    text = json.dumps([event(12), completed(0), completed(7)])
    kind, state = told(lambda: sessions.run(this, handle, text, []))
    assert (kind.strip(), this.is_alive, this.kept) == (
        "no" if end == "raise" else "returned",
        0,
        1,
    )
    assert state["isDone"] == (end != "raise")


def test_one_whose_sdk_raised_outside_user_code_does_not_live_on():
    sessions = Sessions()
    begin(sessions, "1")
    broken = [event(12), {**completed(0), "Result": "{"}]
    with pytest.raises(json.JSONDecodeError):
        follow(sessions, "2", "1", broken)
    with pytest.raises(SessionLost):
        follow(sessions, "3", "2")


# What has none -----------------------------------------------------------------------------------


def by_hand(body):
    return CHAIN(body)


class Handle:
    def __call__(self, body):
        return CHAIN(body)


def no_generator(context):
    return 1


def assert_has_none(call, body=None):
    body, this, sessions = body or context(STARTED), ask("1"), Sessions()
    assert sessions.run(this, call, body, []) == call(body)
    assert not this.is_alive
    assert sessions.expire() is None


@pytest.mark.parametrize("call", [by_hand, Handle(), df.Orchestrator.create(no_generator)])
def test_what_the_sdk_did_not_make_of_a_generator(call):
    assert_has_none(call)


def test_an_older_replay_schema():
    assert_has_none(CHAIN, context(STARTED, upperSchemaVersionNew=None))


def test_another_version_of_the_sdk(monkeypatch):
    def unknown(package):
        raise importlib.metadata.PackageNotFoundError(package)

    for version in (lambda package: "9.9.9", unknown):
        live._version.cache_clear()
        monkeypatch.setattr(importlib.metadata, "version", version)
        assert_has_none(CHAIN)
    monkeypatch.undo()
    live._version.cache_clear()
    assert begin(Sessions(), "1").is_alive


def test_an_sdk_that_something_has_wrapped(monkeypatch):
    own = TaskOrchestrationExecutor.execute
    for wrapped in (lambda *arguments: own(*arguments), print):
        monkeypatch.setattr(TaskOrchestrationExecutor, "execute", wrapped)
        assert not live._is_known()
    monkeypatch.undo()
    monkeypatch.delitem(sys.modules, f"{live.SDK}.models.TaskOrchestrationExecutor")
    assert not live._is_known()
