"""A database that refuses a statement, any one: the transaction fails whole, and is done again."""

import sqlite3
from datetime import timedelta

import pytest
from crash.test_faults import run, without_fault
from hub_world import InlineWriter

from durahost.dispatch import settling, work_loop
from durahost.store.sqlite.connection import Connection


class Refusals:
    """Counts the statements of the writing connection, and refuses one of them."""

    def __init__(self, number=None):
        self.number = number
        self.statements = []

    def pass_by(self, statement):
        self.statements.append(statement)
        if len(self.statements) - 1 == self.number:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

    def open_writer(self, connection, clock, busy_timeout):
        return InlineWriter(RefusingConnection(connection, self), clock, busy_timeout)


class RefusingConnection(Connection):
    """The store's own connection, once it is open."""

    def __init__(self, opened, refusals):
        super().__init__(opened._raw, opened._queries)
        self._refusals = refusals

    def run(self, name, values):
        self._refusals.pass_by(name)
        return super().run(name, values)

    def run_many(self, name, rows):
        self._refusals.pass_by(name)
        super().run_many(name, rows)

    def one(self, name, values):
        self._refusals.pass_by(name)
        return super().one(name, values)

    def all(self, name, values):
        self._refusals.pass_by(name)
        return super().all(name, values)

    def execute(self, sql):
        # A rollback cannot fail but by ending the transaction too, and settings cannot at all.
        if sql != "ROLLBACK" and not sql.startswith("PRAGMA"):
            self._refusals.pass_by(sql)
        return super().execute(sql)


@pytest.fixture
def at_once(monkeypatch):
    """What was refused is tried again without a delay."""
    for module in (settling, work_loop):
        monkeypatch.setattr(module, "retry_delay", lambda *_: timedelta(0))


@pytest.mark.feature("Exactly once", "A statement that the database refuses")
@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("name", ["default-child-id", "entity"])
def test_any_statement_may_be_refused_once_c26(name):
    _, expected, _ = without_fault(name)
    refusals = Refusals()
    run(name, writer=refusals.open_writer)
    statements = refusals.statements
    assert {"BEGIN IMMEDIATE", "COMMIT", "commit_instance", "insert_message"} <= set(statements)
    for number, statement in enumerate(statements):
        refusals = Refusals(number)
        world, outcome, _ = run(name, writer=refusals.open_writer)
        where = f"statement {number}, {statement}"
        assert refusals.statements[: number + 1] == statements[: number + 1], where
        assert outcome == expected, where
        assert world.crashes == 0, where
