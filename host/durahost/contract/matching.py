"""Whether an answer is the expected one; every difference in words.

JSON is compared with its property order and with its types: 1 is not 1.0, and not true. Bodies of
the management API also have no blank between their tokens.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from durahost.contract.cases import Body, Expectation
from durahost.contract.exchange import Answer
from durahost.contract.placeholders import PLACEHOLDER, TYPES, text_matches

JSON_TYPE = "application/json; charset=utf-8"
ABSENT, PRESENT = "absent", "present"
NOT_THERE = "<absent>"
"""As a property's value in a case: the property must not be there."""

_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SHOWN = 200


def check(expected: Expectation, answer: Answer, *, is_api: bool) -> list[str]:
    """The differences; none when the answer is as expected.

    is_api: the management API, whose bodies have one form and one content type.
    """
    problems = []
    if answer.status not in expected.statuses:
        wanted = " or ".join(str(status) for status in expected.statuses)
        problems.append(f"status: expected {wanted}, got {answer.status}")
    headers = dict(expected.headers)
    if is_api and expected.kind in {Body.JSON, Body.HAS}:
        headers.setdefault("content-type", JSON_TYPE)
    problems += _check_headers(headers, answer.headers)
    return problems + _check_body(expected, answer, is_api=is_api)


def _check_headers(expected: Mapping[str, str], actual: Mapping[str, str]) -> list[str]:
    problems = []
    for name, wanted in expected.items():
        value = actual.get(name)
        if wanted == ABSENT:
            if value is not None:
                problems.append(f"header {name}: expected none, got {value!r}")
        elif value is None:
            problems.append(f"header {name}: missing")
        elif wanted != PRESENT and not text_matches(wanted, value):
            problems.append(f"header {name}: expected {wanted!r}, got {value!r}")
    return problems


def _check_body(expected: Expectation, answer: Answer, *, is_api: bool) -> list[str]:
    match expected.kind:
        case Body.ANY:
            return []
        case Body.EMPTY:
            return _check_empty(answer)
        case Body.TEXT:
            if text_matches(expected.body, answer.text):
                return []
            return [f"body: expected {expected.body!r}, got {answer.text!r}"]
        case Body.JSON | Body.HAS:
            try:
                value = json.loads(answer.body)
            except ValueError:
                return [f"body: expected JSON, got {_show(answer.text)}"]
            problems = compare(expected.body, value, "$", is_open=expected.kind is Body.HAS)
            if is_api and re.search(r"\s", _JSON_STRING.sub("", answer.text)):
                problems.append("body: there are blanks between its tokens")
            return problems


def _check_empty(answer: Answer) -> list[str]:
    problems = []
    if answer.body:
        problems.append(f"body: expected none, got {_show(answer.text)}")
    elif "content-type" in answer.headers:
        problems.append(f"header content-type of no body: {answer.headers['content-type']!r}")
    return problems


def compare(expected: Any, actual: Any, place: str, *, is_open: bool = False) -> list[str]:
    """Compare two JSON values; is_open: objects may have properties that are not expected."""
    match expected:
        case dict() if isinstance(actual, dict):
            return _compare_objects(expected, actual, place, is_open)
        case list() if isinstance(actual, list):
            return _compare_arrays(expected, actual, place, is_open)
        case str() if (whole := PLACEHOLDER.fullmatch(expected)) and whole[1] in TYPES:
            if isinstance(actual, bool) and whole[1] not in {"bool", "any"}:
                return [f"{place}: expected {expected}, got {_show(actual)}"]
            return _unless(isinstance(actual, TYPES[whole[1]]), expected, actual, place)
        case str() if isinstance(actual, str):
            return _unless(text_matches(expected, actual), expected, actual, place)
        case _:
            is_same = type(expected) is type(actual) and expected == actual
            return _unless(is_same, expected, actual, place)


def _compare_objects(
    expected: dict[str, Any], actual: dict[str, Any], place: str, is_open: bool
) -> list[str]:
    unwanted = [name for name in expected if expected[name] == NOT_THERE]
    expected = {name: value for name, value in expected.items() if name not in unwanted}
    problems = [f"{place}.{name}: missing" for name in expected if name not in actual]
    problems += [f"{place}.{name}: expected none" for name in unwanted if name in actual]
    if not is_open:
        problems += [
            f"{place}.{name}: not expected, is {_show(actual[name])}"
            for name in actual
            if name not in expected
        ]
    wanted = [name for name in expected if name in actual]
    found = [name for name in actual if name in expected]
    if wanted != found:
        problems.append(f"{place}: expected the order {', '.join(wanted)}, got {', '.join(found)}")
    for name in wanted:
        problems += compare(expected[name], actual[name], f"{place}.{name}", is_open=is_open)
    return problems


def _compare_arrays(expected: list[Any], actual: list[Any], place: str, is_open: bool) -> list[str]:
    if len(expected) != len(actual):
        return [f"{place}: expected {len(expected)} items, got {len(actual)}: {_show(actual)}"]
    problems = []
    for index, (wanted, found) in enumerate(zip(expected, actual, strict=True)):
        problems += compare(wanted, found, f"{place}[{index}]", is_open=is_open)
    return problems


def _unless(is_same: bool, expected: Any, actual: Any, place: str) -> list[str]:
    return [] if is_same else [f"{place}: expected {_show(expected)}, got {_show(actual)}"]


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
