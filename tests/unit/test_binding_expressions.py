"""Binding expressions in a call: what the request brings, and a call that cannot be bound."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from api_support import CallableWorker
from clocks import ManualClock

from durahost.invocations import Call, Invoker
from durahost.model.functions import Binding, FunctionMetadata
from durahost.worker.base import HttpData, Raised, Returned, TypedData

pytestmark = pytest.mark.feature("Functions host", "Binding expressions `{name}`")

REQUEST = TypedData(
    "http",
    HttpData(
        method="POST",
        url="http://localhost/",
        headers={"x-one": "1"},
        query={"a": "query", "b": "query", "code": "secret"},
        params={"a": "route"},
        body=b'{"a": "body", "b": "body", "c": "body", "d": [1]}',
    ),
)


def function(path, trigger="httpTrigger"):
    bindings = [Binding("t", trigger, "in"), Binding("o", "blob", "out", {"path": path})]
    return FunctionMetadata("F", Path("/f"), Path("/f/x.py"), "", bindings)


async def path_of(path, call, trigger="httpTrigger"):
    """The path that the function's output is done with, else what the call fails with."""
    seen = []

    async def sink(function, invocation_id, returned):
        seen.append(function.bindings[1].get("path"))

    worker = CallableWorker(F=lambda: Returned())
    invoker = Invoker(ManualClock(datetime(2026, 1, 5, tzinfo=UTC)), lambda binding: None, 5, sink)
    result = await invoker.invoke(worker, function(path, trigger), call)
    assert len(worker.calls) == len(seen)
    return result if isinstance(result, Raised) else seen[0]


async def test_route_query_and_body_in_this_order():
    path = "{a}-{b}-{c}-{query.a}-{headers.x-one}"
    assert await path_of(path, Call(trigger=REQUEST)) == "route-query-body-query-1"


@pytest.mark.parametrize("name", ["code", "d", "other"])
async def test_a_call_without_the_value_fails_before_the_function_runs(name, caplog):
    text = f"No value for named parameter '{name}'."
    assert await path_of(f"x/{{{name}}}", Call(trigger=REQUEST)) == Raised(
        "System.InvalidOperationException", text, ""
    )
    assert (
        f"Exception while executing function: Functions.F. Exception binding parameter 'o'. {text}"
    ) in caplog.messages


async def test_other_triggers_have_their_metadata_and_members():
    call = Call(
        trigger=TypedData("string", '{"order": {"id": 7}}'),
        metadata={"Id": TypedData("string", "m"), "None": None},
    )
    assert await path_of("{id}/{order.id}", call, "queueTrigger") == "m/7"
    nothing = Call(trigger=None)
    assert await path_of("{id}", nothing, "queueTrigger") == "{id}"
