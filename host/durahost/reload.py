"""Loading the app again when its files change: new worker pool → switch → drain.

The port never closes, instances go on: what runs on the old pool may end there, at most DRAIN
long, then it
is abandoned and runs again on the new one. At most two generations live.
"""

import asyncio
import logging
from collections.abc import Collection, Coroutine, Sequence
from datetime import timedelta
from pathlib import Path

from durahost import problems
from durahost.clock import Clock
from durahost.config.settings import App
from durahost.host_state import Generation, HostState
from durahost.loading import AppLoader
from durahost.model.errors import ConfigError, WorkerError
from durahost.model.findings import Finding
from durahost.model.functions import FunctionFailure
from durahost.reports import Notice, Reloaded, ReloadFailed, Reporter
from durahost.watching import SETTINGS_NAMES, FileWatch
from durahost.worker.base import Worker

logger = logging.getLogger(__name__)

DRAIN = timedelta(seconds=30)


class Reloader:
    """Watches the app root and replaces the generation that serves.

    since: seconds since the epoch, from before the first load began.
    """

    def __init__(
        self,
        app: App,
        loader: AppLoader,
        state: HostState,
        *,
        clock: Clock,
        report: Reporter,
        since: float,
    ) -> None:
        self._app = app
        self._loader = loader
        self._state = state
        self._clock = clock
        self._report = report
        self._watch = FileWatch(app, self._function_folders, clock, since)
        self._draining: asyncio.Task[None] | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Reload at each change until stopped; then an old generation may still drain."""
        # The watcher sets the event that it is given when it is cancelled: it gets one of its own.
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            relay = group.create_task(_relay(stopping, ended), name="stop watching")
            async for changed in self._watch.batches(ended):
                # A change during the first load is served after it, not beside it.
                await self._state.wait_until_started()
                self._warn_of_settings(changed)
                if ended.is_set() or all(Path(name).name in SETTINGS_NAMES for name in changed):
                    continue
                old = self._state.generation
                if await self._reload(changed, ended) and old is not None:
                    name = f"drain generation {old.number}"
                    self._draining = group.create_task(_drain(old.worker), name=name)
            relay.cancel()

    def _function_folders(self) -> Collection[Path]:
        registry = self._state.registry
        return {function.directory for function in registry.functions} if registry else ()

    def _warn_of_settings(self, changed: Sequence[str]) -> None:
        for name in sorted({Path(path).name for path in changed} & set(SETTINGS_NAMES)):
            text = f"{name} has changed: stop and start durahost for it to count."
            self._report(Notice(text, is_warning=True))

    async def _reload(self, changed: Sequence[str], ended: asyncio.Event) -> bool:
        """Whether the code on disk serves now."""
        begun = self._clock.monotonic()
        await self._end_drain()
        old = self._state.generation
        try:
            new = await _unless(ended, self._loader.load())
        except (ConfigError, WorkerError) as error:
            self._report(ReloadFailed(problems.of_error(error, self._app)))
            return False
        except OSError as error:
            self._report(ReloadFailed(problems.of_error(ConfigError(str(error)), self._app)))
            return False
        if new is None:
            return False
        broken = _newly_broken(old, new)
        if broken:
            await new.worker.drain(timedelta(0))
            self._report(ReloadFailed(self._explain(broken)))
            return False
        self._state.serve(new)
        took = round((self._clock.monotonic() - begun) * 1000)
        self._report(Reloaded(took, changed, self._explain(new.registry.failures)))
        return True

    def _explain(self, failures: Sequence[FunctionFailure]) -> list[Finding]:
        return [problems.of_failure(failure, self._app) for failure in failures]

    async def _end_drain(self) -> None:
        task, self._draining = self._draining, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _newly_broken(old: Generation | None, new: Generation) -> list[FunctionFailure]:
    """Failures of functions that the old generation serves."""
    if old is None:
        return []
    failing = {failure.name for failure in old.registry.failures}
    serving = {function.name for function in old.registry.functions} - failing
    return [failure for failure in new.registry.failures if failure.name in serving]


async def _unless(
    ended: asyncio.Event, loading: Coroutine[None, None, Generation]
) -> Generation | None:
    """What is loaded, or None when the host stops meanwhile; then the load is cancelled."""
    load = asyncio.ensure_future(loading)
    end = asyncio.ensure_future(ended.wait())
    try:
        await asyncio.wait({load, end}, return_when=asyncio.FIRST_COMPLETED)
        return await load if load.done() else None
    finally:
        load.cancel()
        end.cancel()
        await asyncio.gather(load, end, return_exceptions=True)


async def _relay(source: asyncio.Event, target: asyncio.Event) -> None:
    await source.wait()
    target.set()


async def _drain(worker: Worker) -> None:
    """Drain within the limit; a cancelled drain ends the worker at once."""
    try:
        await worker.drain(DRAIN)
    except asyncio.CancelledError:
        await worker.drain(timedelta(0))
        raise
