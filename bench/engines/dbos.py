"""DBOS Transact for Python on SQLite: client and worker in one process, as the library is meant.

A step stands for an activity. `dbos.py once FILE` launches, runs one sequence, says so, and waits
for the end of its input: what W6 starts.
"""

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# This folder holds a file of the library's own name.
sys.path.pop(0)
from dbos import DBOS
from load import perf, report, run_tasks, run_threads, summary
from processes import memory_mb

CITIES = ("Tokyo", "Seattle", "London")


@DBOS.step()
def say_hello(name: str) -> str:
    return f"Hello {name}!"


@DBOS.step()
async def say_hello_async(name: str) -> str:
    return f"Hello {name}!"


@DBOS.workflow()
def sequence() -> list:
    return [say_hello(city) for city in CITIES]


@DBOS.workflow()
async def fan(count: int) -> int:
    return len(await asyncio.gather(*(say_hello_async(str(n)) for n in range(count))))


@DBOS.workflow()
def chain(count: int) -> str:
    last = ""
    for number in range(count):
        last = say_hello(str(number))
    return last


@DBOS.workflow()
async def wait_event() -> str:
    return await DBOS.recv_async("go", timeout_seconds=3600)


def launch(file):
    DBOS(
        config={
            "name": "bench",
            "system_database_url": f"sqlite:///{file}",
            "log_level": "ERROR",
            "console_log_level": "CRITICAL",
        }
    )
    logging.disable(logging.CRITICAL)
    DBOS.launch()


def measure_sequence(at_once, count):
    return summary(
        *run_threads(count, at_once, lambda _: DBOS.start_workflow(sequence).get_result())
    )


async def measure_fan():
    begun = perf()
    handle = await DBOS.start_workflow_async(fan, 1000)
    await handle.get_result()
    return {"wall_s": round(perf() - begun, 4)}


def measure_chain():
    begun = perf()
    DBOS.start_workflow(chain, 500).get_result()
    return {"wall_s": round(perf() - begun, 4)}


async def measure_events(count=1000):
    handles = [await DBOS.start_workflow_async(wait_event) for _ in range(count)]
    await asyncio.sleep(3)

    async def resume(number):
        await DBOS.send_async(handles[number].get_workflow_id(), "x", "go")
        await handles[number].get_result()

    return summary(*await run_tasks(count, 32, resume))


def measure_start(folder):
    begun = perf()
    command = [sys.executable, __file__, "once", f"{folder}/start.sqlite"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    took = perf() - begun
    time.sleep(2)
    memory = memory_mb(process.pid)
    process.stdin.close()
    process.kill()
    process.wait()
    return {"startup_s": round(took, 3), "memory_mb": memory}


async def main_async(wanted):
    """Last, and on one loop: with the loop ends the executor that the library goes on using."""
    for workload, measure in {"W2-1000": measure_fan, "W7": measure_events}.items():
        if workload in wanted:
            report(workload, **await measure())


def main(wanted):
    with tempfile.TemporaryDirectory() as folder:
        launch(Path(folder) / "dbos.sqlite")
        for _ in range(20):
            DBOS.start_workflow(sequence).get_result()
        measures = {
            "W1-1": lambda: measure_sequence(1, 100),
            "W1-100": lambda: measure_sequence(100, 300),
            "W3-500": measure_chain,
            "W6": lambda: measure_start(folder),
        }
        for workload, measure in measures.items():
            if workload in wanted:
                report(workload, **measure())
        asyncio.run(main_async(wanted))
    # Its threads do not end by themselves.
    os._exit(0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["once"]:
        launch(sys.argv[2])
        DBOS.start_workflow(sequence).get_result()
        print("ready", flush=True)
        sys.stdin.read()
        os._exit(0)
    main(sys.argv[1:])
