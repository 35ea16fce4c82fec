"""Runs cases against a target: setup, request, what is expected, in order.

Every case works on ids of its own, so it can run again on a target that others use. A polled step
asks until its answer is as expected, never longer than the target's limit.
"""

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Protocol

from durahost.contract import matching
from durahost.contract.cases import CAPABILITIES, Case, Expectation, Step
from durahost.contract.errors import ContractError
from durahost.contract.exchange import Answer, Request
from durahost.contract.placeholders import PATTERNS, TYPES, fill

WEBHOOK = "/runtime/webhooks/durabletask"
KEY_HEADER = "x-functions-key"
NO_KEY = "none"
OPEN_BODIES = tuple(f"<{name}>" for name in TYPES)
ID_PREFIX = "contract-"

_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _PAUSE_GROWS = 0.005, 0.5, 1.4
_SHOWN = 2000
_NOT_SHOWN = re.compile("(, got| is) .*", re.DOTALL)
_KEY = re.compile(f"{PATTERNS['host-key']}|(?<=code=){PATTERNS['key']}")


class Target(Protocol):
    """What runs the app of the cases."""

    @property
    def origin(self) -> str:
        """Scheme and authority."""

    @property
    def code(self) -> str | None:
        """The key to present, None without one."""

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do; see `cases.CAPABILITIES`."""

    @property
    def variables(self) -> Mapping[str, str]:
        """What cases may put into requests and expectations."""

    @property
    def limit_s(self) -> float:
        """How long an answer is polled for."""

    def send(self, request: Request) -> Answer:
        """Send one request. Errors: ContractError without an answer."""


class Outcome(Enum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer; of a polled step the last one.

    is_open: no more than the type of the body is expected; it may hold what is not the case's.
    """

    request: Request
    answer: Answer
    is_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a case.

    problems: one line each; for a skipped case why. variables: those made for this case.
    """

    case: Case
    outcome: Outcome
    seconds: float = 0.0
    problems: Sequence[str] = ()
    exchanges: Sequence[Exchange] = ()
    variables: Mapping[str, str]


def run_case(case: Case, target: Target) -> Result:
    """Run one case; a target that does not answer is a problem of the case too."""
    missing = [name for name in case.needs if name not in target.capabilities]
    if missing:
        reasons = [f"needs a target that {CAPABILITIES[name]}" for name in missing]
        return Result(case=case, outcome=Outcome.SKIPPED, problems=reasons, variables={})
    run = _Run(case, target)
    begun = time.monotonic()
    problems = [hide_keys(one, target.code) for one in run.play()]
    return Result(
        case=case,
        outcome=Outcome.FAILED if problems else Outcome.PASSED,
        seconds=time.monotonic() - begun,
        problems=problems,
        exchanges=run.exchanges,
        variables=run.made,
    )


def hide_keys(text: str, code: str | None = None) -> str:
    """A text without the keys that a target makes and gives away, and without the one presented."""
    return _KEY.sub("<key>", text.replace(code, "<code>") if code else text)


class _Run:
    """One run of one case."""

    def __init__(self, case: Case, target: Target) -> None:
        self.exchanges: list[Exchange] = []
        fresh = ID_PREFIX + secrets.token_hex(8)
        self.made = {"id": fresh, "id2": f"{fresh}-2", "id3": f"{fresh}-3"}
        self._case = case
        self._target = target
        self._variables: dict[str, Any] = {**target.variables, **self.made}

    def play(self) -> list[str]:
        """Take the steps until one fails; its problems."""
        for step in self._case.steps:
            try:
                problems = self._take(step)
            except ContractError as error:
                problems = [str(error)]
            if problems:
                return [f"{step.method} {fill(step.url, self._variables)}", *problems]
        return []

    def _take(self, step: Step) -> list[str]:
        request = self._build(step)
        expected = fill_expectation(step.expect, self._variables)
        until = time.monotonic() + (self._target.limit_s if step.is_polled else 0.0)
        pause = _FIRST_PAUSE_S
        while True:
            answer = self._target.send(request)
            problems = matching.check(expected, answer, is_api=step.is_api)
            if not problems or time.monotonic() >= until:
                break
            time.sleep(pause)
            pause = min(_PAUSE_GROWS * pause, _LONGEST_PAUSE_S)
        is_open = expected.body in OPEN_BODIES
        self.exchanges.append(Exchange(request=request, answer=answer, is_open=is_open))
        if problems:
            waited = f" (after {self._target.limit_s:g} s)" if step.is_polled else ""
            if step.is_of_keys:
                problems = [_NOT_SHOWN.sub(r"\1 (a key may be in it)", one) for one in problems]
                return [*problems, f"the answer{waited} was {answer.status}"]
            return [*problems, f"the answer{waited} was {_describe(answer)}"]
        return self._save(step, answer)

    def _build(self, step: Step) -> Request:
        url = fill(step.url, self._variables)
        if step.is_api:
            if self._case.query:
                url += ("&" if "?" in url else "?") + self._case.query
            url = f"{WEBHOOK}/{url}"
        headers = fill(dict(step.headers), self._variables)
        key = self._target.code if step.key is None else fill(step.key, self._variables)
        if key is not None and key != NO_KEY:
            headers[KEY_HEADER] = key
        body = fill(step.body, self._variables)
        return Request(
            method=step.method,
            url=url if "://" in url.partition("?")[0] else self._target.origin + url,
            headers=headers,
            body=None if body is None else body.encode(step.encoding),
        )

    def _save(self, step: Step, answer: Answer) -> list[str]:
        for name, place in step.save.items():
            try:
                self._variables[name] = find_in(answer, place)
            except (ValueError, KeyError, IndexError, TypeError):
                return [f"nothing to save at '{place}'; the answer was {_describe(answer)}"]
        return []


def find_in(answer: Answer, place: str) -> Any:
    """A part of an answer: `header NAME`, or properties and indexes of the body between dots.

    Errors: ValueError, KeyError, IndexError or TypeError when there is none.
    """
    kind, _, name = place.partition(" ")
    if kind == "header":
        return answer.headers[name.lower()]
    value = answer.json
    for part in place.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def fill_expectation(expected: Expectation, variables: Mapping[str, Any]) -> Expectation:
    """Put variables into an expectation; what stays are patterns."""
    return replace(
        expected,
        headers=fill(dict(expected.headers), variables),
        body=fill(expected.body, variables),
    )


def _describe(answer: Answer) -> str:
    text = answer.text
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return f"{answer.status} {shown or '(no body)'}"
