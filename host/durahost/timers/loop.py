"""The timers of the app: their listeners follow the generation that serves.

A new generation is a new start of every timer, as on Azure, where a changed file restarts the host:
what is past due runs, and so does `runOnStartup`. A function's new listener waits for its old one,
so that no timer overlaps itself; the old one has as long as its worker drains.
"""

import asyncio
import logging
from datetime import timedelta

from durahost.functions.timer_trigger import is_timer
from durahost.host_state import Generation, HostState
from durahost.timers.listener import TimerBench, TimerListener
from durahost.timers.monitor import TIMER_LOGS

logger = logging.getLogger(TIMER_LOGS)

HANDOVER = timedelta(seconds=30)
"""How long an old listener's run may last once a new generation serves; then it is cut off, and
stays due when its timer is monitored. As long as the old worker drains.
"""


class TimerLoop:
    """Keeps one listener for each timer function that is not disabled."""

    def __init__(self, state: HostState, bench: TimerBench, handover: timedelta = HANDOVER) -> None:
        self._state = state
        self._bench = bench
        self._handover_s = handover.total_seconds()
        self._stopping = asyncio.Event()
        self._listeners: list[TimerListener] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def stop(self) -> None:
        """Begin no more runs; `run` returns once those in hand have ended."""
        self._stopping.set()

    async def run(self) -> None:
        """Listen until stopped; cancelling it cancels the runs in hand."""
        async with asyncio.TaskGroup() as group:
            follow = group.create_task(self._follow(group), name="timers")
            await self._stopping.wait()
            follow.cancel()
            self._stop_listeners()

    async def _follow(self, group: asyncio.TaskGroup) -> None:
        generation: Generation | None = None
        while True:
            generation = await self._state.wait_for_other_than(generation)
            self._stop_listeners()
            self._start_listeners(group, generation)

    def _start_listeners(self, group: asyncio.TaskGroup, generation: Generation) -> None:
        registry = generation.registry
        for function in registry.functions:
            if is_timer(function) and function.name not in registry.disabled:
                listener = TimerListener(function, generation.worker, self._bench)
                self._listeners.append(listener)
                place = function.name.lower()
                work = self._run(listener, self._tasks.get(place))
                self._tasks[place] = group.create_task(work, name=f"timer {function.name}")

    def _stop_listeners(self) -> None:
        for listener in self._listeners:
            listener.stop()
        self._listeners = []

    async def _run(self, listener: TimerListener, previous: asyncio.Task[None] | None) -> None:
        """Run the listener once the one before it has ended, or was cut off."""
        if previous is not None:
            await asyncio.wait({previous}, timeout=self._handover_s)
            previous.cancel()
            await asyncio.wait({previous})
        await listener.run()
