"""Recordings: every exchange of a run as JSON that is the same for every run of the same target.

Ids, times, keys, addresses and ports are masked by their form, so that a change of form shows;
property order is kept. What the contract leaves open (stack traces, the JSON parser's wording,
continuation tokens, and a body of which a case expects no more than its type) is masked whole.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from durahost.contract.errors import ContractError
from durahost.contract.exchange import Answer
from durahost.contract.placeholders import PATTERNS
from durahost.contract.runner import KEY_HEADER, NO_KEY, Exchange, Outcome, Result, Target

FORMAT = 1
CONTINUATION = "x-ms-continuation-token"
IGNORED_HEADERS = frozenset(
    {
        "date",
        "server",
        "connection",
        "keep-alive",
        "transfer-encoding",
        "content-length",
        KEY_HEADER,
    }
)
"""Made by servers and the way to them; a body's length changes with the ids in it, and keys are
nobody's business."""

_KEY_MEMBERS = frozenset({"name", "value"})
_OPEN_TEXTS = ("Invalid JSON content", "Could not parse JSON content: ")
_FORMS: Sequence[tuple[str, str]] = (
    # A form that begins like another one stands before it. A stack names the target's paths.
    (r'Stack: (?:[^"\\]|\\.)*', "Stack: <text>"),
    (r"code=[A-Za-z0-9_-]+={0,2}", "code=<key>"),
    (PATTERNS["host-key"], "<key>"),
    (r"\b(?:127\.0\.0\.1|localhost):\d+", "<host>"),
    (r"(?<=[a-z]):\d{2,5}(?=/)", ":<port>"),
    (rf"(?<![\dT:-]){PATTERNS['time']}", "<time>"),
    (rf"(?<![\dT:-]){PATTERNS['moment']}", "<moment>"),
    (rf"(?<![\dT:-]){PATTERNS['local-moment']}", "<local-moment>"),
    (r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "<uuid>"),
    (rf"(?<![0-9A-Za-z]){PATTERNS['guid']}(?![0-9A-Za-z])", "<guid>"),
)

Mask = Callable[[str], str]


class Recorder:
    """Keeps what a run exchanged, by case."""

    def __init__(self, target: Target) -> None:
        self._addresses = {
            value: f"<{name}>"
            for name, value in target.variables.items()
            if name in {"origin", "host", "rpc-origin"} and value
        }
        if target.variables["code"] != NO_KEY:
            self._addresses[target.variables["code"]] = "<key>"
        self._cases: dict[str, list[dict[str, Any]]] = {}

    def add(self, result: Result) -> None:
        """Keep the exchanges of a case; of one that was skipped there are none."""
        if result.outcome is not Outcome.SKIPPED:
            mask = build_mask({**_by_value(result.variables), **self._addresses})
            self._cases[result.case.name] = [_record(one, mask) for one in result.exchanges]

    def write(self, path: Path) -> None:
        """Write the recording."""
        document = {"format": FORMAT, "cases": self._cases}
        text = json.dumps(document, ensure_ascii=False, indent=1)
        path.write_text(text + "\n", encoding="utf-8")


def read_recording(path: Path) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The exchanges of a recording by case. Errors: ContractError for a file that is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ValueError(f"its format is {document['format']}")
        cases: Mapping[str, Sequence[Mapping[str, Any]]] = document["cases"]
        return cases
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ContractError(
            f"'{path}' is no recording of format {FORMAT} ({error}); make one with "
            "`durahost contract run --record FILE`."
        ) from error


def build_mask(known: Mapping[str, str]) -> Mask:
    """A function that masks texts: the known values first, the longest of them foremost."""
    values = sorted(known, key=len, reverse=True)
    pattern = re.compile("|".join(re.escape(value) for value in values)) if values else None

    def mask(text: str) -> str:
        if pattern is not None:
            text = pattern.sub(lambda match: known[match[0]], text)
        for form, name in _FORMS:
            text = re.sub(form, name, text)
        return text

    return mask


def _by_value(variables: Mapping[str, str]) -> dict[str, str]:
    return {value: f"<{name}>" for name, value in variables.items()}


def _record(exchange: Exchange, mask: Mask) -> dict[str, Any]:
    request = exchange.request
    return {
        "request": {
            "method": request.method,
            "url": mask(request.url),
            "headers": _record_headers(request.headers.items(), mask),
            "body": None
            if request.body is None
            else mask(request.body.decode("utf-8", "backslashreplace")),
        },
        "answer": {
            "status": exchange.answer.status,
            "headers": _record_headers(exchange.answer.headers.items(), mask),
            **({"json": "<any>"} if exchange.is_open else _record_body(exchange.answer, mask)),
        },
    }


def _record_headers(headers: Iterable[tuple[str, str]], mask: Mask) -> dict[str, str]:
    kept = {
        name.lower(): "<token>" if name.lower() == CONTINUATION and value else mask(value)
        for name, value in headers
        if name.lower() not in IGNORED_HEADERS
    }
    return dict(sorted(kept.items()))


def _record_body(answer: Answer, mask: Mask) -> dict[str, Any]:
    if not answer.body:
        return {}
    try:
        return {"json": _mask_open_parts(_mask_values(answer.json, mask))}
    except ValueError:
        return {"text": mask(answer.text)}


def _mask_values(value: Any, mask: Mask) -> Any:
    match value:
        case str():
            return mask(value)
        case list():
            return [_mask_values(item, mask) for item in value]
        case dict():
            masked = {mask(name): _mask_values(item, mask) for name, item in value.items()}
            # A key of the host's API; those that are older than its mark have no form of their own.
            return {**masked, "value": "<key>"} if masked.keys() >= _KEY_MEMBERS else masked
        case _:
            return value


def _mask_open_parts(body: Any) -> Any:
    """Mask what the contract leaves open in an error body."""
    if not isinstance(body, dict):
        return body
    message = str(body.get("Message"))
    for start in _OPEN_TEXTS:
        if message.startswith(start):
            masks = {"ExceptionMessage": "<text>"} if message == start else {}
            body = {**body, **masks, "Message": start + "<text>" * (not masks)}
    return {**body, "StackTrace": "<any>"} if "StackTrace" in body else body
