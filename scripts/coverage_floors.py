"""Compares branch coverage with its floors: 100 % of the pure core, 95 % of the rest."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

PURE = ("model", "engine", "codec")
PURE_FLOOR, FLOOR = 100.0, 95.0


def measure() -> dict[str, tuple[int, int]]:
    """Covered and coverable lines plus branches of each sub-package or module of durahost."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "coverage.json"
        command = [sys.executable, "-m", "coverage", "json", "-q", "-o", str(target)]
        subprocess.run(command, check=True)
        files = json.loads(target.read_text(encoding="utf-8"))["files"]
    found: dict[str, tuple[int, int]] = {}
    for name, data in files.items():
        part = name.replace("\\", "/").partition("durahost/")[2].partition("/")[0]
        summary = data["summary"]
        done = summary["covered_lines"] + summary["covered_branches"]
        whole = summary["num_statements"] + summary["num_branches"]
        before = found.get(part, (0, 0))
        found[part] = (before[0] + done, before[1] + whole)
    return found


def main() -> None:
    """Print the table; exit 1 when a floor is missed."""
    parts = measure()
    rest = [counts for part, counts in parts.items() if part not in PURE]
    rows = {part: parts.get(part, (0, 0)) for part in PURE}
    rows["the rest"] = (sum(done for done, _ in rest), sum(whole for _, whole in rest))
    missed = False
    for part, (done, whole) in rows.items():
        floor = PURE_FLOOR if part in PURE else FLOOR
        percent = 100.0 * done / whole if whole else 0.0
        missed = missed or percent < floor
        print(f"coverage of {part}: {percent:.2f} % (floor {floor:.0f} %)")
    if missed:
        subprocess.run([sys.executable, "-m", "coverage", "report"], check=True)
    sys.exit(missed)


main()
