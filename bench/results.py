"""The measures of a run, folded into medians."""

import os
import platform
import sqlite3
import sys
from collections import defaultdict
from importlib.metadata import version
from statistics import median


def describe_machine():
    """What the figures were measured on."""
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return {
        "cores": os.cpu_count(),
        "cpu": models[0] if models else platform.machine(),
        "kernel": platform.release(),
        "python": describe_python(),
        "sqlite": sqlite3.sqlite_version,
        "azure-functions": version("azure-functions"),
        "azure-functions-durable": version("azure-functions-durable"),
        "durahost": version("durahost"),
        "durability": "SQLite in WAL mode, synchronous=FULL, one host, one child",
    }


def describe_python():
    """Its version, and whether it is the system's own."""
    is_systems = sys.base_prefix == "/usr"
    origin = (
        f"of {platform.freedesktop_os_release()['PRETTY_NAME']}" if is_systems else "built apart"
    )
    return f"{platform.python_version()} {origin}"


class Results:
    """Result lines by engine and workload."""

    def __init__(self, machine):
        self._machine = machine
        self._lines = defaultdict(list)

    def add(self, engine, line):
        key = (engine, line["workload"], line.get("children"), line.get("finished"))
        self._lines[key].append({**line, "load": os.getloadavg()[0]})

    def document(self):
        """Medians with the range they were taken from, for JSON."""
        return {"machine": self._machine, "results": [_fold(*one) for one in self._lines.items()]}


def _fold(key, lines):
    engine, workload, children, finished = key
    folded = {"engine": engine, "workload": workload, "rounds": len(lines)}
    details = {"children": children, "finished": finished}
    folded |= {name: value for name, value in details.items() if value is not None}
    for name in lines[0]:
        values = [line[name] for line in lines if name in line]
        if name in folded:
            continue
        if all(isinstance(value, int | float) for value in values):
            folded[name] = round(median(values), 4)
            folded[f"{name}_range"] = [min(values), max(values)]
        else:
            folded[name] = values[0]
    return folded


def find(document, engine, workload, measure):
    """One median; None where it was not measured."""
    for one in document["results"]:
        if (one["engine"], one["workload"]) == (engine, workload) and measure in one:
            return one[measure]
    return None
