"""Date-times as .NET's DateTime.TryParse reads them."""

from datetime import UTC, datetime

import pytest

from durahost.http.dates import read_moment

pytestmark = pytest.mark.feature("Management API", "Query parameters as .NET reads them")

NOW = datetime(2026, 7, 4, 5, 6, tzinfo=UTC)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05", "2026/1/5", "2026.01.05", "2026 01 05", "01/05/2026", "1-5-2026", "1 5 2026",
        "01/05/26", "Jan 5 2026", "January 5, 2026", "5 Jan 2026", "5-JAN-2026", "5Jan2026",
        "2026 January 5", "2026-Jan-05", "Jan 5 26", "5 Jan 26", "Mon, 5 Jan 2026",
        "Monday 2026-01-05", "01/05", "5 January", "Jan 5", " 2026-01-05 ", "2026-01-05Z",
        "2026-01-05 GMT", "2026-01-05T00:00", "00:00 2026-01-05", "12 AM 2026-01-05",
        "2026-01-05 12:00am", "2026-01-05T02:00+02:00", "2026-01-05 02:00 +2", "2026-01-04T22:00-2",
        "2026-01-05 02:00:00 +0200", "2026-01-05-00:00", "2026-01-05+00:00", "2026-01-05 -00:00",
    ],
)  # fmt: skip
def test_dates(text):
    assert read_moment(text, NOW) == utc(2026, 1, 5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01", utc(2026, 1, 1)),
        ("01/2026", utc(2026, 1, 1)),
        ("January 2026", utc(2026, 1, 1)),
        ("2026 Jan", utc(2026, 1, 1)),
        ("01/05/49", utc(2049, 1, 5)),
        ("01/05/50", utc(1950, 1, 5)),
        ("Jan 50 5", utc(1950, 1, 5)),
        ("0001-01-01T00:00:00Z", utc(1, 1, 1)),
        ("9999-12-31T23:59:59.9999999Z", utc(9999, 12, 31, 23, 59, 59, 999999)),
        ("12:30", utc(2026, 7, 4, 12, 30)),
        ("5 PM", utc(2026, 7, 4, 17)),
        ("0:30 PM", utc(2026, 7, 4, 12, 30)),
        ("2026-01-05 1:2:3", utc(2026, 1, 5, 1, 2, 3)),
        ("2026-01-05T01:02:03.Z", utc(2026, 1, 5, 1, 2, 3)),
        ("2026-01-05 01 : 02", utc(2026, 1, 5, 1, 2)),
        ("2026-01-05T10:00:00.1234567Z", utc(2026, 1, 5, 10, 0, 0, 123456)),
        ("Mon, 05 Jan 2026 10:00:00 GMT", utc(2026, 1, 5, 10)),
        ("Oct 5 2026 10:00", utc(2026, 10, 5, 10)),
        ("2026-01-05T00:00:00+14:00", utc(2026, 1, 4, 10)),
        ("2026-01-05-07:30", utc(2026, 1, 5, 7, 30)),
    ],
)
def test_parts(text, expected):
    assert read_moment(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "soon", "2026", "5", "January", "Monday", "20260105", "2026-W02-1", "2026-01-",
        "2026--01-05", "13/01/2026", "2026-02-30", "Jan 32 2026", "5 5 Jan 2026", "Jan Feb 2026",
        "Tue, 5 Jan 2026", "Mon Tue 5 Jan 2026", "1 2026 5", "10000-01-01", "0000-01-01",
        "24:00", "12:60", "12:00:60", "13:00 PM", "12:30 13:30", "2026-01-05 01 02",
        "2026-01-05T10:00:00 02:00", "2026-01-05T10:00:00+15:00", "2026-01-05T10:00:00+01:60",
        "2026-01-05T10:00:00Z+1", "0001-01-01T00:00:00+01:00", "2026-01-05 +x", "2026_01_05",
        "2026-01-05T10:00:00+12345",
    ],
)  # fmt: skip
def test_what_is_none(text):
    assert read_moment(text, NOW) is None
