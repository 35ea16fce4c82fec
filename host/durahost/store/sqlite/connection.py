"""One connection to the database file, its named queries, and the translation of driver errors.

SQL stands in `queries/*.sql` only; Python calls it by name. Nothing of `sqlite3` leaves this
package: its errors become StoreUnavailable (try again), TooLarge or StoreError.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any

from durahost.model.errors import StoreError, StoreUnavailable, TooLarge

Row = tuple[Any, ...]
Values = Mapping[str, Any] | Row

HEADING = "-- name: "
TRANSIENT = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
    }
)
"""Primary result codes of conditions that pass without a change of ours."""

TOO_LARGE = (
    "A payload is larger than the task hub database takes (1,000,000,000 bytes); keep large data "
    "elsewhere and pass a reference to it."
)
"""Source: sqlite.org/limits.html (SQLITE_MAX_LENGTH)."""


class translated:  # noqa: N801  # read as a statement: `with translated():`
    """Turn the driver's errors into ours; a class, since each statement runs in one."""

    __slots__ = ("_subject",)

    def __init__(self, subject: str = "The task hub database") -> None:
        self._subject = subject

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            return
        if isinstance(error, sqlite3.Error):
            raise self._translation(error) from error
        if isinstance(error, OverflowError):  # the driver's own, beyond 2 GiB
            raise TooLarge(TOO_LARGE) from error

    def _translation(self, error: sqlite3.Error) -> StoreError | TooLarge:
        # The low byte is the primary code. Errors of the driver itself carry none.
        code = getattr(error, "sqlite_errorcode", -1) & 0xFF
        if code == sqlite3.SQLITE_TOOBIG:
            return TooLarge(TOO_LARGE)
        if code in TRANSIENT:
            return StoreUnavailable(
                f"{self._subject} refused the transaction ({error}); nothing of it was written, it"
                " can be tried again."
            )
        return StoreError(
            f"{self._subject} failed ({error}); nothing of the transaction was written. Check the"
            " file, or move it away to begin anew."
        )


def read_queries() -> Mapping[str, str]:
    """Read all named queries of the package."""
    folder = resources.files("durahost.store.sqlite").joinpath("queries")
    queries: dict[str, str] = {}
    for file in folder.iterdir():
        _, *parts = file.read_text(encoding="utf-8").split(HEADING)
        for part in parts:
            name, _, sql = part.partition("\n")
            queries[name.strip()] = sql.strip()
    return queries


class Connection:
    """A connection that speaks in named queries; for one thread at a time.

    is_only_writer: nobody else of this process writes the file.
    """

    def __init__(self, raw: sqlite3.Connection, queries: Mapping[str, str]) -> None:
        self.is_only_writer = False
        self._raw = raw
        self._queries = queries
        self._after_commit: list[Callable[[], None]] = []

    def run(self, name: str, values: Values) -> int:
        """Run a query; the number of rows changed."""
        return self._raw.execute(self._queries[name], values).rowcount

    def run_many(self, name: str, rows: Iterable[Row]) -> None:
        """Run a query once per row."""
        self._raw.executemany(self._queries[name], rows)

    def one(self, name: str, values: Values) -> Row | None:
        """The only row, None when there is none."""
        rows = self._raw.execute(self._queries[name], values).fetchall()
        return rows[0] if rows else None

    def scalar(self, name: str, values: Values) -> Any:
        """The first column of the only row, None when there is none."""
        row = self.one(name, values)
        return None if row is None else row[0]

    def all(self, name: str, values: Values) -> list[Row]:
        """All rows."""
        return self._raw.execute(self._queries[name], values).fetchall()

    def execute(self, sql: str) -> list[Row]:
        """Run a statement that is no named query: transaction control, settings, migrations."""
        return self._raw.execute(sql).fetchall()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all reads of the block see one committed state.

        Whoever writes alone sees nothing else, but what another program may change: of that a
        commit takes notice.
        """
        if self.is_only_writer:
            yield
            return
        self._raw.execute("BEGIN")
        try:
            yield
        finally:
            self._raw.execute("COMMIT")

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open; the driver ends it itself on some errors."""
        return self._raw.in_transaction

    def after_commit(self, call: Callable[[], None]) -> None:
        """Have this called on the event loop once the change is committed."""
        self._after_commit.append(call)

    def take_calls(self) -> list[Callable[[], None]]:
        """Hand over, and forget, what `after_commit` collected."""
        calls, self._after_commit = self._after_commit, []
        return calls

    def close(self) -> None:
        """Close the connection."""
        self._raw.close()


def connect(path: Path, queries: Mapping[str, str], busy_timeout: timedelta) -> Connection:
    """Open the file, which is made when absent.

    The connection may pass from one thread to another, as long as only one uses it at a time.
    """
    raw = sqlite3.connect(
        path,
        timeout=busy_timeout.total_seconds(),
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    return Connection(raw, queries)
