"""No query's cost grows with the instances that have ended: each finds its rows through an index.

SQLite says so itself, without a row: SEARCH goes through an index or a key, SCAN reads a whole
table, TEMP B-TREE sorts what was found.
"""

import contextlib
import re
import sqlite3

import pytest

from durahost.store.sqlite.connection import connect, read_queries
from durahost.store.sqlite.schema import migrate, read_migrations
from durahost.store.sqlite.store import BUSY_TIMEOUT

QUERIES = read_queries()
SCANS = {
    "read_values": "of the host's own keys and states, a handful",
}
SORTS = {"load_inbox": "the visible messages of one instance: those of the episode"}
LISTS = {
    "query_instances": "SEARCH instance USING INDEX instance_by_id (hub=? AND id>? AND id<?)",
    "find_instances": "SEARCH instance USING INDEX instance_by_due (hub=? AND due_at<?)",
    "next_due": "SEARCH instance USING COVERING INDEX instance_by_due (hub=? AND due_at>?)",
}
"""A page by id, in its order, from where the last ended; ready ones, the longest ready first."""


@pytest.fixture
def plan(path):
    """The steps of a query on the current schema."""
    path.parent.mkdir(exist_ok=True)
    connection = connect(path, QUERIES, BUSY_TIMEOUT)
    migrate(connection, path, read_migrations())
    connection.close()
    with contextlib.closing(sqlite3.connect(path)) as raw:

        def explain(name):
            sql = QUERIES[name]
            values = dict.fromkeys(re.findall(r":(\w+)", sql), 1) or (1,) * sql.count("?")
            return [step[3] for step in raw.execute(f"EXPLAIN QUERY PLAN {sql}", values)]

        yield explain


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_reads_no_whole_table_and_sorts_nothing_that_grows(name, plan):
    steps = plan(name)
    assert name in SCANS or not [step for step in steps if step.startswith("SCAN")]
    assert name in SORTS or not [step for step in steps if "TEMP B-TREE" in step]


@pytest.mark.parametrize("name", LISTS)
def test_lists_come_in_the_order_of_their_index(name, plan):
    assert LISTS[name] in plan(name)


def test_the_exceptions_are_some(plan):
    assert all(any("SCAN" in step for step in plan(name)) for name in SCANS)
    assert all(any("TEMP B-TREE" in step for step in plan(name)) for name in SORTS)
