"""Wake-up of dispatchers: no polling, and no wake-up is lost.

A store calls `notify` after every commit that may have made work, and `found_nothing` after an
attempt that claimed nothing, both on the event loop and in the order of its transactions. So a
commit behind an empty attempt always finds the signal cleared, and a wait after it returns.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from durahost.clock import Clock
from durahost.model.ids import InstanceId

TIMER_SLACK_S = 0.001
"""Event loops may call up to a millisecond early (uvloop's resolution); a lapse is not yet then."""


class WorkSignal:
    """Whether there may be work of one kind in one hub."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._may_have_work = asyncio.Event()
        self._due: datetime | None = None
        self._lapse_s: float | None = None
        self._limit: asyncio.TimerHandle | None = None
        self.notify()

    def notify(self) -> None:
        """There may be work now."""
        self._may_be_stored = True
        self._may_have_work.set()

    def notify_kept(self) -> None:
        """There may be work now, but none that the database knows more of."""
        self._may_have_work.set()

    @property
    def may_be_stored(self) -> bool:
        """Whether the database may know of work, or all there may be is in memory."""
        return (
            self._may_be_stored
            or (self._due is not None and self._due <= self._clock.now())
            or (self._lapse_s is not None and self._lapse_s <= self._clock.monotonic())
        )

    def found_nothing(self, due: datetime | None, lapse_s: float | None) -> None:
        """There is no work before `due` (app time) or `lapse_s` (monotonic), or the next notify."""
        self._may_be_stored = False
        self._due = due
        self._lapse_s = lapse_s
        self.found_none_kept()

    def found_none_kept(self) -> None:
        """The same, where the database was not asked: what it said before still holds."""
        self._may_have_work.clear()

    def claimed_until(self, lapse_s: float) -> None:
        """Work was claimed, and may be there again then."""
        if self._lapse_s is None or lapse_s < self._lapse_s:
            self._lapse_s = lapse_s

    async def wait(self, at_most: timedelta) -> None:
        """Return when there may be work, or after the (real) limit; never without letting others
        go on.
        """
        if self._may_have_work.is_set():
            await asyncio.sleep(0)
            return
        self._set_limit(at_most.total_seconds())
        await self._wait_until_due()

    def _set_limit(self, limit_s: float) -> None:
        """Wake up by then, or earlier: the limit of an earlier wait stays, since most end long
        before it, and a look too many costs less than a timer for each of them.
        """
        if self._lapse_s is not None:
            left_s = self._lapse_s - self._clock.monotonic() + TIMER_SLACK_S
            limit_s = min(limit_s, left_s)
        loop = asyncio.get_running_loop()
        if self._limit is not None:
            if self._limit.when() <= loop.time() + limit_s:
                return
            self._limit.cancel()
        self._limit = loop.call_later(limit_s, self._end_limit)

    def _end_limit(self) -> None:
        self._limit = None
        self.notify()

    async def _wait_until_due(self) -> None:
        if self._due is None:
            await self._may_have_work.wait()
            return
        async with asyncio.TaskGroup() as group:
            alarm = group.create_task(self._notify_at(self._due), name="next due message")
            await self._may_have_work.wait()
            alarm.cancel()

    async def _notify_at(self, due: datetime) -> None:
        await self._clock.sleep_until(due)
        self.notify()


class EndSignal:
    """Who waits for which instance to end; used on the event loop only."""

    def __init__(self) -> None:
        self._waiting: dict[InstanceId, set[asyncio.Future[None]]] = {}

    def notify(self, instance_id: InstanceId) -> None:
        """The instance has ended, by what is committed."""
        for future in self._waiting.get(instance_id, ()):
            if not future.done():
                future.set_result(None)

    async def wait(
        self, instance_id: InstanceId, has_ended: Callable[[], bool], at_most: timedelta
    ) -> None:
        """Return when it ends, at once when it has, or after the (real) limit."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(instance_id, set())
        waiting.add(future)
        try:
            # Asked behind the entry, so that no end comes between the two.
            if not has_ended():
                await asyncio.wait({future}, timeout=at_most.total_seconds())
        finally:
            waiting.discard(future)
            if not waiting and self._waiting.get(instance_id) is waiting:
                del self._waiting[instance_id]
