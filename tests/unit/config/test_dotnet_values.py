"""Text and values by .NET's rules; names in percent signs."""

from datetime import datetime, timedelta

import pytest

from durahost.config.dotnet_values import (
    is_unexpected_days,
    parse_single,
    parse_timespan,
    rewritten_date,
    scalar_text,
)
from durahost.config.name_resolution import UnresolvedName, resolve_names

pytestmark = pytest.mark.feature("Functions host", "Configuration values as .NET reads them")


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "True"), (2.0, "2"), (1.5, "1.5"), (7, "7"), (None, ""), ("x", "x")],
)
def test_scalars(value, text):
    assert scalar_text(value) == text


def test_dates_with_an_offset_become_local_time():
    local = datetime.fromisoformat("2024-01-01T10:00:00+02:00").astimezone()
    text = rewritten_date("2024-01-01T10:00:00+02:00")
    assert text == local.strftime("%m/%d/%Y %H:%M:%S")


@pytest.mark.parametrize("text", ["2024-13-01T10:00:00", "2024-01-01", "x2024-01-01T10:00:00"])
def test_what_is_no_date_stays(text):
    assert rewritten_date(text) is None


def test_names_are_replaced():
    values = {"Stage": "Test", "n": "1"}
    assert resolve_names("a%STAGE%b%n%", values) == "aTestb1"
    assert resolve_names("plain", values) == "plain"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a%NONE%", "'%NONE%' does not resolve to a value."),
        ("ab%x", "The '%' at position 2 does not have a closing '%'"),
    ],
)
def test_names_that_cannot_be_replaced(text, message):
    with pytest.raises(UnresolvedName) as caught:
        resolve_names(text, {})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "span", "is_days"),
    [
        ("00:00:10", timedelta(seconds=10), False),
        ("23:59:59", timedelta(hours=23, minutes=59, seconds=59), False),
        ("24:00:00", timedelta(days=24), True),
        ("30:23:59", timedelta(days=30, hours=23, minutes=59), True),
        ("1.24:00", None, False),
        ("24:00", None, False),
        ("24:60:00", None, True),
        ("24:00:00.5", None, True),
        ("1.00:00:00", timedelta(days=1), False),
        ("1.00:00", timedelta(days=1), False),
        ("2.01:30", timedelta(days=2, hours=1, minutes=30), False),
        ("1:02:03:04", timedelta(days=1, hours=2, minutes=3, seconds=4), False),
        ("7", timedelta(days=7), True),
        ("-1", timedelta(days=-1), True),
        ("soon", None, False),
    ],
)
def test_durations(text, span, is_days):
    assert is_unexpected_days(text) == is_days
    if span is not None:
        assert parse_timespan(text) == span
    else:
        with pytest.raises(ValueError, match="TimeSpan"):
            parse_timespan(text)


@pytest.mark.parametrize(("text", "number"), [("0.8", 0.8), ("1", 1.0), (" -.5e1 ", -5.0)])
def test_numbers_with_a_fraction(text, number):
    assert parse_single(text) == number


@pytest.mark.parametrize("text", ["", "x", "1,5", "nan", "0x1"])
def test_what_is_no_number(text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        parse_single(text)
