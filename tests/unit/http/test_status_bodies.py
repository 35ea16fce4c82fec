"""Statuses that were shown lately."""

from dataclasses import replace

from api_support import NOW, Target

from durahost.http.status_bodies import LARGE, StatusBodies
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.instances import InstanceState
from durahost.model.status import RuntimeStatus


def state_of(instance_id="a", **fields):
    return InstanceState(
        instance_id=InstanceId(instance_id),
        execution_id=ExecutionId("e"),
        name="Hello",
        status=RuntimeStatus.RUNNING,
        created_at=NOW,
        updated_at=NOW,
        **fields,
    )


def keep(bodies, state, body=b"{}", *, show_input=True):
    bodies.keep(state, body, show_input=show_input)
    return bodies.find(state, show_input=show_input)


def test_what_was_written_of_another_state_is_not_found():
    bodies, state = StatusBodies(), state_of()
    assert bodies.find(state, show_input=True) is None
    assert keep(bodies, state) == b"{}"
    assert bodies.find(state, show_input=False) is None
    assert bodies.find(replace(state), show_input=True) is None


def test_the_one_written_longest_ago_goes_first():
    bodies = StatusBodies(most=2)
    first, second, third = (state_of(name) for name in "abc")
    keep(bodies, first)
    keep(bodies, second)
    keep(bodies, first)  # again
    keep(bodies, third)
    found = [bodies.find(one, show_input=True) for one in (first, second, third)]
    assert found == [b"{}", None, b"{}"]


def test_what_is_large_is_not_kept():
    bodies, text = StatusBodies(), "x" * LARGE
    assert keep(bodies, state_of(), text.encode()) == text.encode()
    assert keep(bodies, state_of(), text.encode() + b"x") is None
    assert keep(bodies, state_of(input=text), show_input=False) is None


async def test_each_commit_is_shown():
    target = Target()

    async def look(query=""):
        status = (await target.api_call("GET", f"instances/abc{query}")).json()
        return status["runtimeStatus"], status["input"], status["customStatus"]

    await target.start("abc", "1")
    for _ in range(2):
        assert await look() == ("Pending", 1, None)
        assert await look("?showInput=false") == ("Pending", None, None)
    await target.finish("abc", RuntimeStatus.RUNNING, custom_status='"half"')
    for _ in range(2):
        assert await look() == ("Running", 1, "half")
        assert await look("?showInput=false") == ("Running", None, "half")


async def test_an_instance_that_is_gone_or_replaced_is_not_shown():
    target = Target()
    await target.put(RuntimeStatus.COMPLETED, output='"old"')
    assert (await target.api_call("GET", "instances/abc")).json()["output"] == "old"
    await target.api_call("DELETE", "instances/abc")
    assert (await target.api_call("GET", "instances/abc")).status_code == 404
    await target.put(RuntimeStatus.COMPLETED, output='"new"')
    assert (await target.api_call("GET", "instances/abc")).json()["output"] == "new"


async def test_hubs_are_told_apart():
    target = Target()
    await target.put(RuntimeStatus.COMPLETED, output='"ours"')
    await target.hubs("Other").start("Hello", "2", instance_id=InstanceId("abc"))
    for _ in range(2):
        ours = await target.api_call("GET", "instances/abc")
        other = await target.api_call("GET", "instances/abc?taskHub=Other")
        assert (ours.json()["output"], other.json()["input"]) == ("ours", 2)
