"""host.json and its environment overrides as one flat map of options, the way .NET reads them.

Paths are `a:b:0`; names compare without case; values are text until a getter converts them.
Source: Azure/azure-functions-host: HostJsonFileConfigurationSource.cs; dotnet/runtime:
ConfigurationBinder.cs, EnvironmentVariablesConfigurationProvider.cs.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from durahost.config.dotnet_values import (
    parse_boolean,
    parse_int32,
    parse_timespan,
    scalar_text,
)
from durahost.model.errors import ConfigError

_PREFIX = "AzureFunctionsJobHost:"
_Value = TypeVar("_Value")


class OptionTree:
    """The options of host.json; build it with `of`."""

    def __init__(self, values: Mapping[str, tuple[str, str]]) -> None:
        self._values = values

    @classmethod
    def of(cls, document: Mapping[str, Any], environ: Mapping[str, str]) -> "OptionTree":
        """Flatten host.json, then let `AzureFunctionsJobHost__a__b` variables win."""
        values: dict[str, tuple[str, str]] = {}
        for path, text in [*_flatten("", document), *_overrides(environ)]:
            values[path.lower()] = (path, text)
        return cls(values)

    def text(self, path: str) -> str | None:
        """The value as text; None when absent."""
        found = self._values.get(path.lower())
        return found[1] if found else None

    def integer(self, path: str, default: int) -> int:
        """The value as a 32-bit integer; ConfigError when it is none."""
        return self._convert(path, default, parse_int32, "System.Int32")

    def boolean(self, path: str, default: bool) -> bool:
        """The value as a boolean; ConfigError when it is none."""
        return self._convert(path, default, parse_boolean, "System.Boolean")

    def timespan(self, path: str, default: timedelta) -> timedelta:
        """The value as a duration; ConfigError when it is none."""
        return self._convert(path, default, parse_timespan, "System.TimeSpan")

    def choice(self, path: str, default: str, choices: Sequence[str], type_name: str) -> str:
        """The value as one of these words, any case, spelled as in `choices`; ConfigError when it
        is none.
        """

        def parse(text: str) -> str:
            for word in choices:
                if word.lower() == text.strip().lower():
                    return word
            raise ValueError(text)

        return self._convert(path, default, parse, type_name, choices)

    def texts(self, path: str) -> list[str]:
        """The elements of an array, in order; empty when absent."""
        names = self.names(path)
        # Keys that are numbers first, by value: a variable may add or replace one element.
        ordered = sorted(names, key=lambda name: (not name.isdigit(), name.zfill(10)))
        found = (self.text(f"{path}:{name}") for name in ordered)
        return [text for text in found if text is not None]

    def names(self, path: str = "") -> list[str]:
        """Names directly below the path, as written, each once; "" is the root."""
        start = f"{path}:".lower() if path else ""
        below: dict[str, str] = {}
        for key, (written, _) in self._values.items():
            if key.startswith(start):
                name = written[len(start) :].split(":", 1)[0]
                below.setdefault(name.lower(), name)
        return list(below.values())

    def _convert(
        self,
        path: str,
        default: _Value,
        parse: Callable[[str], _Value],
        type_name: str,
        choices: Sequence[str] = (),
    ) -> _Value:
        text = self.text(path)
        if text is None:
            return default
        try:
            return parse(text)
        except ValueError as error:
            # Text: dotnet/runtime: ConfigurationBinder.cs (Error_FailedBinding).
            expected = f"one of {', '.join(choices)}" if choices else type_name.split(".")[-1]
            raise ConfigError(
                f"Failed to convert configuration value at '{_PREFIX}{path}' "
                f"to type '{type_name}'.",
                advice=f"host.json has '{text}' there; expected {expected}.",
            ) from error


def _flatten(path: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        pairs = [(str(name), item) for name, item in value.items()]
    elif isinstance(value, list):
        pairs = [(str(index), item) for index, item in enumerate(value)]
    else:
        return [] if value is None else [(path, scalar_text(value))]
    start = f"{path}:" if path else ""
    return [leaf for name, item in pairs for leaf in _flatten(start + name, item)]


def _overrides(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    keys = ((name.replace("__", ":"), value) for name, value in environ.items())
    return [
        (key[len(_PREFIX) :], value)
        for key, value in keys
        if key.lower().startswith(_PREFIX.lower())
    ]
