"""The JSON of a durableClient output: what to start.

Source: Azure/azure-functions-durable-extension: Bindings/BindingHelper.cs
(JObjectToStartOrchestrationArgs), StartOrchestrationArgs.cs,
ContextImplementations/DurableClient.cs (StartNewAsync);
Azure/azure-functions-host: Binding/FunctionBinding.cs (ReadAsEnumerable).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from durahost.codec.json_text import dumps
from durahost.model.ids import InstanceId
from durahost.tolerant_json import JsonTextError, read_whole

FORM = 'a JSON object like {"FunctionName": "...", "InstanceId": "...", "Input": ...}'
LONGEST_INSTANCE_ID = 256

_NOT_IN_IDS = frozenset("/\\#?")


class BadStart(ValueError):
    """The value is nothing that can be started; the text says what it is, and what it should be."""


@dataclass(frozen=True, slots=True)
class StartRequest:
    """One orchestration to start; instance_id None asks for a fresh one. input: JSON text."""

    name: str
    instance_id: InstanceId | None = None
    input: str | None = None


def decode_starts(text: str) -> Sequence[StartRequest]:
    """Read one request or a list of them; property names compare without case. Errors: BadStart."""
    try:
        value = read_whole(text)
    except JsonTextError as error:
        raise BadStart(f"It is no JSON ({error}); set it to {FORM}.") from error
    return [_decode(one) for one in (value if isinstance(value, list) else [value])]


def _decode(value: Any) -> StartRequest:
    if not isinstance(value, dict):
        raise BadStart(f"It is neither an object nor a list of objects; set it to {FORM}.")
    members = {name.lower(): member for name, member in value.items()}
    name, instance_id = (_text(members.get(one)) for one in ("functionname", "instanceid"))
    payload = members.get("input")
    if not isinstance(name, str) or not name:
        raise BadStart(f'It has no "FunctionName"; set it to {FORM}.')
    if instance_id is not None and not isinstance(instance_id, str):
        raise BadStart('Its "InstanceId" is no string; leave it out for a fresh one.')
    return StartRequest(
        name,
        check_instance_id(instance_id) if instance_id else None,
        None if payload is None else dumps(payload),
    )


def _text(value: Any) -> Any:
    """A property that is to be text, as Newtonsoft.Json converts it: scalars become text."""
    return str(value) if isinstance(value, bool | int) else value


def check_instance_id(instance_id: str) -> InstanceId:
    """Refuse what the durable client refuses.

    Errors: BadStart with its text; the first two stand in the place of the parameter's name, as
    there.
    """
    if instance_id.startswith("@"):
        rule = "Orchestration instance ids must not start with @."
        raise BadStart(f"instanceId (Parameter '{rule}')")
    if any(char in _NOT_IN_IDS or _is_control(char) for char in instance_id):
        rule = "Orchestration instance ids must not contain /, \\, #, ?, or control characters."
        raise BadStart(f"instanceId (Parameter '{rule}')")
    if len(instance_id) > LONGEST_INSTANCE_ID:
        raise BadStart(f"Instance ID lengths must not exceed {LONGEST_INSTANCE_ID} characters.")
    return InstanceId(instance_id)


def _is_control(char: str) -> bool:
    return char < " " or "\x7f" <= char <= "\x9f"
