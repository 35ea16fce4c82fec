"""Bodies in other charsets than UTF-8."""

import codecs

import pytest

from durahost.codec.body_text import ContentType, read_content_type, read_text
from durahost.codec.dotnet_http import DotnetError

pytestmark = pytest.mark.feature("Management API", "Charsets of request bodies")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("application/json", ContentType("application/json")),
        (" Application/JSON ", ContentType("application/json")),
        ("application / json", ContentType("application/json")),
        ("application/json;charset=utf-8", ContentType("application/json", "utf-8")),
        ("application/json ; q=1; Charset = UTF-16", ContentType("application/json", "UTF-16")),
        ('text/plain; charset="utf-8"', ContentType("text/plain", "utf-8")),
        ('text/plain; a="b; charset=x"; charset=utf-8', ContentType("text/plain", "utf-8")),
        ("text/plain; charset=a; charset=b", ContentType("text/plain", "a")),
        ("text/plain; charset", ContentType("text/plain")),
        ('text/plain; charset=""', ContentType("text/plain", '""')),
    ],
)
def test_content_types(header, expected):
    assert read_content_type(header) == expected


@pytest.mark.parametrize(
    "header",
    [None, "", "json", "application/", "/json", "application/json;", "application/json; charset=",
     "application/json, text/plain", "application/json; =b", "application/json charset=utf-8"],
)  # fmt: skip
def test_what_is_no_content_type(header):
    assert read_content_type(header) is None


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        (None, "ä€".encode(), "ä€"),
        (None, b"", ""),
        (None, b"\xe4", "\ufffd"),
        (None, codecs.BOM_UTF8 + b"a", "a"),
        (None, codecs.BOM_UTF16_LE + "ä".encode("utf-16-le"), "ä"),
        (None, codecs.BOM_UTF16_BE + "ä".encode("utf-16-be"), "ä"),
        (None, codecs.BOM_UTF32_LE + "ä".encode("utf-32-le"), "ä"),
        (None, codecs.BOM_UTF32_BE + b"a", "\x00\x00\ufffd\ufffda"),
        ("UTF-8", codecs.BOM_UTF8 + b"a", "a"),
        ("utf-8", codecs.BOM_UTF16_LE + b"a", "\ufffd\ufffda"),
        ("utf-16", "ä".encode("utf-16-le"), "ä"),
        ("Unicode", codecs.BOM_UTF16_LE + "ä".encode("utf-16-le"), "ä"),
        ("utf-16", b"a\x00b", "a\ufffd"),
        ("utf-16", b"\x00\xd8a\x00", "\ufffda"),
        ("utf-16be", "ä".encode("utf-16-be"), "ä"),
        ("utf-32", "ä".encode("utf-32-le"), "ä"),
        ("utf-32be", codecs.BOM_UTF32_BE + "ä".encode("utf-32-be"), "ä"),
        ("iso-8859-1", b"\xe4\x80", "ä\x80"),
        ("us-ascii", b"a\xe4\xff", "a??"),
    ],
)
def test_texts(charset, body, text):
    assert read_text(body, ContentType("text/plain", charset)) == text


def test_without_a_content_type_it_is_utf_8():
    assert read_text("ä".encode(), None) == "ä"


@pytest.mark.parametrize(
    ("charset", "kind", "text"),
    [
        ("windows-1252", "System.InvalidOperationException", "The character set provided in"),
        ("nonsense", "System.InvalidOperationException", "The character set provided in"),
        ('""', "System.InvalidOperationException", "The character set provided in"),
        ("utf-7", "System.NotSupportedException", "Support for UTF-7 is disabled."),
    ],
)
def test_charsets_that_there_are_not(charset, kind, text):
    with pytest.raises(DotnetError, match=text) as caught:
        read_text(b"1", ContentType("text/plain", charset))
    assert caught.value.error_type == kind
