"""Which records the terminal shows, by default and as host.json says."""

import logging

import pytest

from durahost.cli import log_filter
from durahost.cli.log_filter import LevelFilter, category
from durahost.config.host_json import build_host_settings
from durahost.config.log_levels import parse_level
from durahost.config.settings import LogLevels

pytestmark = pytest.mark.feature("Functions host", "`logging.logLevel`")

USER = "Function.Hello.User"


def record(name, level, function=None):
    made = logging.LogRecord(name, level, "file", 1, "text", None, None)
    if function:
        made.function = function
    return made


def levels(**said):
    document = {"version": "2.0", "logging": {"logLevel": said}}
    return build_host_settings(document, {}).log_levels


@pytest.mark.parametrize(
    ("name", "function", "expected"),
    [
        ("durahost.invocations", "Hello", "Function.Hello"),
        ("durahost.reload", None, "Host.reload"),
        ("durahost", None, "Host"),
        ("durahosted", None, "Host.durahosted"),
        ("uvicorn.error", None, "Host.uvicorn.error"),
        (USER, "Hello", USER),
        ("Worker.azure_functions_worker", None, "Worker.azure_functions_worker"),
    ],
)
def test_categories(name, function, expected):
    assert category(record(name, logging.INFO, function)) == expected


@pytest.mark.parametrize(
    ("name", "level", "shown", "shown_verbose"),
    [
        (USER, logging.INFO, True, True),
        (USER, logging.DEBUG, False, False),
        ("durahost.invocations", logging.INFO, True, True),
        ("durahost.reload", logging.INFO, False, True),
        ("durahost.reload", logging.WARNING, True, True),
        ("Worker.x", logging.INFO, False, True),
    ],
)
def test_defaults(name, level, shown, shown_verbose):
    one = record(name, level)
    assert LevelFilter().filter(one) == shown
    assert LevelFilter(is_verbose=True).filter(one) == shown_verbose


def test_default_replaces_both():
    chosen = LevelFilter(is_verbose=True, levels=levels(default="Error"))
    assert not chosen.filter(record(USER, logging.WARNING))
    assert not chosen.filter(record("durahost.reload", logging.WARNING))
    assert chosen.filter(record(USER, logging.ERROR))
    assert chosen.lowest(of_functions=True) == logging.ERROR
    assert chosen.lowest(of_functions=False) == logging.ERROR


def test_the_longest_category_counts():
    said = levels(**{"Function": "Error", "Function.Hello": "Debug", "Function.Hello.User": "None"})
    chosen = LevelFilter(levels=said)
    assert not chosen.filter(record("durahost.invocations", logging.INFO, "Other"))
    assert chosen.filter(record("durahost.invocations", logging.DEBUG, "Hello"))
    assert not chosen.filter(record(USER, logging.CRITICAL))
    assert not chosen.filter(record("durahost.reload", logging.INFO))
    assert chosen.lowest(of_functions=True) == logging.DEBUG
    assert chosen.lowest(of_functions=False) == logging.WARNING


def test_the_command_line_wins_for_user_code():
    chosen = LevelFilter(user_level=parse_level("Debug"), levels=levels(Default="Error"))
    assert chosen.filter(record(USER, logging.DEBUG))
    assert not chosen.filter(record("durahost.reload", logging.WARNING))
    assert chosen.lowest(of_functions=True) == logging.DEBUG
    assert chosen.lowest(of_functions=False) == logging.ERROR


def test_nothing_said():
    assert levels() == LogLevels()
    assert levels(Default="").level_of("x") is None
    assert LevelFilter().lowest(of_functions=True) == logging.INFO
    assert LevelFilter().lowest(of_functions=False) == logging.WARNING
    assert LevelFilter(is_verbose=True).lowest(of_functions=False) == logging.INFO
    host = LevelFilter(levels=levels(**{"Host.reload": "Trace"}))
    assert host.lowest(of_functions=False) == 1
    assert host.lowest(of_functions=True) == logging.INFO


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("trace", 1), ("Debug", 10), ("INFORMATION", 20), ("Warning", 30), ("Error", 40),
        ("Critical", 50), ("None", 51), ("0", 1), ("6", 51), ("7", None), ("loud", None),
    ],
)  # fmt: skip
def test_words(text, level):
    assert parse_level(text) == level


def test_levels_that_come_later_are_applied():
    chosen = LevelFilter()
    assert chosen.filter(record(USER, logging.INFO))
    chosen.apply(levels(default="Error"))
    assert not chosen.filter(record(USER, logging.INFO))


def test_loggers_without_end_are_not_kept(monkeypatch):
    monkeypatch.setattr(log_filter, "MOST_DECIDED", 2)
    chosen = LevelFilter()
    for number in range(5):
        assert chosen.filter(record(f"Function.F{number}.User", logging.INFO))
        assert len(chosen._decided) <= 2
