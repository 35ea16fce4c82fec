"""Text and values by .NET's rules; names in percent signs."""

from datetime import datetime

import pytest

from durahost.config.dotnet_values import rewritten_date, scalar_text
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
