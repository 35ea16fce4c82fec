"""Crontab expressions against NCrontab's published examples, and against the documents'.

ncrontab_examples.json: base time, expression, next occurrence, from atifaziz/NCrontab:
NCrontab.Tests/CrontabScheduleTests.cs (Evaluations).
"""

import json
from datetime import datetime
from itertools import islice
from pathlib import Path

import pytest

from durahost.schedules.crontab import CrontabError, parse_crontab

pytestmark = pytest.mark.feature("Functions host", "NCRONTAB expressions, five or six fields")

EXAMPLES = json.loads((Path(__file__).parent / "ncrontab_examples.json").read_text())


def following(expression, base):
    """Occurrences as text, one after the other."""
    crontab = parse_crontab(expression)
    when = datetime.fromisoformat(base)
    while (when := crontab.next_after(when)) is not None:
        yield str(when)


def first(expression, base, count=1):
    return list(islice(following(expression, base), count))


@pytest.mark.parametrize(("base", "expression", "after"), EXAMPLES)
def test_the_librarys_own_examples(base, expression, after):
    assert first(expression, base) == [after]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        # NCrontab: CrontabScheduleTests.cs (Formatting, AllTimeString).
        ("* * * * *", "* * * * *"),
        ("* * * * * *", "* * * * * *"),
        ("* 1-2,3 * * *", "* 1-3 * * *"),
        ("* * * */2 *", "* * * 1,3,5,7,9,11 *"),
        ("10-40/15 * * * *", "10,25,40 * * * *"),
        ("* * * Mar,Jan,Aug Fri,Mon-Tue", "* * * 1,3,8 1-2,5"),
        ("55 * * * Mar,Jan,Aug Fri,Mon-Tue", "55 * * * 1,3,8 1-2,5"),
        # A range written backwards is swapped, not wrapped.
        ("0 0 22-2 * * Fri-Mon", "0 0 2-22 * * 1-5"),
        # From a value to the field's end.
        ("0 50/5 * * * *", "0 50,55 * * * *"),
        ("0 0 0 * * 5/3", "0 0 0 * * 5"),
        # A step below one counts as one; int.Parse takes signs.
        ("*/0 */-3 */+20 * * *", "* * 0,20 * * *"),
        ("0 0-59 0-23/1 1-31 1-12 0-6", "0 * * * * *"),
        # The first name with this beginning, in the calendar's order.
        ("0 0 0 * J,Ju,M,A T,S,m", "0 0 0 * 1,3-4,6 0-2"),
        ("0 0 0 * mArC sund", "0 0 0 * 3 0"),
        ("0 0 0 * * 5\n", "0 0 0 * * 5"),
        ("   0   0 0 * * *  ", "0 0 0 * * *"),
    ],
)
def test_the_expanded_text(expression, text):
    assert parse_crontab(expression).text == text


@pytest.mark.parametrize(
    ("expression", "occurrences"),
    [
        # MicrosoftDocs/azure-docs: functions-bindings-timer.md, its examples, from a Friday.
        ("0 5 * * * *", ["2026-01-02 00:05:00", "2026-01-02 01:05:00"]),
        ("0 */5 * * * *", ["2026-01-02 00:05:00", "2026-01-02 00:10:00"]),
        ("5,8,10 * * * * *", ["2026-01-02 00:00:05", "2026-01-02 00:00:08"]),
        ("0 5-10 * * * *", ["2026-01-02 00:05:00", "2026-01-02 00:06:00"]),
        ("0 0 */2 * * *", ["2026-01-02 02:00:00", "2026-01-02 04:00:00"]),
        ("0 0 9-17 * * *", ["2026-01-02 09:00:00", "2026-01-02 10:00:00"]),
        ("0 30 9 * * *", ["2026-01-02 09:30:00", "2026-01-03 09:30:00"]),
        ("0 30 9 * * 1-5", ["2026-01-02 09:30:00", "2026-01-05 09:30:00"]),
        ("0 30 9 * Jan Mon", ["2026-01-05 09:30:00", "2026-01-12 09:30:00"]),
        # Day of month and day of week must both match: Friday the 13th.
        ("0 0 0 13 * 5", ["2026-02-13 00:00:00", "2026-03-13 00:00:00"]),
        # A day that a month does not have is skipped, not moved.
        ("0 0 0 31 * *", ["2026-01-31 00:00:00", "2026-03-31 00:00:00"]),
        ("0 0 0 29 2 *", ["2028-02-29 00:00:00", "2032-02-29 00:00:00"]),
        ("0 0 0 29 2 Mon", ["2044-02-29 00:00:00", "2072-02-29 00:00:00"]),
    ],
)
def test_the_documents_examples(expression, occurrences):
    assert first(expression, "2026-01-02 00:00:00", 2) == occurrences


def test_a_fraction_of_a_second_is_dropped_first():
    assert first("* * * * * *", "2026-01-02 00:00:00.999") == ["2026-01-02 00:00:01"]


def test_a_day_that_never_comes():
    # NCrontab: DontLoopIndefinitely.
    assert first("* * * 31 Feb *", "2001-01-01") == []
    assert first("* * 30 2 *", "2001-01-01") == []


def test_the_calendar_ends():
    # NCrontab: GetNextOccurrences_NextOccurrenceInvalidTime_ShouldStopAtLastValidTime.
    assert list(following("0 0 29 Feb Mon", "9988-01-01")) == ["9988-02-29 00:00:00"]
    assert first("* * * * * *", "9999-12-31 23:59:59") == []


SECONDS = "6 components of a schedule in the sequence of seconds, minutes, hours, days, months, and"
MINUTES = "between 0 and 59 (all inclusive)."
NOT_MINUTE = "'{0}' is not a valid [Minute] crontab field expression. "
EMPTY = "A crontab field value cannot be empty."


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", f"'' is an invalid crontab expression. It must contain {SECONDS} days of week."),
        ("* * * *", f"'* * * *' is an invalid crontab expression. It must contain {SECONDS}"),
        ("* * * * * * *", "is an invalid crontab expression."),
        ("0 0\t0 * * *", "'0\t0' is not a valid [Hour] crontab field expression. "),
        ("bad * * * * *", "'bad' is not a valid [Second] crontab field expression. 'bad' is not a "
         f"valid [Second] crontab field value. It must be a numeric value {MINUTES}"),
        ("0 ? * * *", "'?' is not a valid [Hour] crontab field value."),
        ("0 0 L * *", "'L' is not a valid [Day] crontab field value."),
        ("0 0 * * 5#2", "The input string '5#2' was not in a correct format."),
        ("0 0 15W * *", "The input string '15W' was not in a correct format."),
        ("@daily", "is an invalid crontab expression."),
        ("* * * bad *", "'bad' is not a known value name. Use one of the following: January, Feb"),
        ("* * * * mon,bad,wed", "'mon,bad,wed' is not a valid [DayOfWeek] crontab field expr"),
        ("0 0 * * 7", "7 is higher than the maximum allowable value for the [DayOfWeek] field. "
         "Value must be between 0 and 6 (all inclusive)."),
        ("0 0 0 * *", "0 is lower than the minimum allowable value for the [Day] field."),
        ("0 0 0-5 * *", "0 is lower than the minimum allowable value for the [Day] field."),
        ("60 * * * *", f"60 is higher than the maximum allowable value for the [Minute] field. "
         f"Value must be {MINUTES}"),
        ("75/5 * * * *", "75 is higher than the maximum"),
        ("* 1,2,3,456,7,8,9 * * *", "456 is higher than the maximum"),
        ("* 1,Z,3,4 * * *", "'1,Z,3,4' is not a valid [Hour] crontab field expression."),
        ("* 1/Z * * *", "The input string 'Z' was not in a correct format."),
        ("* 3-l2 * * *", "'l2' is not a valid [Hour] crontab field value."),
        ("5, * * * *", NOT_MINUTE.format("5,") + EMPTY),
        (",5 * * * *", NOT_MINUTE.format(",5") + "',5' is not a valid [Minute] crontab field val"),
        ("/5 * * * *", NOT_MINUTE.format("/5")),
        ("-5 * * * *", NOT_MINUTE.format("-5")),
        ("5- * * * *", NOT_MINUTE.format("5-") + EMPTY),
        ("*-5 * * * *", NOT_MINUTE.format("*-5")),
        ("1-2-3 * * * *", NOT_MINUTE.format("1-2-3")),
        ("1/2/3 * * * *", NOT_MINUTE.format("1/2/3")),
        ("*/ * * * *", NOT_MINUTE.format("*/") + "The input string '' was not in a correct format"),
    ],
)  # fmt: skip
def test_what_is_refused(expression, message):
    with pytest.raises(CrontabError) as caught:
        parse_crontab(expression)
    assert message in str(caught.value)


def test_a_number_beyond_32_bits_is_no_crontab_error():
    with pytest.raises(OverflowError, match="too large or too small for an Int32"):
        parse_crontab("0 0 99999999999 * *")
