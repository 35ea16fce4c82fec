"""A running host: serve from the first moment, load the app, work, and stop in order.

Stop: lock and accept nothing more, let work and responses end within the limit, then cancel
(claims are given
back, no lease has to lapse), then the worker, then the store.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from durahost import problems
from durahost.clock import Clock
from durahost.config.settings import App
from durahost.dispatch.renewal import Renewal
from durahost.functions.routing import RouteTable
from durahost.host_state import HostState
from durahost.http.serving import HttpServer
from durahost.loading import AppLoader
from durahost.model.errors import AppLoadError, ConfigError
from durahost.model.findings import Finding
from durahost.registry import Registry
from durahost.reload import Reloader
from durahost.reports import Notice, Reporter, Serving

logger = logging.getLogger(__name__)

STOP_LIMIT = timedelta(seconds=10)
"""How long a graceful stop may take; a second Ctrl-C ends the program at once."""


class Loop(Protocol):
    """A dispatcher's loop."""

    def stop(self) -> None:
        """Take no more work."""

    async def run(self) -> None:
        """Work until stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the composition root made; reloader None means that files are not watched."""

    app: App
    clock: Clock
    state: HostState
    loader: AppLoader
    reloader: Reloader | None
    loops: Sequence[Loop]
    renewal: Renewal
    servers: Sequence[HttpServer]  # the public one first
    origin: str
    report: Reporter


class Host:
    """Runs the parts from start to stop."""

    def __init__(self, parts: Parts, begun: float) -> None:
        self._parts = parts
        self._begun = begun

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping` is set, then stop in order; also when cancelled, at once.

        Errors: HostError when a part cannot go on, the worker of the first load among them.
        """
        parts = self._parts
        try:
            async with asyncio.TaskGroup() as group:
                servers = [group.create_task(s.run(), name=s.name) for s in parts.servers]
                renewal = group.create_task(parts.renewal.run(), name="renew leases")
                work = group.create_task(self._work(stopping), name="work")
                await stopping.wait()
                parts.report(Notice("Stopping; Ctrl-C once more ends it at once."))
                await self._settle(work, servers)
                renewal.cancel()
        except BaseExceptionGroup as group:
            raise _first_cause(group) from group
        finally:
            if parts.state.generation is not None:
                await parts.state.generation.worker.drain(timedelta(0))

    async def _work(self, stopping: asyncio.Event) -> None:
        parts = self._parts
        async with asyncio.TaskGroup() as group:
            if parts.reloader is not None:
                group.create_task(parts.reloader.run(stopping), name="watch files")
            await self._load()
            await parts.state.wait_for_generation()
            for loop in parts.loops:
                group.create_task(loop.run(), name="dispatch")

    async def _settle(
        self, work: asyncio.Task[None], servers: Sequence[asyncio.Task[None]]
    ) -> None:
        """Stop in order: the public port and the loops, then the RPC endpoint they may need."""
        parts = self._parts
        parts.state.stop()
        for loop in parts.loops:
            loop.stop()
        public, *others = parts.servers
        public.stop()
        if parts.state.generation is None:
            work.cancel()
        limit_s = STOP_LIMIT.total_seconds()
        until = parts.clock.monotonic() + limit_s
        await asyncio.wait({work, servers[0]}, timeout=limit_s)
        for server in others:
            server.stop()
        left_s = max(0.0, until - parts.clock.monotonic())
        _, pending = await asyncio.wait({work, *servers}, timeout=left_s)
        for task in pending:
            logger.warning("%s did not end within %.0f s; it is cut off.", task.get_name(), limit_s)
            task.cancel()

    async def _load(self) -> None:
        parts = self._parts
        try:
            generation = await parts.loader.load()
        except (AppLoadError, ConfigError) as error:
            parts.state.fail([str(error)])
            found = problems.of_error(error, parts.app)
            self._announce(Registry(), RouteTable.empty(), found)
            return
        parts.state.serve(generation)
        registry = generation.registry
        found = problems.of_app(parts.app, registry.functions, registry.failures)
        self._announce(registry, generation.routes, found)

    def _announce(
        self, registry: Registry, routes: RouteTable, findings: Sequence[Finding]
    ) -> None:
        parts = self._parts
        urls = {r.function.name: f"{parts.origin}/{r.template}" for r in routes.routes}
        methods = {r.function.name: [m.upper() for m in r.methods or ()] for r in routes.routes}
        parts.report(
            Serving(
                base_url=parts.origin,
                functions=registry.functions,
                urls=urls,
                methods=methods,
                findings=findings,
                disabled=registry.disabled,
                seconds=parts.clock.monotonic() - self._begun,
            )
        )


def _first_cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What brought a group of tasks down first."""
    first = group.exceptions[0]
    return _first_cause(first) if isinstance(first, BaseExceptionGroup) else first
