"""Changes of the app's files, in batches.

What goes wrong with watching is told and never brings the host down; a folder that was replaced by
another one
of the same name (a checkout, an unzipped package) is watched anew and counts as changed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

from durahost.config.settings import App

logger = logging.getLogger(__name__)

SETTINGS_NAMES = ("host.json", "local.settings.json")
WATCHED_NAMES = ("function.json", *SETTINGS_NAMES)
IGNORED = (".durahost", ".venv", "venv", ".python_packages", "build", "dist", ".ruff_cache")

DEBOUNCE_MS = 300
STEP_MS = 50
TICK_MS = 2000
"""How often it is looked whether the watched folder is still the same one."""

KnownFolders = Callable[[], Collection[Path]]


class FileWatch:
    """Watches the folder of the functions, and the settings files beside it."""

    def __init__(self, app: App, function_folders: KnownFolders) -> None:
        self._app = app
        self._filter = build_filter(app, function_folders)

    async def batches(self, ended: asyncio.Event) -> AsyncIterator[Sequence[str]]:
        """Names of changed files, relative to the app's root, until the event is set.

        The event must be the caller's own: the watcher sets it when it is cancelled.
        """
        root = self._app.functions_root
        while not ended.is_set():
            identity = _identity(root)
            if identity is None:
                await _pause(ended)
                continue
            try:
                async for batch in self._watch(ended):
                    if batch:
                        yield batch
                    if _identity(root) != identity:
                        yield [self._relative(str(root))]
                        break
            except (OSError, RuntimeError) as error:
                # The watcher's own error type derives from RuntimeError.
                logger.warning("The app's files are not watched: %s", error)
                return

    async def _watch(self, ended: asyncio.Event) -> AsyncIterator[Sequence[str]]:
        beside = (self._app.root / name for name in SETTINGS_NAMES)
        is_apart = self._app.root != self._app.functions_root
        watching = awatch(
            self._app.functions_root,
            *(file for file in beside if is_apart and file.is_file()),
            watch_filter=self._filter,
            stop_event=ended,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            rust_timeout=TICK_MS,
            yield_on_timeout=True,
        )
        async for batch in watching:
            yield sorted({self._relative(path) for _, path in batch})

    def _relative(self, path: str) -> str:
        changed = Path(path)
        root = self._app.root
        return str(changed.relative_to(root)) if changed.is_relative_to(root) else path


def build_filter(app: App, function_folders: KnownFolders) -> Callable[[Change, str], bool]:
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
        is_gone_folder = change is Change.deleted and file in function_folders()
        return (is_code or is_new_folder or is_gone_folder) and default(change, path)

    return matters


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


async def _pause(ended: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(TICK_MS / 1000):
            await ended.wait()
    except TimeoutError:
        return
