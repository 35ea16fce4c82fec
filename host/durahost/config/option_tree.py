"""host.json and its environment overrides as one flat map of options, the way .NET reads them.

Paths are `a:b:0`; names compare without case; values are text until a getter converts them. A fault
is noted, not raised, and its getter gives the default: so all of them can be told at once.
Source: Azure/azure-functions-host: HostJsonFileConfigurationSource.cs; dotnet/runtime:
ConfigurationBinder.cs, EnvironmentVariablesConfigurationProvider.cs.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

from durahost.config.app_root import HOST_FILE
from durahost.config.dotnet_values import (
    is_unexpected_days,
    parse_boolean,
    parse_int32,
    parse_single,
    parse_timespan,
    scalar_text,
)
from durahost.model.errors import ConfigError

_PREFIX = "AzureFunctionsJobHost:"
_Value = TypeVar("_Value")

Locator = Callable[[str], int | None]
"""The line of a path in host.json, None when not known."""


class _Option(NamedTuple):
    """A value: its path as written, its text, and the environment variable that gave it."""

    path: str
    text: str
    variable: str | None = None


class OptionTree:
    """The options of host.json; build it with `of`.

    faults: what is wrong with them, noted while they are read. warnings: what a person may have
    meant otherwise.
    """

    def __init__(self, values: Mapping[str, _Option], locate: Locator) -> None:
        self._values = values
        self._locate = locate
        self.faults: list[ConfigError] = []
        self.warnings: list[str] = []

    @classmethod
    def of(
        cls,
        document: Mapping[str, Any],
        environ: Mapping[str, str],
        locate: Locator = lambda _: None,
    ) -> "OptionTree":
        """Flatten host.json, then let `AzureFunctionsJobHost__a__b` variables win."""
        found = [_Option(path, text) for path, text in _flatten("", document)]
        return cls({one.path.lower(): one for one in [*found, *_overrides(environ)]}, locate)

    def text(self, path: str) -> str | None:
        """The value as text; None when absent."""
        found = self._values.get(path.lower())
        return found.text if found else None

    def integer(self, path: str, default: int) -> int:
        """The value as a 32-bit integer."""
        return self._convert(path, default, parse_int32, "System.Int32")

    def boolean(self, path: str, default: bool) -> bool:
        """The value as a boolean."""
        return self._convert(path, default, parse_boolean, "System.Boolean")

    def single(self, path: str, default: float) -> float:
        """The value as a number with a fraction."""
        return self._convert(path, default, parse_single, "System.Single")

    def timespan(self, path: str, default: timedelta) -> timedelta:
        """The value as a duration; -1 is minus one day, as .NET reads it."""
        span = self._convert(path, default, parse_timespan, "System.TimeSpan")
        text = self.text(path) or ""
        if is_unexpected_days(text) and span > timedelta(0) and span != default:
            self.warnings.append(
                f"{self.place(path)}: {path.replace(':', '.')} is '{text}', which is read as "
                f"{span.days} days{_rest(span)}, as on Azure; hours, minutes and seconds are "
                "written 'hh:mm:ss' with hh below 24."
            )
        return span

    def choice(self, path: str, default: str, choices: Sequence[str], type_name: str) -> str:
        """The value as one of these words, any case, spelled as in `choices`."""

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
        for key, option in self._values.items():
            if key.startswith(start):
                name = option.path[len(start) :].split(":", 1)[0]
                below.setdefault(name.lower(), name)
        return list(below.values())

    def refuse(self, path: str, message: str, advice: str) -> None:
        """Note a fault of the value at a path, or of what is missing there."""
        found = self._values.get(path.lower())
        variable = found.variable if found else None
        if variable:
            advice = f"{advice} The value comes from the app setting {variable}."
        file = None if variable else HOST_FILE
        line = None if variable else self._locate(path)
        self.faults.append(ConfigError(message, advice, file=file, line=line))

    def raise_faults(self) -> None:
        """Errors: ConfigError, the first fault, with the others."""
        if self.faults:
            first, *others = self.faults
            first.others = others
            raise first

    def place(self, path: str) -> str:
        """Where the value at a path comes from: host.json, or an app setting."""
        found = self._values.get(path.lower())
        return (found.variable if found else None) or HOST_FILE

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
            detail = f" {error}" if str(error) != text else ""
            self.refuse(
                path,
                f"Failed to convert configuration value at '{_PREFIX}{path}' "
                f"to type '{type_name}'.",
                f"{HOST_FILE} has '{text}' there; expected {expected}.{detail}",
            )
            return default


def _rest(span: timedelta) -> str:
    """What a duration has beyond whole days, ` and h:mm:ss`."""
    rest = span - timedelta(days=span.days)
    return f" and {rest}" if rest else ""


def _flatten(path: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        pairs = [(str(name), item) for name, item in value.items()]
    elif isinstance(value, list):
        pairs = [(str(index), item) for index, item in enumerate(value)]
    else:
        return [] if value is None else [(path, scalar_text(value))]
    start = f"{path}:" if path else ""
    return [leaf for name, item in pairs for leaf in _flatten(start + name, item)]


def _overrides(environ: Mapping[str, str]) -> list[_Option]:
    keys = ((name.replace("__", ":"), name, value) for name, value in environ.items())
    return [
        _Option(key[len(_PREFIX) :], value, name)
        for key, name, value in keys
        if key.lower().startswith(_PREFIX.lower())
    ]
