"""Reading: on threads, each with a connection of its own that cannot write, or, what is a few rows
by their key, on the event loop's own thread: the hand-over to a thread takes several times as long.

A read is one statement, or a snapshot, so it sees one committed state, at least as new as every
write whose future completed before it began.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from durahost.model.errors import StoreError
from durahost.store.sqlite.connection import Connection, translated
from durahost.store.sqlite.writer import Writer

T = TypeVar("T")
Read = Callable[[Connection], T]

THREADS = 2
"""One long listing must not hold up the status of an instance."""


class Readers:
    """A small pool of reading connections, opened on first use."""

    def __init__(self, connect: Callable[[], Connection], writer: Writer) -> None:
        self._connect = connect
        self._writer = writer
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="store reader")
        self._own = threading.local()
        self._connections: list[Connection] = []
        self._is_closed = False

    async def read(self, read: Read[T]) -> T:
        """Run the read and return what it returned."""
        if self._is_closed:
            raise StoreError("The task hub database is closed; open the store again.")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run, read)

    def read_now(self, read: Read[T]) -> T:
        """Run a read of a few rows on the caller's thread, the event loop's."""
        if self._is_closed:
            raise StoreError("The task hub database is closed; open the store again.")
        free = self._writer.free_connection
        if free is None:
            return self._run(read)
        with translated():
            return read(free)

    async def close(self) -> None:
        """Let running reads end, then close the connections."""
        self._is_closed = True
        await asyncio.to_thread(self._pool.shutdown)
        for connection in self._connections:
            connection.close()

    def _run(self, read: Read[T]) -> T:
        with translated():
            return read(self._own_connection())

    def _own_connection(self) -> Connection:
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            self._own.connection = connection
            self._connections.append(connection)
        return connection
