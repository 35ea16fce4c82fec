"""A body as text, as .NET's HttpContent.ReadAsStringAsync reads it: of a request to the management
API, and of an answer to a durable HTTP call.

The charset of the content type decides; without one a byte order mark does, and else it is UTF-8.
The mark is dropped, and bytes that are no text become U+FFFD (`?` in ASCII). The host registers no
code pages, so the charsets are those that .NET brings.
Sources: dotnet/runtime: HttpContent.cs (ReadBufferAsString, TryDetectEncoding),
MediaTypeHeaderValue.cs (GetMediaTypeLength), NameValueHeaderValue.cs, EncodingTable.cs.
"""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass

from durahost.codec.dotnet_http import INVALID_OPERATION, DotnetError

BAD_CHARSET = (
    "The character set provided in ContentType is invalid. Cannot read content as string using an "
    "invalid character set."
)
"""Source: dotnet/runtime: System.Net.Http: Strings.resx (net_http_content_invalid_charset)."""

_TOKEN = r"[-!#$%&'*+.^_`|~0-9A-Za-z]+"
_PARAMETER = rf'{_TOKEN}(?:[ \t]*=[ \t]*(?:{_TOKEN}|"(?:[^"\\]|\\.)*"))?'
_CONTENT_TYPE = re.compile(
    rf"[ \t]*({_TOKEN})[ \t]*/[ \t]*({_TOKEN})[ \t]*"
    rf"(?:;[ \t]*({_PARAMETER}[ \t]*(?:;[ \t]*{_PARAMETER}[ \t]*)*))?"
)
_EACH = re.compile(_PARAMETER)

_UTF_8, _UTF_16, _UTF_16_BE, _UTF_32 = "utf-8", "utf-16-le", "utf-16-be", "utf-32-le"
_ASCII, _LATIN_1, _UTF_32_BE = "ascii", "latin-1", "utf-32-be"
_NAMES: Mapping[str, str] = {
    _ASCII: "ansi_x3.4-1968 ansi_x3.4-1986 ascii cp367 csascii ibm367 iso-ir-6 iso646-us "
    "iso_646.irv:1991 us us-ascii",
    _LATIN_1: "cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso_8859-1 iso_8859-1:1987 "
    "l1 latin1",
    _UTF_8: "unicode-1-1-utf-8 unicode-2-0-utf-8 utf-8 x-unicode-1-1-utf-8 x-unicode-2-0-utf-8",
    _UTF_16: "iso-10646-ucs-2 ucs-2 unicode utf-16 utf-16le",
    _UTF_16_BE: "unicodefffe utf-16be",
    _UTF_32: "utf-32 utf-32le",
    _UTF_32_BE: "utf-32be",
}
_CODECS = {name: codec for codec, names in _NAMES.items() for name in names.split()}
_UTF_7 = re.compile("csunicode11utf7|(?:x-)?unicode-(?:1-1|2-0)-utf-7|utf-7")
_MARKS: Mapping[str, bytes] = {
    _UTF_8: codecs.BOM_UTF8,
    _UTF_32: codecs.BOM_UTF32_LE,
    _UTF_16: codecs.BOM_UTF16_LE,  # after UTF-32's, which begins with it
    _UTF_16_BE: codecs.BOM_UTF16_BE,
    _UTF_32_BE: codecs.BOM_UTF32_BE,
}
_DETECTED = (_UTF_8, _UTF_32, _UTF_16, _UTF_16_BE)
_NO_ASCII_AS_MARK = bytes(range(0x80)) + b"?" * 0x80


@dataclass(frozen=True, slots=True)
class ContentType:
    """media_type: lower-case. charset: as given, one pair of quotes taken off."""

    media_type: str
    charset: str | None = None


def read_content_type(header: str | None) -> ContentType | None:
    """Read the header; None when it is missing or none, which counts as missing."""
    found = _CONTENT_TYPE.fullmatch(header or "")
    if found is None:
        return None
    charset = None
    for parameter in _EACH.findall(found[3] or ""):
        name, equals, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip() if equals else None
            break
    if charset and len(charset) > 2 and charset[0] == charset[-1] == '"':
        charset = charset[1:-1]
    return ContentType(f"{found[1]}/{found[2]}".lower(), charset)


def read_text(body: bytes, content_type: ContentType | None) -> str:
    """Read a body. Errors: DotnetError for a charset that .NET does not have."""
    charset = content_type.charset if content_type else None
    if not body:
        return ""
    if charset is None:
        codec = next((one for one in _DETECTED if body.startswith(_MARKS[one])), _UTF_8)
    else:
        codec = _find_codec(charset)
    body = body.removeprefix(_MARKS.get(codec, b""))
    if codec == _ASCII:
        body = body.translate(_NO_ASCII_AS_MARK)
    return body.decode(codec, "replace")


def _find_codec(charset: str) -> str:
    name = charset.lower()
    if _UTF_7.fullmatch(name):
        # dotnet/runtime: Strings.resx (Encoding_UTF7_Disabled)
        raise DotnetError(
            "System.NotSupportedException",
            "Support for UTF-7 is disabled. See https://aka.ms/dotnet-warnings/SYSLIB0001 for more "
            "information.",
        )
    if name not in _CODECS:
        raise DotnetError(INVALID_OPERATION, BAD_CHARSET)
    return _CODECS[name]
