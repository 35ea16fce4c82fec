"""All writing, one transaction after the other: what queues in one turn of the event loop is one.

While the disk takes less time than the hand-over to a thread, short transactions are done on the
loop's own thread; long ones, and each one on a slower disk, on a thread of the writer's. A future
completes only after COMMIT. Results reach their callers in the order of the transactions, which is
what the work signals rely on.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

from durahost.clock import Clock
from durahost.model.errors import StoreError, StoreUnavailable
from durahost.store.sqlite import transactions
from durahost.store.sqlite.connection import Connection
from durahost.store.sqlite.transactions import Change, Outcome, Request, T

MAX_BATCH = 64
"""With more requests the rate hardly grows, and the first of a batch waits for its last."""

QUICK_S = 0.001
"""A COMMIT that takes no longer, on the average, holds up nobody."""

CHECKPOINT_AFTER = 400
"""Changes; the thread writes the log back into the file before SQLite does it within a COMMIT."""

LOG_LIMIT_PAGES = 4_000
"""Where SQLite does it: large payloads fill the log with few changes."""


class Writer:
    """Owns the writing connection from construction to `close`; used from one event loop.

    busy_timeout: how long another program may hold the file; the thread waits for it.
    """

    def __init__(self, connection: Connection, clock: Clock, busy_timeout: timedelta) -> None:
        self._connection = connection
        self._clock = clock
        self._busy_ms = round(busy_timeout.total_seconds() * 1000)
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store writer")
        self._thread.submit(int)  # begins it now, while a system without threads can still say so
        self._queue: list[Request] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_closing = False
        self._is_lent = False
        # On the thread until the disk has proved to be quick.
        self._took_s = 2 * QUICK_S
        self._since_checkpoint = 0
        connection.is_only_writer = True
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_LIMIT_PAGES}")

    async def write(self, change: Change[T], *, is_long: bool = False) -> T:
        """Run the change in a transaction and return what it returned, once that is committed.

        A caller that is cancelled gives up the answer, not the change.
        Errors: what the change raised; StoreUnavailable when the transaction was refused.
        """
        if self._is_closing:
            raise StoreError("The task hub database is closed; open the store again.")
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.append(Request(change, future, is_long))
        if self._idle.is_set():
            self._idle.clear()
            self._loop.call_soon(self._take_turn)
        return await future

    @property
    def free_connection(self) -> Connection | None:
        """For reads on the event loop's thread, None while the writer's thread has it.

        What it has written itself it need not read again from the file.
        """
        return None if self._is_lent or self._is_closing else self._connection

    async def close(self) -> None:
        """Settle what is queued, then close the connection; nothing is accepted from now on."""
        self._is_closing = True
        await self._idle.wait()
        await self._loop.run_in_executor(self._thread, self._leave)
        self._thread.shutdown()

    def _take_turn(self) -> None:
        batch, self._queue = self._queue[:MAX_BATCH], self._queue[MAX_BATCH:]
        outcomes = self._commit_now(batch) if self._is_short(batch) else None
        if outcomes is not None:
            self._end_turn(batch, outcomes)
            return
        self._is_lent = True
        job = self._loop.run_in_executor(self._thread, self._commit_patiently, batch)
        job.add_done_callback(lambda ended: self._end_turn(batch, ended.result()))

    def _end_turn(self, batch: Sequence[Request], outcomes: Sequence[Outcome]) -> None:
        self._is_lent = False
        transactions.settle(batch, outcomes)
        if self._queue:
            self._loop.call_soon(self._take_turn)
        else:
            self._idle.set()

    def _is_short(self, batch: Sequence[Request]) -> bool:
        is_quick = self._took_s <= QUICK_S and self._since_checkpoint < CHECKPOINT_AFTER
        return is_quick and not any(request.is_long for request in batch)

    def _commit_now(self, batch: Sequence[Request]) -> Sequence[Outcome] | None:
        """None when another program holds the file, which is not to be waited for here."""
        try:
            transactions.begin(self._connection)
        except StoreUnavailable:
            return None
        return self._commit(batch)

    def _commit_patiently(self, batch: Sequence[Request]) -> Sequence[Outcome]:
        if self._since_checkpoint >= CHECKPOINT_AFTER:
            self._since_checkpoint = 0
            with suppress(sqlite3.Error):  # then SQLite does it, or the next turn
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        self._connection.execute(f"PRAGMA busy_timeout = {self._busy_ms}")
        try:
            transactions.begin(self._connection)
        except StoreError as error:
            return transactions.refuse(self._connection, batch, error)
        finally:
            self._connection.execute("PRAGMA busy_timeout = 0")
        return self._commit(batch)

    def _commit(self, batch: Sequence[Request]) -> Sequence[Outcome]:
        try:
            outcomes = transactions.make(self._connection, batch)
            begun_s = self._clock.monotonic()
            transactions.commit(self._connection)
        except StoreError as error:
            return transactions.refuse(self._connection, batch, error)
        if not any(request.is_long for request in batch):
            self._took_s += (self._clock.monotonic() - begun_s - self._took_s) / 8
        self._since_checkpoint += len(batch)
        return outcomes

    def _leave(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()
