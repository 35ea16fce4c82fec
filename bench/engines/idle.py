"""The idle host: what it uses while 10,000 instances wait for an event, a timer of a day each."""

import asyncio
import sys

from engines.durahost import begin, running
from http_client import Pool
from load import perf, report, run_tasks
from processes import cpu_s, memory_mb

INSTANCES = 10_000
FIRST = 1_000
"""After these the host has all that it needs whatever waits: caches, connections, code."""

WATCHED_S = 20


async def main(wanted):
    if "idle" not in wanted:
        return
    async with running() as host:
        pool = Pool(host.port, 100)
        park = lambda _: pool.use(lambda c: begin(c, "wait_event_or_timer"))  # noqa: E731
        await run_tasks(FIRST, 100, park)
        before = memory_mb(host.process.pid)
        await run_tasks(INSTANCES - FIRST, 100, park)
        await _settle(host.process.pid)
        used, begun = cpu_s(host.process.pid), perf()
        await asyncio.sleep(WATCHED_S)
        share = (cpu_s(host.process.pid) - used) / (perf() - begun)
        grown = (memory_mb(host.process.pid) - before) * 1e3 / (INSTANCES - FIRST)
    report("idle", percent_of_a_core=round(share * 100, 3), memory_per_waiting_kb=round(grown, 2))


async def _settle(pid):
    """Wait until the started instances have run up to their first wait."""
    while True:
        used = cpu_s(pid)
        await asyncio.sleep(3)
        if cpu_s(pid) - used < 0.05:
            return


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
