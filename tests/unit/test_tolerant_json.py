"""What Newtonsoft.Json accepts beyond JSON, and where and how it says that a text is wrong."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durahost.tolerant_json import (
    READER_EXCEPTION,
    CutShort,
    JsonTextError,
    find_lines,
    read_first,
    read_object,
    read_whole,
)

pytestmark = pytest.mark.feature("Functions host", "JSON as Newtonsoft reads it")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.booleans(), st.sampled_from(["", " // not for the interpreter's own reader"]))
def test_every_json_text_means_what_json_says(value, ascii_only, comment):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=1)
    for read in (read_whole, read_first):
        assert read(text + comment) == json.loads(text)


@given(st.text(max_size=40) | st.text(alphabet="{}[],:'\"0123e.-tfn/* \\u", max_size=25))
def test_any_text_is_read_or_refused(text):
    for read in (read_first, read_whole, read_object):
        with contextlib.suppress(JsonTextError):
            read(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': 'it\\'s'}", {"a": "it's"}),
        ('{"a": [1, 2,], }', {"a": [1, 2]}),
        ('// first\n{"a": /* here */ 1 // last\n}', {"a": 1}),
        ("{\r\na\r\n: 1}", {"a": 1}),
        ("{a: 1, $b_2: 2, 3: 4, ä :5}", {"a": 1, "$b_2": 2, "3": 4, "ä": 5}),
        ('{"a": "http://x/*y*/"}', {"a": "http://x/*y*/"}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ("{'': {'a': [{}, [],],},}", {"": {"a": [{}, []]}}),
        ("[undefined, null, true, false]", [None, None, True, False]),
        ("[Infinity, -Infinity,]", [math.inf, -math.inf]),
        ("[true/**/, null//\n]", [True, None]),
        ('"\\ud83d\\ude00\\u0041\\/"', "😀A/"),
        ("'\\ud800 \\udc00\\\"'", '\ufffd \ufffd"'),
        ("'\\b\\t\\n\\f\\r\\\\'", "\b\t\n\f\r\\"),
        ("{}", {}),
        ("", None),
        (" /* nothing */ // at all", None),
    ],
)
def test_tolerant_forms(text, value):
    assert read_whole(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1F", 31), ("0XfF", 255), ("-5", -5), ("1.50", 1.5), ("2e3", 2000.0), (".5", 0.5),
        ("5.", 5.0), ("-.5E-1", -0.05), ("-0", 0), ("-007", -7), ("1e400", math.inf),
        ("007", 7), ("010", 8), ("0", 0), ("0.5", 0.5), ("0e1", 0.0), ("9" * 380, int("9" * 380)),
        ("0x7FFFFFFFFFFFFFFF", 2**63 - 1), ("0xFFFFFFFFFFFFFFFF", -1),
        ("01777777777777777777777", -1),
    ],
)  # fmt: skip
def test_forms_of_numbers(text, value):
    assert repr(read_whole(f"{text} /**/")) == repr(value)
    assert repr(read_whole(f"[{text},]")) == repr([value])


def test_not_a_number_is_a_value():
    assert math.isnan(read_whole("NaN"))
    assert math.isnan(read_whole("[NaN,]")[0])


@pytest.mark.parametrize(
    ("text", "value"),
    [("2024 budget", 2024), ("true story", True), ("'a' b", "a"), ("1,2", 1), ("{a:1}}", {"a": 1})],
)
def test_the_first_value_counts_alone(text, value):
    assert read_first(text) == value
    with pytest.raises(JsonTextError, match="Additional text encountered"):
        read_whole(text)


@pytest.mark.parametrize(
    ("text", "reason", "path", "line", "position"),
    [
        # Values.
        ("hello", "Unexpected character encountered while parsing value: h", "", 0, 0),
        ("\n\nhello", "Unexpected character encountered while parsing value: h", "", 0, 0),
        ("nope", "Unexpected character encountered while parsing value: n", "", 0, 0),
        (" +5", "Unexpected character encountered while parsing value: +", "", 1, 1),
        ("/**/\nx", "Unexpected character encountered while parsing value: x", "", 2, 0),
        ('{"a": }', "Unexpected character encountered while parsing value: }", "a", 1, 6),
        ("[1,,2]", "Unexpected character encountered while parsing value: ,", "[0]", 1, 3),
        ('{"a" 1}',
         "Invalid character after parsing property name. Expected ':' but got: 1", "", 1, 5),
        ('{"a"/**/:1}',
         "Invalid character after parsing property name. Expected ':' but got: /", "", 1, 4),
        ('{b:1, "a"',
         "Invalid character after parsing property name. Expected ':' but got: ", "b", 1, 9),
        ('{\n  "a": 1\n  "b": 2\n}',
         'After parsing a value an unexpected character was encountered: "', "a", 3, 2),
        ("[1 2]", "After parsing a value an unexpected character was encountered: 2", "[0]", 1, 3),
        ('{"a": [1, 2}', "JsonToken EndObject is not valid for closing JsonType Array", "a", 1, 12),
        ("{a: 1]", "JsonToken EndArray is not valid for closing JsonType Object", "", 1, 6),
        ("{} x", "Additional text encountered after finished reading JSON content: x", "", 1, 3),
        # Keywords.
        ('{"a": tru}', "Error parsing boolean value", "a", 1, 9),
        ("falsey", "Error parsing boolean value", "", 1, 5),
        ("[1, nuts]", "Error parsing null value", "[0]", 1, 6),
        ("undefinite", "Error parsing undefined value", "", 1, 7),
        ("NaNa", "Error parsing NaN value", "", 1, 3),
        ("Infinite", "Error parsing Infinity value", "", 1, 7),
        ("-Infinitz", "Error parsing -Infinity value", "", 1, 8),
        ("true/x", "Error parsing boolean value", "", 1, 4),
        ("tru", "Unexpected end when reading JSON", "", 1, 3),
        # Numbers.
        ("[1x]", "Input string '1x' is not a valid number", "[0]", 1, 3),
        ("1q", "Unexpected character encountered while parsing number: q", "", 1, 1),
        ("[0, 12:30]", "Unexpected character encountered while parsing number: :", "[0]", 1, 6),
        ("2024-01-01", "Input string '2024-01-01' is not a valid number", "", 1, 10),
        ("09", "Input string '09' is not a valid number", "", 1, 2),
        ("0x", "Input string '0x' is not a valid number", "", 1, 2),
        ("-0x1F", "Input string '-0x1F' is not a valid number", "", 1, 5),
        ("[-]", "Input string '-' is not a valid number", "[0]", 1, 2),
        ("0x1FFFFFFFFFFFFFFFF",
         "Input string '0x1FFFFFFFFFFFFFFFF' is not a valid number", "", 1, 19),
        ("9" * 381, f"JSON integer {'9' * 381} is too large to parse", "", 1, 381),
        # Names.
        ("{,}", "Invalid property identifier character: ,", "", 1, 1),
        ("{-a: 1}", "Invalid property identifier character: -", "", 1, 1),
        ("{a-b:1}", "Invalid JavaScript property identifier character: -", "", 1, 2),
        ("{a", "Unexpected end while parsing unquoted property name", "", 1, 2),
        ("{a b:1}",
         "Invalid character after parsing property name. Expected ':' but got: b", "", 1, 3),
        # Strings.
        ('["a', 'Unterminated string. Expected delimiter: "', "", 1, 3),
        ("{'a", "Unterminated string. Expected delimiter: '", "", 1, 3),
        ("'a\\", "Unterminated string. Expected delimiter: '", "", 1, 3),
        ('["\\x"]', "Bad JSON escape sequence: \\x", "", 1, 4),
        ("'\\u00'", "Unexpected end while parsing Unicode escape sequence", "", 1, 3),
        ("'\\u00fg'", "Invalid Unicode escape sequence: \\u00fg", "", 1, 3),
        # Comments.
        ("[1 /* open", "Unexpected end while parsing comment", "[0]", 1, 10),
        ("{a:1}/", "Unexpected end while parsing comment", "", 1, 6),
        ("/sad", "Error parsing comment. Expected: *, got s", "", 1, 1),
        # Paths.
        ("{'b.c': {'it\\'s': [[], {a: ?",
         "Unexpected character encountered while parsing value: ?",
         "['b.c']['it\\'s'][1].a", 1, 27),
        ("[[1], [2], ?", "Unexpected character encountered while parsing value: ?", "[1]", 1, 11),
        # Lines end as on each system.
        ("[1,\r\n2,\r3,\n?",
         "Unexpected character encountered while parsing value: ?", "[2]", 4, 0),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_as_newtonsoft_tells_it(text, reason, path, line, position):
    with pytest.raises(JsonTextError) as caught:
        read_whole(text)
    assert str(caught.value) == f"{reason}. Path '{path}', line {line}, position {position}."
    assert caught.value.exception_type == READER_EXCEPTION


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ('{\n  "a": 1\n  "b": 2\n}', 3, 3),
        ('{"a": }', 1, 7),
        ('{"a" 1}', 1, 6),
        ('{"a": tru}', 1, 10),
        ('["a', 1, 4),
        ("[1, 2", 1, 6),
        ("{} x", 1, 4),
        ("[1 /* open", 1, 11),
        ('["\\x"]', 1, 5),
        ("[1,,2]", 1, 4),
        ("[1z]", 1, 3),
        ("\nhello", 2, 1),
    ],
)
def test_faults_name_their_place(text, line, column):
    with pytest.raises(JsonTextError) as caught:
        read_object(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value).endswith(f", position {column - 1}.")


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ('{\n  "a": 1\n  "b": 2\n}', '  "b": 2\n  ^'),
        ("{\r  a: 1\r\n  b: 2", "  b: 2\n  ^"),
        ("{a: '\u2028' 1}", "{a: '\u2028' 1}\n        ^"),
        ("", "\n^"),
    ],
)
def test_the_pointer_shows_the_source_line(text, pointer):
    with pytest.raises(JsonTextError) as caught:
        read_object(text)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize(
    ("text", "container", "path", "after_value"),
    [
        ("{", "JObject", "", False),
        (" /**/ [", "JArray", "", False),
        ("[1", "JArray", "[0]", True),
        ("[1,", "JArray", "[0]", False),
        ('{"a":', "JObject", "a", False),
        ('{"a":1', "JObject", "a", True),
        ('{"a":[1', "JObject", "a[0]", True),
        ('[{"a":1', "JArray", "[0].a", True),
        ("[{}, [", "JArray", "[1]", False),
    ],
)
def test_a_text_that_is_cut_short_tells_where(text, container, path, after_value):
    for read in (read_first, read_whole, read_object):
        with pytest.raises(CutShort) as caught:
            read(text)
        assert caught.value.is_array == (container == "JArray")
        assert (caught.value.path, caught.value.after_value) == (path, after_value)
        assert str(caught.value) == (
            f"Unexpected end of content while loading {container}. Path '{path}', line 1, "
            f"position {len(text)}."
        )


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_a_first_value_there_must_be(text):
    with pytest.raises(JsonTextError, match=r"^Error reading JToken from JsonReader\. Path ''"):
        read_first(text)


def test_deep_nesting_is_refused_not_a_crash():
    for read in (read_first, read_whole):
        assert read("[" * 64 + "]" * 64)
        assert read("{a:" * 64 + "1" + "}" * 64)
        for text in ("[" * 65 + "]" * 65, '{"a":' * 65 + "1" + "}" * 65, "[" * 100_000):
            with pytest.raises(
                JsonTextError, match="The reader's MaxDepth of 64 has been exceeded"
            ):
                read(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Path '', line 0, position 0."),
        (" // nothing", "Path '', line 1, position 11."),
        ("[1]", "Current JsonReader item is not an object: StartArray. Path '', line 1, "
         "position 1."),
        (" 'a'", "Current JsonReader item is not an object: String. Path '', line 1, position 2."),
        ("true", "Current JsonReader item is not an object: Boolean. Path '', line 1, position 1."),
    ],
)  # fmt: skip
def test_a_text_must_hold_an_object(text, message):
    assert read_object(" {a: 1} // lenient") == {"a": 1}
    with pytest.raises(JsonTextError) as caught:
        read_object(text)
    assert str(caught.value) == f"Error reading JObject from JsonReader. {message}"


def test_lines_of_names_and_elements():
    text = """{ // first
      "A": 1, 'b': {
        c: [ 1, {"D": 2},
             3 ]
      }, "a": 9
    }"""
    assert find_lines(text) == {
        ("a",): 2, ("b",): 2, ("b", "c"): 3, ("b", "c", "0"): 3, ("b", "c", "1"): 3,
        ("b", "c", "1", "d"): 3, ("b", "c", "2"): 4,
    }  # fmt: skip


def test_lines_of_what_can_be_read_before_a_fault():
    assert find_lines('{"a": [\n1 2]}') == {("a",): 1, ("a", "0"): 2}
    assert find_lines("") == {}
