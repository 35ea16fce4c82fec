"""Runs of functions that clients ask for by hand, and that go on after the answer.

They end like other work: a stopping host lets them end within its limit.
"""

import asyncio
import logging
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


class ManualRuns:
    """Takes runs, and runs them at once, beside each other."""

    def __init__(self, invoker: Invoker, clock: Clock) -> None:
        self._invoker = invoker
        self._clock = clock
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
        new_id = str(self._clock.new_guid())
        try:
            trigger = build_trigger(function, payload, self._clock.now(), new_id)
        except UnbindablePayload as error:
            self._invoker.refuse(function, str(error))
            return False
        call = Call(trigger=trigger.value, metadata=trigger.metadata)
        try:
            result = await self._invoker.invoke(generation.worker, function, call)
        except (WorkerError, StoreError) as error:
            logger.error("Function '%s' was not run to its end: %s", function.name, error)
            return False
        return isinstance(result, Returned)
