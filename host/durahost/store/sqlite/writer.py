"""The one thread that writes: requests queue, each drained batch is one transaction.

A request runs in a savepoint of its own, so that its failure is its own; a future completes only
after COMMIT. Results reach the event loop in the order of the transactions, which is what the
work signals rely on.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from durahost.model.errors import StoreError
from durahost.store.sqlite.connection import Connection, translated

T = TypeVar("T")
Change = Callable[[Connection], T]

MAX_BATCH = 256
"""From 64 requests on the rate hardly grows, and the first of a batch waits for its last."""


@dataclass(slots=True)
class _Request:
    change: Change[Any]
    future: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Outcome:
    result: Any = None
    error: Exception | None = None
    calls: Sequence[Callable[[], None]] = ()


class Writer:
    """Owns the writing connection from construction to `close`; used from one event loop."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._queue: list[_Request] = []
        self._is_closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="store writer", daemon=True)
        self._thread.start()

    async def write(self, change: Change[T]) -> T:
        """Run the change in a transaction and return what it returned, once that is committed.

        A caller that is cancelled gives up the answer, not the change.
        Errors: what the change raised; StoreUnavailable when the transaction was refused.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        with self._changed:
            if self._is_closing:
                raise StoreError("The task hub database is closed; open the store again.")
            self._queue.append(_Request(change, future))
            self._changed.notify()
        return await future

    async def close(self) -> None:
        """Settle what is queued, then close the connection; nothing is accepted from now on."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while batch := self._take():
            outcomes = self._commit(batch)
            # A loop that is gone took its futures with it.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(_settle, batch, outcomes)
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()

    def _take(self) -> list[_Request]:
        with self._changed:
            while not self._queue and not self._is_closing:
                self._changed.wait()
            batch, self._queue = self._queue[:MAX_BATCH], self._queue[MAX_BATCH:]
            return batch

    def _commit(self, batch: list[_Request]) -> list[_Outcome]:
        try:
            with translated():
                self._connection.execute("BEGIN IMMEDIATE")
                outcomes = [self._attempt(request.change) for request in batch]
                self._connection.execute("COMMIT")
        except StoreError as error:
            self._roll_back()
            return [_Outcome(error=error)] * len(batch)
        return outcomes

    def _attempt(self, change: Change[Any]) -> _Outcome:
        self._connection.execute("SAVEPOINT request")
        try:
            with translated():
                result = change(self._connection)
        except Exception as error:  # the caller's error: raised where it waits
            self._connection.take_calls()
            if not self._connection.in_transaction:
                raise  # the driver ended the transaction: the whole batch is undone
            self._connection.execute("ROLLBACK TO request")
            self._connection.execute("RELEASE request")
            return _Outcome(error=error)
        self._connection.execute("RELEASE request")
        return _Outcome(result, None, self._connection.take_calls())

    def _roll_back(self) -> None:
        self._connection.take_calls()
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def _settle(batch: Sequence[_Request], outcomes: Sequence[_Outcome]) -> None:
    for request, outcome in zip(batch, outcomes, strict=True):
        for call in outcome.calls:
            call()
        if request.future.done():
            continue
        if outcome.error is not None:
            request.future.set_exception(outcome.error)
        else:
            request.future.set_result(outcome.result)
