"""The host's checks of one function's name and bindings, whichever model declared them.

Each check returns the real text of the first fault, None when there is none.
Sources: Azure/azure-functions-host: Utility.cs (IsValidFunctionName, ValidateBinding),
FunctionDescriptorProvider.cs (ValidateFunction, CreateBindingError), ScriptHost.cs.
"""

import difflib
import re
from collections.abc import Sequence

from durahost.functions.binding_types import KNOWN_TYPES
from durahost.model.functions import Binding

_FUNCTION_NAME = re.compile(r"[a-z][a-z0-9_\-]{0,127}", re.IGNORECASE | re.ASCII)
_BINDING_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,127}|\$return", re.ASCII)
_RETURN = "$return"


def check_name(name: str) -> str | None:
    """Check a function's name."""
    if not _FUNCTION_NAME.fullmatch(name) or name.lower() == "host":
        return f"'{name}' is not a valid function name."
    return None


def check_bindings(bindings: Sequence[Binding], *, has_extension_bundle: bool) -> str | None:
    """Check each binding in turn, then the triggers, then the types."""
    seen: set[str] = set()
    for binding in bindings:
        if fault := _check_binding(binding, seen):
            return fault
        seen.add(binding.name.lower())
    triggers = sum(binding.is_trigger for binding in bindings)
    if triggers > 1:
        return (
            "Multiple trigger bindings defined. A function can only have a single trigger binding."
        )
    if triggers == 0:
        return "No trigger binding specified. A function must have a trigger input binding."
    return _check_types(bindings, has_extension_bundle)


def suggest_type(bindings: Sequence[Binding]) -> str | None:
    """What an unknown type may have been meant for; None without one, or if a type is missing."""
    if not all(binding.type.strip() for binding in bindings):
        return None
    for binding in bindings:
        kind = binding.type.lower()
        near = difflib.get_close_matches(kind, sorted(KNOWN_TYPES), n=1, cutoff=0.75)
        if kind not in KNOWN_TYPES and near:
            return f"Did you mean {near[0]}, in any case, for {binding.type}?"
        if kind not in KNOWN_TYPES:
            return (
                f"{binding.type} is none of azure-functions' own types; no others are known here."
            )
    return None


def _check_binding(binding: Binding, seen: set[str]) -> str | None:
    if not _BINDING_NAME.fullmatch(binding.name):
        return (
            f"The binding name {binding.name} is invalid. Please assign a valid name to the "
            "binding. See https://aka.ms/azure-functions-binding-name-rules for more details."
        )
    if binding.name == _RETURN and not binding.is_output:
        return "$return bindings must specify a direction of 'out'."
    if not binding.type.strip():
        return f"Binding '{binding.name}' is invalid. Bindings must specify a Type."
    if binding.name.lower() in seen:
        return (
            f"Multiple bindings with name '{binding.name}' discovered. "
            "Binding names must be unique."
        )
    return None


def _check_types(bindings: Sequence[Binding], has_extension_bundle: bool) -> str | None:
    unknown = ", ".join(b.type for b in bindings if b.type.lower() not in KNOWN_TYPES)
    if not unknown:
        return None
    if has_extension_bundle:
        return (
            f"The binding type(s) '{unknown}' were not found in the configured extension bundle. "
            "Please ensure the type is correct and the correct version of extension bundle is "
            "configured"
        )
    return (
        f"The binding type(s) '{unknown}' are not registered. Please ensure the type is correct "
        "and the binding extension is installed."
    )
