"""The results as Markdown tables and as a plot."""

from plan import TARGETS, TITLES, WORKLOADS
from results import find

UNITS = {
    "p50_ms": "p50, ms",
    "per_s": "per second",
    "wall_s": "seconds",
    "startup_s": "seconds to the first answer",
    "memory_mb": "MB resident",
    "percent_of_a_core": "% of a core",
    "memory_per_waiting_kb": "kB per waiting instance",
    "read_ms": "status, p50 ms",
}
MAIN = {"W1-1": "p50_ms", "W2-1000": "wall_s", "W3-500": "wall_s", "W6": "startup_s"}
"""The measure a workload is known by; instances per second for the others."""


def write_tables(document):
    """The machine, the ratios to reach, and every median, as Markdown."""
    machine = ", ".join(f"{name} {value}" for name, value in document["machine"].items())
    parts = [f"Measured on: {machine}.", "### Ratios", _ratios(document)]
    for workload, title in WORKLOADS.items():
        rows = [one for one in document["results"] if one["workload"] == workload]
        if rows:
            parts += [f"### {workload}: {title}", _table(rows)]
    return "\n\n".join(parts) + "\n"


def _ratios(document):
    lines = [
        "| workload | measure | durahost | beside | ratio | must | aim | |",
        "| --- " * 8 + "|",
    ]
    for target in TARGETS:
        own = find(document, "durahost", target.workload, target.measure)
        other = find(document, target.other, target.workload, target.measure)
        if own is None or other is None:
            continue
        ratio = own / other
        bound = "≥" if target.at_least else "≤"
        cells = [
            target.workload,
            UNITS[target.measure],
            f"{own:g}",
            f"{TITLES[target.other]} {other:g}",
            f"{ratio:.2f}",
            f"{bound} {target.must:g}" if target.must is not None else "",
            f"{bound} {target.aim:g}" if target.aim is not None else "",
            target.verdict(ratio),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _table(rows):
    measures = [name for name in UNITS if any(name in row for row in rows)]
    lines = ["| engine | " + " | ".join(UNITS[name] for name in measures) + " | rounds |"]
    lines.append("| --- " * (len(measures) + 2) + "|")
    for row in rows:
        name = TITLES.get(row["engine"], row["engine"])
        for detail in ("children", "finished"):
            name += f", {row[detail]:,} {detail}" if detail in row else ""
        cells = [_show(row, measure) for measure in measures]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {row['rounds']} |")
    return "\n".join(lines)


def _show(row, measure):
    if measure not in row:
        return row.get("missing", "")
    low, high = row[f"{measure}_range"]
    return f"{row[measure]:g}" + (f" ({low:g} to {high:g})" if low != high else "")


def update_page(page, part, text):
    """Put `text` between the page's marks of `part` (`<!-- part -->` and `<!-- /part -->`)."""
    begin, end = f"<!-- {part} -->", f"<!-- /{part} -->"
    before, rest = page.read_text(encoding="utf-8").split(begin)
    after = rest.split(end)[1]
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")


def write_plot(document, path):
    """One small bar chart per workload, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    # The same file for the same figures.
    matplotlib.rcParams.update({"svg.hashsalt": "durahost", "font.size": 8})
    from matplotlib import pyplot

    shown = [w for w in WORKLOADS if len(_bars(document, w)) > 1]
    if not shown:
        return
    figure, axes = pyplot.subplots(len(shown), 1, figsize=(7, 1.5 * len(shown)), squeeze=False)
    for axis, workload in zip(axes[:, 0], shown, strict=True):
        bars = _bars(document, workload)
        names = [TITLES[engine] for engine in bars]
        colours = ["#0078d4" if engine == "durahost" else "#a0a0a0" for engine in bars]
        axis.barh(names, list(bars.values()), color=colours)
        axis.invert_yaxis()
        axis.set_title(
            f"{workload}: {WORKLOADS[workload]} ({UNITS[_measure(workload)]})", loc="left"
        )
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def _measure(workload):
    return MAIN.get(workload, "per_s")


def _bars(document, workload):
    found = {engine: find(document, engine, workload, _measure(workload)) for engine in TITLES}
    return {engine: value for engine, value in found.items() if value is not None}
