"""Values between text and type by .NET's rules, invariant culture.

Sources: dotnet/runtime: Int32Converter, BooleanConverter, TimeSpanParse.cs;
JamesNK/Newtonsoft.Json: JsonTextReader.cs, JValue.cs (ToString).
"""

import re
from datetime import datetime, timedelta
from typing import Any

MAX_TIMESPAN_TEXT = "10675199.02:48:05.4775807"
"""TimeSpan.MaxValue."""

UNLIMITED = timedelta(days=3_650_000)
"""Longer than any history; TimeSpan.MaxValue, which means no limit, is above it."""

_MAX_INT32 = 2**31 - 1
_INTEGER = re.compile(r"\s*[-+]?\d+\s*", re.ASCII)
_TIMESPAN = re.compile(
    r"(?P<sign>-?)(?:(?P<only_days>\d+)|(?:(?P<days>\d+)(?:\.|:(?=\d+:\d+:)))?(?P<hours>\d+)"
    r":(?P<minutes>\d+)(?::(?P<seconds>\d+)(?:\.(?P<fraction>\d{1,7}))?)?)",
    re.ASCII,
)
_MAX_DAYS = 10675199
_SINGLE = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_ISO_DATE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?(?P<zone>Z|[-+]\d\d:\d\d)?", re.ASCII
)


def scalar_text(value: Any) -> str:
    """A JSON scalar as .NET writes it: `True`, `2` for 2.0, the string itself, "" for null."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def rewritten_date(text: str) -> str | None:
    """What Newtonsoft.Json makes of a string that looks like an ISO date-time; None when it is
    none.

    An offset is converted to local time, as DateParseHandling.DateTime does.
    """
    found = _ISO_DATE.fullmatch(text)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found["zone"] not in (None, "Z"):
        moment = moment.astimezone()
    return moment.strftime("%m/%d/%Y %H:%M:%S")


def parse_int32(text: str) -> int:
    """Parse a 32-bit integer; ValueError when it is none."""
    if not _INTEGER.fullmatch(text) or not -_MAX_INT32 - 1 <= int(text) <= _MAX_INT32:
        raise ValueError(text)
    return int(text)


def parse_boolean(text: str) -> bool:
    """Parse `true` or `false`, any case; ValueError when it is neither."""
    word = text.strip().lower()
    if word not in ("true", "false"):
        raise ValueError(text)
    return word == "true"


def parse_timespan(text: str) -> timedelta:
    """Parse `[-][d.]hh:mm[:ss[.fffffff]]` or `[-]d`; a bare number is days, and so is a first one
    above 23 of three: `24:00:00` is 24 days.

    Errors: ValueError with .NET's text.
    """
    found = _TIMESPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"String '{text}' was not recognized as a valid TimeSpan.")
    days = int(found["only_days"] or found["days"] or 0)
    hours, minutes, seconds = (int(found[name] or 0) for name in ("hours", "minutes", "seconds"))
    if hours > 23 and found["seconds"] and not found["days"] and not found["fraction"]:
        # TimeSpanParse.cs (ProcessTerminal_HM_S_D): what is no h:m:s may still be d:h:m.
        days, hours, minutes, seconds = hours, minutes, seconds, 0
    if days > _MAX_DAYS or hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(
            f"The TimeSpan string '{text}' could not be parsed because at least one of the "
            "numeric components is out of range or contains too many digits."
        )
    micros = int((found["fraction"] or "").ljust(7, "0")) // 10
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=micros)
    return -span if found["sign"] else span


def timespan_text(span: timedelta) -> str:
    """.NET's constant format: `[-][d.]hh:mm:ss[.fffffff]`."""
    if span >= UNLIMITED:
        return MAX_TIMESPAN_TEXT
    sign, span = ("-", -span) if span < timedelta(0) else ("", span)
    days = f"{span.days}." if span.days else ""
    hours, rest = divmod(span.seconds, 3600)
    fraction = f".{span.microseconds:06}0" if span.microseconds else ""
    return f"{sign}{days}{hours:02}:{rest // 60:02}:{rest % 60:02}{fraction}"


def is_unexpected_days(text: str) -> bool:
    """Whether a TimeSpan's text reads as days where a person may have meant hours or less."""
    found = _TIMESPAN.fullmatch(text.strip())
    if found is None or found["days"]:
        return False
    return bool(found["only_days"]) or (int(found["hours"]) > 23 and bool(found["seconds"]))


def parse_single(text: str) -> float:
    """Parse a `float` of .NET; ValueError when it is none."""
    if not _SINGLE.fullmatch(text.strip()):
        raise ValueError(text)
    return float(text)
