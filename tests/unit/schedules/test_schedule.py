"""Crontab or interval, and what a zone's clock does to either.

Cases of daylight saving time: Azure/azure-webjobs-sdk-extensions: CronScheduleTests.cs; of
frequency and intervals: TimerScheduleTests.cs.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from durahost.schedules.schedule import (
    NEVER,
    ConstantSchedule,
    CronSchedule,
    ScheduleError,
    next_occurrences,
    parse_schedule,
)

PACIFIC = ZoneInfo("America/Los_Angeles")
MOMENT = datetime(2015, 5, 22, 9, 45, tzinfo=UTC)

DST = pytest.mark.feature("Functions host", "Timer triggers: daylight saving time")
INTERVALS = pytest.mark.feature("Functions host", "Timer triggers: intervals (TimeSpan)")


def occurrences(expression, start, count, zone=PACIFIC, fold=0):
    """As `MM-DD HH:MM±H`, from a local time on."""
    begin = datetime.fromisoformat(start).replace(tzinfo=zone, fold=fold).astimezone(UTC)
    found = next_occurrences(parse_schedule(expression), count, begin, zone)
    return [f"{one.astimezone(zone):%m-%d %H:%M%z}"[:-2] for one in found]


@DST
@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        # Into daylight saving time, 2018-03-11 02:00.
        ("0 30 * * * *", "2018-03-11 00:00",
         ["03-11 00:30-08", "03-11 01:30-08", "03-11 03:30-07", "03-11 04:30-07"]),
        ("0 30 1 * * *", "2018-03-10 00:00",
         ["03-10 01:30-08", "03-11 01:30-08", "03-12 01:30-07", "03-13 01:30-07"]),
        # In the hour that is skipped: an hour later by the clock.
        ("0 30 2 * * *", "2018-03-10 00:00",
         ["03-10 02:30-08", "03-11 03:30-07", "03-12 02:30-07"]),
        # Out of it, 2018-11-04 02:00: an interval comes in both passes.
        ("0 */20 * * * *", "2018-11-04 00:30",
         ["11-04 00:40-07", "11-04 01:00-07", "11-04 01:20-07", "11-04 01:40-07", "11-04 01:00-08",
          "11-04 01:20-08", "11-04 01:40-08", "11-04 02:00-08", "11-04 02:20-08"]),
        ("0 30 * * * *", "2018-11-04 00:00",
         ["11-04 00:30-07", "11-04 01:30-07", "11-04 01:30-08", "11-04 02:30-08"]),
        # A point in time only in the first.
        ("0 30 1 * * *", "2018-11-03 00:00",
         ["11-03 01:30-07", "11-04 01:30-07", "11-05 01:30-08", "11-06 01:30-08"]),
    ],
)  # fmt: skip
def test_a_clock_that_is_put_forward_or_back(expression, start, expected):
    assert occurrences(expression, start, len(expected)) == expected


@DST
def test_a_start_within_the_repeated_hour():
    assert occurrences("0 30 1 * * *", "2018-11-04 01:29", 1, fold=1) == ["11-05 01:30-08"]
    assert occurrences("0 30 1 * * *", "2018-11-04 01:29", 1) == ["11-04 01:30-07"]


@DST
def test_a_yearly_one_in_the_repeated_hour_is_passed_over():
    """Odd, as there: who waits for it since standard time counts it as having run."""
    schedule = parse_schedule("0 30 1 4 11 *")
    begin = datetime(2018, 1, 1, tzinfo=UTC)
    assert schedule.next_after(begin, PACIFIC) == datetime(2019, 11, 4, 9, 30, tzinfo=UTC)
    last = parse_schedule("0 30 1 7 11 *")
    assert last.next_after(datetime(9999, 1, 1, tzinfo=UTC), PACIFIC) == NEVER


@DST
def test_south_of_the_equator():
    zone = ZoneInfo("Australia/Sydney")
    found = occurrences("0 30 2 * * *", "2026-04-04 00:00", 3, zone)
    assert found == ["04-04 02:30+11", "04-05 02:30+11", "04-06 02:30+10"]


@INTERVALS
def test_an_interval_knows_no_wall_clock():
    found = occurrences("01:00:00", "2018-11-04 00:30", 3)
    assert found == ["11-04 01:30-07", "11-04 01:30-08", "11-04 02:30-08"]
    schedule = parse_schedule("01:00:00")
    assert (schedule.text, schedule.adjusts_for_dst) == ("Constant: 01:00:00", False)


@INTERVALS
@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("00:00:45", timedelta(seconds=45)),
        ("00:06:00", timedelta(minutes=6)),
        ("12:00:00", timedelta(hours=12)),
        ("1.00:00", timedelta(hours=24)),
        ("24:00:00", timedelta(days=24)),
        ("5", timedelta(days=5)),
    ],
)
def test_intervals(text, interval):
    schedule = parse_schedule(text)
    found = next_occurrences(schedule, 5, MOMENT, UTC)
    assert schedule == ConstantSchedule(interval)
    assert {after - before for before, after in pairwise([MOMENT, *found])} == {interval}


@pytest.mark.parametrize(
    ("expression", "is_interval"),
    [
        ("* * * * * *", True), ("0 * * * * *", True), ("0 0 * * * *", True),
        ("0 0-15 * * * *", True), ("0 0 * * * 0", True), ("0 0 1-3 * * 0", True),
        ("0 0 0 * * *", False), ("0 0 0 1 * *", False), ("0 0 0 1 1 *", False),
        ("0 0 0 * * 1", False), ("* * * * *", True), ("0 * * * *", True), ("0-15 * * * *", True),
        ("0 * * * 0", True), ("0 1-3 * * 0", True), (" 0 1 * * *", False), ("0 0 * * *", False),
        ("0 0 1 * *", False), ("0 0 1 1 *", False), ("0 0 * * 1", False),
    ],
)  # fmt: skip
def test_what_counts_as_an_interval(expression, is_interval):
    assert parse_schedule(expression).is_interval == is_interval


@pytest.mark.parametrize(
    ("expression", "when", "is_frequent"),
    [
        ("* * * * * *", MOMENT, True),
        ("*/5 * * * * *", MOMENT, True),
        ("  */5    * *      * * *", MOMENT, True),
        ("10,20,45 * * * * *", MOMENT, True),
        ("0 */5 * * * *", MOMENT, False),
        ("0 30 * * * *", MOMENT, False),
        ("* 30 * * * *", MOMENT, False),
        ("* */30 * * * *", MOMENT, False),
        ("0 * * * * *", MOMENT, False),
        ("30 * * * * *", MOMENT, False),
        ("* 1-5 * * * *", MOMENT, False),
        ("* */20 * * * *", datetime(2020, 10, 30, 0, 19, 30, tzinfo=UTC), False),
        ("* * 12 * * Mon", MOMENT, False),
        ("* 59 11 * * 1,2,3,4,5", MOMENT, False),
        ("* * * * *", MOMENT, False),
        # The end of the minute does not count: at the full second one of the two is left.
        ("0,30 * * * * *", MOMENT, False),
        ("0,30 * * * * *", MOMENT + timedelta(milliseconds=1), True),
        ("00:00:59.9", MOMENT, True),
        ("00:01:00", MOMENT, False),
    ],
)
def test_what_fires_more_than_once_a_minute(expression, when, is_frequent):
    assert parse_schedule(expression).is_frequent(when, UTC) == is_frequent


def test_at_the_calendars_end_nothing_is_frequent():
    schedule = parse_schedule("* * * * * *")
    assert not schedule.is_frequent(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), UTC)


@pytest.mark.parametrize(
    ("expression", "is_never"),
    [("0 0 0 30 2 *", True), ("0 0 0 29 2 *", False), ("10675199", True), ("00:05:00", False)],
)
def test_what_never_fires(expression, is_never):
    schedule = parse_schedule(expression)
    assert schedule.is_never == is_never
    if is_never:
        assert next_occurrences(schedule, 2, MOMENT, PACIFIC) == [NEVER, NEVER]


def test_a_crontabs_text_is_the_expanded_one():
    schedule = parse_schedule("0 59 11 * * Mon-Fri")
    assert isinstance(schedule, CronSchedule)
    assert (schedule.text, schedule.adjusts_for_dst) == ("Cron: '0 59 11 * * 1-5'", True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("invalid", "String 'invalid' was not recognized as a valid TimeSpan."),
        ("00:99:00", "at least one of the numeric components is out of range"),
        ("0 0 * * 7", "7 is higher than the maximum allowable value for the [DayOfWeek] field."),
    ],
)
def test_what_is_neither(text, reason):
    with pytest.raises(ScheduleError) as caught:
        parse_schedule(text)
    assert str(caught.value) == (
        f"The schedule expression '{text}' was not recognized as a valid cron expression or "
        "timespan string."
    )
    assert reason in caught.value.reason
