"""Lone surrogates never get past the door where a worker's answers enter."""

import pytest

from durahost.codec.unicode import load_json, replace_surrogates


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("", ""),
        ("plain", "plain"),
        ("café 🙂", "café 🙂"),
        ("caf\udce9", "caf�"),
        ("\ud83d\ude42", "🙂"),
        ("\ude42\ud83d", "��"),
        ("\ud83d", "�"),
    ],
)
def test_lone_surrogates_are_replaced_and_pairs_joined(text, clean):
    assert replace_surrogates(text) == clean
    clean.encode()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, "b"]}', {"a": [1, "b"]}),
        ('"caf\\u00e9 \\u1234"', "café \u1234"),
        ('["caf\\udce9"]', ["caf�"]),
        ('["caf\\uDCE9"]', ["caf�"]),
        ('{"\\ud800": "\\ud83d\\ude42"}', {"�": "🙂"}),
        ('"caf\udce9"', "caf�"),
        ('"\\\\udce9"', "\\udce9"),
    ],
)
def test_json_strings_hold_no_lone_surrogates(text, value):
    assert load_json(text) == value


def test_text_that_is_not_json_is_a_value_error():
    with pytest.raises(ValueError, match="Expecting value"):
        load_json("\udce9")
