"""Runs of functions that clients ask for by hand, and that go on after the answer.

They end like other work: a stopping host lets them end within its limit.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from durahost.clock import Clock
from durahost.host_state import Generation
from durahost.invocations import Call, Invoker
from durahost.manual_triggers import UnbindablePayload, build_trigger
from durahost.model.errors import StoreError, WorkerError
from durahost.model.functions import FunctionMetadata
from durahost.worker.base import Returned

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Run:
    generation: Generation
    function: FunctionMetadata
    payload: str | None


TimerCall = Callable[[FunctionMetadata], Awaitable[Call]]
"""What to invoke a timer function with, which no payload says. Errors: StoreError."""


class ManualRuns:
    """Takes runs, and runs them at once, beside each other."""

    def __init__(self, invoker: Invoker, clock: Clock, timer_call: TimerCall) -> None:
        self._invoker = invoker
        self._clock = clock
        self._timer_call = timer_call
        self._asked: asyncio.Queue[_Run | None] = asyncio.Queue()

    def submit(
        self, generation: Generation, function: FunctionMetadata, payload: str | None
    ) -> None:
        """Have a function of this generation run, without retries; None: without a payload."""
        self._asked.put_nowait(_Run(generation, function, payload))

    def stop(self) -> None:
        """Take no more runs; those taken go on."""
        self._asked.put_nowait(None)

    async def run(self) -> None:
        """Run what is asked for until stopped, then to the end of what was taken."""
        async with asyncio.TaskGroup() as group:
            while (asked := await self._asked.get()) is not None:
                work = self.run_now(asked.generation, asked.function, asked.payload)
                group.create_task(work, name=f"run {asked.function.name}")

    async def run_now(
        self, generation: Generation, function: FunctionMetadata, payload: str | None
    ) -> bool:
        """Whether the run succeeded; what went wrong is in the log."""
        try:
            call = await self._build_call(function, payload)
            result = await self._invoker.invoke(generation.worker, function, call)
        except UnbindablePayload as error:
            self._invoker.refuse(function, str(error))
            return False
        except (WorkerError, StoreError) as error:
            logger.error("Function '%s' was not run to its end: %s", function.name, error)
            return False
        return isinstance(result, Returned)

    async def _build_call(self, function: FunctionMetadata, payload: str | None) -> Call:
        if function.trigger.is_type("timerTrigger"):
            return await self._timer_call(function)
        new_id = str(self._clock.new_guid())
        trigger = build_trigger(function, payload, self._clock.now(), new_id)
        return Call(trigger=trigger.value, metadata=trigger.metadata)
