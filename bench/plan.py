"""What is measured, on what, and what is to be reached. Pure data."""

from dataclasses import dataclass

ENGINES = (
    "durahost",
    "restate",
    "floor_engine",
    "floor_http",
    "dbos",
    "durabletask",
    "idle",
    "growth",
)
"""Programs in engines/; each does the workloads it knows and leaves out the others.

Measured in this order: those whose ratios are nearest to what is to be reached follow each other,
so that a machine whose speed changes within minutes does the same to both.
"""

TITLES = {
    "durahost": "durahost",
    "floor_engine": "engine floor",
    "floor_http": "HTTP floor",
    "dbos": "DBOS (SQLite)",
    "durabletask": "durabletask (in memory)",
    "restate": "Restate (JavaScript)",
}

WORKLOADS = {
    "W1-1": "hello sequence, 1 outstanding",
    "W1-100": "hello sequence, 100 outstanding",
    "W2-1000": "fan-out and fan-in of 1,000 activities",
    "W3-500": "500 activities in sequence in one instance",
    "W4-100": "HTTP start, polled every 5 ms, 100 outstanding",
    "W5-64": "HTTP function, 64 connections",
    "W6": "process start to the first served request",
    "W7": "1,000 waiting instances each resumed by an event",
    "idle": "10,000 waiting instances with a timer each",
    "growth": "cost of one instance beside many finished ones",
    "cores": "sequences of 50 ms activities, 100 outstanding, 1 and 2 children",
}


@dataclass(frozen=True)
class Target:
    """A ratio to reach: durahost's measure / the other's, at most (or at least) `must`."""

    workload: str
    measure: str
    other: str
    must: float | None = None
    aim: float | None = None
    at_least: bool = False

    def verdict(self, ratio):
        """How far the ratio gets."""
        if self.aim is not None and self._meets(ratio, self.aim):
            return "aim reached"
        if self.must is None:
            return "aim missed"
        return "reached" if self._meets(ratio, self.must) else "missed"

    def _meets(self, ratio, bound):
        return ratio >= bound if self.at_least else ratio <= bound


TARGETS = (
    Target("W1-1", "p50_ms", "restate", 1.0),
    Target("W1-1", "p50_ms", "dbos", 1.0),
    Target("W1-1", "p50_ms", "floor_engine", aim=2.5),
    Target("W1-100", "per_s", "dbos", 3.0, at_least=True),
    Target("W1-100", "per_s", "durabletask", 3.0, at_least=True),
    Target("W1-100", "per_s", "restate", aim=1.1, at_least=True),
    Target("W2-1000", "wall_s", "durabletask", 0.5),
    Target("W2-1000", "wall_s", "dbos", 0.3),
    Target("W3-500", "wall_s", "dbos", 1.0),
    Target("W3-500", "wall_s", "restate", 1.0),
    Target("W3-500", "wall_s", "durabletask", 1.0),
    Target("W4-100", "per_s", "restate", 0.8, aim=1.3, at_least=True),
    Target("W5-64", "per_s", "floor_http", 0.35, aim=0.6, at_least=True),
    Target("W6", "startup_s", "dbos", 1.5, aim=1.0),
    Target("W7", "per_s", "restate", 0.8, aim=1.3, at_least=True),
)
