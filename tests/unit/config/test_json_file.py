"""The JSON files of an app."""

import pytest

from durahost.config.json_file import read_json_file
from durahost.tolerant_json import JsonTextError


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b"{'a': '\xc3\xa4', /* lenient */}", {"a": "ä"}),
        (b'{"a": "\xe4"}', {"a": "\ufffd"}),
    ],
)
def test_a_file_is_read(tmp_path, content, value):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    assert read_json_file(path) == value


def test_a_file_must_hold_an_object(tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(b"[1]")
    with pytest.raises(JsonTextError, match="not an object: StartArray"):
        read_json_file(path)


def test_a_missing_file_is_an_operating_system_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_json_file(tmp_path / "x.json")
