"""JSON text as Newtonsoft.Json writes it, which is what every Durable payload passes through; and
payloads as the Durable extension reads them.

Source: JamesNK/Newtonsoft.Json: Src/Newtonsoft.Json/JsonTextWriter.cs, JsonConvert.cs
(EnsureDecimalPlace), Utilities/JavaScriptUtils.cs; reading in `tolerant_json`.
"""

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from durahost.tolerant_json import CutShort, JsonTextError, read_first, read_whole

_ESCAPED_LATE = str.maketrans({"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})
_PLAIN = frozenset({str, int, bool, type(None)})
_GENERAL_DIGITS = 15
dump_plain = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":")
).encode
"""Write a value compact, non-ASCII raw, by the interpreter's own writer; no value holds itself."""

_SERIALIZATION = "Newtonsoft.Json.JsonSerializationException"
_WRITER = "Newtonsoft.Json.JsonWriterException"


def dumps(value: Any, indent: int = 0) -> str:
    """Write a value compact, or with Newtonsoft's indentation.

    Shape: property order as given, nulls written, non-ASCII raw; only `"`, `\\`, control
    characters and U+0085, U+2028, U+2029 are escaped. NaN and infinities become strings.
    """
    if not indent and _is_plain(value):
        text = dump_plain(value)
        return text if text.isascii() else text.translate(_ESCAPED_LATE)
    return _write(value, " " * indent, "\n")


def write_text(text: str | None) -> str:
    """What `dump_plain` writes of a text or of none."""
    return "null" if text is None else encode_basestring(text)


def quote(text: str) -> str:
    """Write a string."""
    quoted = encode_basestring(text)
    return quoted if quoted.isascii() else quoted.translate(_ESCAPED_LATE)


def format_double(value: float) -> str:
    """A double as .NET writes it invariantly: shortest round-trip digits, `1E+20`, `1E-05`.

    Source: dotnet/runtime: Number.Formatting.cs (FormatDouble, FormatGeneral).
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if value == 0:
        return sign + "0"
    _, figures, exponent = Decimal(repr(value)).as_tuple()
    digits = "".join(map(str, figures))
    point = len(digits) + int(exponent)
    digits = digits.rstrip("0")
    if point > max(len(digits), _GENERAL_DIGITS) or point < -3:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{fraction}E{point - 1:+03d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    whole = digits[:point].ljust(point, "0")
    return f"{sign}{whole}.{digits[point:]}" if len(digits) > point else sign + whole


def parse_stored(text: str | None) -> Any:
    """Read a stored payload for a status client.

    None stays None, blank text is "", otherwise the first JSON value and nothing after it; text
    that is not JSON is shown trimmed, as a string.
    Source: Azure/azure-functions-durable-extension: ContextImplementations/DurableClient.cs
    (ParseToJToken).
    """
    if text is None:
        return None
    trimmed = text.strip()
    if not trimmed:
        return ""
    try:
        return read_first(trimmed)
    except JsonTextError:
        return trimmed


def check_document(text: str) -> None:
    """Refuse the start bodies that Azure refuses; an array cut after an element is not among them.

    Errors: JsonTextError, its type telling bad text (reader) from an unclosed object
    (serialization) or array (writer).
    """
    try:
        read_whole(text)
    except CutShort as cut:
        if not cut.is_array:
            reason, exception_type = "Unexpected end when deserializing object.", _SERIALIZATION
        elif not cut.after_value:
            reason, exception_type = "Unexpected end when reading token.", _WRITER
        else:
            return
        raise JsonTextError(
            reason, text, len(text), path=cut.path, exception_type=exception_type
        ) from cut


def _is_plain(value: Any) -> bool:
    """Whether the interpreter's own writer, far faster, gives the same text: no double is in it."""
    level = [value]
    while level:
        deeper: list[Any] = []
        for one in level:
            kind = type(one)
            if kind is dict:
                deeper.extend(one.values())
            elif kind is list:
                deeper.extend(one)
            elif kind not in _PLAIN:
                return False
        level = deeper
    return True


def _write(value: Any, step: str, line: str) -> str:
    if isinstance(value, str):
        return quote(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _write_double(value)
    if isinstance(value, Mapping):
        colon = ": " if step else ":"
        deeper = line + step
        items = [f"{quote(key)}{colon}{_write(one, step, deeper)}" for key, one in value.items()]
        return _enclose("{", items, "}", step, line)
    return _enclose("[", [_write(one, step, line + step) for one in value], "]", step, line)


def _enclose(opening: str, items: list[str], closing: str, step: str, line: str) -> str:
    if not step or not items:
        return opening + ",".join(items) + closing
    inner = line + step
    return opening + inner + ("," + inner).join(items) + line + closing


def _write_double(value: float) -> str:
    text = format_double(value)
    if not math.isfinite(value):
        return f'"{text}"'
    return text if "." in text or "E" in text else text + ".0"
