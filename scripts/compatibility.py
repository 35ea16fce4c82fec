"""Writes docs/compatibility.md from the `feature` markers of the tests; --check compares it only.

A feature without a test is no feature: every row comes from at least one marker. What is not there
is told by NOT_YET, the only words of the page that no test stands behind.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "compatibility.md"
LIMIT_S = 120

AREAS = (
    "Orchestrations",
    "Sub-orchestrations",
    "Timers",
    "External events",
    "Retries",
    "Continue-as-new",
    "Entities",
    "Durable HTTP",
    "Management API",
    "Client of the SDK",
    "Client of the JavaScript SDK",
    "Non-determinism",
    "Versions",
    "Settings",
    "Exactly once",
    "Unusual input",
    "Functions host",
)

NOT_YET = (
    ("Inputs from other services (`blob`, `cosmosDB`, `sql`, ...)", "the function gets None"),
    (
        "`/admin/vfs`, `/admin/zip`, `PUT` and `DELETE` of a function",
        "404: files are yours to edit",
    ),
    ("`/admin/host/processes`, `config`, `drain`, `resume`, `restart`", "404"),
    ("`/admin/health`; XML by `Accept`", "404; JSON"),
    ("SDK 2.x (protobuf and gRPC) and other languages' workers", "not spoken"),
    ("Several hosts on one database", "one host holds the SQLite file; no PostgreSQL store"),
    ("Managed identity for durable HTTP calls", "refused with a text that says what to do"),
    ("Event Grid notifications, distributed tracing, app lease", "settings checked, not acted on"),
)

HEAD = """\
# Compatibility

What of Azure Durable Functions and the Functions host is reproduced, each with the number of tests
that prove it. Made by `scripts/compatibility.py` from the tests' `feature` markers; do not edit.
[testing.md](testing.md) says how to add a row, [settings.md](settings.md) what each setting does.
"""


def main() -> int:
    """Write or check the page; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="fail when the page is stale")
    options = parser.parse_args()
    text = render(collect())
    if not options.check:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        print("docs/compatibility.md is stale; run scripts/fix")
        return 1
    return 0


def collect() -> list[dict[str, Any]]:
    """The markers of all tests; one object per feature and test function."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.json"
        paths = os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "features_plugin"]
        done = subprocess.run(
            [*command, "-p", "no:cacheprovider", "--features", str(path), "tests"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        if done.returncode:
            tail = "\n".join([*done.stdout.splitlines()[-20:], done.stderr])
            sys.exit(f"the tests cannot be collected:\n{tail}")
        found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    for one in found:
        if one["area"] not in AREAS:
            sys.exit(f"{one['test']}: no area is called '{one['area']}'; AREAS has them all")
    return found


def render(found: list[dict[str, Any]]) -> str:
    """The page: one table per area, then what is not there."""
    rows: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for one in found:
        rows[one["area"], one["name"]].append(one)
    lines = [HEAD]
    for area in AREAS:
        features = sorted((name for where, name in rows if where == area), key=str.lower)
        if features:
            lines += [f"## {area}\n", "| feature | | tests |", "| --- | --- | --- |"]
            lines += [_row(name, rows[area, name]) for name in features]
            lines.append("")
    lines += ["## Not there yet\n", "| what | what happens |", "| --- | --- |"]
    lines += [f"| {what} | {happens} |" for what, happens in NOT_YET]
    return "\n".join(lines) + "\n"


def _row(name: str, marked: list[dict[str, Any]]) -> str:
    notes = sorted({one["note"] for one in marked if one["note"]})
    kind = f"differs: {'; '.join(notes)}" if notes else "supported"
    count = len({one["test"] for one in marked})
    return f"| {name} | {kind} | {count} |".replace("\\", "")


if __name__ == "__main__":
    sys.exit(main())
