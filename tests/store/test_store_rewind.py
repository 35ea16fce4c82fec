"""Rewinding a tree: one transaction, each failed descendant once, and nobody left waiting."""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from clocks import START
from store.builders import asked, message, new_instance, running, task

from durahost.codec import history
from durahost.engine.outcome import start_of
from durahost.model.errors import InstanceNotFound, InvalidState, LeaseLost
from durahost.model.events import EventKind
from durahost.model.instances import ParentInstance
from durahost.model.status import LIVE, TERMINAL, RuntimeStatus

pytestmark = pytest.mark.feature("Management API", "`POST /instances/{instanceId}/rewind`")


LEASE = timedelta(seconds=30)
REQUEST = history.execution_rewound("repaired", START)
SEED = UUID(int=7)
CALL = str(UUID(int=5))
FAILED = {RuntimeStatus.FAILED}
S = RuntimeStatus


@pytest.fixture
def rewind(hub):
    return lambda instance_id="a": hub.rewind(instance_id, REQUEST, SEED, FAILED)


@pytest.fixture
def end(hub):
    """Bring an instance to an end, with children it has called and activities it has run."""

    async def end_one(
        instance_id, *, parent=None, children=(), failed=(), status=S.FAILED, calls=()
    ):
        new = replace(
            new_instance(instance_id, f"{instance_id}1", parent=parent).state, input='"in"'
        )
        await hub.create(start_of(new, START), TERMINAL)
        (locked,) = await hub.lock_episodes("me", LEASE, 1)
        started = [item.message.event for item in locked.inbox]
        created = [
            history.sub_orchestration_created(
                number,
                new_instance(child).state,
                START,
                stores_input=False,
                site=None,
            )
            for number, child in enumerate(children)
        ]
        answers = [
            history.sub_orchestration_failed(number, "child failed", "", START)
            for number in range(len(children))
        ]
        tasks = [task(instance_id, f"{instance_id}1", 10 + number) for number in failed]
        work = [history.task_scheduled(one, START, stores_input=False) for one in tasks]
        answers += [history.task_failed(one.task_id, "why", "{}", START) for one in tasks]
        frame = history.orchestrator_started(START), history.orchestrator_completed(START)
        ending = history.execution_completed(20, status, "boom", START)
        state = replace(locked.state, status=status, output="boom", completed_at=START)
        sent = [asked("@c@", one, 15 + number) for number, one in enumerate(calls)]
        events = [frame[0], *started, *created, *work, *sent, *answers, ending, frame[1]]
        await hub.commit_episode(locked.lease, running(locked, state=state, append=events))

    return end_one


def call(parent, task_id, execution_id=None):
    return ParentInstance(parent, execution_id or f"{parent}1", "Hello", "", task_id)


def kinds(events):
    return [event.kind for event in events]


async def ready(hub):
    locked = await hub.lock_episodes("me", LEASE, 10)
    return {one.state.instance_id: [m.message.event for m in one.inbox] for one in locked}


async def test_a_leaf_is_written_anew_and_woken(hub, rewind, end, clock):
    await end("a", failed=[0])
    before = await hub.get("a")
    clock.advance(LEASE)
    assert await rewind() == []
    after = await hub.get("a")
    assert after == replace(
        before,
        execution_id=after.execution_id,
        status=S.PENDING,
        updated_at=START + LEASE,
        completed_at=None,
    )
    assert after.execution_id not in ("a1", "")
    assert kinds(await hub.read_history("a")) == [
        EventKind.ORCHESTRATOR_STARTED,
        EventKind.EXECUTION_STARTED,
        EventKind.ORCHESTRATOR_COMPLETED,
        EventKind.ORCHESTRATOR_STARTED,
        EventKind.EXECUTION_REWOUND,
        EventKind.ORCHESTRATOR_COMPLETED,
    ]
    assert kinds((await ready(hub))["a"]) == [EventKind.EXECUTION_REWOUND]


async def test_an_episode_goes_on_behind_the_new_history(hub, rewind, end, lock):
    await end("a", failed=[0])
    await rewind()
    locked = await lock()
    again = task("a", locked.state.execution_id, 10)
    scheduled = history.task_scheduled(again, START, stores_input=False)
    commit = running(locked, append=[scheduled], schedule=[again])
    await hub.commit_episode(locked.lease, commit)
    assert len(await hub.read_history("a")) == 7
    (activity,) = await hub.lock_activities("me", LEASE, 10)
    assert activity.task == again


async def test_a_whole_tree_is_rewound_each_once_c21(hub, rewind, end):
    await end("c", parent=call("b", 0), failed=[0])
    await end("b", parent=call("a", 0), children=["c"])
    await end("b2", parent=call("a", 1), failed=[0])
    await end("done", parent=call("a", 2), status=S.COMPLETED)
    await end("a", children=["b", "b2"])
    await rewind()
    states = {one: await hub.get(one) for one in ("a", "b", "b2", "c", "done")}
    assert [states[one].status for one in states] == [S.PENDING] * 4 + [S.COMPLETED]
    assert len({state.execution_id for state in states.values()}) == 5
    for child, caller in [("b", "a"), ("b2", "a"), ("c", "b")]:
        link = states[child].parent
        assert (link.instance_id, link.execution_id) == (caller, states[caller].execution_id)
        events = await hub.read_history(child)
        (rewound,) = (e for e in events if e.kind is EventKind.EXECUTION_REWOUND)
        members = json.loads(rewound.text)
        assert members["ParentExecutionId"] == states[caller].execution_id
        assert (members["InstanceId"], members["Reason"]) == (child, "repaired")
    assert sorted(await ready(hub)) == ["b2", "c"]
    with pytest.raises(InvalidState):
        await rewind()


async def test_a_live_child_goes_on_and_answers_the_new_execution(hub, rewind, end, lock):
    """It was rewound by itself before, or its caller ended without it."""
    await end("b", parent=call("a", 0))
    await end("a", children=["b"])
    await hub.rewind("b", REQUEST, UUID(int=8), FAILED)
    execution_id = (await hub.get("b")).execution_id
    stale = await lock()
    await rewind()
    child = await hub.get("b")
    assert child.execution_id == execution_id
    assert child.parent.execution_id == (await hub.get("a")).execution_id
    with pytest.raises(LeaseLost):
        await hub.commit_episode(stale.lease, running(stale))
    assert list(await ready(hub)) == ["b"]


@pytest.mark.parametrize("caller", [None, call("other", 0), call("a", 5), call("a", 0, "older")])
async def test_a_child_that_is_gone_or_somebody_elses_is_a_failure(hub, rewind, end, caller):
    await end("a", children=["b"])
    if caller is not None:
        await end("b", parent=caller)
    before = await hub.get("b")
    await rewind()
    assert await hub.get("b") == before
    ((answer,),) = (await ready(hub)).values()
    assert answer.kind is EventKind.SUB_ORCHESTRATION_FAILED
    assert answer.task_id == 0
    assert "'b' cannot be rewound" in answer.text


async def test_a_rewind_is_refused_in_other_states(hub, rewind, end):
    with pytest.raises(InstanceNotFound):
        await rewind()
    await end("a", status=S.COMPLETED)
    with pytest.raises(InvalidState) as caught:
        await rewind()
    assert caught.value.status is S.COMPLETED


async def test_events_and_termination_reach_a_rewound_instance(hub, rewind, end):
    await end("a", failed=[0])
    await rewind()
    await hub.send(message("a", "Go"), LIVE)
    ((wake, event),) = (await ready(hub)).values()
    assert wake.kind is EventKind.EXECUTION_REWOUND
    assert event.name == "Go"


async def test_a_hint_comes_back(hub, rewind, end, lock):
    await end("a", failed=[0])
    await rewind()
    locked = await lock()
    later = history.task_scheduled(task("a", "x", 11), START, stores_input=False)
    failed = history.task_failed(10, "why", "{}", START)
    ending = history.execution_completed(12, S.FAILED, "boom", START)
    state = replace(locked.state, status=S.FAILED)
    commit = running(locked, state=state, append=[failed, later, ending])
    await hub.commit_episode(locked.lease, commit)
    (hint,) = await rewind()
    assert "'a' went on after the failure" in hint.text


def answer(name=CALL, execution_id="a1"):
    return message("a", name, execution_id=execution_id)


async def test_an_entitys_answer_to_a_failed_caller_waits_for_its_rewind(hub, rewind, end):
    await end("a", calls=[CALL])
    await hub.signal(answer())
    await hub.signal(message("a", "Go"))
    assert await ready(hub) == {}
    await rewind()
    heard, wake = (await ready(hub))["a"]
    assert heard.name == CALL
    assert wake.kind is EventKind.EXECUTION_REWOUND


async def test_an_answer_on_its_way_when_its_caller_fails_waits_too(hub, rewind, lock):
    await hub.create(new_instance("a", "a1"), TERMINAL)
    locked = await lock()
    await hub.signal(answer())
    await hub.signal(message("a", "Go"))
    await hub.commit_episode(locked.lease, running(locked, status=S.FAILED))
    assert await ready(hub) == {}
    await rewind()
    assert [event.name for event in (await ready(hub))["a"]] == [CALL, None]


async def test_an_answer_to_the_execution_before_reaches_the_rewound_one(hub, rewind, end):
    """Its call stands in the rewound history; for a call that does not, it is dropped as ever."""
    await end("a", calls=[CALL])
    await rewind()
    await hub.signal(answer())
    await hub.signal(answer(str(UUID(int=6))))
    own = (await hub.get("a")).execution_id
    (locked,) = await hub.lock_episodes("me", LEASE, 10)
    wake, heard = (item.message for item in locked.inbox)
    assert wake.event.kind is EventKind.EXECUTION_REWOUND
    assert (heard.event.name, heard.execution_id) == (CALL, own)


async def test_nothing_is_kept_for_what_cannot_be_rewound(hub, end):
    await end("a", status=S.COMPLETED, calls=[CALL])
    await hub.signal(answer())
    await hub.create(new_instance("a", "a2"), TERMINAL)
    assert kinds((await ready(hub))["a"]) == [EventKind.EXECUTION_STARTED]


async def test_an_answer_that_waits_goes_with_the_instance(hub, end):
    await end("a", calls=[CALL])
    await hub.signal(answer())
    await hub.create(new_instance("a", "a2"), TERMINAL)
    assert kinds((await ready(hub))["a"]) == [EventKind.EXECUTION_STARTED]
