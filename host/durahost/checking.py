"""Finding every problem of an app without serving it: no port, no task hub.

The app's code is loaded once in a worker of its own, to see what does not load.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from durahost import problems
from durahost.config.settings import App
from durahost.functions.app_checks import check_folders
from durahost.functions.discovery import discover
from durahost.loading import AppLoader
from durahost.model.errors import ConfigError, HostError
from durahost.model.findings import Finding, Severity
from durahost.worker.base import Worker


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found. functions: how many stand."""

    root: str
    functions: int
    findings: Sequence[Finding]

    @property
    def has_errors(self) -> bool:
        """Whether the app, or a function of it, cannot run as it is."""
        return any(one.severity is Severity.ERROR for one in self.findings)


async def examine(
    app: App, faults: Sequence[ConfigError], new_worker: Callable[[], Worker]
) -> Examined:
    """Find what is wrong with the app.

    faults: those of its configuration; the rest is found with the defaults in their place.
    """
    found = [finding for fault in faults for finding in problems.of_error(fault, app)]
    found += problems.of_settings(app)
    count = 0
    try:
        generation = await AppLoader(app, new_worker).load()
    except HostError as error:
        found += [*problems.of_error(error, app), *_of_folders(app)]
    else:
        await generation.worker.drain(timedelta(0))
        registry = generation.registry
        found += problems.of_app(app, registry.functions, registry.failures)
        failing = {failure.name for failure in registry.failures}
        count = sum(function.name not in failing for function in registry.functions)
    return Examined(str(app.root), count, found)


def _of_folders(app: App) -> list[Finding]:
    """What the files say of an app whose code does not load."""
    try:
        refused = discover(app).failures
    except ConfigError:
        refused = ()
    failures = [problems.of_failure(failure, app) for failure in refused]
    return [*failures, *check_folders(app, ())]
