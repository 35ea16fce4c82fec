"""Reading JSON files as leniently as Newtonsoft.Json does.

Accepted beyond JSON: comments, trailing commas, single quotes, bare property names, line breaks in
strings, hexadecimal numbers. A property given twice keeps its last value.
Source: JamesNK/Newtonsoft.Json: JsonTextReader.cs.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

_MAX_DEPTH = 64
"""Newtonsoft.Json 13's MaxDepth; also keeps our recursion bounded."""

_SPACE = re.compile(r"(?:\s|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = {
    '"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL),
    "'": re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL),
}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", **{c: c for c in "\\/\"'"}}
_NUMBER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])")
_WORD = re.compile(r"-?[A-Za-z_$][\w$]*")
_WORDS: dict[str, Any] = {
    "true": True,
    "false": False,
    "null": None,
    "undefined": None,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}

_Item = TypeVar("_Item")


class LenientJsonError(ValueError):
    """Text that even a lenient reader refuses.

    line, column: 1-based. source_line: the text of that line, without its line break.
    """

    def __init__(self, reason: str, text: str, offset: int) -> None:
        before = text[:offset]
        self.line = before.count("\n") + 1
        self.column = offset - (before.rfind("\n") + 1) + 1
        self.source_line = (text.splitlines() or [""])[min(self.line, len(text.splitlines())) - 1]
        super().__init__(f"{reason}, line {self.line}, position {self.column}.")

    @property
    def pointer(self) -> str:
        """The source line with a caret below the place."""
        return f"{self.source_line}\n{' ' * (self.column - 1)}^"


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Errors: LenientJsonError when it does not; OSError when it cannot be read.
    """
    return parse_object(path.read_bytes().decode("utf-8-sig", errors="replace"))


def parse_object(text: str) -> dict[str, Any]:
    """Parse a text that holds one JSON object; LenientJsonError when it does not."""
    value = parse_lenient(text)
    if not isinstance(value, dict):
        raise LenientJsonError("Expected a JSON object", text, 0)
    return value


def parse_lenient(text: str) -> Any:
    """Parse one JSON value; LenientJsonError when there is none, or text after it."""
    return _Reader(text).read_document()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def read_document(self) -> Any:
        value = self._value()
        if self._peek():
            raise self._error("Additional text encountered after the JSON value")
        return value

    def _peek(self) -> str:
        """Skip space and comments; the next character, "" at the end."""
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at : self._at + 1]

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found

    def _error(self, reason: str) -> LenientJsonError:
        return LenientJsonError(reason, self._text, self._at)

    def _value(self) -> Any:
        start = self._peek()
        if start == "{":
            return dict(self._items("}", self._property))
        if start == "[":
            return self._items("]", self._value)
        if start in _STRING:
            return self._string(start)
        if number := self._take(_NUMBER):
            return _parse_number(number.group())
        word = _WORD.match(self._text, self._at)
        if word and word.group() in _WORDS:
            self._at = word.end()
            return _WORDS[word.group()]
        raise self._unexpected()

    def _unexpected(self) -> LenientJsonError:
        found = self._peek()
        if not found:
            return self._error("Unexpected end of the text")
        return self._error(f"Unexpected character '{found}'")

    def _items(self, close: str, read: Callable[[], _Item]) -> list[_Item]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._error(f"The text is nested deeper than {_MAX_DEPTH}")
        self._at += 1
        items: list[_Item] = []
        while self._peek() != close:
            items.append(read())
            if self._peek() == ",":
                self._at += 1
            elif self._peek() != close:
                raise self._unexpected()
        self._at += 1
        self._depth -= 1
        return items

    def _property(self) -> tuple[str, Any]:
        start = self._peek()
        if start in _STRING:
            name = self._string(start)
        elif word := self._take(_WORD):
            name = word.group()
        else:
            raise self._unexpected()
        if self._peek() != ":":
            raise self._unexpected()
        self._at += 1
        return name, self._value()

    def _string(self, quote: str) -> str:
        found = _STRING[quote].match(self._text, self._at)
        if found is None:
            raise self._error("Unterminated string")
        text = _ESCAPE.sub(self._unescape, found.group(1))
        self._at = found.end()
        # Two escaped halves of a surrogate pair become one character; a lone half cannot be kept.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _unescape(self, found: re.Match[str]) -> str:
        escaped = found.group(1)
        if len(escaped) > 1:
            return chr(int(escaped[1:], 16))
        if escaped not in _ESCAPED:
            raise self._error(f"Bad escape sequence '\\{escaped}' in the string")
        return _ESCAPED[escaped]


def _parse_number(text: str) -> int | float:
    if "x" in text.lower():
        return int(text, 16)
    if text.lstrip("+-").isdigit():
        return int(text)
    return float(text)
