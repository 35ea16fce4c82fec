"""What is known of a timer's schedule: of its last run, and of the next one."""

from datetime import datetime

from durahost.model.values import dataclass


@dataclass(frozen=True, slots=True)
class ScheduleStatus:
    """Times are aware UTC; None is .NET's default, the first moment of the calendar.

    last: when it last ran, None before the first run and after a change of the schedule.
    last_updated: what `next` was reckoned from.
    """

    last: datetime | None
    next: datetime
    last_updated: datetime | None
