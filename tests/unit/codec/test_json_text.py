"""JSON text as Newtonsoft writes it, and payloads as the Durable extension reads them."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durahost.codec.json_text import check_document, dumps, format_double, parse_stored
from durahost.tolerant_json import JsonTextError, read_whole

pytestmark = pytest.mark.feature("Management API", "JSON as .NET writes it")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_is_json_and_reads_back(value):
    text = dumps(value)
    is_finite = "Infinity" not in text
    assert json.loads(text) == value or not is_finite
    assert read_whole(text) == json.loads(text)
    assert json.loads(dumps(value, indent=2)) == json.loads(text)


@given(st.text(max_size=40) | st.text(alphabet="{}[],:'\"0123e.-tfn/* \\u", max_size=25))
def test_any_text_can_be_shown(text):
    shown = parse_stored(text)
    dumps(shown).encode()
    with contextlib.suppress(JsonTextError):
        check_document(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_read_back(value):
    assert float(format_double(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (100.0, "100"), (1.5, "1.5"), (1e14, "100000000000000"), (1e15, "1E+15"),
        (2.0**53, "9007199254740992"), (1e20, "1E+20"), (1.25e-7, "1.25E-07"),
        (0.0001, "0.0001"), (0.00001, "1E-05"), (-0.0, "-0"), (0.0, "0"),
        (math.nan, "NaN"), (-math.inf, "-Infinity"), (5e-324, "5E-324"),
    ],
)  # fmt: skip
def test_doubles_as_dotnet_writes_them(value, text):
    assert format_double(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": None}, '{"b":1,"a":null}'),
        (["/<>&'é\x7f", '"\\'], '["/<>&\'é\x7f","\\"\\\\"]'),
        ("\b\t\n\f\r\x00\x1f", '"\\b\\t\\n\\f\\r\\u0000\\u001f"'),
        ("\x85\u2028\u2029", '"\\u0085\\u2028\\u2029"'),
        ([True, False, 1.0, math.nan, math.inf], '[true,false,1.0,"NaN","Infinity"]'),
        (10**40, "1" + "0" * 40),
        ((), "[]"),
    ],
)
def test_compact_writing(value, text):
    assert dumps(value) == text


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (None, "null"), ("", '""'), ("  ", '""'), ("stop", '"stop"'), (" stop ", '"stop"'),
        ("2024 budget", "2024"), ("true story", "true"), ("null and void", "null"),
        ('"a" b', '"a"'), ("1,2", "1"), ('{"code": 7}', '{"code":7}'), ("nothing", '"nothing"'),
        ("2024-01-01", '"2024-01-01"'), ("12:30", '"12:30"'), ("5%", '"5%"'), ("+5", '"+5"'),
        ("09", '"09"'), ("{", '"{"'), ("[1", '"[1"'), ("1e2", "100.0"), ("1.50", "1.5"),
        ("1e20", "1E+20"), ("-0", "0"), ("NaN", '"NaN"'), ("-Infinity", '"-Infinity"'),
        ("0x1F", "31"), ("007", "7"), (".5", "0.5"), ("5.", "5.0"), ("1e400", '"Infinity"'),
        ("{a:1,'b':[1,2,],}", '{"a":1,"b":[1,2]}'), ("/*c*/ [1 // d\n, 2]", "[1,2]"),
        ('"2024-01-01T10:00:00.500Z"', '"2024-01-01T10:00:00.500Z"'),
        ('"\\ud83d\\ude00\\ud800"', '"😀\ufffd"'), ("'\\'\\x'", '"\'\\\\\'\\\\x\'"'),
        ('{"a":1,"b":2,"a":3}', '{"a":3,"b":2}'), ("[" * 64 + "]" * 64, "[" * 64 + "]" * 64),
        ("[" * 65 + "]" * 65, '"' + "[" * 65 + "]" * 65 + '"'), ("9" * 381, f'"{"9" * 381}"'),
        ("9" * 380, "9" * 380), ("0x", '"0x"'), ("-", '"-"'), ("true/*c*/", "true"),
        ("truex", '"truex"'), ("0xFFFFFFFFFFFFFFFF", "-1"), ("0x1FFFFFFFFFFFFFFFF",
        '"0x1FFFFFFFFFFFFFFFF"'), ("{a b:1}", '"{a b:1}"'), ('{"a" 1}', '"{\\"a\\" 1}"'),
        ("{a", '"{a"'), ("{a-b:1}", '"{a-b:1}"'), ("[1 2]", '"[1 2]"'), ("undefined", "null"),
        ("[" * 100_000, '"' + "[" * 100_000 + '"'),
    ],
)  # fmt: skip
def test_stored_text_as_it_is_shown(stored, shown):
    assert dumps(parse_stored(stored)) == shown


@pytest.mark.parametrize(
    ("body", "exception"),
    [
        ("", None), ("  ", None), ("// c", None), ("1", None), ("1 // c", None), ("[1", None),
        ('[{"a":1', None), ("1 2", "Reader"), ("nope", "Reader"), ("'abc", "Reader"),
        ("tru", "Reader"), ('{"a', "Reader"), ('{"a"', "Reader"), ("{", "Serialization"),
        ('{"a":1', "Serialization"), ('{"a":[1', "Serialization"), ('{"a":', "Serialization"),
        ("[", "Writer"), ("[1,", "Writer"), (" /*c*/ [[", "Writer"),
    ],
)  # fmt: skip
def test_start_bodies(body, exception):
    if exception is None:
        check_document(body)
        return
    with pytest.raises(JsonTextError) as caught:
        check_document(body)
    assert caught.value.exception_type == f"Newtonsoft.Json.Json{exception}Exception"
