"""The loop behind every kind of work: lock while slots are free, process each item in a task of
its own.

Four verbs make a kind of work: lock, process, abandon, wait. An item that waits occupies no slot:
only locked
work does. Stop is an event: no more locking; what is in hand is finished, or cancelled by whoever
owns the
loop's task, which gives the claims back at once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar

from durahost.dispatch.renewal import LEASE, Renewal
from durahost.dispatch.settling import do_or_abandon, retry_delay
from durahost.model.errors import StoreError
from durahost.model.instances import Lease

logger = logging.getLogger(__name__)

IDLE_LIMIT = timedelta(minutes=1)
"""The longest wait between two attempts to lock, should a wake-up ever be missed."""

LOCK_DELAY_LIMIT = timedelta(seconds=10)
"""How long a store may be free again before it is noticed; all work waits meanwhile."""


class Locked(Protocol):
    """A claimed work item."""

    @property
    def lease(self) -> Lease:
        """The claim."""
        ...

    @property
    def attempts(self) -> int:
        """Claims so far, this one included."""
        ...


Item = TypeVar("Item", bound=Locked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbs(Generic[Item]):
    """What one kind of work is."""

    lock: Callable[[str, timedelta, int], Awaitable[Sequence[Item]]]
    process: Callable[[Item], Coroutine[None, None, None]]
    abandon: Callable[[Lease, timedelta], Awaitable[None]]
    wait: Callable[[timedelta], Coroutine[None, None, None]]
    describe: Callable[[Item], str]


class WorkLoop(Generic[Item]):
    """Processes what `lock` gives, at most `slots` items at once, in the name of `owner`."""

    def __init__(
        self, name: str, verbs: Verbs[Item], *, slots: int, owner: str, renewal: Renewal
    ) -> None:
        self._name = name
        self._verbs = verbs
        self._free = slots
        self._owner = owner
        self._renewal = renewal
        self._slot_freed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._resting: asyncio.Task[Any] | None = None

    def stop(self) -> None:
        """Lock nothing more; `run` returns once the work in hand is done."""
        self._stopping.set()
        if self._resting is not None:
            self._resting.cancel()

    async def run(self) -> None:
        """Work until stopped; cancelling it cancels the work in hand."""
        async with asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                await self._take_work(group)

    async def _take_work(self, group: asyncio.TaskGroup) -> None:
        """Fill the free slots; wait when there are none, or no work for them."""
        if self._free == 0:
            await self._until_stopped(self._slot_freed.wait())
            return
        wanted = self._free
        items = await self._lock()
        for item in items:
            self._take_slot()
            group.create_task(self._run_one(item), name=self._name)
        if len(items) < wanted:
            await self._until_stopped(self._verbs.wait(IDLE_LIMIT))

    async def _lock(self) -> Sequence[Item]:
        """Lock work; a store that refuses now is asked again, with a growing delay, until
        stopped.
        """
        refusals = 0
        while not self._stopping.is_set():
            try:
                return await self._verbs.lock(self._owner, LEASE, self._free)
            except StoreError as error:
                refusals += 1
                delay_s = retry_delay(refusals, LOCK_DELAY_LIMIT).total_seconds()
                logger.warning("No %s can be locked for %.2f s: %s", self._name, delay_s, error)
                await self._until_stopped(asyncio.sleep(delay_s))
        return ()

    async def _run_one(self, item: Item) -> None:
        what = self._verbs.describe(item)
        self._renewal.hold(item.lease, what)
        try:
            await do_or_abandon(
                self._verbs.process(item),
                item.lease,
                attempts=item.attempts,
                what=what,
                abandon=self._verbs.abandon,
            )
        finally:
            self._renewal.let_go(item.lease)
            self._free += 1
            self._slot_freed.set()

    def _take_slot(self) -> None:
        self._free -= 1
        self._slot_freed.clear()

    async def _until_stopped(self, waiting: Coroutine[None, None, object]) -> None:
        """Rest, at most until `stop`, which ends the wait by cancelling it, and nothing else."""
        if self._stopping.is_set():
            waiting.close()
            return
        task = self._resting = asyncio.current_task()
        try:
            await waiting
        except asyncio.CancelledError:
            if not self._stopping.is_set() or (task is not None and task.uncancel() > 0):
                raise
        finally:
            self._resting = None
