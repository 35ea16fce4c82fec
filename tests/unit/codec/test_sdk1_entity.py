"""The recorded entity batches, run by the real SDK on our contexts, and results that are none."""

import json
from pathlib import Path

import azure.durable_functions as df
import pytest

from durahost.codec import sdk1_entity
from durahost.model.entities import (
    BatchResult,
    EntityRequest,
    OperationResult,
    OutgoingSignal,
    SchedulerState,
)
from durahost.model.errors import BatchLost
from durahost.model.ids import EntityId

BATCHES = sorted((Path(__file__).parents[2] / "histories" / "entities").glob("*.json"))
PLACEHOLDERS = {"duration": "<milliseconds>", "startTime": "<epoch milliseconds>"}


def encode(context):
    entity = EntityId.of(context["self"]["name"], context["self"]["key"])
    scheduler = SchedulerState(exists=context["exists"], state=context["state"])
    operations = [
        EntityRequest(
            request_id="0", operation=one["name"], input=one["input"], is_signal=one["isSignal"]
        )
        for one in context["batch"]
    ]
    return sdk1_entity.encode_context(entity, scheduler, operations)


def run(source, context):
    names = {}
    exec(source, names)
    return df.Entity.create(names["Counter"])(context)


@pytest.mark.feature("Entities", "Batches")
@pytest.mark.parametrize("path", BATCHES, ids=lambda path: path.stem)
def test_recorded_batches(path):
    recorded = json.loads(path.read_text(encoding="utf-8"))
    context = encode(recorded["context"])
    assert context == json.dumps(recorded["context"], indent=2)

    text = run(recorded["source"], context)
    returned = json.loads(text)
    for one in returned["results"]:
        assert all(isinstance(one[name], int) for name in PLACEHOLDERS)
        one |= PLACEHOLDERS
    assert returned == recorded["returned"]

    expected = recorded["returned"]
    assert sdk1_entity.decode_result(text, len(recorded["context"]["batch"])) == BatchResult(
        exists=expected["entityExists"],
        state=expected["entityState"],
        results=[OperationResult(one["result"], one["isError"]) for one in expected["results"]],
        signals=[],
    )


def test_there_are_eight_recordings():
    assert len(BATCHES) == 8


def result(**changes):
    whole = {"entityExists": True, "entityState": "1", "results": [{}], "signals": []}
    return json.dumps(whole | changes)


@pytest.mark.feature("Entities", "Signals sent by entities")
def test_signals_of_other_sdks():
    target = {"name": "Other", "key": "K"}
    text = result(signals=[{"target": target, "name": "add", "input": "1"}])
    decoded = sdk1_entity.decode_result(text, 1)
    assert decoded.signals == [OutgoingSignal(EntityId("other", "K"), "add", "1")]
    assert decoded.results == [OperationResult(None, False)]


@pytest.mark.feature("Entities", "A batch that is lost with its worker is run again")
@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "nope",
        "[]",
        "5",
        "{}",
        result(results=None),
        result(results=[1]),
        result(results=[]),
        result(results=[{"result": {}}]),
        result(signals=None),
        result(signals=[{"name": "add"}]),
        result(entityState={"a": 1}),
    ],
)
def test_what_is_no_result_is_a_lost_batch(text):
    with pytest.raises(BatchLost):
        sdk1_entity.decode_result(text, 1)
