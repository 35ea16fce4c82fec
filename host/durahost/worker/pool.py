"""Several workers behind the Protocol of one: each call goes to the least busy.

A worker that dies is replaced by a fresh, loaded one, after a delay that grows while they keep
dying. Its running calls fail with WorkerExited; new calls wait, with a limit, while none stands.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from durahost.model.errors import SessionLost, WorkerError, WorkerExited
from durahost.worker.base import (
    AppSource,
    Invocation,
    LoadedApp,
    Raised,
    Returned,
    SessionAsk,
    Worker,
)
from durahost.worker.timeouts import RESTARTED, is_timeout

logger = logging.getLogger(__name__)

FIRST_DELAY_S = 0.1
LAST_DELAY_S = 30.0
HEALTHY_S = 60.0
"""A worker that lived this long had nothing wrong: the next delay is the first again."""

STAND_LIMIT_S = 60.0
"""How long a call waits for a worker: twice the longest delay."""


class Member(Worker, Protocol):
    """What the pool needs of a worker beside the Protocol."""

    @property
    def name(self) -> str:
        """What its sessions say of where they are (`SessionState.child`)."""
        ...

    @property
    def running(self) -> int:
        """How many requests it has not answered yet."""
        ...

    @property
    def is_standing(self) -> bool:
        """Whether it takes calls."""
        ...

    async def wait_exited(self) -> WorkerExited:
        """Return why it ended, once it has."""
        ...


class WorkerPool:
    """Keeps `size` workers of the factory standing, from `load` to `drain`."""

    def __init__(
        self,
        factory: Callable[[], Member],
        size: int = 1,
        *,
        stand_limit_s: float = STAND_LIMIT_S,
    ) -> None:
        self._factory = factory
        self._size = size
        self._stand_limit_s = stand_limit_s
        self._members: list[Member] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._is_draining = False
        self._changed = asyncio.Event()

    @property
    def running(self) -> int:
        """How many requests are not answered yet."""
        return sum(member.running for member in self._members)

    async def load(self, app: AppSource) -> LoadedApp:
        """Load the app in every worker; all stand or none.

        Errors: as `Worker.load`, the first worker's.
        """
        members = [self._factory() for _ in range(self._size)]
        results = await asyncio.gather(
            *(member.load(app) for member in members), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                await _drain_all(members, timedelta())
                raise result
        for number, member in enumerate(members, 1):
            self._add(member)
            # Owned by the pool, which outlives no generation: `drain` cancels and awaits them.
            keeper = asyncio.create_task(self._keep(member, app), name=f"worker {number}")
            self._keepers.append(keeper)
        return next(result for result in results if isinstance(result, LoadedApp))

    async def invoke(self, call: Invocation, *, deadline_s: float) -> Returned | Raised:
        """Run one invocation on the least busy worker, or where its session is.

        Errors: SessionLost; WorkerExited, also when none stands within the limit; WorkerTimeout.
        """
        member = self._chosen(call.session) or await self._until_one_stands()
        session = None if call.then is None else call.then.call.session
        if session is not None and session.child not in (None, member.name):
            # What goes on where its session is can only follow what runs there.
            call = replace(call, then=None)
        return await member.invoke(call, deadline_s=deadline_s)

    async def drain(self, grace: timedelta) -> None:
        """Replace nothing any more, and drain all workers at once."""
        self._is_draining = True
        self._announce()
        for keeper in self._keepers:
            keeper.cancel()
        members, self._members = self._members, []
        try:
            await asyncio.gather(*self._keepers, return_exceptions=True)
        finally:
            await _drain_all(members, grace)

    def _chosen(self, ask: SessionAsk | None) -> Member | None:
        """Where the session is, else who has least to do; None while none stands."""
        standing = [member for member in self._members if member.is_standing]
        if ask is not None and ask.child is not None:
            for member in standing:
                if member.name == ask.child:
                    return member
            if ask.follows is not None:
                raise SessionLost(f"{ask.child} is gone")
        if len(standing) == 1:
            return standing[0]
        return min(standing, key=lambda member: member.running, default=None)

    async def _until_one_stands(self) -> Member:
        try:
            async with asyncio.timeout(self._stand_limit_s):
                while not self._is_draining:
                    if (member := self._chosen(None)) is not None:
                        return member
                    await self._changed.wait()
            raise WorkerExited("the worker processes are being stopped")
        except TimeoutError:
            raise WorkerExited(
                f"no worker process stands after {self._stand_limit_s:g} s; the log says why they"
                " end"
            ) from None

    async def _keep(self, member: Member, app: AppSource) -> None:
        """Replace the worker, and its replacements, whenever they end."""
        clock = asyncio.get_running_loop().time
        delay_s = FIRST_DELAY_S
        begun = clock()
        while True:
            reason = await member.wait_exited()
            self._remove(member)
            if clock() - begun >= HEALTHY_S:
                delay_s = FIRST_DELAY_S
            logger.error("%s; starting a new one in %g s", str(reason).rstrip("."), delay_s)
            if reason.stderr:
                logger.debug("its last lines were:\n%s", reason.stderr)
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, LAST_DELAY_S)
            begun = clock()
            try:
                member = self._factory()
                await member.load(app)
            except WorkerError as error:
                logger.error("the new worker process could not load the app: %s", error)
            except Exception:  # whatever it is, a pool without workers is worse
                logger.exception("the new worker process could not be set up")
            else:
                logger.info("a new worker process stands")
                if is_timeout(reason):
                    logger.warning(RESTARTED)
                self._add(member)

    def _add(self, member: Member) -> None:
        self._members.append(member)
        self._announce()

    def _remove(self, member: Member) -> None:
        if member in self._members:
            self._members.remove(member)

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


async def _drain_all(members: list[Member], grace: timedelta) -> None:
    results = await asyncio.gather(
        *(member.drain(grace) for member in members), return_exceptions=True
    )
    for result in results:
        if isinstance(result, BaseException):
            raise result
