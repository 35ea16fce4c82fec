"""The only reader of time and randomness.

`Clock.now` is the app's time: durable timers, schedules and every timestamp an app or client sees.
Leases, deadlines and drain limits run on `monotonic`, real time that no virtual clock moves.
"""

import asyncio
import secrets
import time
import uuid
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The app's time, real elapsed time, and fresh ids."""

    def now(self) -> datetime:
        """The app's time, aware UTC, microseconds."""
        ...

    async def sleep_until(self, when: datetime) -> None:
        """Return once `now()` is at or past `when`."""
        ...

    def monotonic(self) -> float:
        """Real seconds from an arbitrary start; never goes back."""
        ...

    def new_guid(self) -> uuid.UUID:
        """A random GUID."""
        ...

    def random_bytes(self, count: int) -> bytes:
        """Unguessable bytes, for keys."""
        ...


class RealClock:
    """The machine's clock, but never back: what was accepted is never in the future of this
    process.
    """

    def __init__(self) -> None:
        self._latest = datetime.now(UTC)

    def now(self) -> datetime:
        """The machine's UTC time; it stands while a clock that was set back catches up."""
        self._latest = max(self._latest, datetime.now(UTC))
        return self._latest

    async def sleep_until(self, when: datetime) -> None:
        """Sleep in steps of at most an hour, so that a clock that is set strands nobody."""
        while (left := (when - self.now()).total_seconds()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, 3600.0))

    def monotonic(self) -> float:
        """Seconds of `time.monotonic`."""
        return time.monotonic()

    def new_guid(self) -> uuid.UUID:
        """A version 4 GUID."""
        return uuid.uuid4()

    def random_bytes(self, count: int) -> bytes:
        """From the operating system's generator."""
        return secrets.token_bytes(count)
