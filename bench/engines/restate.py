"""Restate: its server and a JavaScript service, both from npm, driven over the server's ingress.

`context.run` stands for an activity: journaled by the server, run in the service's process.
NODE_HOME names the folder that holds node_modules.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from http_client import Connection, Pool, wait_until_served
from load import perf, report, run_tasks, summary
from processes import free_port, memory_mb, stop

NODE_HOME = Path(os.environ.get("NODE_HOME", "."))
SERVICE = Path(__file__).with_name("restate_service.mjs")
JSON = "application/json"


class Stack:
    """The server and the service, on free ports and a folder of their own."""

    def __init__(self, folder):
        self.ingress, self.admin, fabric, self.port = (free_port() for _ in range(4))
        environ = {
            **os.environ,
            "RESTATE_DISABLE_TELEMETRY": "true",
            "RESTATE_LOG_FILTER": "error",
            "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{self.ingress}",
            "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{self.admin}",
        }
        command = [NODE_HOME / "node_modules/.bin/restate-server", "--no-logo", "--base-dir"]
        command += [f"{folder}/data", "--listen-mode", "tcp", "--bind-ip", "127.0.0.1"]
        command += ["--bind-port", str(fabric)]
        self._log = open(f"{folder}/log", "w")  # noqa: SIM115  # closed by stop
        self.server = subprocess.Popen(command, env=environ, stdout=self._log, stderr=self._log)
        # Beside node_modules, so that its imports are found.
        script = NODE_HOME / SERVICE.name
        shutil.copy(SERVICE, script)
        environ = {**os.environ, "PORT": str(self.port), "RESTATE_LOGGING": "ERROR"}
        self.service = subprocess.Popen(
            ["node", script], env=environ, stdout=self._log, stderr=self._log
        )

    async def ready(self):
        await wait_until_served(self.admin, "/health")
        body = json.dumps({"uri": f"http://127.0.0.1:{self.port}", "force": True}).encode()
        await self._until(self.admin, "/deployments", body, (200, 201))
        await self._until(self.ingress, "/Bench/sequence", b"", (200,))

    async def _until(self, port, target, body, expected):
        connection = Connection(port)
        kind = JSON if body else None
        for _ in range(600):
            status, _ = await connection.request("POST", target, body, kind)
            if status in expected:
                connection.close()
                return
            await asyncio.sleep(0.05)
        raise TimeoutError(target)

    def memory_mb(self):
        return round(memory_mb(self.server.pid) + memory_mb(self.service.pid), 1)

    def stop(self):
        stop(self.service)
        stop(self.server)
        self._log.close()


async def post(connection, target, value=None):
    body = b"" if value is None else json.dumps(value).encode()
    status, text = await connection.request("POST", target, body, JSON if body else None)
    if status not in (200, 202):
        raise RuntimeError(f"{target}: {status} {text[:300]!r}")
    return json.loads(text) if text else None


async def polled(connection):
    started = await post(connection, "/Bench/sequence/send")
    target = f"/restate/invocation/{started['invocationId']}/output"
    while (await connection.request("GET", target))[0] != 200:  # noqa: ASYNC110  # it is polled
        await asyncio.sleep(0.005)


async def measure_one(pool, target, count):
    begun = perf()
    await pool.use(lambda c: post(c, target, count))
    return {"wall_s": round(perf() - begun, 4)}


async def measure(pool, at_once, count, flow):
    return summary(*await run_tasks(count, at_once, lambda _: pool.use(flow)))


async def measure_events(pool, count=1000):
    async def park(number):
        await pool.use(lambda c: post(c, f"/Waiter/{number}/run/send"))

    await run_tasks(count, 100, park)
    await asyncio.sleep(3)

    async def resume(connection, number):
        await post(connection, f"/Waiter/{number}/signal", "x")
        target = f"/restate/workflow/Waiter/{number}/attach"
        status, text = await connection.request("GET", target)
        if status != 200:
            raise RuntimeError(f"attach: {status} {text[:300]!r}")

    one = lambda number: pool.use(lambda c: resume(c, number))  # noqa: E731
    return summary(*await run_tasks(count, 32, one))


async def main(wanted):
    sequence = lambda c: post(c, "/Bench/sequence")  # noqa: E731
    measures = {
        "W1-1": lambda pool: measure(pool, 1, 100, sequence),
        "W1-100": lambda pool: measure(pool, 100, 500, sequence),
        "W2-1000": lambda pool: measure_one(pool, "/Bench/fan", 1000),
        "W3-500": lambda pool: measure_one(pool, "/Bench/chain", 500),
        "W4-100": lambda pool: measure(pool, 100, 500, polled),
        "W7": measure_events,
    }
    with tempfile.TemporaryDirectory() as folder:
        begun = perf()
        stack = Stack(folder)
        try:
            await stack.ready()
            if "W6" in wanted:
                took = perf() - begun
                await asyncio.sleep(3)
                report("W6", startup_s=round(took, 3), memory_mb=stack.memory_mb())
            pool = Pool(stack.ingress, 100)
            await run_tasks(50, 10, lambda _: pool.use(sequence))
            for workload, run in measures.items():
                if workload in wanted:
                    report(workload, **await run(pool))
        finally:
            stack.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
