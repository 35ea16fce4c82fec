"""One transaction for many changes, each in a savepoint, so that its failure is its own."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from durahost.model.values import dataclass
from durahost.store.sqlite.connection import Connection, translated

T = TypeVar("T")
Change = Callable[[Connection], T]


@dataclass(slots=True)
class Request:
    """A change, and who waits for its result. is_long: it takes more than a few statements.
    is_settled: what became of it is known.
    """

    change: Change[Any]
    future: asyncio.Future[Any]
    is_long: bool = False
    is_settled: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change; calls: what follows from it (`Connection.after_commit`)."""

    result: Any = None
    error: Exception | None = None
    calls: Sequence[Callable[[], None]] = ()


def begin(connection: Connection) -> None:
    """Begin the transaction. Errors: StoreUnavailable while another program holds the file."""
    with translated():
        connection.execute("BEGIN IMMEDIATE")


def make(connection: Connection, batch: Sequence[Request]) -> Sequence[Outcome]:
    """Make the changes in the transaction that has begun. Errors: StoreError; it has failed."""
    with translated():
        if len(batch) == 1:
            return [_attempt_alone(connection, batch[0].change)]
        return [_attempt(connection, request.change) for request in batch]


def commit(connection: Connection) -> None:
    """Write it to the disk, if it is still there. Errors: StoreError; it has failed."""
    if connection.in_transaction:
        with translated():
            connection.execute("COMMIT")


def refuse(connection: Connection, batch: Sequence[Request], error: Exception) -> Sequence[Outcome]:
    """Undo what was done, if anything was; that failure is the failure of each change."""
    connection.take_calls()
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return [Outcome(error=error)] * len(batch)


def settle(batch: Sequence[Request], outcomes: Sequence[Outcome]) -> None:
    """Do what follows from the changes, and tell who waits; on the event loop."""
    for request, outcome in zip(batch, outcomes, strict=True):
        request.is_settled = True
        for call in outcome.calls:
            call()
        if request.future.done():
            continue
        if outcome.error is not None:
            request.future.set_exception(outcome.error)
        else:
            request.future.set_result(outcome.result)


def _attempt_alone(connection: Connection, change: Change[Any]) -> Outcome:
    """The transaction is its savepoint."""
    try:
        with translated():
            result = change(connection)
    except Exception as error:  # the caller's error: raised where it waits
        connection.take_calls()
        if not connection.in_transaction:
            raise
        connection.execute("ROLLBACK")
        return Outcome(error=error)
    return Outcome(result, None, connection.take_calls())


def _attempt(connection: Connection, change: Change[Any]) -> Outcome:
    connection.execute("SAVEPOINT request")
    try:
        with translated():
            result = change(connection)
    except Exception as error:  # the caller's error: raised where it waits
        connection.take_calls()
        if not connection.in_transaction:
            raise  # the driver ended the transaction: the whole batch is undone
        connection.execute("ROLLBACK TO request")
        connection.execute("RELEASE request")
        return Outcome(error=error)
    connection.execute("RELEASE request")
    return Outcome(result, None, connection.take_calls())
