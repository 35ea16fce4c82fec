"""The JSON protocol of azure-functions-durable 1.x for entities: the batch given, the result taken.

Sources: Azure/azure-functions-durable-extension: EntityTriggerAttributeBindingProvider.cs
(EntityContextToString), Listener/TaskEntityShim.cs (OutOfProcResult, ExecuteOutOfProcBatch);
Azure/azure-functions-durable-python: models/DurableEntityContext.py (from_json).
"""

from collections.abc import Sequence
from typing import Any

from durahost.codec.json_text import dumps
from durahost.codec.unicode import load_json
from durahost.model.entities import (
    BatchResult,
    EntityRequest,
    OperationResult,
    OutgoingSignal,
    SchedulerState,
)
from durahost.model.errors import BatchLost
from durahost.model.ids import EntityId

_EXPECTED = "the function must return the JSON that df.Entity.create makes"


def encode_context(
    entity: EntityId, state: SchedulerState, operations: Sequence[EntityRequest]
) -> str:
    """The entity trigger's value: indented JSON text of exactly four members.

    A fifth one fails the SDK. state and the inputs are JSON texts, as strings.
    """
    batch = [
        {"name": one.operation, "input": one.input, "isSignal": one.is_signal} for one in operations
    ]
    context = {
        "self": {"name": entity.name, "key": entity.key},
        "exists": state.exists,
        "state": state.state,
        "batch": batch,
    }
    return dumps(context, indent=2)


def decode_result(text: str | None, count: int) -> BatchResult:
    """The result of a batch of `count` operations; results over that number are ignored.

    Errors: BatchLost for what is no result.
    """
    try:
        members = load_json(text or "")
        results = [_read_result(one) for one in members["results"]][:count]
        signals = [_read_signal(one) for one in members["signals"]]
        state = _text(members.get("entityState"))
        exists = members.get("entityExists") is True
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise BatchLost(f"An entity batch's result is not understood; {_EXPECTED}.") from error
    if len(results) < count:
        raise BatchLost(f"{count} operations gave {len(results)} results; {_EXPECTED}.")
    return BatchResult(exists=exists, state=state, results=results, signals=signals)


def _read_result(members: dict[str, Any]) -> OperationResult:
    return OperationResult(_text(members.get("result")), members.get("isError") is True)


def _read_signal(members: dict[str, Any]) -> OutgoingSignal:
    target = members["target"]
    entity = EntityId.of(target["name"], target["key"])
    return OutgoingSignal(entity, members["name"], _text(members.get("input")))


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(value)
    return value
