"""Where the time of host and child goes, by py-spy: scripts/bench --profiles.

Each workload's load is kept up while both processes are sampled; the stacks are written in the
collapsed form that speedscope.app and flamegraph.pl read, and as one table of shares.
"""

import asyncio
import re
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

from engines.durahost import JSON, Pool, measure_sequence, running, start_and_wait, warm_up
from processes import tree

SECONDS = 8
RATE = 250
"""Samples per second."""
SHOWN = 12
"""Rows of each table."""

OWNERS = (
    (r"sqlite/connection\.py|sqlite/writer\.py", "store: statements and commits"),
    (r"durahost/store/", "store: rows"),
    (r"durahost/engine/|durahost/codec/|durahost/model/", "engine and codec"),
    (r"durahost/dispatch/", "dispatch"),
    (r"durahost/worker/", "pipe to the child"),
    (r"durahost/child/", "child: frames, conversion, sessions"),
    (r"durahost/http/(connections|exchange|line|serving)\.py", "web server"),
    (r"durahost/http/|durahost/management\.py|durahost/invocations\.py", "HTTP answers"),
    (r"durahost/", "host: the rest"),
    (r"azure/durable_functions/", "azure-functions-durable"),
    (r"azure/functions/", "azure-functions"),
    (r"dateutil/", "dateutil"),
    (r"/function_app\.py", "the app's own code"),
    (r"starlette/|uvicorn/|httptools|anyio/", "web server"),
    (r"asyncio/|uvloop", "event loop"),
)
"""The innermost frame that one of these owns is what a sample counts for."""

WAITING = re.compile(r"(?:^|;)(?:_worker|Pipe\.read|Condition\.wait|\w*Selector\.select) \([^;]*$")
"""A thread that waits for work, should the sampler have taken it for a busy one."""


def owner(stack):
    """What a collapsed stack (`outer;...;inner`) counts for."""
    for frame in reversed(stack.split(";")):
        for pattern, name in OWNERS:
            if re.search(pattern, frame):
                return name
    return "Python and its library"


async def _repeat(one):
    while True:
        await one()


async def _load(workload, pool):
    if workload == "W1-100":
        await _repeat(lambda: measure_sequence(pool, 100, 200))
    if workload == "W3-500":
        await _repeat(lambda: pool.use(lambda c: start_and_wait(c, "chain", 500)))
    target = "/api/hello?name=World"
    hello = lambda c: c.request("POST", target, b"", JSON)  # noqa: E731
    await asyncio.gather(*[_repeat(lambda: pool.use(hello)) for _ in range(64)])


def _record(pid, path):
    profiler = Path(sys.executable).with_name("py-spy")
    command = [str(profiler), "record", "--pid", str(pid), "--duration", str(SECONDS)]
    # What waits (for work, for the disk) holds no lock of the interpreter, and is not counted.
    command += [
        "--gil",
        "--rate",
        str(RATE),
        "--format",
        "raw",
        "--full-filenames",
        "--output",
        str(path),
    ]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


async def profile(workload, folder):
    """The shares of host and child under a workload: {process: Counter of samples}."""
    async with running() as host:
        pool = Pool(host.port, 100)
        await warm_up(pool)
        load = asyncio.ensure_future(_load(workload, pool))
        await asyncio.sleep(1)
        (child,) = tree(host.process.pid) - {host.process.pid}
        pids = {"host": host.process.pid, "child": child}
        paths = {name: folder / f"{workload}-{name}.txt" for name in pids}
        recorders = [_record(pid, paths[name]) for name, pid in pids.items()]
        for recorder in recorders:
            _, said = await asyncio.to_thread(recorder.communicate)
            if recorder.returncode != 0:
                raise RuntimeError(f"py-spy: {said}")
        load.cancel()
        with suppress(asyncio.CancelledError):
            await load
    return {name: shares(path.read_text()) for name, path in paths.items()}


def shares(text):
    """Samples by owner, of collapsed stacks with a count at each line's end."""
    found = Counter()
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        if not WAITING.search(stack):
            found[owner(stack)] += int(count)
    return found


def table(workload, found):
    """Markdown: a row per owner, a column per process, in % of that process's samples."""
    names = sorted({name for counts in found.values() for name in counts})
    percent = {
        process: {name: counts[name] * 100 / counts.total() for name in names}
        for process, counts in found.items()
    }
    names.sort(key=lambda name: -sum(column[name] for column in percent.values()))
    rows = [f"| {workload} | " + " | ".join(f"{process}, %" for process in found) + " |"]
    rows.append("| --- " * (len(found) + 1) + "|")
    for name in names[:SHOWN]:
        cells = [f"{percent[process][name]:.1f}" for process in found]
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def write_profiles(folder):
    """Profile each workload; write the stacks and `profiles.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = [
        table(workload, asyncio.run(profile(workload, folder)))
        for workload in ("W1-100", "W3-500", "W5-64")
    ]
    text = "\n\n".join(tables) + "\n"
    (folder / "profiles.md").write_text(text, encoding="utf-8")
    return text
