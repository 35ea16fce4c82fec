"""Loading the app: discovery, a fresh worker, registry and routes, together one generation."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from durahost.config.settings import App
from durahost.functions.discovery import (
    Discovery,
    ProgrammingModel,
    discover,
    discover_folders,
    screen,
)
from durahost.functions.routing import RouteTable
from durahost.host_state import Generation
from durahost.registry import Registry
from durahost.worker.base import AppSource, LoadedApp, Worker

logger = logging.getLogger(__name__)


class AppLoader:
    """Makes generations of the app, each from what is on disk when it is made."""

    def __init__(self, app: App, new_worker: Callable[[], Worker]) -> None:
        self._app = app
        self._new_worker = new_worker
        self._number = 0
        self._begun: asyncio.Task[Generation] | None = None

    @asynccontextmanager
    async def ahead(self) -> AsyncIterator[None]:
        """Begin the first load; the next `load` waits for it. At the end its worker is ended."""
        self._begun = begun = asyncio.create_task(self._load_now(), name="first load")
        try:
            yield
        finally:
            begun.cancel()
            for generation in await asyncio.gather(begun, return_exceptions=True):
                if isinstance(generation, Generation):
                    await generation.worker.drain(timedelta(0))

    async def load(self) -> Generation:
        """Load the app as it is on disk now.

        Errors: AppLoadError when nothing of it stands; ConfigError; WorkerError when the worker
        cannot run.
        A generation that is not wanted must be drained by the caller.
        """
        begun, self._begun = self._begun, None
        return await (begun or self._load_now())

    async def _load_now(self) -> Generation:
        self._number += 1
        found = discover(self._app)
        loaded, worker = await self._load(found)
        if found.model is ProgrammingModel.DECORATORS:
            fallback = discover_folders(self._app)
            if not loaded.functions and (fallback.functions or fallback.failures):
                # A worker that indexes no function leaves the app to function.json.
                # Azure/azure-functions-python-worker: dispatcher.py (use_default_metadata_indexing)
                await worker.drain(timedelta(0))
                found = fallback
                loaded, worker = await self._load(found)
        try:
            return self._generation(found, loaded, worker)
        except BaseException:
            await worker.drain(timedelta(0))
            raise

    async def _load(self, found: Discovery) -> tuple[LoadedApp, Worker]:
        """Load what was found in a fresh worker, which stands when this returns."""
        is_indexed_here = found.model is ProgrammingModel.FOLDERS
        source = AppSource(
            self._app.functions_root,
            found.functions if is_indexed_here else None,
            found.script_file,
        )
        worker = self._new_worker()
        try:
            return await worker.load(source), worker
        except BaseException:
            await worker.drain(timedelta(0))
            raise

    def _generation(self, found: Discovery, loaded: LoadedApp, worker: Worker) -> Generation:
        if found.model is ProgrammingModel.FOLDERS:
            failures = [*found.failures, *loaded.failures]
        else:
            found = screen(self._app, loaded.functions, loaded.failures)
            failures = list(found.failures)
        refused = [one.function for one in failures if one.function is not None]
        unserved = [*found.excluded, *refused]
        registry = Registry.of(found.functions, failures, found.disabled, unserved)
        prefix = self._app.host.http.route_prefix
        routes = RouteTable.of(registry.functions, prefix)
        logger.info("%s", routes.describe(prefix))
        for function in registry.functions:
            if function.name in registry.disabled:
                # Text: Azure/azure-webjobs-sdk: HostListenerFactory.cs (CreateAsync).
                logger.info("Function 'Functions.%s' is disabled", function.name)
        return Generation(self._number, registry, routes, worker, loaded.has_web_server)
