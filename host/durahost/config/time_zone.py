"""The time zone that schedules are read in: of the app's settings, else the machine's.

Names are those of the tz database, or Windows' own, as Azure takes them on Windows plans.
Sources: MicrosoftDocs/azure-docs: functions-app-settings.md (WEBSITE_TIME_ZONE); dotnet/runtime:
TimeZoneInfo.Unix.cs (TZ: empty or unknown is UTC).
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzlocal
from tzlocal.windows_tz import win_tz

from durahost.config.name_resolution import get_setting

TIME_ZONE_SETTINGS = ("WEBSITE_TIME_ZONE", "TZ")
"""In this order; the first that is there counts."""

_WINDOWS = {name.lower(): key for name, key in win_tz.items()}


@dataclass(frozen=True, slots=True)
class TimeZone:
    """A zone, `datetime.UTC` itself when it is always at UTC. fault: what is wrong with the
    setting that was to name it.
    """

    zone: tzinfo
    fault: str | None = None


def find_time_zone(values: Mapping[str, str]) -> TimeZone:
    """The zone of the app settings; UTC with a fault for a name that is none."""
    website, tz = (get_setting(values, name) for name in TIME_ZONE_SETTINGS)
    setting, written = ("WEBSITE_TIME_ZONE", website) if website else ("TZ", tz)
    if written is None:
        return _of_machine()
    try:
        return TimeZone(_plain(_read_zone(written)))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        fault = f"{setting} is '{written}', which is no time zone; schedules are read in UTC."
        return TimeZone(UTC, fault)


def _read_zone(name: str) -> tzinfo:
    """Errors: ZoneInfoNotFoundError, ValueError, OSError."""
    name = name.removeprefix(":")
    if not name:
        return UTC
    if name.startswith("/"):
        with Path(name).open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    return ZoneInfo(_WINDOWS.get(name.lower(), name))


def _of_machine() -> TimeZone:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return TimeZone(_plain(tzlocal.get_localzone()))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        return TimeZone(UTC, f"TZ is not set, and the machine does not say its time zone: {error}")


def _plain(zone: tzinfo) -> tzinfo:
    # Of a zone that never changes, the offset needs no date.
    return UTC if zone.utcoffset(None) == timedelta(0) else zone
