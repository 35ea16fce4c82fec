"""The host under test, through nothing but HTTP.

W1 uses the start-and-wait form of the management API; W4 the app's own HTTP function and its
status URL, polled every 5 ms.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
from contextlib import asynccontextmanager
from pathlib import Path

from http_client import Pool, wait_until_served
from load import perf, report, run_tasks, summary
from processes import free_port, memory_mb, stop, wrk

APP = Path(__file__).parent.parent / "app"
WEBHOOKS = "/runtime/webhooks/durabletask"
POLL_S = 0.005
JSON = "application/json"
GREETINGS = ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]


class Host:
    """One running host on a fresh hub in a folder of its own."""

    def __init__(self, folder, environ=None):
        self.folder = Path(folder)
        if not (self.folder / "host.json").exists():
            shutil.copytree(APP, self.folder, dirs_exist_ok=True)
        self.port = free_port()
        command = [sys.executable, "-m", "durahost", "start", "--port", str(self.port)]
        command += ["--script-root", str(self.folder)]
        self._log = open(self.folder / "host.log", "w")  # noqa: SIM115  # closed by stop
        self.process = subprocess.Popen(
            command, stdout=self._log, stderr=self._log, env={**os.environ, **(environ or {})}
        )

    async def ready(self):
        await wait_until_served(self.port, "/api/hello")

    def stop(self):
        stop(self.process)
        self._log.close()


@asynccontextmanager
async def running(environ=None):
    with tempfile.TemporaryDirectory() as folder:
        host = Host(folder, environ)
        try:
            await host.ready()
            yield host
        finally:
            host.stop()


def local(url):
    parts = urllib.parse.urlsplit(url)
    return f"{parts.path}?{parts.query}"


async def start_and_wait(connection, name, value=None):
    """The output of a new instance, by one request that answers when it is done."""
    target = f"{WEBHOOKS}/orchestrators/{name}?timeout=600&pollingInterval=0.01"
    # The SDK's get_input() parses text, so the value goes as JSON text in a JSON string.
    body = b"" if value is None else json.dumps(json.dumps(value)).encode()
    status, text = await connection.request("POST", target, body, JSON)
    if status != 200:
        raise RuntimeError(f"{name}: {status} {text[:300]!r}")
    return json.loads(text)


def check(found, expected):
    if found != expected:
        raise RuntimeError(f"{str(found)[:300]} instead of {expected}")


async def begin(connection, name):
    status, text = await connection.request("POST", f"/api/orchestrators/{name}")
    if status != 202:
        raise RuntimeError(f"{name}: {status} {text[:300]!r}")
    return json.loads(text)


async def until_done(connection, urls):
    target = local(urls["statusQueryGetUri"])
    while True:
        status, text = await connection.request("GET", target)
        if status == 200:
            if json.loads(text)["runtimeStatus"] != "Completed":
                raise RuntimeError(text[:300])
            return
        if status != 202:
            raise RuntimeError(f"status: {status} {text[:300]!r}")
        await asyncio.sleep(POLL_S)


async def warm_up(pool):
    await run_tasks(20, 5, lambda _: pool.use(lambda c: start_and_wait(c, "sequence")))


async def measure_sequence(pool, at_once, count, name="sequence", expected=GREETINGS):
    async def one(connection):
        check(await start_and_wait(connection, name), expected)

    return summary(*await run_tasks(count, at_once, lambda _: pool.use(one)))


async def measure_one(pool, name, value, expected):
    begun = perf()
    check(await pool.use(lambda c: start_and_wait(c, name, value)), expected)
    return {"wall_s": round(perf() - begun, 4)}


async def measure_polled(pool, at_once, count):
    async def flow(connection):
        await until_done(connection, await begin(connection, "sequence"))

    return summary(*await run_tasks(count, at_once, lambda _: pool.use(flow)))


async def measure_events(pool, host, count=1000):
    urls = {}

    async def park(number):
        urls[number] = await pool.use(lambda c: begin(c, "wait_event"))

    before = memory_mb(host.process.pid)
    await run_tasks(count, 100, park)
    await asyncio.sleep(3)
    parked = memory_mb(host.process.pid)

    async def resume(connection, number):
        target = local(urls[number]["sendEventPostUri"]).replace("{eventName}", "go")
        status, text = await connection.request("POST", target, b'"x"', JSON)
        if status != 202:
            raise RuntimeError(f"event: {status} {text[:300]!r}")
        await until_done(connection, urls[number])

    one = lambda number: pool.use(lambda c: resume(c, number))  # noqa: E731
    found = summary(*await run_tasks(count, 32, one))
    return {**found, "memory_per_waiting_kb": round((parked - before) * 1e3 / count, 2)}


async def measure_start():
    with tempfile.TemporaryDirectory() as folder:
        begun = perf()
        host = Host(folder)
        try:
            await host.ready()
            took = perf() - begun
            await asyncio.sleep(3)
            return {"startup_s": round(took, 3), "memory_mb": memory_mb(host.process.pid)}
        finally:
            host.stop()


async def measure_cores(children):
    environ = {"FUNCTIONS_WORKER_PROCESS_COUNT": str(children)}
    async with running(environ) as host:
        pool = Pool(host.port, 100)
        await warm_up(pool)
        return await measure_sequence(pool, 100, 100, "heavy_sequence", "done")


def wrk_hello(host):
    per_s = wrk(f"http://127.0.0.1:{host.port}/api/hello?name=World", 64)
    return {"per_s": per_s} if per_s is not None else {"missing": "wrk is not installed"}


async def main(wanted):
    if "W6" in wanted:
        report("W6", **await measure_start())
    if "cores" in wanted:
        for children in (1, 2):
            report("cores", children=children, **await measure_cores(children))
    alone = {
        "W1-1": lambda pool, _: measure_sequence(pool, 1, 100),
        "W1-100": lambda pool, _: measure_sequence(pool, 100, 500),
        "W2-1000": lambda pool, _: measure_one(pool, "fan", 1000, 1000),
        "W3-500": lambda pool, _: measure_one(pool, "chain", 500, "Hello 499!"),
        "W4-100": lambda pool, _: measure_polled(pool, 100, 500),
        "W7": measure_events,
    }
    if not set(wanted) & {*alone, "W5-64"}:
        return
    async with running() as host:
        pool = Pool(host.port, 100)
        await warm_up(pool)
        for workload, measure in alone.items():
            if workload in wanted:
                report(workload, **await measure(pool, host))
        if "W5-64" in wanted:
            report("W5-64", **await asyncio.to_thread(wrk_hello, host))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
