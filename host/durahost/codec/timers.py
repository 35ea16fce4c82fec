"""A timer's times as .NET writes them, and the JSON that its function and its stored status are.

Source: Azure/azure-webjobs-sdk-extensions: TimerInfo.cs, ScheduleStatus.cs,
StorageScheduleMonitor.cs; JamesNK/Newtonsoft.Json: DateTimeUtils.cs (WriteDateTimeString).
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from durahost.codec.json_text import dumps
from durahost.model.timers import ScheduleStatus
from durahost.tolerant_json import read_object

_TICKS = "9999999"
_LAST_MICROSECOND = datetime.max.replace(tzinfo=UTC)


def timer_info(
    status: ScheduleStatus | None, zone: tzinfo, *, adjusts_for_dst: bool, is_past_due: bool
) -> str:
    """Build what the function is given; status None when the timer is not monitored.

    Shape: Schedule (AdjustForDST), ScheduleStatus (Last, Next, LastUpdated), IsPastDue.
    Units: local time with its offset, up to seven digits of a second, zeros at the end left out.
    """
    value = {
        "Schedule": {"AdjustForDST": adjusts_for_dst},
        "ScheduleStatus": None if status is None else _status(status, zone),
        "IsPastDue": is_past_due,
    }
    return dumps(value)


def encode_status(status: ScheduleStatus, zone: tzinfo) -> str:
    """Build the stored status: Last, Next, LastUpdated."""
    return dumps(_status(status, zone))


def decode_status(text: str) -> ScheduleStatus:
    """Read a stored status. Errors: ValueError when it is none."""
    written = read_object(text)
    moment = _moment(written.get("Next"))
    if moment is None:
        raise ValueError("Next is missing.")
    return ScheduleStatus(_moment(written.get("Last")), moment, _moment(written.get("LastUpdated")))


def round_trip(when: datetime | None, zone: tzinfo) -> str:
    """Local time in .NET's format "o": seven digits of a second and the offset."""
    whole, ticks, offset = _parts(when, zone)
    return f"{whole}.{ticks}{offset}"


def occurrences_text(occurrences: Iterable[datetime], zone: tzinfo) -> str:
    """One line each, in UTC alone when that is the zone, else local time with UTC behind it.

    Source: TimerInfo.cs (FormatNextOccurrences).
    """
    return "".join(f"{_occurrence(one, zone)}\n" for one in occurrences)


def _occurrence(when: datetime, zone: tzinfo) -> str:
    utc = when.strftime("%m/%d/%Y %H:%M:%SZ")
    if zone is UTC:
        return utc
    whole, _, offset = _parts(when, zone)
    day, time = whole.split("T")
    year, month, number = day.split("-")
    return f"{month}/{number}/{year} {time}{offset} ({utc})"


def _status(status: ScheduleStatus, zone: tzinfo) -> dict[str, Any]:
    names = {"Last": status.last, "Next": status.next, "LastUpdated": status.last_updated}
    return {name: _newtonsoft(when, zone) for name, when in names.items()}


def _newtonsoft(when: datetime | None, zone: tzinfo) -> str:
    whole, ticks, offset = _parts(when, zone)
    fraction = ticks.rstrip("0")
    return f"{whole}.{fraction}{offset}" if fraction else f"{whole}{offset}"


def _parts(when: datetime | None, zone: tzinfo) -> tuple[str, str, str]:
    """Date and time of day, seven digits of the second, the offset in whole minutes."""
    local = _local(when, zone)
    ticks = _TICKS if when == _LAST_MICROSECOND else f"{local.microsecond:06}0"
    minutes = int((local.utcoffset() or timedelta(0)).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    whole = local.replace(microsecond=0, tzinfo=None).isoformat()
    return whole, ticks, f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


def _local(when: datetime | None, zone: tzinfo) -> datetime:
    """Local time, at most to the calendar's ends, as .NET converts them."""
    moment = when or datetime.min.replace(tzinfo=UTC)
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment.replace(tzinfo=zone)


def _moment(text: Any) -> datetime | None:
    """Aware UTC; None for the calendar's first day, wherever it was written. Errors: ValueError."""
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is no time.")
    when = datetime.fromisoformat(text)
    if when.year == 1:
        return None
    if when.tzinfo is None:
        raise ValueError(f"{text!r} has no offset.")
    if when.replace(tzinfo=None) == _LAST_MICROSECOND.replace(tzinfo=None):
        return _LAST_MICROSECOND
    try:
        return when.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is beyond the calendar.") from error
