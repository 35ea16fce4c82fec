"""Crontab expressions by NCrontab's own rules, which differ from other crons' in nearly every one.

Day of month and day of week must both match; day of week is 0 to 6; a range written backwards is
swapped, not wrapped; names are any prefix of the English one; no `?`, `L`, `W`, `#` or `@daily`.
A library would have to be fed explicit lists and watched in each of these points, and the texts of
errors would be missing still.
Source: atifaziz/NCrontab 3.3.3: CrontabSchedule.cs, CrontabField.cs (Accumulate),
CrontabFieldImpl.cs (InternalParse, Format).
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, time

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_NUMBER = re.compile(r"[-+]?[0-9]+[\t\n\v\f\r]*")
"""What int.Parse takes; spaces separate fields and cannot be inside one."""
_MAX_INT32 = 2**31 - 1


class CrontabError(ValueError):
    """The text is no crontab expression; NCrontab's own words."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One kind of field and the values it may have."""

    kind: str
    least: int
    most: int
    names: Sequence[str] = ()

    @property
    def bounds(self) -> str:
        return f"between {self.least} and {self.most} (all inclusive)"


_FIELDS = (
    _Field("Second", 0, 59),
    _Field("Minute", 0, 59),
    _Field("Hour", 0, 23),
    _Field("Day", 1, 31),
    _Field("Month", 1, 12, _MONTHS),
    _Field("DayOfWeek", 0, 6, _DAYS),
)


@dataclass(frozen=True, slots=True)
class Crontab:
    """A parsed expression.

    values: of seconds, minutes, hours, days, months and days of the week (Sunday is 0), each in
    order. has_seconds: whether six fields were written; of five the second is 0.
    """

    values: Sequence[Sequence[int]]
    has_seconds: bool

    @property
    def text(self) -> str:
        """The expression expanded: numbers for names, lists for steps, `a-b` for runs, `*` for
        all.
        """
        written = list(zip(_FIELDS, self.values, strict=True))[0 if self.has_seconds else 1 :]
        return " ".join(_format(field, values) for field, values in written)

    def next_after(self, when: datetime) -> datetime | None:
        """The next occurrence after a naive local time, in whole seconds; None when there is
        none.

        The base time's fraction of a second is dropped first.
        """
        for day in self._days_from(when.date()):
            # Of the first day only what comes later; of any other all of it.
            moment = self._time_after(when.time() if day == when.date() else None)
            if moment is not None:
                return datetime.combine(day, moment)
        return None

    def _days_from(self, first: date) -> Iterator[date]:
        _, _, _, days, months, weekdays = self.values
        for year in range(first.year, MAXYEAR + 1):
            for month in months:
                last = monthrange(year, month)[1]
                for number in days:
                    if number > last:
                        break
                    day = date(year, month, number)
                    if day >= first and day.isoweekday() % 7 in weekdays:
                        yield day

    def _time_after(self, base: time | None) -> time | None:
        seconds, minutes, hours, *_ = self.values
        if base is None:
            return time(hours[0], minutes[0], seconds[0])
        for hour in hours:
            for minute in minutes:
                if (hour, minute) < (base.hour, base.minute):
                    continue
                for second in seconds:
                    if (hour, minute, second) > (base.hour, base.minute, base.second):
                        return time(hour, minute, second)
        return None


def parse_crontab(text: str) -> Crontab:
    """Parse five or six fields.

    Errors: CrontabError; OverflowError for a number beyond 32 bits, which NCrontab does not catch.
    """
    written = [one for one in text.split(" ") if one]
    has_seconds = len(written) != 5
    fields = _FIELDS if has_seconds else _FIELDS[1:]
    if len(written) != len(fields):
        names = "minutes, hours, days, months, and days of week"
        parts = f"6 components of a schedule in the sequence of seconds, {names}"
        raise CrontabError(f"'{text}' is an invalid crontab expression. It must contain {parts}.")
    values = [_parse_field(*pair) for pair in zip(fields, written, strict=True)]
    return Crontab(values if has_seconds else [(0,), *values], has_seconds)


def _parse_field(field: _Field, text: str) -> Sequence[int]:
    try:
        # A comma in the first place is no separator, and then an error.
        parts = text.split(",") if text.find(",") > 0 else [text]
        found = [value for part in parts for value in _parse_element(field, part)]
    except _OutOfRange:
        raise
    except CrontabError as error:
        message = f"'{text}' is not a valid [{field.kind}] crontab field expression."
        raise CrontabError(f"{message} {error}") from error
    return tuple(sorted(set(found)))


class _OutOfRange(CrontabError):
    """A number that the field does not have; told as it is."""


def _parse_element(field: _Field, text: str) -> range:
    """`*`, `*/n`, `a`, `a/n` (to the field's end), `a-b`, `a-b/n`."""
    if not text:
        raise CrontabError("A crontab field value cannot be empty.")
    body, step = text, 1
    is_stepped = text.find("/") > 0
    if is_stepped:
        body, _, written = text.partition("/")
        step = max(_parse_number(written), 1)
    if body == "*":
        return range(field.least, field.most + 1, step)
    if body.find("-") > 0:
        first, _, last = body.partition("-")
        ends = sorted((_parse_value(field, first), _parse_value(field, last)))
    else:
        value = _parse_value(field, body)
        ends = sorted((value, field.most if is_stepped else value))
    for end in ends:
        _check_bounds(field, end)
    return range(ends[0], ends[1] + 1, step)


def _parse_value(field: _Field, text: str) -> int:
    if not text:
        raise CrontabError("A crontab field value cannot be empty.")
    if text[0] in "0123456789":
        return _parse_number(text)
    for index, name in enumerate(field.names):
        if name.lower().startswith(text.lower()):
            return index + field.least
    if field.names:
        raise CrontabError(
            f"'{text}' is not a known value name. Use one of the following: "
            f"{', '.join(field.names)}."
        )
    raise CrontabError(
        f"'{text}' is not a valid [{field.kind}] crontab field value. It must be a numeric value "
        f"{field.bounds}."
    )


def _parse_number(text: str) -> int:
    """As int.Parse of .NET reads it."""
    if not _NUMBER.fullmatch(text):
        raise CrontabError(f"The input string '{text}' was not in a correct format.")
    number = int(text)
    if abs(number) > _MAX_INT32:
        raise OverflowError("Value was either too large or too small for an Int32.")
    return number


def _check_bounds(field: _Field, value: int) -> None:
    if not field.least <= value <= field.most:
        word = "lower than the minimum" if value < field.least else "higher than the maximum"
        raise _OutOfRange(
            f"{value} is {word} allowable value for the [{field.kind}] field. Value must be "
            f"{field.bounds}."
        )


def _format(field: _Field, values: Sequence[int]) -> str:
    if len(values) == field.most - field.least + 1:
        return "*"
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs)
