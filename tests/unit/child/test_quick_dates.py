"""Quick time stamps are those that the SDK's own parser reads, and stay away from what they do not
know.
"""

import json
import sys
import time
from datetime import UTC, datetime
from types import ModuleType

import azure.durable_functions as df
import pytest
from azure.durable_functions.models.history import HistoryEvent
from dateutil.parser import parse as stock
from hypothesis import example, given
from hypothesis import strategies as st

from durahost.child import quick_dates

MODULE = sys.modules[quick_dates.EVENTS]
ZONES = ["UTC", "Europe/London", "America/New_York", "UTC0BST", "Z0"]


@pytest.fixture(autouse=True)
def stock_parser(monkeypatch):
    """Whatever a host in this process has installed: the SDK as it is on disk, put back after."""
    monkeypatch.setattr(MODULE, "dt_parse", stock)


@pytest.fixture(params=ZONES)
def machine_zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def told(parse, text):
    """What the parser makes of the text: the time and the kind of its zone, or the error."""
    try:
        when = parse(text)
    except Exception as error:  # noqa: BLE001 - whatever it raises is to be the same
        return type(error), str(error)
    return when, when.replace(tzinfo=None), when.utcoffset(), when.tzname(), type(when.tzinfo)


FORMS = st.one_of(
    st.datetimes(timezones=st.just(UTC)).map(lambda when: f"{when:%Y-%m-%dT%H:%M:%S.%f}Z"),
    st.from_regex(quick_dates.STAMP, fullmatch=True),
    st.text(alphabet="0123456789-:.TZz+ ", max_size=30),
)


@given(FORMS)
@example("2026-01-05T10:00:00Z")
@example("2026-01-05T10:00:00.1234567Z")
@example("2026-01-05T10:00:00.12345678Z")
@example("2026-13-05T10:00:00Z")
@example("2026-01-05T24:00:00Z")
@example("2026-01-05T10:00:60Z")
@example("0000-01-05T10:00:00Z")
@example("0026-01-05T10:00:00Z")
@example("2026-01-05T10:00:00+02:00")
@example("2026-01-05T10:00:00")
@example("2026-01-05T10:00:00Z\n")
@example("٢٠٢٦-01-05T10:00:00Z")
@example("")
def test_every_text_reads_as_the_stock_parser_reads_it(text):
    assert told(quick_dates.QuickParse(stock), text) == told(stock, text)


@pytest.mark.parametrize("value", [None, 5, b"2026-01-05T10:00:00Z"])
def test_what_is_no_text_is_left_to_the_stock_parser(value):
    assert told(quick_dates.QuickParse(stock), value) == told(stock, value)


def test_the_zone_is_the_one_that_the_stock_parser_gives_on_this_machine(machine_zone):
    quick = quick_dates.QuickParse(stock)
    for text in ("2026-01-05T10:00:00Z", "2026-07-05T10:00:00.25Z"):
        assert told(quick, text) == told(stock, text)


def test_a_zone_that_changes_while_the_app_runs_is_seen(monkeypatch):
    quick = quick_dates.QuickParse(stock)
    for zone in ("UTC", "America/New_York", "UTC"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert told(quick, "2026-07-05T10:00:00Z") == told(stock, "2026-07-05T10:00:00Z")
    monkeypatch.undo()
    time.tzset()


def test_it_is_installed_once_and_events_read_their_time_with_it():
    assert quick_dates.install()
    installed = MODULE.dt_parse
    assert isinstance(installed, quick_dates.QuickParse)
    assert quick_dates.install()
    assert MODULE.dt_parse is installed
    event = HistoryEvent(12, -1, False, "2026-01-05T10:00:00.1234567Z")
    assert event.timestamp == datetime(2026, 1, 5, 10, 0, 0, 123456, UTC)


def test_an_orchestrator_sees_and_answers_the_same_with_it():
    def orchestrator(context):
        now = context.current_utc_datetime
        yield context.create_timer(now.replace(hour=12))
        return [str(now), str(context.new_guid()), context.new_uuid(), str(now.tzinfo)]

    stamps = ["2026-01-05T10:00:00Z", "2026-01-05T10:00:00.5Z", "2026-01-05T12:00:00.0000001Z"]
    common = {"EventId": -1, "IsPlayed": True}
    events = [
        {"EventType": 12, "Timestamp": stamps[0]},
        {"EventType": 0, "Timestamp": stamps[0], "Name": "o", "Version": "", "Input": None},
        {"EventType": 10, "EventId": 0, "Timestamp": stamps[1], "FireAt": stamps[2]},
        {"EventType": 13, "Timestamp": stamps[1]},
        {"EventType": 12, "Timestamp": stamps[2]},
        {"EventType": 11, "TimerId": 0, "Timestamp": stamps[2], "FireAt": stamps[2]},
    ]
    context = json.dumps(
        {
            "history": [{**common, **event} for event in events],
            "input": None,
            "instanceId": "i",
            "isReplaying": False,
            "parentInstanceId": None,
            "upperSchemaVersionNew": 2,
        }
    )
    handle = df.Orchestrator.create(orchestrator)
    before = handle(context)
    assert quick_dates.install()
    assert handle(context) == before
    assert json.loads(before)["output"][0].startswith("2026-01-05 10:00:00")


def test_without_the_sdk_nothing_is_done(monkeypatch):
    monkeypatch.delitem(sys.modules, quick_dates.EVENTS)
    assert not quick_dates.install()


def other_sdk(source):
    """The module of an SDK that is built otherwise."""
    module = ModuleType(quick_dates.EVENTS)
    vars(module)["dt_parse"] = stock
    exec(source, vars(module))
    return module


CLASS = "class HistoryEvent:\n    def __init__(self, kind, number, played, text, **rest):\n"
OTHERS = {
    "reads its time elsewhere": CLASS + "        self.timestamp = text\n",
    "has another parser": "dt_parse = str\n" + CLASS + "        self.timestamp = dt_parse(text)\n",
    "has no events": "",
    "has no parser": "del dt_parse\n" + CLASS + "        self.timestamp = dt_parse(text)\n",
    "was built in": "HistoryEvent = int\n",
    "takes a parser's options": CLASS + "        self.timestamp = dt_parse(text, dayfirst=True)\n",
    "looks at its parser": CLASS
    + "        self.timestamp = dt_parse(text).replace(year=len(type(dt_parse).__name__))\n",
    "gives no time": CLASS + "        self.timestamp = str(dt_parse)\n",
}


@pytest.mark.parametrize("source", OTHERS.values(), ids=OTHERS)
def test_an_sdk_that_is_built_otherwise_keeps_its_parser(source, monkeypatch):
    module = other_sdk(source)
    before = getattr(module, "dt_parse", None)
    monkeypatch.setitem(sys.modules, quick_dates.EVENTS, module)
    assert not quick_dates.install()
    assert getattr(module, "dt_parse", None) is before
