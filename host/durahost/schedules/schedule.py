"""The schedule of a timer: a crontab expression, or an interval.

Source: Azure/azure-webjobs-sdk-extensions: TimerSchedule.cs, CronSchedule.cs, ConstantSchedule.cs.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from durahost.config.dotnet_values import parse_timespan, timespan_text
from durahost.schedules.crontab import Crontab, CrontabError, parse_crontab
from durahost.schedules.daylight import next_occurrence

FIRST = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)
"""The occurrence of a schedule that has none, as of .NET's DateTime.MaxValue."""


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """Points in time, in the zone's wall clock."""

    crontab: Crontab

    @property
    def adjusts_for_dst(self) -> bool:
        """`AdjustForDST` of what a function is given."""
        return True

    @property
    def text(self) -> str:
        """As log lines show it."""
        return f"Cron: '{self.crontab.text}'"

    @property
    def is_interval(self) -> bool:
        """Whether it repeats within a day, as the repeated hour of a zone takes it."""
        fields = self.crontab.text.split(" ")[: 3 if self.crontab.has_seconds else 2]
        return any(sign in field for field in fields for sign in "*-")

    @property
    def is_never(self) -> bool:
        """Whether no date matches."""
        return self.crontab.next_after(FIRST.replace(tzinfo=None)) is None

    def next_after(self, when: datetime, zone: tzinfo) -> datetime:
        """The next occurrence after `when`, both aware UTC; NEVER when there is none."""
        if when == NEVER:
            return NEVER
        is_interval = self.is_interval
        return next_occurrence(self.crontab, when, zone, is_interval=is_interval) or NEVER

    def is_frequent(self, when: datetime, zone: tzinfo) -> bool:
        """Whether it fires more than once in the minute after `when`, the minute's end left out.

        Only seconds may be given: `* 1-5 * * * *` is not frequent.
        """
        if any(field != "*" for field in self.crontab.text.split(" ")[1:]):
            return False
        local = when.astimezone(zone).replace(tzinfo=None)
        first = self.crontab.next_after(local)
        second = None if first is None else self.crontab.next_after(first)
        return second is not None and second < local + timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ConstantSchedule:
    """An interval from each run's beginning to the next, whatever the clock on the wall says."""

    interval: timedelta

    @property
    def adjusts_for_dst(self) -> bool:
        """`AdjustForDST` of what a function is given."""
        return False

    @property
    def text(self) -> str:
        """As log lines show it."""
        return f"Constant: {timespan_text(self.interval)}"

    @property
    def is_never(self) -> bool:
        """Whether it ends beyond the calendar, wherever it begins."""
        return self.interval > NEVER - FIRST

    def next_after(self, when: datetime, zone: tzinfo) -> datetime:
        """`when` and the interval, aware UTC; NEVER beyond the calendar."""
        del zone
        try:
            return when + self.interval
        except OverflowError:
            return NEVER

    def is_frequent(self, when: datetime, zone: tzinfo) -> bool:
        """Whether it is shorter than a minute."""
        del when, zone
        return self.interval < timedelta(minutes=1)


Schedule = CronSchedule | ConstantSchedule


class ScheduleError(ValueError):
    """The text is neither; `reason` is why, NCrontab's when it has several words."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(
            f"The schedule expression '{text}' was not recognized as a valid cron expression or "
            "timespan string."
        )
        self.reason = reason


def parse_schedule(text: str) -> Schedule:
    """Parse a crontab expression, else a TimeSpan.

    Errors: ScheduleError with the extension's text; OverflowError as `parse_crontab`.
    """
    try:
        return CronSchedule(parse_crontab(text))
    except CrontabError as error:
        reason = str(error)
    try:
        return ConstantSchedule(parse_timespan(text))
    except ValueError as error:
        # A TimeSpan is one word; what has several was meant as a crontab.
        raise ScheduleError(text, reason if " " in text.strip() else str(error)) from error


def next_occurrences(
    schedule: Schedule, count: int, when: datetime, zone: tzinfo
) -> list[datetime]:
    """The next occurrences after `when`, all aware UTC."""
    found = [when]
    for _ in range(count):
        found.append(schedule.next_after(found[-1], zone))
    return found[1:]
