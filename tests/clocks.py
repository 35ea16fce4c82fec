"""A clock that moves only when a test says so."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


class ManualClock:
    """App time and real time stand still until moved, each on its own."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._monotonic = 1000.0
        self._moved = asyncio.Event()
        self._guids = 0

    def now(self):
        return self._now

    async def sleep_until(self, when: datetime):
        while self._now < when:
            await self._moved.wait()

    def monotonic(self):
        return self._monotonic

    def new_guid(self):
        self._guids += 1
        return uuid.UUID(int=self._guids)

    def random_bytes(self, count: int):
        return bytes(range(count))

    def advance(self, by: timedelta) -> None:
        """Move the app's time."""
        self._now += by
        self._moved.set()
        self._moved = asyncio.Event()

    def pass_time(self, by: timedelta) -> None:
        """Move real, monotonic time."""
        self._monotonic += by.total_seconds()
