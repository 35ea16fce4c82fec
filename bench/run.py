"""The benchmark's driver: every engine in turn, round after round, then medians and ratios.

Rounds are interleaved, so that what a noisy machine does to one engine it does to the others too.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from plan import ENGINES, TITLES, WORKLOADS
from profiles import write_profiles
from results import Results, describe_machine
from write_up import update_page, write_plot, write_tables

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "performance.md"


def parse():
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure durahost beside its peers and floors, in one run.",
        epilog="workloads: " + "; ".join(f"{name} {text}" for name, text in WORKLOADS.items()),
    )
    parser.add_argument("workload", nargs="*", help="only these (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="times each is measured (5)")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument(
        "--profiles", action="store_true", help="profile host and child instead of measuring"
    )
    parser.add_argument(
        "--page", action="store_true", help="put the tables into docs/performance.md too"
    )
    chosen = parser.parse_args()
    unknown = set(chosen.workload) - set(WORKLOADS)
    if unknown:
        parser.error(
            f"unknown workload {', '.join(sorted(unknown))}; there are: {', '.join(WORKLOADS)}"
        )
    return chosen


def interpreter(engine):
    """The Python of the engine's own environment; this one where it has none."""
    own = HERE / ".peers" / engine / "bin" / "python"
    return str(own) if own.exists() else sys.executable


def measure(engine, workloads):
    """The result lines of one round of one engine, and what it said when it failed."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(HERE),
        "NODE_HOME": str(HERE / ".peers" / "restate-node"),
    }
    command = [interpreter(engine), str(HERE / "engines" / f"{engine}.py"), *workloads]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True)
    lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    if ended.returncode != 0:
        tail = "\n".join(ended.stderr.splitlines()[-6:])
        print(
            f"  {TITLES.get(engine, engine)} failed (exit {ended.returncode}):\n{tail}",
            file=sys.stderr,
        )
    return lines


def main():
    chosen = parse()
    if chosen.profiles:
        profiles = write_profiles(chosen.output / "profiles")
        print(profiles)
        if chosen.page:
            update_page(PAGE, "profiles", profiles)
        return
    workloads = chosen.workload or list(WORKLOADS)
    results = Results(describe_machine())
    for turn in range(1, chosen.rounds + 1):
        for engine in chosen.engines:
            # Long, and steady: once is enough.
            if engine in ("idle", "growth") and (turn > 1 or engine not in workloads):
                continue
            print(
                f"round {turn}/{chosen.rounds}: {TITLES.get(engine, engine)} ...",
                file=sys.stderr,
                flush=True,
            )
            for line in measure(engine, workloads):
                results.add("durahost" if engine in ("idle", "growth") else engine, line)
                print("  " + json.dumps(line), file=sys.stderr, flush=True)
    chosen.output.mkdir(parents=True, exist_ok=True)
    document = results.document()
    text = json.dumps(document, indent=1) + "\n"
    (chosen.output / "results.json").write_text(text, encoding="utf-8")
    tables = write_tables(document)
    (chosen.output / "results.md").write_text(tables, encoding="utf-8")
    write_plot(document, chosen.output / "results.svg")
    if chosen.page:
        update_page(PAGE, "results", tables)
    print(tables)
    print(f"Written to {chosen.output}: results.json, results.md, results.svg", file=sys.stderr)


if __name__ == "__main__":
    main()
