"""Placeholders in cases: `<name>` is a variable, or, in what is expected, a pattern.

A string that is one placeholder and nothing else takes the variable's value with its type.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

PLACEHOLDER = re.compile(r"<([a-z][a-z0-9-]*)>")

_DATE_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
PATTERNS: Mapping[str, str] = {
    "time": _DATE_TIME + "Z",
    "moment": _DATE_TIME + r"(?:\.\d{1,7})?Z",
    "local-moment": _DATE_TIME + r"(?:\.\d{1,7})?(?:Z|[+-]\d\d:\d\d)",
    "guid": "[0-9a-f]{32}",
    "key": "[A-Za-z0-9_-]+={0,2}",
    "host-key": "[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{6}==",
    "port": r"\d{1,5}",
    "text": r"[\s\S]*",
}
"""What a placeholder inside a text stands for."""

TYPES: Mapping[str, tuple[type, ...]] = {
    "any": (object,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "bool": (bool,),
    "object": (dict,),
    "array": (list,),
    "absent": (),
}
"""What a placeholder that is a whole JSON value stands for."""


def fill(value: Any, variables: Mapping[str, Any]) -> Any:
    """Put variables into every string of a value, property names too; other names stay."""
    match value:
        case str():
            whole = PLACEHOLDER.fullmatch(value)
            if whole is not None and whole[1] in variables:
                return variables[whole[1]]
            return PLACEHOLDER.sub(lambda m: _text(variables.get(m[1], m[0])), value)
        case list():
            return [fill(item, variables) for item in value]
        case dict():
            return {fill(name, variables): fill(item, variables) for name, item in value.items()}
        case _:
            return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def names_in(value: Any) -> Iterator[str]:
    """The placeholders of a value."""
    match value:
        case str():
            yield from PLACEHOLDER.findall(value)
        case list():
            for item in value:
                yield from names_in(item)
        case dict():
            for name, item in value.items():
                yield from names_in(name)
                yield from names_in(item)
        case _:
            pass


def text_matches(expected: str, actual: str) -> bool:
    """Whether a text is the expected one; placeholders in it are patterns."""
    parts = PLACEHOLDER.split(expected)  # literal, name, literal, name, ..., literal
    pattern = "".join(
        PATTERNS.get(part, re.escape(f"<{part}>")) if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    )
    return re.fullmatch(pattern, actual) is not None
