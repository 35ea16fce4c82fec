"""A JSON reader as tolerant as Newtonsoft.Json's, which reads every JSON text and file on Azure.

It takes single quotes, bare names, comments, trailing commas, line breaks in strings, `.5`, `0x1F`,
`007` (octal), `NaN` and `undefined` (None); a property given twice keeps its last value. What it
refuses, it refuses in Newtonsoft's words, at Newtonsoft's place. Two things it refuses that
Newtonsoft takes, only to write them back as what is no JSON: constructors (`new Date(0)`), and
nothing between two commas.
Source: JamesNK/Newtonsoft.Json: JsonTextReader.cs, JsonReader.cs (Push, Path), JsonPosition.cs
(WriteTo, FormatMessage), Linq/JObject.cs (Load), Linq/JContainer.cs (ReadTokenFrom).
"""

import contextlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

READER_EXCEPTION = "Newtonsoft.Json.JsonReaderException"

_MAX_DEPTH = 64
"""Newtonsoft.Json 13's JsonReader.MaxDepth; also keeps our recursion bounded."""

_MAX_INTEGER_DIGITS = 380
"""JsonTextReader.MaximumJavascriptIntegerCharacterLength."""

_BLANK = re.compile(r"(?:\s+|/\*.*?\*/|//[^\r\n]*)*", re.DOTALL)
_SPACE = re.compile(r"\s*")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_NAME = re.compile(r"[\w$]+")
_QUOTES = "\"'"
_CHUNK = {quote: re.compile(rf"[^{quote}\\]*") for quote in _QUOTES}
_HEX4 = re.compile(r"[0-9a-fA-F]{4}")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD]")
_NUMBER_CHARS = re.compile(r"[-+a-fA-FxX.0-9]*")
_INTEGER = re.compile(r"-?[0-9]+")
_FLOAT = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_QUOTED_IN_PATH = re.compile(r"[. '/\"\[\]()\t\n\r\f\b\\\x85\u2028\u2029]")

_ESCAPES: Mapping[str, str] = {
    "b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r",
    "\\": "\\", '"': '"', "'": "'", "/": "/",
}  # fmt: skip
_KEYWORDS: Sequence[tuple[str, str, str, Any]] = (
    ("t", "true", "boolean", True),
    ("f", "false", "boolean", False),
    ("nu", "null", "null", None),
    ("u", "undefined", "undefined", None),
    ("N", "NaN", "NaN", math.nan),
    ("I", "Infinity", "Infinity", math.inf),
    ("-I", "-Infinity", "-Infinity", -math.inf),
)
"""What decides for a keyword, the keyword, its name in errors, its value."""

_KINDS: Mapping[str, str] = {"}": "Object", "]": "Array", ")": "Constructor"}
_TOKENS: Mapping[type, str] = {
    list: "StartArray", str: "String", bool: "Boolean",
    int: "Integer", float: "Float", type(None): "Null",
}  # fmt: skip


class JsonTextError(ValueError):
    """The text is not JSON; the message is the reason, a sentence, with path and place behind it.

    line, column: of the place, 1-based (the message's position is 0-based). source_line: the text
    of that line, without its line break. path: of the value that was read last.
    exception_type: the .NET exception that says so on Azure.
    """

    def __init__(
        self,
        reason: str,
        text: str,
        offset: int,
        *,
        path: str = "",
        exception_type: str = READER_EXCEPTION,
    ) -> None:
        before = _LINE_BREAK.split(text[:offset])
        self.line = len(before)
        self.column = len(before[-1]) + 1
        self.source_line = before[-1] + _LINE_BREAK.split(text[offset:], maxsplit=1)[0]
        self.path = path
        self.exception_type = exception_type
        # Newtonsoft counts no line before its first token, unless the line has begun.
        line = 0 if self.column == 1 and not "".join(before).strip() else self.line
        super().__init__(f"{reason} Path '{path}', line {line}, position {self.column - 1}.")

    @property
    def pointer(self) -> str:
        """The source line with a caret below the place."""
        return f"{self.source_line}\n{' ' * (self.column - 1)}^"


class CutShort(JsonTextError):
    """The text ends inside its object or, when is_array, its array.

    after_value: whether a comma or bracket was due, and not a name or value.
    """

    def __init__(self, text: str, path: str, is_array: bool, after_value: bool) -> None:
        container = "JArray" if is_array else "JObject"
        reason = f"Unexpected end of content while loading {container}."
        super().__init__(reason, text, len(text), path=path)
        self.is_array = is_array
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
        value = reader.read_value() if reader.peek() else None
        reader.expect_end()
        return value


def read_object(text: str) -> dict[str, Any]:
    """Read a text that holds one object, blanks and comments. Errors: JsonTextError."""
    value = read_whole(text)
    if isinstance(value, dict):
        return value
    reason = "Error reading JObject from JsonReader."
    start = len(_Reader(text).take(_BLANK))
    if start < len(text):
        reason += f" Current JsonReader item is not an object: {_TOKENS[type(value)]}."
        start += 1
    raise JsonTextError(reason, text, start)


def _read_strict(text: str) -> Any:
    """Read with the interpreter's own reader, where it agrees; ValueError where it may not."""
    if _SURROGATE_ESCAPE.search(text):
        raise ValueError("needs surrogates paired")
    try:
        value = _decode(text)
    except (RecursionError, OverflowError) as error:
        raise ValueError("too deep, or too many digits") from error
    if _is_deeper(value, _MAX_DEPTH):
        raise ValueError("too deep")
    return value


def _is_deeper(value: Any, limit: int) -> bool:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return False
    return limit == 0 or any(_is_deeper(one, limit - 1) for one in value)


def find_lines(text: str) -> Mapping[tuple[str, ...], int]:
    """The line of each property name of a text, 1-based, as far as it can be read.

    Keys: the names down to it in lower case; an element of an array counts as its index, `0`.
    """
    reader = _Locator(text)
    with contextlib.suppress(JsonTextError):
        reader.read_value()
    return {path: len(_LINE_BREAK.split(text[:at])) for path, at in reader.places.items()}


class _Reader:
    """Reads one text from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        # For every open object the last property's name, for every open array the last value's
        # index; None and -1 before the first.
        self._path: list[str | int | None] = []

    def take(self, pattern: re.Pattern[str]) -> str:
        """Pass the longest text of a pattern, "" when there is none."""
        found = pattern.match(self._text, self._at)
        taken = found.group() if found else ""
        self._at += len(taken)
        return taken

    def peek(self) -> str:
        """Skip blanks and comments; the next character, "" at the end."""
        self.take(_BLANK)
        if self._char() == "/":
            self._fail_comment()
        return self._char()

    def expect_end(self) -> None:
        """Refuse anything but blanks and comments."""
        if self.peek():
            self._refuse("Additional text encountered after finished reading JSON content")

    def read_value(self) -> Any:
        """Read the value that starts here, after blanks and comments."""
        char = self._expect(after_value=False)
        if char in "{[":
            return self._read_container(char)
        if char in _QUOTES:
            value = self._read_string(char)
            self._count_value()
            return value
        for prefix, keyword, name, meaning in _KEYWORDS:
            if self._text.startswith(prefix, self._at):
                self._pass_keyword(keyword, name)
                self._count_value()
                return meaning
        if char in "-.0123456789":
            return self._read_number()
        return self._refuse("Unexpected character encountered while parsing value")

    def _read_container(self, opening: str) -> Any:
        self._count_value()
        self._path.append(None if opening == "{" else -1)
        self._at += 1
        if len(self._path) > _MAX_DEPTH:
            self._fail(f"The reader's MaxDepth of {_MAX_DEPTH} has been exceeded.")
        value = self._read_members() if opening == "{" else self._read_items()
        self._at += 1
        self._path.pop()
        return value

    def _read_members(self) -> dict[str, Any]:
        members: dict[str, Any] = {}
        while self._expect(after_value=False) != "}":
            name = self._read_name()
            self.take(_SPACE)
            if self._char() != ":":
                self._refuse("Invalid character after parsing property name. Expected ':' but got")
            self._at += 1
            self._path[-1] = name
            members[name] = self.read_value()
            self._pass_comma("}")
        return members

    def _read_items(self) -> list[Any]:
        items: list[Any] = []
        while self._expect(after_value=False) != "]":
            items.append(self.read_value())
            self._pass_comma("]")
        return items

    def _pass_comma(self, closing: str) -> None:
        char = self._expect(after_value=True)
        if char == ",":
            self._at += 1
        elif char != closing and char in _KINDS:
            self._at += 1
            self._path.pop()
            self._fail(
                f"JsonToken End{_KINDS[char]} is not valid for closing JsonType {_KINDS[closing]}."
            )
        elif char != closing:
            self._refuse("After parsing a value an unexpected character was encountered")

    def _expect(self, *, after_value: bool) -> str:
        """The next character after blanks and comments; the end is an error."""
        if char := self.peek():
            return char
        if not self._path:
            self._fail("Error reading JToken from JsonReader.")
        is_array = isinstance(self._path[0], int)
        raise CutShort(self._text, self._format_path(), is_array, after_value)

    def _read_name(self) -> str:
        char = self._char()
        if char in _QUOTES:
            return self._read_string(char)
        name = self.take(_NAME)
        if not name:
            self._refuse("Invalid property identifier character")
        after = self._char()
        if not after:
            self._fail("Unexpected end while parsing unquoted property name.")
        if after != ":" and not after.isspace():
            self._refuse("Invalid JavaScript property identifier character")
        return name

    def _read_string(self, quote: str) -> str:
        self._at += 1
        parts: list[str] = []
        while True:
            parts.append(self.take(_CHUNK[quote]))
            end = self._char()
            self._at += len(end)
            if end == quote:
                return _pair_surrogates("".join(parts))
            parts.append(self._read_escape(quote))

    def _read_escape(self, quote: str) -> str:
        char = self._char()
        if not char:
            self._fail(f"Unterminated string. Expected delimiter: {quote}.")
        self._at += 1
        if char == "u":
            return self._read_code_unit()
        if char not in _ESCAPES:
            self._fail(f"Bad JSON escape sequence: \\{char}.")
        return _ESCAPES[char]

    def _read_code_unit(self) -> str:
        digits = self._text[self._at : self._at + 4]
        if len(digits) < 4:
            self._fail("Unexpected end while parsing Unicode escape sequence.")
        if not _HEX4.fullmatch(digits):
            self._fail(f"Invalid Unicode escape sequence: \\u{digits}.")
        self._at += 4
        return chr(int(digits, 16))

    def _read_number(self) -> int | float:
        token = self.take(_NUMBER_CHARS)
        after = self._char()
        if after and not after.isspace() and after not in ",}])/":
            self._refuse("Unexpected character encountered while parsing number")
        self._count_value()
        try:
            return _parse_number(token)
        except OverflowError:
            self._fail(f"JSON integer {token} is too large to parse.")
        except ValueError:
            self._fail(f"Input string '{token}' is not a valid number.")

    def _pass_keyword(self, keyword: str, name: str) -> None:
        found = self._text[self._at : self._at + len(keyword)]
        if len(found) < len(keyword):
            self._at = len(self._text)
            self._fail("Unexpected end when reading JSON.")
        while keyword and keyword[0] == self._char():
            keyword = keyword[1:]
            self._at += 1
        after = self._text[self._at : self._at + 2]
        is_over = not after or after[0] in ",}]" or after[0].isspace() or after in {"//", "/*"}
        if keyword or not is_over:
            self._fail(f"Error parsing {name} value.")

    def _count_value(self) -> None:
        if self._path and isinstance(index := self._path[-1], int):
            self._path[-1] = index + 1

    def _char(self) -> str:
        return self._text[self._at : self._at + 1]

    def _fail_comment(self) -> NoReturn:
        opening = self._text[self._at : self._at + 2]
        if opening in {"/", "/*"}:
            self._at = len(self._text)
            self._fail("Unexpected end while parsing comment.")
        self._at += 1
        self._fail(f"Error parsing comment. Expected: *, got {opening[1]}.")

    def _refuse(self, reason: str) -> NoReturn:
        """Refuse the character that stands here."""
        self._fail(f"{reason}: {self._char()}.")

    def _fail(self, reason: str) -> NoReturn:
        raise JsonTextError(reason, self._text, self._at, path=self._format_path())

    def _format_path(self) -> str:
        path = ""
        for step in self._path:
            if isinstance(step, int):
                path += f"[{step}]" if step >= 0 else ""
            elif step is not None and _QUOTED_IN_PATH.search(step):
                escaped = step.replace("\\", "\\\\").replace("'", "\\'")
                path += f"['{escaped}']"
            elif step is not None:
                path += f".{step}" if path else step
        return path


class _Locator(_Reader):
    """A reader that notes where each property and each element begins."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.places: dict[tuple[str, ...], int] = {}

    def read_value(self) -> Any:  # type: ignore[explicit-override] # needs 3.12
        """Read the value and note where it begins, when it is an array's."""
        char = self.peek()
        if char and self._path and isinstance(self._path[-1], int):
            self._note(str(self._path[-1] + 1))
        return super().read_value()

    def _read_name(self) -> str:  # type: ignore[explicit-override] # needs 3.12
        at = self._at
        name = super()._read_name()
        self.places.setdefault((*self._above(), name.lower()), at)
        return name

    def _note(self, last: str) -> None:
        self.places.setdefault((*self._above(), last), self._at)

    def _above(self) -> list[str]:
        return [str(step).lower() for step in self._path[:-1]]


def _parse_number(token: str) -> int | float:
    """Read a number; OverflowError when it has too many digits, ValueError when it is none."""
    if len(token) > 1 and token[0] == "0" and token[1] not in ".eE":
        number = int(token, 16) if token[1] in "xX" else int(token, 8)
        if number >= 1 << 64:
            raise ValueError("more than 64 bits")
        return number - (1 << 64) if number >> 63 else number
    if _INTEGER.fullmatch(token):
        return _parse_integer(token)
    if not _FLOAT.fullmatch(token):
        raise ValueError("not a number")
    return float(token)


def _parse_integer(token: str) -> int:
    if len(token) > _MAX_INTEGER_DIGITS:
        raise OverflowError("too many digits")
    return int(token)


_decode = json.JSONDecoder(strict=False, parse_int=_parse_integer).decode


def _pair_surrogates(text: str) -> str:
    """Join escaped pairs; a lone half becomes U+FFFD, as Newtonsoft reads it."""
    if not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
