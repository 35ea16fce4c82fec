"""The schema's version and the way to it: numbered files, each applied once, each whole or not.

A published migration is never edited; the next change is the next number.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from durahost.model.errors import ConfigError
from durahost.store.sqlite.connection import Connection

OLDEST_SQLITE = (3, 35)
"""RETURNING; March 2021."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: the schema's version afterwards, and the statements."""

    version: int
    sql: str


def check_library() -> None:
    """Refuse a SQLite library that lacks what the queries use.

    Errors: ConfigError.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise ConfigError(
            f"This Python's SQLite library is {sqlite3.sqlite_version}; durahost needs 3.35.",
            advice="Use a Python that comes with a newer SQLite.",
        )


def read_migrations() -> Sequence[Migration]:
    """Read the package's migrations in order."""
    folder = resources.files("durahost.store.sqlite").joinpath("migrations")
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return [Migration(int(file.name[:4]), file.read_text(encoding="utf-8")) for file in files]


def migrate(connection: Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Bring the schema to the last version, one transaction per step.

    Errors: ConfigError when the file is of a later version than the last one known.
    """
    known = migrations[-1].version
    version = _read_version(connection)
    if version > known:
        raise ConfigError(
            f"The task hub database {path} has schema version {version}; this durahost knows "
            f"versions up to {known}.",
            advice="Start the newer durahost again, or move the file away to begin anew.",
        )
    for migration in migrations:
        if migration.version > version:
            _apply(connection, migration)


def _read_version(connection: Connection) -> int:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) "
        "WITHOUT ROWID"
    )
    rows = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'")
    return int(rows[0][0]) if rows else 0


def _apply(connection: Connection, migration: Migration) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _statements(migration.sql):
            connection.execute(statement)
        connection.execute(
            f"INSERT INTO meta VALUES ('schema_version', {migration.version:d}) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        )
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _statements(script: str) -> Iterator[str]:
    """Split at the ends of statements; `executescript` would commit on its own."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
