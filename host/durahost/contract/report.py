"""Reports of a run or a comparison: for a terminal, JUnit XML and JSON."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Any

from durahost.contract.cases import Case
from durahost.contract.diff import Group
from durahost.contract.runner import Outcome, Result

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CASES_SHOWN = 3


def format_failure(result: Result) -> str:
    """A failed case: its name, its request, and each problem on a line."""
    lines = [f"FAILED {result.case.name}", *(f"    {one}" for one in result.problems)]
    return "\n".join([*lines, f"    source: {result.case.source}"])


def format_table(results: Sequence[Result]) -> str:
    """Counts by file, and what was skipped and why."""
    rows: list[tuple[str, ...]] = [("cases", "passed", "failed", "skipped", "seconds")]
    groups = dict.fromkeys(_group(one.case) for one in results)
    for name in groups:
        rows.append(_row(name, [one for one in results if _group(one.case) == name]))
    rows.append(_row("all", results))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]
    skipped: dict[str, list[str]] = {}
    for one in results:
        if one.outcome is Outcome.SKIPPED:
            skipped.setdefault("; ".join(one.problems), []).append(one.case.name)
    for reason, names in skipped.items():
        lines += ["", f"Skipped, {reason}:", *(f"  {name}" for name in names)]
    return "\n".join(lines)


def to_json(results: Sequence[Result], origin: str) -> str:
    """The results for programs."""
    counts = {outcome.value: _count(results, outcome) for outcome in Outcome}
    cases: list[dict[str, Any]] = [
        {
            "name": one.case.name,
            "outcome": one.outcome.value,
            "seconds": round(one.seconds, 3),
            "problems": list(one.problems),
            "source": one.case.source,
        }
        for one in results
    ]
    return json.dumps({"target": origin, **counts, "cases": cases}, ensure_ascii=False, indent=1)


def to_junit(results: Sequence[Result]) -> str:
    """The results as JUnit XML, one suite for each file of cases."""
    root = ET.Element("testsuites", name="durahost contract")
    for name in dict.fromkeys(_group(one.case) for one in results):
        members = [one for one in results if _group(one.case) == name]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=name,
            tests=str(len(members)),
            failures=str(_count(members, Outcome.FAILED)),
            skipped=str(_count(members, Outcome.SKIPPED)),
            time=f"{sum(one.seconds for one in members):.3f}",
        )
        for one in members:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=name,
                name=_xml(one.case.name.partition("/")[2]),
                time=f"{one.seconds:.3f}",
            )
            if one.outcome is not Outcome.PASSED:
                tag = "failure" if one.outcome is Outcome.FAILED else "skipped"
                problem = ET.SubElement(case, tag, message=_xml("; ".join(one.problems[:2])))
                problem.text = _xml("\n".join(one.problems))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def format_groups(groups: Sequence[Group]) -> str:
    """The differences between two recordings."""
    lines = []
    for one in groups:
        count = f"{len(one.cases)} case" + "s" * (len(one.cases) != 1)
        lines.append(f"{one.kind} {one.place}: {one.detail} ({count})")
        lines += [f"    {name}" for name in one.cases[:_CASES_SHOWN]]
        if len(one.cases) > _CASES_SHOWN:
            lines.append(f"    and {len(one.cases) - _CASES_SHOWN} more")
    return "\n".join(lines)


def _group(case: Case) -> str:
    return case.name.partition("/")[0]


def _count(results: Sequence[Result], outcome: Outcome) -> int:
    return sum(one.outcome is outcome for one in results)


def _row(name: str, results: Sequence[Result]) -> tuple[str, ...]:
    counts = (str(_count(results, outcome)) for outcome in Outcome)
    return (name, *counts, f"{sum(one.seconds for one in results):.1f}")


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
