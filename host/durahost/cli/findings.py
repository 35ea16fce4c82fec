"""What `durahost check` found as text for a person, as JSON and as SARIF 2.1.0 for programs.

Source of SARIF's names: oasis-tcs/sarif-spec: sarif-schema-2.1.0.json.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from durahost import __version__
from durahost.checking import Examined
from durahost.cli.finding_text import show_findings
from durahost.config.app_root import HOST_FILE
from durahost.functions.traps import BY_RULE
from durahost.model.findings import Finding, Severity

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_text(examined: Examined) -> None:
    """Print everything, the worst first, and a summary."""
    order = list(Severity)
    show_findings(sorted(examined.findings, key=lambda one: order.index(one.severity)))
    counts = _count(examined.findings)
    said = ", ".join(_plural(counts[kind], kind.value) for kind in Severity if counts[kind])
    good = _plural(examined.functions, "function")
    color = "red" if examined.has_errors else "green"
    click.secho(f"{examined.root}: {said or 'no problems'}; {good} without error.", fg=color)


def as_json(examined: Examined) -> str:
    """A JSON object: version, root, functions, errors, warnings, notes, findings."""
    counts = _count(examined.findings)
    document = {
        "version": 1,
        "root": examined.root,
        "functions": examined.functions,
        **{f"{kind.value}s": counts[kind] for kind in Severity},
        "findings": [_json_finding(one) for one in examined.findings],
    }
    return json.dumps(document, indent=2)


def as_sarif(examined: Examined) -> str:
    """A SARIF log with one run."""
    rules = sorted({one.rule for one in examined.findings})
    run = {
        "tool": {
            "driver": {
                "name": "durahost",
                "version": __version__,
                "rules": [_sarif_rule(rule) for rule in rules],
            }
        },
        "originalUriBaseIds": {"APPROOT": {"uri": f"{Path(examined.root).as_uri()}/"}},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(one, rules.index(one.rule)) for one in examined.findings],
    }
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _count(findings: Sequence[Finding]) -> Counter[Severity]:
    return Counter(one.severity for one in findings)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _json_finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": finding.message,
        "function": finding.function,
        "file": finding.file,
        "line": finding.line,
        "advice": finding.advice,
        "frames": finding.frames,
    }


def _sarif_rule(rule: str) -> dict[str, Any]:
    trap = BY_RULE[rule]
    return {
        "id": rule,
        "shortDescription": {"text": trap.summary},
        "defaultConfiguration": {"level": trap.severity.value},
    }


def _sarif_result(finding: Finding, index: int) -> dict[str, Any]:
    parts = (finding.message, finding.advice, finding.frames)
    location: dict[str, Any] = {"artifactLocation": _artifact(finding.file or HOST_FILE)}
    if finding.line:
        location["region"] = {"startLine": finding.line}
    place: dict[str, Any] = {"physicalLocation": location}
    if finding.function:
        place["logicalLocations"] = [{"name": finding.function, "kind": "function"}]
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity.value,
        "message": {"text": "\n".join(part.rstrip() for part in parts if part)},
        "locations": [place],
    }


def _artifact(file: str) -> dict[str, str]:
    """Relative to the app; a file elsewhere has a URI of its own."""
    path = Path(file)
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(file), "uriBaseId": "APPROOT"}
