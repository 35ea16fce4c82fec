"""Load generation that every engine program shares: many at once, percentiles, one result line.

Standard library only, since each engine runs in an environment of its own.
"""

import asyncio
import itertools
import json
import threading
import time

perf = time.perf_counter


def percentile(values, p):
    """Nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, round(p / 100 * len(ordered) + 0.5) - 1))]


def summary(wall_s, latencies_s):
    """Instances per second and latencies in milliseconds of one run."""
    return {
        "per_s": round(len(latencies_s) / wall_s, 2),
        "p50_ms": round(percentile(latencies_s, 50) * 1e3, 3),
        "p95_ms": round(percentile(latencies_s, 95) * 1e3, 3),
    }


def report(workload, **measures):
    """One JSON line on stdout, which the driver reads."""
    print(json.dumps({"workload": workload, **measures}), flush=True)


async def run_tasks(count, at_once, one):
    """Await one(i) for every i below count, so many at once: (wall seconds, latencies)."""
    numbers = iter(range(count))
    latencies = []

    async def work():
        for number in numbers:
            begun = perf()
            await one(number)
            latencies.append(perf() - begun)

    begun = perf()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return perf() - begun, latencies


def run_threads(count, at_once, one):
    """The same with threads, for engines whose client blocks; the first error ends the run."""
    numbers, lock = itertools.count(), threading.Lock()
    latencies, errors = [], []

    def work():
        while not errors:
            with lock:
                number = next(numbers)
            if number >= count:
                return
            begun = perf()
            try:
                one(number)
            except BaseException as error:  # noqa: BLE001  # raised again below
                errors.append(error)
                return
            latencies.append(perf() - begun)

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    begun = perf()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = perf() - begun
    if errors:
        raise errors[0]
    return wall, latencies
