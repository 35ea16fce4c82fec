"""The cases: what a YAML file says, checked, one `Case` for each row of a case's table.

The format is documented in docs/contract.md. Every message names the file and the case.
"""

import codecs
import fnmatch
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from durahost.contract import yaml_text
from durahost.contract.errors import CaseError
from durahost.contract.placeholders import PATTERNS, TYPES, fill, names_in

CASES = Path(__file__).parent / "cases"
STATES = CASES / "states.yaml"

CAPABILITIES: Mapping[str, str] = {
    "another-hub": "lets a client name a hub that no host works for",
    "auth": "asks for keys",
    "open": "asks for no keys",
    "functions": "runs the app's HTTP functions with the key that was given",
    "keys": "shows its keys to the key that was given",
    "direct": "is reached without a front end that routes by the Host header",
    "rpc": "has its local RPC endpoint on this machine",
    "disposable": "may lose the instances of others",
}
"""What a case can need, each the end of "the target …"."""

VARIABLES = ("id", "id2", "id3", "origin", "host", "base", "query", "code", "rpc", "rpc-origin")
"""What every case can use; docs/contract.md says what each stands for."""

_CASE_KEYS = ("name", "source", "needs", "table", "given", "then")
_STEP_KEYS = (
    "request", "headers", "body", "text", "encoding", "key", "expect", "eventually", "save",
)  # fmt: skip
_EXPECT_KEYS = ("status", "headers", "empty", "body", "has", "text")


class Body(Enum):
    """What is expected of a body."""

    ANY = "any"
    EMPTY = "empty"
    JSON = "body"
    HAS = "has"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """An answer. body: a JSON value, or a text for Body.TEXT. headers: names lower-cased."""

    statuses: tuple[int, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: Body = Body.ANY
    body: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A request and what is expected of its answer.

    url: below the management API, or from the root (`/…`), or absolute. key: the key presented,
    None for the target's own, "none" for none. encoding: of the body, as Python names it.
    is_polled: repeat until the answer is as expected. save: variables by where their value is
    found in the answer.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    encoding: str = "utf-8"
    key: str | None = None
    expect: Expectation
    is_polled: bool = False
    save: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_api(self) -> bool:
        """Whether the management API answers, by its usual address."""
        return not self.url.startswith(("/", "<"))

    @property
    def is_of_keys(self) -> bool:
        """Whether the keys API answers: what it says is nobody's business."""
        return self.url.startswith("/admin/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One fact of the contract. query: goes with every request below the management API."""

    name: str  # file/name
    source: str
    needs: tuple[str, ...] = ()
    query: str = ""
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    steps: Sequence[Mapping[str, Any]]
    query: str
    needs: tuple[str, ...]


def load_cases(select: str | None = None, folder: Path = CASES) -> list[Case]:
    """Read all cases, or those whose name holds a pattern (`*` and `?` as in file names).

    Errors: CaseError names the file, the case and what is wrong.
    """
    states = _load_states(folder / STATES.name)
    found: dict[str, Case] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name == STATES.name:
            continue
        for case in _load_file(path, states):
            if case.name in found:
                raise CaseError(f"{path.name}: '{case.name}' is there twice; rename one.")
            found[case.name] = case
    if select is None:
        return list(found.values())
    pattern = f"*{select.lower()}*"
    return [case for name, case in found.items() if fnmatch.fnmatchcase(name.lower(), pattern)]


def _load_states(path: Path) -> Mapping[str, _State]:
    if not path.exists():
        return {}
    return {
        name: _State(
            steps=tuple(state.get("steps", ())),
            query=state.get("query", ""),
            needs=_words(state.get("needs")),
        )
        for name, state in yaml_text.load(path).items()
    }


def _load_file(path: Path, states: Mapping[str, _State]) -> Iterator[Case]:
    document = yaml_text.load(path)
    _check_keys(path.name, document, ("about", "source", "needs", "cases"))
    for raw in document.get("cases", ()):
        where = f"{path.name}: case '{raw.get('name', '?')}'"
        _check_keys(where, raw, (*_CASE_KEYS, *_STEP_KEYS))
        for name in ("name", "request"):
            if name not in raw:
                raise CaseError(f"{where} has no '{name}'; add one.")
        raw = {"source": document.get("source"), **raw}
        if not raw["source"]:
            raise CaseError(f"{where} has no 'source', nor has its file; say where the fact is.")
        for row in _rows(where, raw.pop("table", None)):
            yield _build(path.stem, where, fill(raw, row), document.get("needs"), states)


def _rows(where: str, table: Any) -> list[dict[str, Any]]:
    """A table as variables: its first row has their names."""
    if table is None:
        return [{}]
    head, *rows = table
    for row in rows:
        if len(row) != len(head):
            raise CaseError(f"{where}: the row {row} of its table needs {len(head)} columns.")
    return [dict(zip(head, row, strict=True)) for row in rows]


def _build(
    group: str, where: str, raw: Mapping[str, Any], needs: Any, states: Mapping[str, _State]
) -> Case:
    needed, query = [*_words(needs), *_words(raw.get("needs"))], ""
    before: list[Mapping[str, Any]] = []
    for item in raw.get("given") or ():
        if isinstance(item, str):
            if item not in states:
                raise CaseError(f"{where}: no state '{item}'; there are {', '.join(states)}.")
            before += states[item].steps
            needed += states[item].needs
            query = query or states[item].query
        else:
            before.append(item)
    unknown = [name for name in needed if name not in CAPABILITIES]
    if unknown:
        known = ", ".join(CAPABILITIES)
        raise CaseError(f"{where} needs '{unknown[0]}'; what can be needed is {known}.")
    main = {key: raw[key] for key in _STEP_KEYS if key in raw}
    written = [*before, main, *(raw.get("then") or ())]
    variables = set(VARIABLES)
    steps = []
    for one in written:
        steps.append(_build_step(where, one, variables))
        variables |= set(steps[-1].save)
    return Case(
        name=f"{group}/{raw['name']}".replace("\n", " "),
        source=raw["source"],
        needs=tuple(dict.fromkeys(needed)),
        query=query,
        steps=steps,
    )


def _build_step(where: str, raw: Mapping[str, Any], variables: set[str]) -> Step:
    _check_keys(where, raw, _STEP_KEYS)
    request = str(raw.get("request", ""))
    method, _, url = request.partition(" ")
    if not url:
        raise CaseError(f"{where}: the request '{request}' is not 'METHOD path'.")
    expected = raw.get("eventually", raw.get("expect"))
    if expected is None:
        raise CaseError(f"{where}: nothing is expected of {request}; add 'expect'.")
    headers = {str(name): str(value) for name, value in (raw.get("headers") or {}).items()}
    body = raw.get("text")
    if "body" in raw:
        body = json.dumps(raw["body"], ensure_ascii=False, separators=(",", ":"))
        headers = {"Content-Type": "application/json", **headers}
    _check_names(where, [url, dict(headers), body, raw.get("key")], variables)
    _check_names(where, expected, variables | set(PATTERNS) | set(TYPES))
    return Step(
        method=method,
        url=url,
        headers=headers,
        body=body,
        encoding=_encoding(where, raw.get("encoding", "utf-8")),
        key=raw.get("key"),
        expect=_build_expectation(where, expected),
        is_polled="eventually" in raw,
        save=dict(raw.get("save") or {}),
    )


def _encoding(where: str, name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise CaseError(f"{where}: no encoding '{name}'; name one that Python has.") from error


def _build_expectation(where: str, raw: Any) -> Expectation:
    if isinstance(raw, int):
        return Expectation(statuses=(raw,))
    if isinstance(raw, str):
        status, _, rest = raw.partition(" ")
        if status.isdecimal() and rest == "empty":
            return Expectation(statuses=(int(status),), kind=Body.EMPTY)
        raise CaseError(f"{where}: '{raw}' is neither a status nor '<status> empty'.")
    _check_keys(where, raw, _EXPECT_KEYS)
    status = raw.get("status")
    if status is None:
        raise CaseError(f"{where}: an expectation without a status; add one.")
    kinds = [kind for kind in Body if kind.value in raw]
    if len(kinds) > 1:
        names = ", ".join(kind.value for kind in kinds)
        raise CaseError(f"{where}: only one of {names} can be expected of a body.")
    kind = kinds[0] if kinds else Body.ANY
    body = raw.get(kind.value)
    return Expectation(
        statuses=tuple(status) if isinstance(status, list) else (status,),
        headers={name.lower(): str(v) for name, v in (raw.get("headers") or {}).items()},
        kind=kind,
        body=str(body) if kind is Body.TEXT else body,
    )


def _check_names(where: str, value: Any, known: set[str]) -> None:
    for name in names_in(value):
        if name not in known:
            raise CaseError(f"{where}: <{name}> is unknown; known are {', '.join(sorted(known))}.")


def _check_keys(where: str, value: Any, known: Sequence[str]) -> None:
    if not isinstance(value, Mapping):
        raise CaseError(f"{where}: expected a mapping with {', '.join(known)}, found {value!r}.")
    for key in value:
        if key not in known:
            raise CaseError(f"{where}: unknown key '{key}'; the keys are {', '.join(known)}.")


def _words(value: Any) -> tuple[str, ...]:
    return tuple(value.split()) if isinstance(value, str) else tuple(value or ())
