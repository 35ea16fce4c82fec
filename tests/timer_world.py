"""Timer listeners over a store in memory and a clock that the test moves."""

import asyncio
import json
from datetime import UTC, timedelta
from pathlib import Path

from clocks import ManualClock

from durahost.functions.routing import RouteTable
from durahost.host_state import Generation, HostState
from durahost.invocations import Invoker
from durahost.model.errors import StoreUnavailable
from durahost.model.functions import Binding, FunctionMetadata
from durahost.registry import Registry
from durahost.retrying import RetryingInvoker
from durahost.store.memory import MemoryStore
from durahost.timers.listener import TICK, TimerBench
from durahost.timers.loop import HANDOVER, TimerLoop
from durahost.timers.monitor import ScheduleMonitor
from durahost.worker.base import Returned

QUIET_TURNS = 30
"""More turns of the event loop than any path from one wait of a listener to the next one takes."""


def timer(name="Tick", schedule="0 0 * * * *", retry=None, **properties):
    binding = Binding("timer", "timerTrigger", "in", {"schedule": schedule, **properties})
    return FunctionMetadata(name, Path(), Path(), "", [binding], retry=retry)


class TimerWorker:
    """Notes each call; `outcomes` are given in turn, and `held` calls wait until let go."""

    def __init__(self, clock):
        self._clock = clock
        self.calls = []
        self.outcomes = []
        self.go = asyncio.Event()
        self.go.set()

    def hold(self):
        self.go.clear()

    async def invoke(self, call, *, deadline_s):
        self.calls.append(
            (call.function, self._clock.now(), json.loads(call.inputs["timer"].value))
        )
        await self.go.wait()
        outcome = self.outcomes.pop(0) if self.outcomes else Returned()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    @property
    def times(self):
        return [when for _, when, _ in self.calls]

    @property
    def info(self):
        """What the last call was given."""
        return self.calls[-1][2]


class TroubledStore:
    """The host's table of a memory store, which refuses while it is in trouble."""

    def __init__(self, store):
        self._store = store
        self.is_in_trouble = False

    async def read(self, key):
        self._refuse()
        return await self._store.read(key)

    async def write(self, key, value):
        self._refuse()
        await self._store.write(key, value)

    def _refuse(self):
        if self.is_in_trouble:
            raise StoreUnavailable("database is locked")


class TimerWorld:
    """One host's timers; `start` is a new life of the host on the same store."""

    def __init__(self, zone=UTC):
        self.clock = ManualClock()
        self.store = TroubledStore(MemoryStore(self.clock).host_store)
        self.zone = zone
        self.worker = TimerWorker(self.clock)
        self.state = HostState()
        self.is_offline = False
        self.bench = self._bench()
        self._generations = 0
        self._loop = None
        self._task = None

    def _bench(self):
        invoker = Invoker(self.clock, lambda binding: None, timeout_s=5)
        return TimerBench(
            invoker=RetryingInvoker(invoker, self.clock),
            clock=self.clock,
            monitor=ScheduleMonitor(self.store, self.zone),
            zone=self.zone,
            is_offline=lambda: self.is_offline,
        )

    async def start(self, *functions, disabled=(), handover=HANDOVER):
        """A new life of the host."""
        self.state = HostState()
        self._loop = TimerLoop(self.state, self.bench, handover)
        self._task = asyncio.create_task(self._loop.run())
        await self.serve(*functions, disabled=disabled)

    async def serve(self, *functions, disabled=()):
        """A new generation of the app, on a worker of its own."""
        self._generations += 1
        self.worker = TimerWorker(self.clock)
        registry = Registry.of(functions, disabled=frozenset(disabled))
        routes = RouteTable.empty()
        self.state.serve(Generation(self._generations, registry, routes, self.worker))
        await self.quiet()

    async def pass_time(self, span):
        self.clock.advance(span)
        await self.quiet()

    async def tick(self):
        """The least time that passes before a run that is due at once."""
        await self.pass_time(TICK)

    async def quiet(self):
        for _ in range(QUIET_TURNS):
            await asyncio.sleep(0)

    async def stop(self):
        """Stop in order."""
        self._loop.stop()
        await asyncio.wait_for(self._task, timeout=10)

    async def begin_to_stop(self):
        self._loop.stop()
        await self.quiet()
        return self._task

    async def die(self):
        """End at once: nothing that had begun goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=10)

    async def stored(self, name="tick"):
        text = await self.store.read(f"timers/{name}")
        return None if text is None else json.loads(text)


HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
