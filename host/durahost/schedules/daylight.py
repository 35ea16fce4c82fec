"""Occurrences of a crontab where a zone's clock is put forward or back.

An occurrence in the hour that is skipped comes an hour later by the clock. In the hour that is
repeated an interval comes in both passes, a point in time in the first one only.
Source: Azure/azure-webjobs-sdk-extensions: CronSchedule.cs (GetNextOccurrence,
TryAdjustAmbiguousTime), whose reading of far occurrences is odd in the same way.
"""

from datetime import UTC, datetime, timedelta, tzinfo

from durahost.schedules.crontab import Crontab


def next_occurrence(
    crontab: Crontab, when: datetime, zone: tzinfo, *, is_interval: bool
) -> datetime | None:
    """The next occurrence after `when`; both aware UTC. None when there is none."""
    now = when.astimezone(zone)
    found = crontab.next_after(now.replace(tzinfo=None))
    if found is None:
        return None
    after = _in_standard_time(found, zone)
    change = _offset(after) - _offset(now)
    if is_interval:
        is_adjusted = change and (_is_ambiguous(now) or _is_ambiguous(after))
        return _as_utc(after) + (change if is_adjusted else timedelta(0))
    if not _is_ambiguous(after):
        return _as_utc(after)
    if change:
        # Out of daylight saving time: the first pass.
        return _as_utc(after) + change
    # In standard time already: it has been in the first pass.
    later: datetime | None = found
    while later is not None and _is_ambiguous(later.replace(tzinfo=zone)):
        later = crontab.next_after(later)
    return None if later is None else _as_utc(_in_standard_time(later, zone))


def _in_standard_time(local: datetime, zone: tzinfo) -> datetime:
    """A wall time as .NET reads one that is ambiguous, or that is not there: in standard time."""
    folds = [local.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    return _as_utc(min(folds, key=_offset)).astimezone(zone)


def _is_ambiguous(when: datetime) -> bool:
    return _offset(when.replace(fold=0)) > _offset(when.replace(fold=1))


def _offset(when: datetime) -> timedelta:
    return when.utcoffset() or timedelta(0)


def _as_utc(when: datetime) -> datetime:
    return when.astimezone(UTC)
