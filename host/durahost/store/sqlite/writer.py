"""All writing, one transaction after the other: what queues in one turn of the event loop is one.

The statements run on the loop's own thread. COMMIT runs on a thread of the writer's, while the loop
goes on; that of a single change, which nobody works beside, on the loop's as well, as long as the
disk takes less time than the hand-over. The thread also makes long changes, and waits for other
programs. A future completes only after COMMIT. Results reach their callers in the order of the
transactions, which is what the work signals rely on.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial

from durahost.clock import Clock
from durahost.model.errors import StoreError
from durahost.store.sqlite import transactions
from durahost.store.sqlite.connection import Connection
from durahost.store.sqlite.transactions import Change, Outcome, Request, T

MAX_BATCH = 64
"""With more requests the rate hardly grows, and the first of a batch waits for its last."""

QUICK_S = 0.001
"""A COMMIT that takes no longer holds up nobody."""

CHECKPOINT_AFTER = 100
"""Turns; the thread writes the log back into the file then, and the next turn begins it anew. What
overwrites a short log is on the disk in two thirds of the time of what makes a long one longer.
"""

LOG_LIMIT_PAGES = 4_000
"""Where SQLite does it within a COMMIT: large payloads, or many changes, fill it in few turns."""

SETTLING_LIMIT_S = 5.0
"""How long a change that is accepted may hold up the cancellation of its caller."""


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
        self._slow_share = 0.0
        self._since_checkpoint = 0
        connection.is_only_writer = True
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_LIMIT_PAGES}")

    async def write(self, change: Change[T], *, is_long: bool = False) -> T:
        """Run the change in a transaction and return what it returned, once that is committed.

        A caller that is cancelled gives up the answer, not the change, and goes on when that is
        settled (with a limit). Errors: what the change raised; StoreUnavailable when the
        transaction was refused.
        """
        if self._is_closing:
            raise StoreError("The task hub database is closed; open the store again.")
        answer: asyncio.Future[T] = self._loop.create_future()
        request = Request(change, answer, is_long)
        self._queue.append(request)
        if self._idle.is_set():
            self._idle.clear()
            self._loop.call_soon(self._take_turn)
        try:
            return await answer
        except asyncio.CancelledError:
            await self._until_settled(request)
            raise

    async def _until_settled(self, request: Request) -> None:
        """Await the end of a change whose future is cancelled; its answer is nobody's."""
        if not request.is_settled:
            request.future = self._loop.create_future()
            await asyncio.wait({request.future}, timeout=SETTLING_LIMIT_S)
            if request.future.done():
                request.future.exception()  # or asyncio would report that nobody asked for it

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
        if self._is_for_thread(batch) or not self._begin_now():
            self._hand_over(batch, partial(self._write_patiently, batch))
            return
        outcomes = self._make(batch)
        if self._is_quick(batch):
            self._end_turn(batch, self._commit(batch, outcomes))
        else:
            self._hand_over(batch, partial(self._commit, batch, outcomes))

    def _hand_over(self, batch: Sequence[Request], work: Callable[[], Sequence[Outcome]]) -> None:
        self._is_lent = True
        job = self._loop.run_in_executor(self._thread, work)
        job.add_done_callback(lambda ended: self._end_turn(batch, ended.result()))

    def _end_turn(self, batch: Sequence[Request], outcomes: Sequence[Outcome]) -> None:
        self._is_lent = False
        self._since_checkpoint += 1
        if self._queue:
            self._loop.call_soon(self._take_turn)
        else:
            self._idle.set()
        transactions.settle(batch, outcomes)

    def _is_for_thread(self, batch: Sequence[Request]) -> bool:
        is_long = any(request.is_long for request in batch)
        return is_long or self._since_checkpoint >= CHECKPOINT_AFTER

    def _is_quick(self, batch: Sequence[Request]) -> bool:
        """Most of the latest ones were; how slow a slow one was does not count, since what holds
        up one says little of the next ones.
        """
        return len(batch) == 1 and self._slow_share < 0.5

    def _begin_now(self) -> bool:
        """Begin, unless another program holds the file: the thread waits for it, and says why."""
        try:
            transactions.begin(self._connection)
        except StoreError:
            return False
        return True

    def _write_patiently(self, batch: Sequence[Request]) -> Sequence[Outcome]:
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
        return self._commit(batch, self._make(batch))

    def _make(self, batch: Sequence[Request]) -> Sequence[Outcome]:
        try:
            return transactions.make(self._connection, batch)
        except Exception as error:  # noqa: BLE001  # whoever waits is told, and the next turn comes
            return transactions.refuse(self._connection, batch, error)

    def _commit(self, batch: Sequence[Request], outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        begun_s = self._clock.monotonic()
        try:
            transactions.commit(self._connection)
        except StoreError as error:
            return transactions.refuse(self._connection, batch, error)
        is_slow = self._clock.monotonic() - begun_s > QUICK_S
        self._slow_share += (is_slow - self._slow_share) / 8
        return outcomes

    def _leave(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()
