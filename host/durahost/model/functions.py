"""Functions and bindings as the host knows them, whichever programming model declared them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Binding:
    """One binding.

    type, direction: as written; compare them through `is_type` and `is_output`.
    properties: the whole JSON object, keys as written; read them through `get`, which ignores case.
    """

    name: str
    type: str
    direction: str
    properties: Mapping[str, Any] = field(default_factory=dict)

    def is_type(self, name: str) -> bool:
        """Whether the binding is of this type; types compare without case."""
        return self.type.lower() == name.lower()

    @cached_property
    def is_trigger(self) -> bool:
        """Whether the type ends in "trigger", any case, as the host decides it."""
        return self.type.lower().endswith("trigger")

    @cached_property
    def is_output(self) -> bool:
        """Whether the direction is "out", any case."""
        return self.direction.lower() == "out"

    @cached_property
    def templates(self) -> Mapping[str, str]:
        """The properties with a bracket; a trigger's are patterns (a route, a path) and stay."""
        if self.is_trigger:
            return {}
        return {
            name: value
            for name, value in self.properties.items()
            if isinstance(value, str) and ("{" in value or "}" in value)
        }

    def get(self, key: str, default: Any = None) -> Any:
        """The property of this name, ignoring case; default when absent or null."""
        return self._folded.get(key.lower(), default)

    @cached_property
    def _folded(self) -> Mapping[str, Any]:
        """The properties that are not null by lower-case name; the first of several counts."""
        given = [(name.lower(), value) for name, value in self.properties.items()]
        return {name: value for name, value in reversed(given) if value is not None}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and after which pause, the host repeats a failed invocation.

    max_retry_count: -1 is for ever. minimum, maximum: equal for a fixed delay.
    """

    max_retry_count: int
    minimum: timedelta
    maximum: timedelta
    is_fixed: bool = False


@dataclass(frozen=True)
class FunctionMetadata:
    """One function.

    directory: the function's folder; in the decorator model the app root.
    script_file: absolute path. entry_point: attribute name, "" means the worker's default.
    """

    name: str
    directory: Path
    script_file: Path
    entry_point: str
    bindings: Sequence[Binding]
    language: str = "python"
    retry: RetryPolicy | None = None

    @cached_property
    def trigger(self) -> Binding:
        """The one trigger binding; discovery lets no function pass without it."""
        return next(binding for binding in self.bindings if binding.is_trigger)

    @cached_property
    def has_expressions(self) -> bool:
        """Whether a binding has a binding expression; most functions have none."""
        return any(binding.templates for binding in self.bindings)


@dataclass(frozen=True, slots=True)
class FunctionFailure:
    """A function that cannot run, and why: what, which file, what now, and the app's own frames.

    function: the function itself, where it is known in spite of what is wrong with it.
    """

    name: str
    message: str
    file: str | None = None
    advice: str | None = None
    frames: str | None = None
    function: FunctionMetadata | None = field(default=None, compare=False)
