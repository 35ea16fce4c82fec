"""ASP.NET Core's inline route constraints, as tests of a route value's text.

Sources: dotnet/aspnetcore: Routing/src/Constraints/*.cs, Routing/src/RouteOptions.cs
(GetDefaultConstraintMap).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

Test = Callable[[str], bool]
"""Whether a route value satisfies the constraint."""

_MAX_DIGITS = 100
"""Python refuses to convert very long numbers; no route value needs them."""

_INTEGER = re.compile(r"\s*[-+]?\d+\s*", re.ASCII)
_DECIMAL = re.compile(r"\s*[-+]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)[-+]?\s*", re.ASCII)
_FLOAT = re.compile(
    r"\s*(?:[-+]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|NaN|[-+]?(?:Infinity|∞))\s*",
    re.ASCII,
)
_HEX = "[0-9a-fA-F]"
_DASHED = f"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"
_GUID = re.compile(rf"\s*(?:{_HEX}{{32}}|{_DASHED}|\{{{_DASHED}\}}|\({_DASHED}\))\s*")
_ALPHA = re.compile(r"[a-zA-Z]*")
_ISO_START = re.compile(r"\d{4}-\d\d-", re.ASCII)
_DATE_FORMATS = (
    "%m-%d-%Y",
    "%m-%d-%Y %H:%M",
    "%m-%d-%Y %H:%M:%S",
    "%m-%d-%Y %I:%M %p",
    "%m-%d-%Y %I:%M:%S %p",
    "%d %B %Y",
    "%d %b %Y",
    "%B %d %Y",
    "%Y-%m",
    "%H:%M",
    "%H:%M:%S",
)


class UnknownConstraint(ValueError):
    """No constraint has this name, or it takes other arguments; the text is ASP.NET Core's."""


def parse_constraint(text: str) -> Test:
    """Parse one constraint, for instance `int`, `length(2,5)` or `regex(^a)`.

    Errors: UnknownConstraint.
    """
    name, _, rest = text.partition("(")
    argument = rest.removesuffix(")") if rest else None
    try:
        if argument is None:
            return _PLAIN[name.strip().lower()]
        return _WITH_ARGUMENTS[name.strip().lower()](argument)
    except KeyError as error:
        raise UnknownConstraint(
            f"The constraint reference '{name}' could not be resolved to a type. Register the "
            "constraint type with 'Microsoft.AspNetCore.Routing.RouteOptions.ConstraintMap'."
        ) from error
    except (ValueError, re.error) as error:
        raise UnknownConstraint(
            f"The constraint reference '{text}' could not be created: {error}."
        ) from error


def _integer(bits: int) -> Test:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    def is_in_range(value: str) -> bool:
        is_short = len(value) <= _MAX_DIGITS and _INTEGER.fullmatch(value) is not None
        return is_short and low <= int(value) <= high

    return is_in_range


def _is_file(value: str) -> bool:
    """Whether the last segment has something but dots after its first dot."""
    _, dot, extension = value.rpartition("/")[2].partition(".")
    return bool(dot) and extension.strip(".") != ""


def _is_datetime(value: str) -> bool:
    """An approximation of DateTime.TryParse, invariant culture: ISO and the common forms."""
    text = value.strip().replace("/", "-")
    if _ISO_START.match(text):
        return _can_read(datetime.fromisoformat, text)
    return any(_can_read(datetime.strptime, text, form) for form in _DATE_FORMATS)


def _can_read(read: Callable[..., datetime], *arguments: str) -> bool:
    try:
        read(*arguments)
    except ValueError:
        return False
    return True


def _matches(pattern: re.Pattern[str]) -> Test:
    return lambda value: pattern.fullmatch(value) is not None


def _numbers(argument: str, count: int) -> Sequence[int]:
    numbers = [int(part) for part in argument.split(",")]
    if len(numbers) != count:
        raise ValueError(f"it takes {count} argument(s)")
    return numbers


def _minimum_length(argument: str) -> Test:
    (least,) = _numbers(argument, 1)
    return lambda value: len(value) >= least


def _maximum_length(argument: str) -> Test:
    (most,) = _numbers(argument, 1)
    return lambda value: len(value) <= most


def _length(argument: str) -> Test:
    if "," not in argument:
        argument = f"{argument},{argument}"
    least, most = _numbers(argument, 2)
    return lambda value: least <= len(value) <= most


def _minimum(argument: str) -> Test:
    (least,) = _numbers(argument, 1)
    return lambda value: _is_long(value) and int(value) >= least


def _maximum(argument: str) -> Test:
    (most,) = _numbers(argument, 1)
    return lambda value: _is_long(value) and int(value) <= most


def _range(argument: str) -> Test:
    least, most = _numbers(argument, 2)
    return lambda value: _is_long(value) and least <= int(value) <= most


def _regex(argument: str) -> Test:
    pattern = re.compile(argument, re.IGNORECASE)
    return lambda value: pattern.search(value) is not None


_is_long = _integer(64)
_PLAIN: Mapping[str, Test] = {
    "int": _integer(32),
    "long": _is_long,
    "bool": lambda value: value.strip().lower() in ("true", "false"),
    "datetime": _is_datetime,
    "decimal": _matches(_DECIMAL),
    "double": _matches(_FLOAT),
    "float": _matches(_FLOAT),
    "guid": _matches(_GUID),
    "alpha": _matches(_ALPHA),
    "required": bool,
    "file": _is_file,
    "nonfile": lambda value: not _is_file(value),
}
_WITH_ARGUMENTS: Mapping[str, Callable[[str], Test]] = {
    "minlength": _minimum_length,
    "maxlength": _maximum_length,
    "length": _length,
    "min": _minimum,
    "max": _maximum,
    "range": _range,
    "regex": _regex,
}
