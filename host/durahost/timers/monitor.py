"""The stored status of timers: one row of the host's own table for each monitored one.

A row is written whole, in one transaction, before the first occurrence and after each run; a host
that dies in between finds the occurrence past due and runs it again.
Source: Azure/azure-webjobs-sdk-extensions: StorageScheduleMonitor.cs, ScheduleMonitor.cs
(CheckPastDueAsync).
"""

import logging
from dataclasses import dataclass
from datetime import datetime, tzinfo

from durahost.codec.timers import decode_status, encode_status
from durahost.model.errors import StoreError
from durahost.model.timers import ScheduleStatus
from durahost.schedules.schedule import Schedule
from durahost.store.base import HostStore

TIMER_LOGS = "durahost.Triggers.Timer"
"""The logger, so that its category is the extension's, `Host.Triggers.Timer`."""

logger = logging.getLogger(TIMER_LOGS)

_FOLDER = "timers"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a stored status means now. is_changed: it differs from what is stored."""

    status: ScheduleStatus
    is_past_due: bool
    is_changed: bool


class ScheduleMonitor:
    """Reads and writes the status of timers by function name, names compared without case."""

    def __init__(self, store: HostStore, zone: tzinfo) -> None:
        self._store = store
        self._zone = zone

    async def read(self, name: str) -> ScheduleStatus | None:
        """The stored status; None when there is none that can be read. Errors: StoreError."""
        text = await self._store.read(_place(name))
        if text is None:
            return None
        try:
            return decode_status(text)
        except ValueError as error:
            logger.warning("The stored status of '%s' is none and begins anew: %s", name, error)
            return None

    async def write(self, name: str, status: ScheduleStatus) -> None:
        """Store the status. Errors: StoreError."""
        await self._store.write(_place(name), encode_status(status, self._zone))

    async def try_write(self, name: str, status: ScheduleStatus) -> None:
        """Store the status as well as can be: a store that refuses stops no schedule."""
        try:
            await self.write(name, status)
        except StoreError as error:
            text = "Function 'Host.Functions.%s' failed to update the timer trigger status. %s"
            logger.error(text, name, error)


def check(
    stored: ScheduleStatus | None, schedule: Schedule, now: datetime, zone: tzinfo
) -> Checked:
    """Tell whether an occurrence was missed, and what to store.

    A status that the schedule as it is now would not have led to is of another schedule: it begins
    anew and is not past due.
    """
    if stored is None:
        return Checked(ScheduleStatus(None, schedule.next_after(now, zone), now), False, True)
    base = stored.last or stored.last_updated or now
    expected = schedule.next_after(base, zone)
    if stored.next == expected:
        return Checked(stored, now > stored.next, False)
    if now > expected:
        base, expected = now, schedule.next_after(now, zone)
    return Checked(ScheduleStatus(None, expected, base), now > expected, True)


def _place(name: str) -> str:
    return f"{_FOLDER}/{name.lower()}"
