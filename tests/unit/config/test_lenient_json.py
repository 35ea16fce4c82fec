"""What Newtonsoft.Json accepts beyond JSON, and where a text is wrong."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durahost.config.lenient_json import LenientJsonError, parse_lenient, parse_object, read_object

SCALARS = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_every_json_text_means_what_json_says(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=1)
    assert parse_lenient(text) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': 'it\\'s'}", {"a": "it's"}),
        ('{"a": [1, 2,], }', {"a": [1, 2]}),
        ('// first\n{"a": /* here */ 1 // last\n}', {"a": 1}),
        ("{a: 1, $b_2: 2}", {"a": 1, "$b_2": 2}),
        ('{"a": "http://x/*y*/"}', {"a": "http://x/*y*/"}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ("[0x1F, -5, 1.50, 2e3, .5]", [31, -5, 1.5, 2000.0, 0.5]),
        ("[undefined, null, true]", [None, None, True]),
        ('"\\ud83d\\ude00\\u0041\\/"', "😀A/"),
        ("{}", {}),
    ],
)
def test_lenient_forms(text, value):
    assert parse_lenient(text) == value


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ('{\n  "a": 1\n  "b": 2\n}', 3, 3),
        ('{"a": }', 1, 7),
        ('{"a" 1}', 1, 6),
        ('{"a": tru}', 1, 7),
        ('["a', 1, 2),
        ("[1, 2", 1, 6),
        ("{} x", 1, 4),
        ("[1 /* open", 1, 4),
        ('["\\x"]', 1, 2),
        ("[1,,2]", 1, 4),
        ("[1x]", 1, 2),
    ],
)
def test_faults_name_their_place(text, line, column):
    with pytest.raises(LenientJsonError) as caught:
        parse_lenient(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value).endswith(f", line {line}, position {column}.")


def test_the_pointer_shows_the_source_line():
    with pytest.raises(LenientJsonError) as caught:
        parse_lenient('{\n  "a": 1\n  "b": 2\n}')
    assert caught.value.pointer == '  "b": 2\n  ^'


def test_deep_nesting_is_refused_not_a_crash():
    assert parse_lenient("[" * 64 + "]" * 64)
    with pytest.raises(LenientJsonError, match="nested deeper than 64"):
        parse_lenient("[" * 100_000)


def test_the_file_must_hold_an_object():
    with pytest.raises(LenientJsonError, match="Expected a JSON object"):
        parse_object("[1]")


def test_a_byte_order_mark_is_no_content(tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_object(path) == {"a": 1}
