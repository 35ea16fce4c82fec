"""What a timer function is given, and the status that is stored."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from durahost.codec.timers import (
    decode_status,
    encode_status,
    occurrences_text,
    round_trip,
    timer_info,
)
from durahost.model.timers import ScheduleStatus
from durahost.schedules.schedule import NEVER, next_occurrences, parse_schedule

pytestmark = pytest.mark.feature("Functions host", "Timer triggers: `TimerRequest`, its JSON")

PACIFIC, BERLIN = ZoneInfo("America/Los_Angeles"), ZoneInfo("Europe/Berlin")
LAST = datetime(2026, 1, 5, 10, 0, 0, 4500, tzinfo=UTC)
NEXT = datetime(2026, 1, 5, 11, tzinfo=UTC)


def test_of_a_monitored_timer():
    status = ScheduleStatus(LAST, NEXT, LAST)
    assert timer_info(status, UTC, adjusts_for_dst=True, is_past_due=True) == (
        '{"Schedule":{"AdjustForDST":true},"ScheduleStatus":{"Last":'
        '"2026-01-05T10:00:00.0045+00:00","Next":"2026-01-05T11:00:00+00:00","LastUpdated":'
        '"2026-01-05T10:00:00.0045+00:00"},"IsPastDue":true}'
    )


def test_of_one_that_is_not_monitored():
    assert timer_info(None, UTC, adjusts_for_dst=False, is_past_due=False) == (
        '{"Schedule":{"AdjustForDST":false},"ScheduleStatus":null,"IsPastDue":false}'
    )


@pytest.mark.parametrize(
    ("zone", "last", "following"),
    [
        (UTC, "0001-01-01T00:00:00+00:00", "2026-01-05T11:00:00+00:00"),
        # Before zones were set by law their offset is the local mean time, in whole minutes.
        (BERLIN, "0001-01-01T00:53:28+00:53", "2026-01-05T12:00:00+01:00"),
        (PACIFIC, "0001-01-01T00:00:00-07:52", "2026-01-05T03:00:00-08:00"),
    ],
)
def test_before_the_first_run(zone, last, following):
    text = encode_status(ScheduleStatus(None, NEXT, None), zone)
    assert text == f'{{"Last":"{last}","Next":"{following}","LastUpdated":"{last}"}}'
    assert decode_status(text) == ScheduleStatus(None, NEXT, None)


@pytest.mark.parametrize("zone", [UTC, BERLIN, PACIFIC])
def test_what_is_stored_is_what_is_read(zone):
    for status in (ScheduleStatus(LAST, NEXT, LAST), ScheduleStatus(None, NEVER, LAST)):
        assert decode_status(encode_status(status, zone)) == status


def test_the_repeated_hour_keeps_its_pass():
    passes = [datetime(2018, 11, 4, hour, 30, tzinfo=UTC) for hour in (8, 9)]
    texts = [round_trip(one, PACIFIC) for one in passes]
    assert texts == ["2018-11-04T01:30:00.0000000-07:00", "2018-11-04T01:30:00.0000000-08:00"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"Next":5}', '{"Next":"soon","Last":"2026-01-05T11:00:00+00:00"}',
     '{"Next":"2026-01-05T11:00:00","Last":"2026-01-05T11:00:00+00:00"}',
     '{"Next":"9999-12-31T23:00:00-08:00"}', '{"Next":"0001-01-01T00:00:00+00:00"}'],
)  # fmt: skip
def test_what_is_no_status(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the caller shows whichever text it is
        decode_status(text)


def test_the_calendars_end():
    assert round_trip(NEVER, UTC) == "9999-12-31T23:59:59.9999999+00:00"
    assert round_trip(NEVER, BERLIN) == "9999-12-31T23:59:59.9999999+01:00"


def test_occurrences_in_the_log():
    # Azure/azure-webjobs-sdk-extensions: TimerInfoTests.cs.
    now = datetime(2015, 9, 16, 17, 30, tzinfo=UTC)
    schedule = parse_schedule("0 * * * *")
    assert occurrences_text(next_occurrences(schedule, 2, now, PACIFIC), PACIFIC) == (
        "09/16/2015 11:00:00-07:00 (09/16/2015 18:00:00Z)\n"
        "09/16/2015 12:00:00-07:00 (09/16/2015 19:00:00Z)\n"
    )
    assert occurrences_text(next_occurrences(schedule, 1, now, UTC), UTC) == (
        "09/16/2015 18:00:00Z\n"
    )
