"""One instance beside many finished ones: 1,000, then 1,000,000, in the same database.

A host runs some instances and stops; the finished ones are then copied in its database, row by row,
under other ids, which is what a long life leaves behind.
"""

import asyncio
import sqlite3
import sys
import tempfile
from pathlib import Path

from engines.durahost import WEBHOOKS, Host, measure_sequence, start_and_wait, warm_up
from http_client import Pool
from load import percentile, report, run_tasks

STEPS = (1_000, 1_000_000)
COPIED = 1_000


async def measure(folder, finished):
    host = Host(folder)
    try:
        await host.ready()
        pool = Pool(host.port, 10)
        await warm_up(pool)
        found = await measure_sequence(pool, 1, 200)
        target = f"{WEBHOOKS}/instances/copy-0-0"

        async def read(connection):
            status, _ = await connection.request("GET", target)
            if status != 200:
                raise RuntimeError(f"{target}: {status}")

        _, latencies = await run_tasks(300, 1, lambda _: pool.use(read))
        found["read_ms"] = round(percentile(latencies, 50) * 1e3, 3)
        report("growth", finished=finished, **found)
    finally:
        host.stop()


async def seed(folder):
    """A hub with one finished instance named `seed`."""
    host = Host(folder)
    try:
        await host.ready()
        pool = Pool(host.port, 1)
        await pool.use(lambda c: start_and_wait(c, "sequence/seed"))
    finally:
        host.stop()


def copy_finished(file, batch):
    """Copy the instance named `seed` COPIED times, with input and history, in one transaction."""
    database = sqlite3.connect(file)
    with database:
        (row, first) = database.execute(
            "SELECT instance_row, (SELECT max(instance_row) FROM instance) + 1 FROM instance"
            " WHERE id = 'seed'"
        ).fetchone()
        numbers = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)"
        for table, of_id in (
            ("instance", f"'copy-{batch}-' || i"),
            ("input", None),
            ("history", None),
        ):
            names = [one[1] for one in database.execute(f"PRAGMA table_info({table})")]
            taken = {"instance_row": "? + i", **({"id": of_id} if of_id else {})}
            values = ", ".join(taken.get(name, f't."{name}"') for name in names)
            database.execute(
                f"INSERT INTO {table} {numbers} SELECT {values} FROM n, {table} t"
                " WHERE t.instance_row = ?",
                (COPIED, first, row),
            )
    database.close()


async def main(wanted):
    if "growth" not in wanted:
        return
    with tempfile.TemporaryDirectory() as folder:
        await seed(folder)
        (file,) = Path(folder).rglob("hub.db")  # noqa: ASYNC240  # nothing else runs
        copied = 0
        for finished in STEPS:
            while copied < finished:
                copy_finished(file, copied // COPIED)
                copied += COPIED
            await measure(folder, finished)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
