"""Output bindings: a client output starts orchestrations, others are named."""

import json
from pathlib import Path

import pytest
from api_support import CallableWorker, Target

from durahost.invocations import Call, Invoker
from durahost.model.functions import Binding, FunctionMetadata
from durahost.model.ids import InstanceId, InvocationId
from durahost.model.status import RuntimeStatus
from durahost.outputs import Outputs
from durahost.registry import Registry
from durahost.worker.base import Raised, Returned, TypedData

pytestmark = pytest.mark.feature("Functions host", "Output binding `durableClient`")

FOLDER = Path("/app/F")
RECORDED = pytest.mark.feature(
    "Functions host", "Outputs to other services", "recorded and shown, not sent"
)
RUN = InvocationId("run")


def function(*bindings, trigger=("req", "httpTrigger", "in")):
    every = [Binding(*trigger), *(Binding(*binding) for binding in bindings)]
    return FunctionMetadata("F", FOLDER, FOLDER / "x.py", "", every)


STARTER = function(("$return", "http", "out"), ("starter", "durableClient", "out"))
RETURNING = function(("$return", "orchestrationClient", "OUT"))
HELLO = FunctionMetadata(
    "Hello", FOLDER, FOLDER / "x.py", "", [Binding("context", "orchestrationTrigger", "in")]
)


@pytest.fixture
def target():
    return Target()


def make_outputs(target, registry=None):
    return Outputs(target.hubs, lambda: registry, target.clock, target.records, target.settings)


async def apply(target, value, starter=STARTER, registry=None):
    is_returned = starter is RETURNING
    returned = Returned(value) if is_returned else Returned(outputs={"starter": value})
    return await make_outputs(target, registry).apply(starter, RUN, returned)


def as_json(value):
    return TypedData("json", json.dumps(value))


async def read(target, instance_id, hub=None):
    return await target.hubs(hub).status(InstanceId(instance_id))


@pytest.mark.parametrize("starter", [STARTER, RETURNING])
@pytest.mark.parametrize("kind", ["json", "string"])
async def test_one_start(target, starter, kind):
    value = {"FunctionName": "Hello", "InstanceId": "a", "Input": {"n": [1, 2.0, None]}}
    assert await apply(target, TypedData(kind, json.dumps(value)), starter) is None
    state = await read(target, "a")
    assert (state.name, state.status) == ("Hello", RuntimeStatus.PENDING)
    assert state.input == '{"n":[1,2.0,null]}'


async def test_a_list_of_starts_and_names_without_case(target):
    value = [
        {"functionName": "One", "instanceid": "1", "INPUT": "text", "more": 1},
        {"FunctionName": "Two", "InstanceId": None, "Input": None},
        {"FunctionName": "Three", "InstanceId": ""},
    ]
    assert await apply(target, as_json(value)) is None
    assert (await read(target, "1")).input == '"text"'
    listed = (await target.api_call("GET", "instances")).json()
    assert sorted(one["name"] for one in listed) == ["One", "Three", "Two"]
    assert all(len(one["instanceId"]) == 32 for one in listed if one["name"] != "One")


async def test_no_value_starts_nothing(target):
    assert await make_outputs(target).apply(STARTER, RUN, Returned()) is None
    assert await apply(target, as_json([])) is None
    assert (await target.api_call("GET", "instances")).json() == []


async def test_the_hub_of_the_binding(target):
    starter = function(("starter", "durableClient", "out", {"taskHub": "Other"}))
    await apply(target, as_json({"FunctionName": "Hello", "InstanceId": "a"}), starter)
    assert await read(target, "a") is None
    assert (await read(target, "a", "Other")).name == "Hello"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (TypedData("string", "Hello"), "It is no JSON"),
        (TypedData("string", ""), "It is neither an object nor a list"),
        (TypedData("string", "5"), "It is neither an object nor a list"),
        (TypedData("bytes", b"{}"), "It is of the kind 'bytes'"),
        (TypedData("int", 5), "It is of the kind 'int'"),
        (as_json(["Hello"]), "It is neither an object nor a list"),
        (as_json({}), 'It has no "FunctionName"'),
        (as_json({"FunctionName": ""}), 'It has no "FunctionName"'),
        (as_json({"FunctionName": "H", "InstanceId": [5]}), 'Its "InstanceId" is no string'),
        (
            as_json({"FunctionName": "H", "InstanceId": "@a"}),
            "instanceId (Parameter 'Orchestration instance ids must not start with @.')",
        ),
        (
            as_json({"FunctionName": "H", "InstanceId": "a/b"}),
            "instanceId (Parameter 'Orchestration instance ids must not contain /, \\, #, ?, or "
            "control characters.')",
        ),
        (
            as_json({"FunctionName": "H", "InstanceId": "a" * 257}),
            "Instance ID lengths must not exceed 256 characters.",
        ),
    ],
)
async def test_what_cannot_be_started(target, value, text):
    failure = await apply(target, value)
    assert failure.error_type == "System.ArgumentException"
    assert failure.message.startswith("Output 'starter' of function 'F': ")
    assert text in failure.message
    assert (await target.api_call("GET", "instances")).json() == []


@pytest.mark.parametrize("char", ["\\", "#", "?", "\n", "\x7f", "\x85"])
async def test_characters_that_no_id_may_hold(target, char):
    failure = await apply(target, as_json({"FunctionName": "H", "InstanceId": f"a{char}"}))
    assert "must not contain" in failure.message


async def test_a_bad_item_of_a_list_starts_nothing_of_it(target):
    value = [{"FunctionName": "H", "InstanceId": "a"}, {"InstanceId": "b"}]
    assert await apply(target, as_json(value)) is not None
    assert await read(target, "a") is None


async def test_an_id_that_lives_fails_and_those_before_it_stand(target):
    await target.put(RuntimeStatus.RUNNING, "taken")
    value = [{"FunctionName": "H", "InstanceId": one} for one in ("a", "taken", "b")]
    failure = await apply(target, as_json(value))
    assert failure.error_type.endswith("OrchestrationAlreadyExistsException")
    assert "An Orchestration instance with the status Running already exists." in failure.message
    assert await read(target, "a") is not None
    assert await read(target, "b") is None


async def test_a_function_that_is_not_there_fails_the_invocation(target):
    registry = Registry.of([HELLO])
    start = as_json({"FunctionName": "hello", "InstanceId": "a"})
    assert await apply(target, start, registry=registry) is None
    start = as_json({"FunctionName": "Nope", "InstanceId": "b"})
    failure = await apply(target, start, registry=registry)
    assert failure.error_type == "System.ArgumentException"
    assert "The function 'Nope' doesn't exist, is disabled, or is not" in failure.message
    assert await read(target, "b") is None


@pytest.mark.parametrize("more", [{"taskHub": "Other"}, {"connectionName": "Elsewhere"}])
async def test_functions_of_another_app_are_not_looked_at(target, more):
    starter = function(("starter", "durableClient", "out", more))
    start = as_json({"FunctionName": "Nope", "InstanceId": "b"})
    assert await apply(target, start, starter, registry=Registry.of([HELLO])) is None
    assert (await read(target, "b", more.get("taskHub"))).name == "Nope"


async def test_scalars_become_text(target):
    assert await apply(target, as_json({"FunctionName": "H", "InstanceId": 5})) is None
    assert (await read(target, "5")).name == "H"


@RECORDED
async def test_other_outputs_are_recorded_and_named_once(target, caplog):
    sender = function(("$return", "http", "out"), ("message", "queue", "out"))
    outputs = make_outputs(target)
    for _ in range(2):
        returned = Returned(outputs={"message": TypedData("string", "m")})
        assert await outputs.apply(sender, RUN, returned) is None
    (record,) = caplog.records
    assert record.getMessage() == (
        "Output 'message' of function 'F' (queue) is recorded, not sent: "
        "GET /admin/durahost/outputs shows it."
    )
    kept = list(target.records)
    assert [(one.function, one.invocation_id, one.binding, one.value) for one in kept] == [
        ("F", RUN, "message", "m")
    ] * 2


async def test_a_failed_output_is_the_failure_of_the_invocation(target, caplog):
    bad = Returned(outputs={"starter": TypedData("string", "{")})
    worker = CallableWorker(F=lambda: bad)
    outputs = make_outputs(target)
    invoker = Invoker(target.clock, lambda binding: None, 5, outputs.apply)
    result = await invoker.invoke(worker, STARTER, Call(trigger=None))
    assert isinstance(result, Raised)
    assert "Executed 'Functions.F' (Failed" in caplog.text
    assert "Output 'starter' of function 'F': It is no JSON" in caplog.text
