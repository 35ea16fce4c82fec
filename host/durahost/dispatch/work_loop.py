"""The loop behind every kind of work: lock while slots are free, process each item in a task of
its own.

An item that waits occupies no slot: only locked work does. Stop is an event: no more locking, what
is in
hand is finished or cancelled by whoever owns the loop's task.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Generic, TypeVar

Item = TypeVar("Item")

IDLE_LIMIT = timedelta(minutes=1)
"""The longest wait between two attempts to lock, should a wake-up ever be missed."""


class WorkLoop(Generic[Item]):
    """Runs `process` for each item that `lock` gives, at most `slots` at once."""

    def __init__(
        self,
        name: str,
        *,
        lock: Callable[[int], Awaitable[Sequence[Item]]],
        wait: Callable[[timedelta], Awaitable[None]],
        process: Callable[[Item], Awaitable[None]],
        slots: int,
    ) -> None:
        self._name = name
        self._lock = lock
        self._wait = wait
        self._process = process
        self._free = slots
        self._slot_freed = asyncio.Event()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Lock nothing more; `run` returns once the work in hand is done."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped; cancelling it cancels the work in hand."""
        async with asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                if self._free == 0:
                    await self._until_stopped(self._slot_freed.wait())
                    continue
                items = await self._lock(self._free)
                for item in items:
                    self._take_slot()
                    group.create_task(self._run_one(item), name=self._name)
                if not items:
                    await self._until_stopped(self._wait(IDLE_LIMIT))

    async def _run_one(self, item: Item) -> None:
        try:
            await self._process(item)
        finally:
            self._free += 1
            self._slot_freed.set()

    def _take_slot(self) -> None:
        self._free -= 1
        self._slot_freed.clear()

    async def _until_stopped(self, waiting: Awaitable[object]) -> None:
        stopped = asyncio.ensure_future(self._stopping.wait())
        work = asyncio.ensure_future(waiting)
        try:
            await asyncio.wait({stopped, work}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stopped, work):
                task.cancel()
            await asyncio.gather(stopped, work, return_exceptions=True)
