"""Recorded orchestrations, episode by episode: context out, state in, events appended.

Each file of tests/histories is an orchestrator with what the SDK was given and gave back, and what
the
host adds. Left out of the comparison: the early OrchestratorCompleted of a continue-as-new
generation,
which exists only where several generations share one work item.
"""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from recorded_features import marks_of

from durahost.codec import history, sdk1
from durahost.engine.calls import KnownFunctions
from durahost.engine.episode import Plan, conclude, plan
from durahost.engine.outcome import FreshIds, Rules
from durahost.model.events import EventKind, HistoryEvent
from durahost.model.instances import InstanceState, Lease, LockedEpisode, ParentInstance
from durahost.model.messages import InboxMessage, Message
from durahost.model.status import RuntimeStatus

HISTORIES = sorted((Path(__file__).parent.parent / "histories").glob("*.json"))
STARTED, COMPLETED = EventKind.ORCHESTRATOR_STARTED, EventKind.ORCHESTRATOR_COMPLETED


def read_time(text):
    return datetime.fromisoformat(text)


def read_event(wire):
    kind = EventKind(wire["EventType"])
    answered = wire.get("TaskScheduledId", wire.get("TimerId"))
    own = wire["EventId"] if wire["EventId"] >= 0 else None
    text = json.dumps({**wire, "IsPlayed": False}, ensure_ascii=False, separators=(",", ":"))
    when = read_time(wire["Timestamp"])
    return HistoryEvent(kind, when, text, own if answered is None else answered, wire.get("Name"))


def without_early_completion(events):
    """Keep one OrchestratorCompleted per finished episode, and none in the one that is running."""
    starts = [i for i, event in enumerate(events) if event["EventType"] == STARTED]
    kept = []
    for first, end in zip(starts, [*starts[1:], None], strict=True):
        episode = events[first:end]
        completed = [i for i, event in enumerate(episode) if event["EventType"] == COMPLETED]
        early = completed[:-1] if end is not None else completed
        kept += [event for i, event in enumerate(episode) if i not in early]
    return kept


def read_state(wire, context, status):
    parent = wire["ParentInstance"]
    return InstanceState(
        instance_id=context["instanceId"],
        execution_id=wire["OrchestrationInstance"]["ExecutionId"],
        name=wire["Name"],
        version=wire["Version"],
        status=status,
        created_at=read_time(wire["Timestamp"]),
        updated_at=read_time(wire["Timestamp"]),
        generation=wire["Generation"] or 0,
        input=wire["Input"],
        parent=parent
        and ParentInstance(
            parent["OrchestrationInstance"]["InstanceId"],
            parent["OrchestrationInstance"]["ExecutionId"],
            parent["Name"],
            parent["Version"],
            parent["TaskScheduleId"],
        ),
    )


def lock(context, status):
    events = without_early_completion(context["history"])
    last = max(i for i, event in enumerate(events) if event["EventType"] == STARTED)
    started = next(e for e in events if e["EventType"] == EventKind.EXECUTION_STARTED)
    state = read_state(started, context, status)
    carried = [e for e in events[last + 1 :] if e["IsPlayed"]]
    if carried:
        state = replace(state, generation=1)
    inbox = [
        InboxMessage(
            number, Message(state.instance_id, read_event(event), is_carried=event in carried)
        )
        for number, event in enumerate(events[last + 1 :])
    ]
    past = [read_event(event) for event in events[:last]]
    return LockedEpisode(Lease("episode", state.instance_id, "test", 1), state, past, inbox)


def decode(episode):
    if "raised" in episode:
        return sdk1.decode_raised(f"Exception: {episode['raised']}", "")
    return sdk1.decode_returned(json.dumps(episode["returned"]))


def encode(made: Plan, context):
    state = made.locked.state
    return sdk1.encode_context(
        state,
        made.locked.history,
        made.new_events,
        http_sleep_ms=context["defaultHttpAsyncRequestSleepTimeMillseconds"],
        sends_timer_limits="maximumShortTimerDuration" in context,
    )


def readable(event):
    """Payloads that the host itself writes, as values: their spacing is the extension's, not
    recorded.
    """
    is_ours = (
        event["EventType"] == EventKind.EVENT_SENT or event.get("Name") == "BuiltIn::HttpActivity"
    )
    return {**event, "Input": json.loads(event["Input"])} if is_ours else event


def steps(*, is_current_schema=False):
    """Every episode; with is_current_schema only those given the replay schemas this host
    offers.
    """
    for path in HISTORIES:
        recorded = json.loads(path.read_text(encoding="utf-8"))
        first = recorded["episodes"][0]["context"]
        if is_current_schema and first.get("upperSchemaVersionNew") != 2:
            continue
        status = "Pending"
        for number, episode in enumerate(recorded["episodes"]):
            name = f"{path.stem}-{number}"
            yield pytest.param(recorded, episode, status, id=name, marks=marks_of(recorded))
            status = episode["status"].replace("ContinuedAsNew", "Running")


def expected_context(context):
    events = without_early_completion(context["history"])
    schema = {
        key: value for key, value in context.items() if not key.startswith("upperSchemaVersion")
    }
    return {**schema, "history": events}


@pytest.mark.parametrize(("recorded", "episode", "status"), list(steps()))
def test_episode(recorded, episode, status):
    context = episode["context"]
    locked = lock(context, RuntimeStatus(status))
    started = [e for e in context["history"] if e["EventType"] == STARTED][-1]
    made = plan(locked, read_time(started["Timestamp"]))
    assert isinstance(made, Plan)
    shown = json.loads(encode(made, context))
    del shown["upperSchemaVersion"], shown["upperSchemaVersionNew"]
    assert shown == expected_context(context)

    appended = episode["appended"]
    concluded = conclude(
        made,
        decode(episode),
        rules=Rules(stores_inputs=True),
        known=KnownFunctions(),
        fresh=FreshIds(UUID(int=7)),
        now=read_time(appended[-1]["Timestamp"]),
    )
    decided = [readable(json.loads(event.text)) for event in concluded.decided]
    assert decided == [readable(e) for e in appended if e["EventType"] != COMPLETED]
    commit = concluded.commit
    if commit.starts_generation:
        assert episode["status"] == "ContinuedAsNew"
        assert commit.append == ()
        assert commit.state.input == appended[-1]["Result"]
    else:
        assert commit.state.status.value == episode["status"]
        assert commit.append[-1].kind is COMPLETED
        assert [*made.new_events, *concluded.decided] == commit.append[:-1]
    assert made.locked.history == locked.history


@pytest.mark.filterwarnings("ignore:Potential duplicate Task completion")
@pytest.mark.filterwarnings("ignore:azure.functions df_loads was called:DeprecationWarning")
@pytest.mark.parametrize(("recorded", "episode", "status"), list(steps(is_current_schema=True)))
def test_the_sdk_gives_the_recorded_state_for_our_context(recorded, episode, status):
    context = episode["context"]
    import azure.durable_functions as df

    names = {}
    exec(recorded["preamble"] + recorded["source"], names)
    locked = lock(context, RuntimeStatus(status))
    started = [e for e in context["history"] if e["EventType"] == STARTED][-1]
    made = plan(locked, read_time(started["Timestamp"]))
    handle = df.Orchestrator.create(names[recorded["orchestrator"]])
    text = encode(made, context)
    if "raised" in episode:
        with pytest.raises(Exception) as raised:  # noqa: PT011 - the SDK raises a bare Exception
            handle(text)
        assert str(raised.value) == episode["raised"]
    else:
        assert json.loads(handle(text)) == episode["returned"]


def test_every_event_text_is_its_columns():
    for path in HISTORIES:
        for episode in json.loads(path.read_text(encoding="utf-8"))["episodes"]:
            for wire in episode["context"]["history"]:
                event = read_event(wire)
                assert json.loads(event.text)["EventType"] == event.kind
                assert json.loads(history.mark_played(event.text))["IsPlayed"] is True
