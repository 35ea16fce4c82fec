"""`{name}` in a binding's properties: replaced at each call by what the trigger brought.

Pure: time and ids come as values.
Source of rules and texts: Azure/azure-webjobs-sdk: BindingTemplateParser.cs,
BindingTemplateToken.cs, BindingParameterResolver.cs, SystemBindingData.cs.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from durahost.model.functions import Binding, FunctionMetadata

_TOKEN = re.compile(r"(\{\{|\}\})|\{([^{}]*)\}|([^{}]+)|([{}])")
_IDENTIFIER = re.compile(r"[^\W\d][\w.-]*")
_SYSTEM = ("rand-guid", "datetime")
_GUIDS: Mapping[str, Callable[[UUID], str]] = {
    "": str,
    "D": str,
    "N": lambda guid: guid.hex,
    "B": lambda guid: f"{{{guid}}}",
    "P": lambda guid: f"({guid})",
}


class ExpressionFault(Exception):
    """An expression cannot be read, or has no value; the text is the platform's."""


class BindingFault(Exception):
    """A parameter of a function cannot be bound. parameter: its binding's name."""

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(reason)
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class BindingData:
    """What a call's expressions can name, without case.

    values: what JSON can hold. now: UTC.
    """

    values: Mapping[str, Any]
    now: datetime
    new_guid: Callable[[], UUID]
    _folded: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        folded = {name.lower(): value for name, value in self.values.items()}
        object.__setattr__(self, "_folded", folded)

    def look_up(self, expression: str) -> str:
        """The text that the expression stands for. Errors: ExpressionFault."""
        whole, _, form = expression.partition(":")
        name, *members = whole.split(".")
        if not _IDENTIFIER.fullmatch(whole) or ("-" in name and whole.lower() not in _SYSTEM):
            raise ExpressionFault(f"Invalid template expression '{expression}")
        if name.lower() in self._folded:
            if form:
                raise ExpressionFault(f"The format '{form}' of '{whole}' is not supported here.")
            return _text(_member(self._folded[name.lower()], members))
        system = self._system(whole.lower(), form)
        if system is None:
            raise ExpressionFault(f"No value for named parameter '{name}'.")
        return system

    def _system(self, name: str, form: str) -> str | None:
        if name in ("rand-guid", "sys.randguid"):
            if form.upper() not in _GUIDS:
                raise ExpressionFault(f"The format '{form}' of '{name}' is not supported here.")
            return _GUIDS[form.upper()](self.new_guid())
        if name in ("datetime", "sys.utcnow"):
            if form:
                raise ExpressionFault(f"The format '{form}' of '{name}' is not supported here.")
            return f"{self.now:%Y-%m-%dT%H-%M-%SZ}"
        return None


def expand(template: str, data: BindingData) -> str:
    """The template with every expression replaced. Errors: ExpressionFault."""
    return "".join(_pieces(template, data))


def _pieces(template: str, data: BindingData) -> Iterator[str]:
    for token in _TOKEN.finditer(template):
        escape, name, literal, unbalanced = token.groups()
        place = token.start() + 1
        start = f"Invalid template '{template}'."
        if unbalanced:
            which = "closing" if unbalanced == "{" else "opening"
            raise ExpressionFault(f"{start} Missing {which} bracket at position {place}.")
        if name == "":
            raise ExpressionFault(f"{start} The parameter name at position {place} is empty.")
        if name is not None:
            yield data.look_up(name)
        else:
            yield escape[0] if escape else literal


def expanded(
    function: FunctionMetadata, data: BindingData, *, is_whole: bool = True
) -> FunctionMetadata:
    """The function as this call sees it. Errors: BindingFault.

    is_whole: the data is all that Azure would have; without, what cannot be replaced stays.
    """
    bindings = [_expanded(binding, data, is_whole) for binding in function.bindings]
    return replace(function, bindings=bindings)


def _expanded(binding: Binding, data: BindingData, is_whole: bool) -> Binding:
    if not binding.templates:
        return binding
    try:
        found = {name: expand(text, data) for name, text in binding.templates.items()}
    except ExpressionFault as error:
        if not is_whole:
            return binding
        raise BindingFault(binding.name, str(error)) from None
    return replace(binding, properties={**binding.properties, **found})


def json_members(text: str | bytes | None) -> dict[str, Any]:
    """The top-level values of a payload that is a JSON object; arrays are left out."""
    try:
        found = json.loads(text or "")
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: value for name, value in found.items() if not isinstance(value, list)}


def _member(value: Any, names: list[str]) -> Any:
    for name in names:
        folded = {key.lower(): one for key, one in value.items()} if isinstance(value, dict) else {}
        if name.lower() not in folded:
            raise ExpressionFault(f"Error while accessing '{name}': property doesn't exist.")
        value = folded[name.lower()]
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | str):
        return str(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
