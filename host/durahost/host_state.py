"""Whether the host can serve, with which generation of the app, and who waits for it."""

import asyncio
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from durahost.functions.routing import RouteTable
from durahost.registry import Registry
from durahost.worker.base import Worker

LOOK_GOOD_FOR_S = 0.01
"""Every request and every piece of work asks whether the app is offline, and a look at the disk
costs as much as a write to it. Azure's host hears of the file by a watcher, no sooner.
"""


class HostPhase(Enum):
    """States as `/admin/host/status` names them."""

    STARTING = "Starting"
    RUNNING = "Running"
    ERROR = "Error"
    STOPPING = "Stopping"
    OFFLINE = "Offline"


@dataclass(frozen=True, slots=True)
class Generation:
    """One loaded state of the app: its functions, their routes, and the worker that runs them.

    has_web_server: as of `LoadedApp`.
    """

    number: int
    registry: Registry
    routes: RouteTable
    worker: Worker
    has_web_server: bool = False


class HostState:
    """The current generation, swapped whole, so that a request sees one state of the app only."""

    def __init__(
        self, offline_page: Path | None = None, look_good_for_s: float = LOOK_GOOD_FOR_S
    ) -> None:
        """Start.

        offline_page: the file that takes the app offline for as long as it is there.
        look_good_for_s: how old may be what is known of it.
        """
        self._offline_page = offline_page
        self._look_good_for_s = look_good_for_s
        self._looked_at = -math.inf
        self._is_offline = False
        self._phase = HostPhase.STARTING
        self.errors: Sequence[str] = ()
        self._generation: Generation | None = None
        self._changed = asyncio.Event()

    @property
    def phase(self) -> HostPhase:
        """What it can do now."""
        return HostPhase.OFFLINE if self.is_offline else self._phase

    @property
    def offline_page(self) -> Path | None:
        """The file that takes the app offline; None where nothing does."""
        return self._offline_page

    @property
    def is_offline(self) -> bool:
        """Whether somebody has taken the app offline: requests and work wait for its return."""
        if self._offline_page is None:
            return False
        now = asyncio.get_running_loop().time()
        if now - self._looked_at >= self._look_good_for_s:
            self._is_offline = os.path.isfile(self._offline_page)
            self._looked_at = now
        return self._is_offline

    def look_again(self) -> None:
        """Whether it is offline may have changed just now."""
        self._looked_at = -math.inf

    @property
    def generation(self) -> Generation | None:
        """The generation that serves now; None until the first one stands."""
        return self._generation

    @property
    def registry(self) -> Registry | None:
        """The functions that serve now."""
        return None if self._generation is None else self._generation.registry

    def serve(self, generation: Generation) -> None:
        """Switch to this generation; waiting requests go on with it."""
        self._generation = generation
        self._enter(HostPhase.RUNNING)

    def fail(self, errors: Sequence[str]) -> None:
        """Nothing can be served: waiting requests are refused."""
        self.errors = errors
        self._enter(HostPhase.ERROR)

    def stop(self) -> None:
        """No new work from now on."""
        self._enter(HostPhase.STOPPING)

    async def wait_for_generation(self) -> Generation:
        """The first generation, however long it takes: durable work cannot go on without."""
        return await self.wait_for_other_than(None)

    async def wait_for_other_than(self, generation: Generation | None) -> Generation:
        """The generation that serves, once it is another than this one."""
        while self._generation is None or self._generation is generation:
            await self._changed.wait()
        return self._generation

    async def wait_until_started(self) -> None:
        """The first load has ended, well or not; the load has a limit of its own."""
        while self._phase is HostPhase.STARTING:
            await self._changed.wait()

    async def wait_until_running(self, limit_s: float) -> Generation | None:
        """The serving generation, waiting up to the limit while the host starts; None when there
        is none, or when the app was taken offline meanwhile.

        Source of the wait: Azure/azure-functions-host: HostAvailabilityCheckMiddleware.cs (30 s).
        """
        if self._phase is HostPhase.STARTING:
            try:
                async with asyncio.timeout(limit_s):
                    await self.wait_until_started()
            except TimeoutError:
                return None
            if self.is_offline:
                return None
        return self._generation if self._phase is HostPhase.RUNNING else None

    def _enter(self, phase: HostPhase) -> None:
        self._phase = phase
        self._changed.set()
        self._changed = asyncio.Event()
