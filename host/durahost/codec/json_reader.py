"""A JSON reader as tolerant as Newtonsoft's.

It takes single quotes, bare names, comments, trailing commas, `.5`, `NaN`, `0x1F` and `007`; a
strict reader would show other values than Azure, or refuse what Azure takes.
Source: JamesNK/Newtonsoft.Json: Src/Newtonsoft.Json/JsonTextReader.cs.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

MAX_DEPTH = 64
"""Deepest nesting that Newtonsoft 13 reads (JsonReader.MaxDepth)."""

_MAX_INTEGER_DIGITS = 380

READER_EXCEPTION = "Newtonsoft.Json.JsonReaderException"

_BLANK = re.compile(r"(?:\s+|/\*.*?\*/|//[^\r\n]*)*", re.DOTALL)
_SPACES = re.compile(r"\s*")
_NUMBER_CHARS = re.compile(r"[-+a-fA-FxX.0-9]+")
_INTEGER = re.compile(r"-?[0-9]+")
_FLOAT = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_NAME = re.compile(r"[\w$]+")
_CHUNK = {quote: re.compile(rf"[^{quote}\\]*") for quote in "\"'"}
_HEX4 = re.compile(r"[0-9a-fA-F]{4}")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD]")
_ESCAPES = {
    "b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r",
    "\\": "\\", '"': '"', "'": "'", "/": "/",
}  # fmt: skip
_KEYWORDS: Mapping[str, Any] = {
    "true": True,
    "false": False,
    "null": None,
    "undefined": None,
    "NaN": math.nan,
    "Infinity": math.inf,
    "-Infinity": -math.inf,
}
_KEYWORD = re.compile("|".join(_KEYWORDS))


class JsonTextError(ValueError):
    """The text is not JSON; `exception_type` is the .NET exception that says so on Azure."""

    def __init__(self, message: str, exception_type: str = READER_EXCEPTION) -> None:
        super().__init__(message)
        self.exception_type = exception_type


class CutShort(JsonTextError):
    """The text ends inside an object or array; `after_value` when a comma or bracket was due."""

    def __init__(self, after_value: bool) -> None:
        super().__init__("Unexpected end of content.")
        self.after_value = after_value


def read_first(text: str) -> Any:
    """Read the first value of a text and ignore what follows. Errors: JsonTextError."""
    try:
        return _read_strict(text)
    except ValueError:
        return _Reader(text).read_value()


def read_whole(text: str) -> Any:
    """Read a text that holds one value, blanks and comments; None when there is no value.

    Errors: JsonTextError.
    """
    try:
        return _read_strict(text)
    except ValueError:
        reader = _Reader(text)
        value = None if reader.is_at_end() else reader.read_value()
        reader.expect_end()
        return value


def _read_strict(text: str) -> Any:
    """Read with the interpreter's own reader, where it agrees; ValueError where it may not."""
    if _SURROGATE_ESCAPE.search(text):
        raise ValueError("needs surrogates paired")
    try:
        value = json.loads(text, strict=False, parse_int=_read_integer)
    except RecursionError as error:
        raise ValueError("too deep") from error
    if _is_deeper(value, MAX_DEPTH):
        raise ValueError("too deep")
    return value


def _is_deeper(value: Any, limit: int) -> bool:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return False
    return limit == 0 or any(_is_deeper(one, limit - 1) for one in value)


def _read_integer(token: str) -> int:
    if len(token) > _MAX_INTEGER_DIGITS:
        raise JsonTextError(f"JSON integer {token} is too large to parse.")
    return int(token)


def end_of_blank(text: str, start: int) -> int:
    """The place behind the blanks and comments that begin at start."""
    return _end_of(_BLANK, text, start)


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return found.end() if found else start


class _Reader:
    """Reads one text from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def is_at_end(self) -> bool:
        """Skip blanks and comments; whether nothing else is left."""
        self._at = end_of_blank(self._text, self._at)
        return self._at == len(self._text)

    def expect_end(self) -> None:
        """Refuse anything but blanks and comments."""
        if not self.is_at_end():
            self._refuse("Additional text encountered after finished reading JSON content")

    def read_value(self) -> Any:
        """Read the value that starts here, after blanks and comments."""
        if self.is_at_end():
            raise CutShort(after_value=False)
        char = self._text[self._at]
        if char in "{[":
            return self._read_container(char)
        if char in "\"'":
            return self._read_string(char)
        if (keyword := _KEYWORD.match(self._text, self._at)) is not None:
            self._at = keyword.end()
            self._expect_separator()
            return _KEYWORDS[keyword.group()]
        if char in "-.0123456789":
            return self._read_number()
        return self._refuse("Unexpected character encountered while parsing value")

    def _read_container(self, opening: str) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse(f"The reader's MaxDepth of {MAX_DEPTH} has been exceeded")
        self._at += 1
        value = self._read_object() if opening == "{" else self._read_array()
        self._depth -= 1
        return value

    def _read_object(self) -> dict[str, Any]:
        members: dict[str, Any] = {}
        while not self._closes("}"):
            name = self._read_name()
            self._at = _end_of(_SPACES, self._text, self._at)
            if self._text[self._at : self._at + 1] != ":":
                self._refuse("Invalid character after parsing property name. Expected ':'")
            self._at += 1
            members[name] = self.read_value()
            self._pass_comma("}")
        return members

    def _read_array(self) -> list[Any]:
        items: list[Any] = []
        while not self._closes("]"):
            items.append(self.read_value())
            self._pass_comma("]")
        return items

    def _closes(self, closing: str) -> bool:
        if self.is_at_end():
            raise CutShort(after_value=False)
        if self._text[self._at] != closing:
            return False
        self._at += 1
        return True

    def _pass_comma(self, closing: str) -> None:
        if self.is_at_end():
            raise CutShort(after_value=True)
        if self._text[self._at] == ",":
            self._at += 1
        elif self._text[self._at] != closing:
            self._refuse("After parsing a value an unexpected character was encountered")

    def _read_name(self) -> str:
        char = self._text[self._at]
        if char in "\"'":
            return self._read_string(char)
        name = _NAME.match(self._text, self._at)
        if name is None or not (after := self._text[name.end() : name.end() + 1]):
            return self._refuse("Invalid property identifier character")
        if after != ":" and not after.isspace():
            self._refuse("Invalid JavaScript property identifier character")
        self._at = name.end()
        return name.group()

    def _read_string(self, quote: str) -> str:
        self._at += 1
        parts: list[str] = []
        while True:
            end = _end_of(_CHUNK[quote], self._text, self._at)
            parts.append(self._text[self._at : end])
            self._at = end
            if self._at == len(self._text):
                self._refuse("Unterminated string. Expected delimiter: " + quote)
            self._at += 1
            if self._text[self._at - 1] == quote:
                return _pair_surrogates("".join(parts))
            parts.append(self._read_escape())

    def _read_escape(self) -> str:
        char = self._text[self._at : self._at + 1]
        self._at += 1
        if char == "u" and (code := _HEX4.match(self._text, self._at)) is not None:
            self._at = code.end()
            return chr(int(code.group(), 16))
        if char not in _ESCAPES:
            self._refuse("Bad JSON escape sequence")
        return _ESCAPES[char]

    def _read_number(self) -> int | float:
        start, self._at = self._at, _end_of(_NUMBER_CHARS, self._text, self._at)
        token = self._text[start : self._at]
        after = self._text[self._at : self._at + 1]
        if after and not after.isspace() and after not in ",}])/":
            self._refuse("Unexpected character encountered while parsing number")
        try:
            return _read_number(token)
        except ValueError:
            return self._refuse(f"Input string '{token}' is not a valid number")

    def _expect_separator(self) -> None:
        after = self._text[self._at : self._at + 2]
        ends = not after or after[0] in ",}]" or after[0].isspace() or after in {"//", "/*"}
        if not ends:
            self._refuse("Unexpected character encountered while parsing value")

    def _refuse(self, what: str) -> NoReturn:
        before = self._text[: self._at]
        column = self._at - before.rfind("\n") - 1
        raise JsonTextError(
            f"{what}. Path '', line {before.count(chr(10)) + 1}, position {column}."
        )


def _read_number(token: str) -> int | float:
    if len(token) > 1 and token[0] == "0" and token[1] not in ".eE":
        number = int(token, 16) if token[1] in "xX" else int(token, 8)
        if number >= 1 << 64:
            raise ValueError("more than 64 bits")
        return number - (1 << 64) if number >> 63 else number
    if _INTEGER.fullmatch(token):
        return _read_integer(token)
    if not _FLOAT.fullmatch(token):
        raise ValueError("not a number")
    return float(token)


def _pair_surrogates(text: str) -> str:
    """Join escaped pairs; a lone half becomes U+FFFD, as Newtonsoft reads it."""
    if not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
