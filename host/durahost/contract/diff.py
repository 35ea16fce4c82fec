"""What differs in meaning between two recordings: of two targets, or of one at two times.

A difference of the same kind at the same place in many cases is told once. An allow-list names
those that are known: one pattern a line, compared with `KIND PLACE [CASE]`.
"""

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from durahost.contract.errors import ContractError
from durahost.contract.placeholders import PLACEHOLDER

Recording = Mapping[str, Sequence[Mapping[str, Any]]]

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. place: where in the answer; detail: what it was and is."""

    kind: str
    place: str
    detail: str
    case: str

    @property
    def line(self) -> str:
        """What allow-lists are compared with."""
        return f"{self.kind} {self.place} [{self.case}]"


@dataclass(frozen=True, slots=True)
class Group:
    """The same difference in one or more cases."""

    kind: str
    place: str
    detail: str
    cases: Sequence[str]


def compare(before: Recording, after: Recording) -> list[Difference]:
    """All differences, in the order of the first recording's cases."""
    found: list[Difference] = []
    for case, exchanges in before.items():
        if case in after:
            found += _compare_case(case, exchanges, after[case])
        else:
            found.append(Difference("case-missing", "-", "only in the first recording", case))
    found += [
        Difference("case-added", "-", "only in the second recording", case)
        for case in after
        if case not in before
    ]
    return found


def read_allowed(path: Path) -> list[str]:
    """The patterns of an allow-list; `#` begins a comment line.

    Errors: ContractError when it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(f"The allow-list '{path}' cannot be read ({error}).") from error
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def without(differences: Sequence[Difference], allowed: Sequence[str]) -> list[Difference]:
    """The differences that no pattern allows; a pattern without `[` is for every case."""
    patterns = [_as_pattern(pattern if "[" in pattern else f"{pattern} [*]") for pattern in allowed]
    return [
        one
        for one in differences
        if not any(fnmatch.fnmatchcase(one.line, pattern) for pattern in patterns)
    ]


def group(differences: Sequence[Difference]) -> list[Group]:
    """The differences by kind, place and detail; those of most cases first."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for one in differences:
        cases = groups.setdefault((one.kind, one.place, one.detail), [])
        if one.case not in cases:
            cases.append(one.case)
    found = [Group(*key, cases) for key, cases in groups.items()]
    return sorted(found, key=lambda one: -len(one.cases))


def _as_pattern(line: str) -> str:
    # Brackets are no sets here: places are full of them.
    return re.sub(r"\[", "[[]", line)


def _compare_case(
    case: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[Difference]:
    for old, new in zip(before, after, strict=False):
        if old["request"] != new["request"]:
            yield Difference("request", old["request"]["url"], "the case itself changed", case)
            return
        yield from _compare_answers(case, old["answer"], new["answer"])
    if len(before) != len(after):
        detail = f"{len(before)} → {len(after)}"
        yield Difference("exchanges", "-", detail, case)


def _compare_answers(
    case: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Difference]:
    if old["status"] != new["status"]:
        yield Difference("status", "-", f"{old['status']} → {new['status']}", case)
    for name in {**old["headers"], **new["headers"]}:
        was, now = old["headers"].get(name), new["headers"].get(name)
        if was == now:
            continue
        kind = "header-missing" if now is None else "header-added" if was is None else "header"
        detail = now if was is None else was if now is None else f"{_show(was)} → {_show(now)}"
        yield Difference(kind, name, str(detail), case)
    bodies = [next((k for k in ("json", "text") if k in one), "no body") for one in (old, new)]
    if bodies[0] != bodies[1]:
        yield Difference("body", "-", " → ".join(bodies), case)
    elif bodies[0] != "no body":
        for kind, place, detail in _compare_values(old[bodies[0]], new[bodies[0]], "$"):
            yield Difference(kind, place, detail, case)


def _compare_values(old: Any, new: Any, place: str) -> Iterator[tuple[str, str, str]]:
    match old, new:
        case dict(), dict():
            yield from _compare_objects(old, new, place)
        case list(), list():
            if len(old) != len(new):
                yield "length", f"{place}[]", f"{len(old)} → {len(new)}"
            for was, now in zip(old, new, strict=False):
                yield from _compare_values(was, now, f"{place}[]")
        case _ if type(old) is not type(new):
            yield "type", place, f"{_type_name(old)} → {_type_name(new)}"
        case str(), str() if _form(old) != _form(new) and (_form(old) or _form(new)):
            if old != new:
                yield "format", place, f"{_show(old)} → {_show(new)}"
        case _ if old != new:
            yield "value", place, f"{_show(old)} → {_show(new)}"
        case _:
            pass


def _compare_objects(
    old: Mapping[str, Any], new: Mapping[str, Any], place: str
) -> Iterator[tuple[str, str, str]]:
    for name in old:
        if name not in new:
            yield "property-missing", f"{place}.{name}", f"was {_show(old[name])}"
    for name in new:
        if name not in old:
            yield "property-added", f"{place}.{name}", f"is {_show(new[name])}"
    before = [name for name in old if name in new]
    after = [name for name in new if name in old]
    if before != after:
        yield "property-order", place, f"{', '.join(before)} → {', '.join(after)}"
    for name in before:
        yield from _compare_values(old[name], new[name], f"{place}.{name}")


def _form(text: str) -> list[str]:
    """The masks of a text: two texts of other masks differ in form."""
    return PLACEHOLDER.findall(text)


def _type_name(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "integer" if isinstance(value, int) else "number")


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
