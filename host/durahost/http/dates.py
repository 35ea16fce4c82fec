"""Date-times in queries, in the forms that .NET's DateTime.TryParse takes, invariant culture.

A date: numbers, or an English month name among them, between blanks, `/`, `-`, `.` or `,`. A number
of three digits or more is the year; without one the order is month, day, year. A time: `h:m`,
`h:m:s.f`, with or without AM or PM, before or after the date, or after `T`; an hour with AM or PM
alone. A zone: `Z`, `GMT`, an offset. A weekday must be the date's. Not read: eras, and the forms
that are Chinese, Japanese or Korean.
Source: dotnet/runtime: System.Private.CoreLib/src/System/Globalization/DateTimeParse.cs.
"""

import re
from datetime import UTC, date, datetime, timedelta

_TIME = re.compile(
    r"(?<![-+\d])(?P<hour>\d{1,2})"
    r"(?:\s*:\s*(?P<minute>\d{1,2})(?:\s*:\s*(?P<second>\d{1,2})(?:\.(?P<fraction>\d*))?)?)?"
    r"\s*(?P<half>[AP]M(?![A-Z]))?",
    re.ASCII | re.IGNORECASE,
)
_TIME_MARK = re.compile(r"(?<![A-Z])T\s*$", re.IGNORECASE)
_ZONE = re.compile(
    r"\s*(?:(?:Z|GMT)(?![A-Z])"
    r"|(?P<sign>[-+])\s*(?:(?P<hours>\d\d?)(?:\s*:\s*(?P<minutes>\d\d?))?|(?P<both>\d{3,4}))(?!\d))",
    re.ASCII | re.IGNORECASE,
)
_DATE_WITH_ZONE = re.compile(
    # A hyphen after the date begins an offset only behind a blank, or after three numbers.
    r"(?P<date>\d{3,4}-\d{1,2}-\d{1,2}(?=[-+])|.*?(?=\s[-+]|\+|(?<![A-Z])(?:Z|GMT)\s*$))(?P<zone>.+)",
    re.ASCII | re.IGNORECASE,
)
_DATE = re.compile(
    r"[\s.,]*(?:[A-Z]+|\d+)(?:[\s.,]*[-/]?[\s.,]*(?:[A-Z]+|\d+))*[\s.,]*", re.ASCII | re.IGNORECASE
)
_ITEM = re.compile(r"[A-Z]+|\d+", re.ASCII | re.IGNORECASE)
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LAST_YEAR_OF_TWO_DIGITS = 2049  # GregorianCalendar.cs (DefaultTwoDigitYearMax), .NET 8
_WIDEST_OFFSET = timedelta(hours=14)
_TICKS = 10_000_000


def read_moment(text: str, now: datetime) -> datetime | None:
    """Read a date-time as aware UTC; without a zone it counts as UTC. None when it is none.

    now: gives the date, or the year, that the text leaves out.
    """
    try:
        return _read(text.strip(), now)
    except (ValueError, OverflowError):  # no such day, hour or offset, or a year outside 1 to 9999
        return None


def _read(text: str, now: datetime) -> datetime | None:
    time = next((one for one in _TIME.finditer(text) if one["minute"] or one["half"]), None)
    if time is None:
        return _read_without_time(text, now)
    before, after = _TIME_MARK.sub("", text[: time.start()]), text[time.end() :]
    offset = timedelta()
    if (zone := _ZONE.match(after)) is not None:
        offset, after = _offset(zone), after[zone.end() :]
    rest = f"{before} {after}".strip()
    day = _read_date(rest, now) if rest else now.date()
    return None if day is None else _at(day, _since_midnight(time), offset)


def _read_without_time(text: str, now: datetime) -> datetime | None:
    offset = timedelta()
    if (both := _DATE_WITH_ZONE.fullmatch(text)) is not None:
        zone = _ZONE.fullmatch(both["zone"].rstrip())
        if zone is None:
            return None
        text, offset = both["date"], _offset(zone)
    day = _read_date(text, now)
    return None if day is None else _at(day, timedelta(), offset)


def _at(day: date, time: timedelta, offset: timedelta) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + time - offset


def _since_midnight(time: re.Match[str]) -> timedelta:
    hour, minute, second = (int(time[name] or 0) for name in ("hour", "minute", "second"))
    if half := (time["half"] or "").upper():
        if hour > 12:
            raise ValueError("no hour of half a day")
        hour = hour % 12 + 12 * (half == "PM")
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError("no such time")
    ticks = round(float(f"0.{time['fraction'] or 0}") * _TICKS)
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=ticks // 10)


def _offset(zone: re.Match[str]) -> timedelta:
    if zone["sign"] is None:
        return timedelta()
    hours, minutes = divmod(int(zone["both"] or 0), 100)
    if zone["both"] is None:
        hours, minutes = int(zone["hours"]), int(zone["minutes"] or 0)
    offset = timedelta(hours=hours, minutes=minutes)
    if minutes > 59 or offset > _WIDEST_OFFSET:
        raise ValueError("no such offset")
    return -offset if zone["sign"] == "-" else offset


def _read_date(text: str, now: datetime) -> date | None:
    if _DATE.fullmatch(text) is None:
        return None
    month = weekday = None
    numbers: list[str] = []
    for item in _ITEM.findall(text):
        if item.isdecimal():
            numbers.append(item)
        elif month is None and (found := _find(item, _MONTHS)) is not None:
            month = found + 1
        elif weekday is None and (found := _find(item, _WEEKDAYS)) is not None:
            weekday = found
        else:
            return None
    day = _with_name(month, numbers, now.year) if month else _of_numbers(numbers, now.year)
    return None if day is None or weekday not in (None, day.weekday()) else day


def _of_numbers(numbers: list[str], this_year: int) -> date | None:
    match [int(one) for one in numbers], [_is_year(one) for one in numbers]:
        case [year, month, day], [True, False, False]:
            return date(year, month, day)
        case [month, day, year], [False, False, is_year]:
            return date(year if is_year else _full(year), month, day)
        case ([year, month], [True, False]) | ([month, year], [False, True]):
            return date(year, month, 1)
        case [month, day], [False, False]:
            return date(this_year, month, day)
        case _:
            return None


def _with_name(month: int, numbers: list[str], this_year: int) -> date | None:
    match [int(one) for one in numbers], [_is_year(one) for one in numbers]:
        case ([year, day], [True, False]) | ([day, year], [False, True]):
            return date(year, month, day)
        case [first, second], [False, False]:
            try:
                return date(_full(second), month, first)
            except ValueError:
                return date(_full(first), month, second)
        case [year], [True]:
            return date(year, month, 1)
        case [day], [False]:
            return date(this_year, month, day)
        case _:
            return None


def _is_year(number: str) -> bool:
    return len(number) > 2


def _full(year: int) -> int:
    century = _LAST_YEAR_OF_TWO_DIGITS // 100 * 100
    return century + year - (100 if century + year > _LAST_YEAR_OF_TWO_DIGITS else 0)


def _find(word: str, names: tuple[str, ...]) -> int | None:
    word = word.lower()
    return next((i for i, name in enumerate(names) if word in (name, name[:3])), None)
