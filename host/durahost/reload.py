"""Loading the app, and loading it again when its files change: new worker pool → switch → drain.

The port never closes, instances go on: what runs on the old pool may end there, at most DRAIN
long, then it
is abandoned and runs again on the new one. At most two generations live.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

from durahost.clock import Clock
from durahost.config.settings import App
from durahost.functions.discovery import ProgrammingModel, discover, screen
from durahost.functions.routing import RouteTable
from durahost.host_state import Generation, HostState
from durahost.model.errors import AppLoadError, ConfigError, WorkerError
from durahost.model.functions import FunctionFailure
from durahost.registry import Registry
from durahost.reports import Notice, Reloaded, ReloadFailed, Reporter
from durahost.worker.base import AppSource, Worker

logger = logging.getLogger(__name__)

DRAIN = timedelta(seconds=30)
SETTINGS_NAMES = ("host.json", "local.settings.json")
WATCHED_NAMES = ("function.json", *SETTINGS_NAMES)
IGNORED = (".durahost", ".venv", "venv", ".python_packages", "build", "dist", ".ruff_cache")


class AppLoader:
    """Makes generations of the app: discovery, a fresh worker, registry and routes."""

    def __init__(self, app: App, new_worker: Callable[[], Worker]) -> None:
        self._app = app
        self._new_worker = new_worker
        self._number = 0

    async def load(self) -> Generation:
        """Load the app as it is on disk now.

        Errors: AppLoadError when nothing of it stands; ConfigError; WorkerError when the worker
        cannot run.
        A generation that is not wanted must be drained by the caller.
        """
        self._number += 1
        found = discover(self._app)
        worker = self._new_worker()
        is_indexed_here = found.model is ProgrammingModel.FOLDERS
        source = AppSource(
            self._app.functions_root,
            found.functions if is_indexed_here else None,
            found.script_file,
        )
        try:
            loaded = await worker.load(source)
            if not is_indexed_here:
                found = screen(self._app, loaded.functions, loaded.failures)
        except BaseException:
            await worker.drain(timedelta(0))
            raise
        failures = [*found.failures, *loaded.failures] if is_indexed_here else found.failures
        registry = Registry.of(found.functions, failures, found.disabled)
        routes = RouteTable.of(registry.functions, self._app.host.http.route_prefix)
        return Generation(self._number, registry, routes, worker)


class Reloader:
    """Watches the app root and replaces the generation that serves."""

    def __init__(
        self, app: App, loader: AppLoader, state: HostState, *, clock: Clock, report: Reporter
    ) -> None:
        self._app = app
        self._loader = loader
        self._state = state
        self._clock = clock
        self._report = report
        self._draining: asyncio.Task[None] | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Reload at each change until stopped; an old generation that still drains then is
        ended.
        """
        async with asyncio.TaskGroup() as group:
            async for changed in self._changes(stopping):
                # A change during the first load is served after it, not beside it.
                await self._state.wait_until_started()
                if stopping.is_set():
                    break
                self._warn_of_settings(changed)
                old = self._state.generation
                if await self._reload(changed) and old is not None:
                    name = f"drain generation {old.number}"
                    self._draining = group.create_task(_drain(old.worker), name=name)
            await self._end_drain()

    async def _changes(self, stopping: asyncio.Event) -> AsyncIterator[Sequence[str]]:
        """Batches of changed files, relative to the root."""
        watching = awatch(
            self._app.functions_root,
            watch_filter=build_filter(self._app),
            stop_event=stopping,
            debounce=300,
            step=50,
        )
        async for batch in watching:
            yield sorted({self._relative(path) for _, path in batch})

    def _warn_of_settings(self, changed: Sequence[str]) -> None:
        for name in sorted({Path(path).name for path in changed} & set(SETTINGS_NAMES)):
            text = f"{name} has changed: stop and start durahost for it to count."
            self._report(Notice(text, is_warning=True))

    async def _reload(self, changed: Sequence[str]) -> bool:
        """Whether the code on disk serves now."""
        begun = self._clock.monotonic()
        await self._end_drain()
        old = self._state.generation
        try:
            new = await self._loader.load()
        except (ConfigError, WorkerError) as error:
            self._report(ReloadFailed([as_failure(error)]))
            return False
        broken = _newly_broken(old, new)
        if broken:
            await new.worker.drain(timedelta(0))
            self._report(ReloadFailed(broken))
            return False
        self._state.serve(new)
        took = round((self._clock.monotonic() - begun) * 1000)
        self._report(Reloaded(took, changed, new.registry.failures))
        return True

    async def _end_drain(self) -> None:
        task, self._draining = self._draining, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _relative(self, path: str) -> str:
        changed = Path(path)
        root = self._app.root
        return str(changed.relative_to(root)) if changed.is_relative_to(root) else path


def build_filter(app: App) -> Callable[[Change, str], bool]:
    """Python files, function.json and folders below the root, but environments and our own state.

    A new folder counts by itself: what was written into it before it was watched is not reported.
    """
    default = DefaultFilter(ignore_dirs=(*DefaultFilter.ignore_dirs, *IGNORED))
    more = {name.lower() for name in app.host.watch_files}

    def matters(change: Change, path: str) -> bool:
        file = Path(path)
        name = file.name
        is_code = name.endswith(".py") or name in WATCHED_NAMES or name.lower() in more
        is_new_folder = change is Change.added and file.is_dir()
        is_gone_folder = change is Change.deleted and file.parent == app.functions_root
        return (is_code or is_new_folder or is_gone_folder) and default(change, path)

    return matters


def as_failure(error: ConfigError | WorkerError) -> FunctionFailure:
    """An error of the whole app in the form of a function's."""
    match error:
        case AppLoadError():
            return FunctionFailure("(app)", str(error), error.file, error.advice, error.frames)
        case ConfigError():
            return FunctionFailure("(app)", str(error), advice=error.advice)
        case _:
            return FunctionFailure("(app)", str(error))


def _newly_broken(old: Generation | None, new: Generation) -> list[FunctionFailure]:
    """Failures of functions that the old generation serves."""
    if old is None:
        return []
    failing = {failure.name for failure in old.registry.failures}
    serving = {function.name for function in old.registry.functions} - failing
    return [failure for failure in new.registry.failures if failure.name in serving]


async def _drain(worker: Worker) -> None:
    """Drain within the limit; a cancelled drain ends the worker at once."""
    try:
        await worker.drain(DRAIN)
    except asyncio.CancelledError:
        await worker.drain(timedelta(0))
        raise
