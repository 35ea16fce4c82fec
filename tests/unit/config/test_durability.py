"""The app setting that says how durable a commit is."""

import pytest
from clocks import ManualClock

from durahost.config.durability import synchronous
from durahost.model.errors import ConfigError
from durahost.store.sqlite import store
from durahost.store.sqlite.store import SqliteStore

NAME = "DURAHOST_SQLITE_SYNCHRONOUS"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "FULL"),
        ({NAME: ""}, "FULL"),
        ({NAME: "full"}, "FULL"),
        ({NAME.lower(): "Normal"}, "NORMAL"),
    ],
)
def test_every_commit_is_synced_unless_asked_otherwise(values, expected):
    assert synchronous(values) == expected


def test_another_value_is_refused():
    with pytest.raises(ConfigError) as refused:
        synchronous({NAME: "off"})
    assert str(refused.value) == f"{NAME} is 'OFF'."
    assert refused.value.advice == "It can be FULL (the default) or NORMAL."


# Source of the numbers: sqlite.org: pragma.html#pragma_synchronous.
@pytest.mark.parametrize(("synchronous", "number"), [("FULL", 2), ("NORMAL", 1)])
async def test_the_writing_connection_has_it(tmp_path, monkeypatch, synchronous, number):
    opened = []

    def connect(*given):
        opened.append(store_connect(*given))
        return opened[-1]

    store_connect = store.connect
    monkeypatch.setattr(store, "connect", connect)
    async with SqliteStore(tmp_path / "hub.db", ManualClock(), synchronous=synchronous):
        assert opened[0].execute("PRAGMA synchronous") == [(number,)]
