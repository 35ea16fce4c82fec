"""The host's own key → JSON text table in the same database."""

from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

from durahost.store.sqlite.connection import Connection, connect, read_queries, translated
from durahost.store.sqlite.readers import Readers
from durahost.store.sqlite.writer import Writer


class SqliteHostStore:
    """The host's own table."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def read(self, key: str) -> str | None:
        """The value, None when there is none."""
        return await self._readers.read(partial(_read, key))

    async def write(self, key: str, value: str) -> None:
        """Store the value, replacing an older one."""
        await self._writer.write(lambda c: c.run("write_value", {"key": key, "value": value}))

    async def write_if_absent(self, key: str, value: str) -> str:
        """Store the value unless there is one; return the one that stands now."""
        return await self._writer.write(partial(_write_if_absent, key, value))

    async def delete(self, key: str) -> bool:
        """Remove the value; whether there was one."""
        return await self._writer.write(lambda c: c.run("delete_value", {"key": key}) > 0)


def _read(key: str, connection: Connection) -> str | None:
    value: str | None = connection.scalar("read_value", {"key": key})
    return value


def _write_if_absent(key: str, value: str, connection: Connection) -> str:
    connection.run("write_value_if_absent", {"key": key, "value": value})
    return _read(key, connection) or value


def read_values(path: Path) -> Mapping[str, str]:
    """Read the whole table of a database file, also while another process has it open.

    Errors: StoreError.
    """
    with (
        translated(f"The task hub database {path}"),
        closing(connect(path, read_queries(), timedelta(seconds=5))) as connection,
    ):
        return dict(connection.all("read_values", {}))
