"""The store in one SQLite file, held by one process at a time.

Opening takes the file's lock and migrates the schema; claims are the process's own and ended with
the one before. Closing settles what was accepted.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from types import TracebackType

from durahost.clock import Clock
from durahost.model.errors import StoreError
from durahost.store.base import HostStore, HubStore, StoreProvider
from durahost.store.signals import EndSignal, WorkSignal
from durahost.store.sqlite import schema
from durahost.store.sqlite.activities import record as record_answers
from durahost.store.sqlite.answers import Answer, Answers
from durahost.store.sqlite.claims import Claims
from durahost.store.sqlite.connection import Connection, connect, read_queries, translated
from durahost.store.sqlite.file_lock import FileLock
from durahost.store.sqlite.host_table import SqliteHostStore
from durahost.store.sqlite.hub import SqliteHub
from durahost.store.sqlite.instances import last_message
from durahost.store.sqlite.readers import Readers
from durahost.store.sqlite.residents import Residents
from durahost.store.sqlite.scope import HubScope
from durahost.store.sqlite.states import States
from durahost.store.sqlite.tasks import Tasks
from durahost.store.sqlite.writer import Writer

BUSY_TIMEOUT = timedelta(seconds=5)
"""How long another program (a backup, a SQLite shell) may hold the file before we refuse."""

TOKENS_PER_OPENING = 1 << 40
"""Tokens start at the opening's number times this, so they grow without a write per claim."""


class SqliteDatabase:
    """An opened database file."""

    def __init__(
        self, clock: Clock, tokens: Iterator[int], writer: Writer, readers: Readers
    ) -> None:
        self._clock = clock
        self._tokens = tokens
        self._writer = writer
        self._readers = readers
        self._hubs: dict[str, HubScope] = {}

    def open_hub(self, name: str) -> HubStore:
        """The hub of this name; names compare without case."""
        key = name.lower()
        if key not in self._hubs:
            self._hubs[key] = self._scope(key)
        return SqliteHub(self._hubs[key], self._writer, self._readers)

    def _scope(self, name: str) -> HubScope:
        episodes, activities = Claims(), Claims()

        async def record(answers: Sequence[Answer]) -> None:
            await self._writer.write(partial(record_answers, scope, answers))

        scope = HubScope(
            name=name,
            clock=self._clock,
            tokens=self._tokens,
            episodes=WorkSignal(self._clock),
            activities=WorkSignal(self._clock),
            ends=EndSignal(),
            episode_claims=episodes,
            activity_claims=activities,
            answers=Answers(activities, episodes, record, self._readers.read_now(last_message)),
            tasks=Tasks(),
            residents=Residents(),
            states=States(),
        )
        return scope

    @property
    def host_store(self) -> HostStore:
        """The host's own table."""
        return SqliteHostStore(self._writer, self._readers)

    async def close(self) -> None:
        """End reads, settle writes, and let go of all who wait for work."""
        try:
            for hub in self._hubs.values():
                await hub.answers.close()
        finally:
            await self._readers.close()
            await self._writer.close()
        for hub in self._hubs.values():
            hub.states.clear()
            hub.episodes.notify()
            hub.activities.notify()


class SqliteStore:
    """A database file to be opened with `async with`, by one process at a time.

    synchronous: FULL or NORMAL, as SQLite's pragma.
    Errors on entry: HubInUse; ConfigError for a file of a later schema; StoreError.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        busy_timeout: timedelta = BUSY_TIMEOUT,
        synchronous: str = "FULL",
    ) -> None:
        self._path = path
        self._clock = clock
        self._busy_timeout = busy_timeout
        self._synchronous = synchronous
        self._open = AsyncExitStack()

    async def __aenter__(self) -> StoreProvider:
        async with AsyncExitStack() as stack:
            lock = FileLock(self._path)
            await asyncio.to_thread(self._hold, lock)
            stack.callback(lock.release)
            queries = await asyncio.to_thread(read_queries)
            connection = partial(connect, self._path, queries, self._busy_timeout)
            writing, opening = await asyncio.to_thread(self._prepare, connection)
            tokens = count(opening * TOKENS_PER_OPENING)
            writer = Writer(writing, self._clock, self._busy_timeout)
            database = SqliteDatabase(self._clock, tokens, writer, Readers(connection, writer))
            stack.push_async_callback(database.close)
            self._open = stack.pop_all()
            return database

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._open.aclose()

    def _hold(self, lock: FileLock) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except OSError as error:
            raise StoreError(
                f"The task hub database {self._path} cannot be made ({error}); check that the "
                "folder is writable."
            ) from error

    def _prepare(self, open_connection: Callable[[], Connection]) -> tuple[Connection, int]:
        """Open the writing connection on a schema of today; also how often the file was opened."""
        schema.check_library()
        with ExitStack() as stack, translated(f"The task hub database {self._path}"):
            connection = open_connection()
            stack.callback(connection.close)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            schema.migrate(connection, self._path, schema.read_migrations())
            connection.execute("BEGIN IMMEDIATE")
            opening = connection.scalar("count_opening", {})
            connection.execute("COMMIT")
            stack.pop_all()
            return connection, opening
