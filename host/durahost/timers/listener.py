"""The listener of one timer function in one generation of the app.

It sleeps until the next occurrence, runs the function, and reckons the next one from when that run
began, so a timer never overlaps itself and what passed meanwhile is one run.
Source of order, rules and log texts: Azure/azure-webjobs-sdk-extensions: TimerListener.cs,
TimerListener.Logger.cs; Azure/azure-webjobs-sdk: FunctionListener.cs (RetryStartWithBackoffAsync).
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from durahost.clock import Clock
from durahost.codec.timers import occurrences_text, round_trip, timer_info
from durahost.config.dotnet_values import timespan_text
from durahost.functions.timer_trigger import TimerTrigger, read_trigger
from durahost.invocations import Call
from durahost.model.errors import StoreError, WorkerError, WorkerExited, WorkerTimeout
from durahost.model.functions import FunctionMetadata
from durahost.model.timers import ScheduleStatus
from durahost.retrying import RetryingInvoker
from durahost.schedules.schedule import next_occurrences
from durahost.timers.monitor import TIMER_LOGS, Checked, ScheduleMonitor, check
from durahost.worker.base import TypedData, Worker

logger = logging.getLogger(TIMER_LOGS)

SHOWN = 5
"""Occurrences told at the start."""

TICK = timedelta(milliseconds=1)
"""The shortest wait of .NET's timer: of an occurrence that has passed, of an interval of zero."""

RETRY_FIRST, RETRY_LAST = timedelta(seconds=2), timedelta(minutes=2)
"""Pauses before a listener that did not start is started again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerBench:
    """What every listener works with. is_offline: whether the app is."""

    invoker: RetryingInvoker
    clock: Clock
    monitor: ScheduleMonitor
    zone: tzinfo
    is_offline: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class _Startup:
    """A run that no occurrence asked for. original: the occurrence that was missed."""

    reason: str
    message: str
    original: datetime | None = None

    @property
    def is_past_due(self) -> bool:
        return self.original is not None


_AT_STARTUP = _Startup(
    "RunOnStartup", "Function '%s' is configured to run on startup. Executing now."
)


class TimerListener:
    """Runs one timer function on its schedule until stopped."""

    def __init__(self, function: FunctionMetadata, worker: Worker, bench: TimerBench) -> None:
        self._function = function
        self._worker = worker
        self._bench = bench
        self._trigger: TimerTrigger = read_trigger(function.trigger)
        self._stopping = asyncio.Event()
        self._is_monitored = self._trigger.is_monitored(bench.clock.now(), bench.zone)
        self._has_overrun = False

    def stop(self) -> None:
        """Begin no more runs; `run` returns once the one in hand has ended."""
        self._stopping.set()

    async def run(self) -> None:
        """Run the function whenever it is due, until stopped; an app that is offline has no
        listeners, and begins with new ones.
        """
        while await self._until_online() and (checked := await self._start()) is not None:
            await self._follow(checked)
        logger.debug("Timer listener stopped (%s)", self._function.name)

    async def _until_online(self) -> bool:
        """Wait for the app to be there; False when stopped before."""
        while self._bench.is_offline() and not self._stopping.is_set():
            await self._wait_until(self._bench.clock.now() + RETRY_FIRST)
        return not self._stopping.is_set()

    async def _follow(self, checked: Checked) -> None:
        """Run when it is due, until stopped or the app is offline."""
        status, startup = checked.status, self._startup(checked)
        when = self._due(status, startup)
        logger.debug("Timer listener started (%s)", self._function.name)
        while await self._wait_until(when) and not self._bench.is_offline():
            status, startup = await self._fire(status, startup), None
            when = self._due(status, startup)

    async def _start(self) -> Checked | None:
        """The status to begin with, from the store once that can be asked; None when stopped."""
        name, schedule, zone = self._function.name, self._trigger.schedule, self._bench.zone
        pause, attempt = RETRY_FIRST, 0
        while True:
            try:
                text = "The '%s' timer is using the schedule '%s' and the local time zone: '%s'"
                logger.debug(text, name, schedule.text, zone)
                checked = await self._check()
            except StoreError as error:
                text = "The listener for function 'Functions.%s' was unable to start. %s"
                logger.error(text, name, error)
                if not await self._wait_until(self._bench.clock.now() + pause):
                    return None
                pause, attempt = min(pause * 2, RETRY_LAST), attempt + 1
                text = "Retrying to start listener for function 'Functions.%s' (Attempt %d)"
                logger.info(text, name, attempt)
            else:
                shown = next_occurrences(schedule, SHOWN, self._bench.clock.now(), zone)
                text = "The next 5 occurrences of the '%s' schedule (%s) will be:\n%s"
                logger.info(text, name, schedule.text, occurrences_text(shown, zone))
                return checked

    async def _check(self) -> Checked:
        """Errors: StoreError."""
        name, now, zone = self._function.name, self._bench.clock.now(), self._bench.zone
        if not self._is_monitored:
            return self._unmonitored(now)
        stored = await self._bench.monitor.read(name)
        times = (None,) * 3 if stored is None else (stored.last, stored.next, stored.last_updated)
        shown = ["(null)" if stored is None else round_trip(when, zone) for when in times]
        text = "Function '%s' initial status: Last='%s', Next='%s', LastUpdated='%s'"
        logger.debug(text, name, *shown)
        checked = check(stored, self._trigger.schedule, now, zone)
        if checked.is_changed:
            await self._bench.monitor.try_write(name, checked.status)
        # What is stored for a new timer is not what its first run is told.
        return self._unmonitored(now) if stored is None else checked

    def _unmonitored(self, now: datetime) -> Checked:
        following = self._trigger.schedule.next_after(now, self._bench.zone)
        return Checked(ScheduleStatus(None, following, None), False, False)

    def _startup(self, checked: Checked) -> _Startup | None:
        if checked.is_past_due:
            message = "Function '%s' is past due on startup. Executing now."
            return _Startup("IsPastDue", message, checked.status.next)
        return _AT_STARTUP if self._trigger.runs_on_startup else None

    def _due(self, status: ScheduleStatus, startup: _Startup | None) -> datetime:
        """When the next run is to be; what is due already has the shortest wait there is."""
        soonest = self._bench.clock.now() + TICK
        when = soonest if startup is not None else max(status.next, soonest)
        text = "Timer for '%s' started with interval '%s'."
        logger.debug(text, self._function.name, timespan_text(when - soonest + TICK))
        return when

    async def _fire(self, status: ScheduleStatus, startup: _Startup | None) -> ScheduleStatus:
        """Run the function once; the status afterwards.

        A run that the end of its worker cuts off while the listener stops stays due.
        """
        begun = self._bench.clock.now()
        if startup is not None:
            logger.debug(startup.message, self._function.name)
        try:
            await self._bench.invoker.invoke(
                self._worker, self._function, self._call(status, startup)
            )
        except WorkerTimeout:
            pass  # the invoker has told all of it
        except (WorkerError, StoreError) as error:
            if self._stopping.is_set() and isinstance(error, WorkerExited):
                return status
            logger.warning("Function '%s': %s", self._function.name, error)
        following = self._trigger.schedule.next_after(begun, self._bench.zone)
        status = ScheduleStatus(begun, following, begun)
        if self._is_monitored:
            await self._record(status)
        self._tell_overrun(status)
        return status

    def _call(self, status: ScheduleStatus, startup: _Startup | None) -> Call:
        info = timer_info(
            status if self._is_monitored else None,
            self._bench.zone,
            adjusts_for_dst=self._trigger.schedule.adjusts_for_dst,
            is_past_due=startup is not None and startup.is_past_due,
        )
        return Call(
            trigger=TypedData("json", info), reason=self._reason, details=self._details(startup)
        )

    def _reason(self) -> str:
        # Source: TimerTriggerBinding.cs (GetTriggerReason).
        return f"Timer fired at {round_trip(self._bench.clock.now(), self._bench.zone)}"

    def _details(self, startup: _Startup | None) -> Mapping[str, str]:
        if startup is None:
            return {}
        details = {"UnscheduledInvocationReason": startup.reason}
        if startup.original is not None:
            details["OriginalSchedule"] = round_trip(startup.original, self._bench.zone)
        return details

    async def _record(self, status: ScheduleStatus) -> None:
        await self._bench.monitor.try_write(self._function.name, status)
        last, following = (
            round_trip(when, self._bench.zone) for when in (status.last, status.next)
        )
        text = "Function '%s' updated status: Last='%s', Next='%s', LastUpdated='%s'"
        logger.debug(text, self._function.name, last, following, last)

    def _tell_overrun(self, status: ScheduleStatus) -> None:
        """A hint, once: what runs longer than its schedule allows comes less often than it says."""
        if self._has_overrun or status.last is None:
            return
        now = self._bench.clock.now()
        if now <= status.next or status.next <= status.last:
            return
        self._has_overrun = True
        logger.warning(
            "Function '%s' ran for %s, and its next occurrence passed meanwhile: a timer never"
            " overlaps itself, so all that pass during a run are one run right after it.",
            self._function.name,
            timespan_text(now - status.last),
        )

    async def _wait_until(self, when: datetime) -> bool:
        """Wait by the app's clock; False when stopped before."""
        await _first(self._bench.clock.sleep_until(when), self._stopping.wait())
        return not self._stopping.is_set()


async def _first(*waits: Coroutine[None, None, object]) -> None:
    """Return when one of them does; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
