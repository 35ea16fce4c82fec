"""Changes of the app's files, in batches.

What goes wrong with watching is told and never brings the host down; a folder that was replaced by
another one of the same name (a checkout, an unzipped package) is watched anew and counts as
changed.
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

from durahost.config.settings import App

logger = logging.getLogger(__name__)

SETTINGS_NAMES = ("host.json", "local.settings.json")
WATCHED_NAMES = ("function.json", *SETTINGS_NAMES)
IGNORED = (".durahost", ".venv", "venv", ".python_packages", "build", "dist", ".ruff_cache")

NOT_WALKED = frozenset((*DefaultFilter.ignore_dirs, *IGNORED))

DEBOUNCE_MS = 300
STEP_MS = 50
TICK_MS = 1000
"""How often it is looked whether the watched folder is still the same one."""

KnownFolders = Callable[[], Collection[Path]]


class FileWatch:
    """Watches the folder of the functions, and the settings files beside it.

    since: seconds since the epoch; what was written from then on counts as changed, although no
    watch saw it.
    """

    def __init__(
        self, app: App, function_folders: KnownFolders, since: float | None = None
    ) -> None:
        self._app = app
        self._filter = build_filter(app, function_folders)
        self._since = since

    async def batches(self, ended: asyncio.Event) -> AsyncGenerator[Sequence[str], None]:
        """Names of changed files, relative to the app's root, until the event is set.

        The event must be the caller's own: the watcher sets it when it is cancelled.
        """
        changed_before: Sequence[str] = ()
        try:
            while not ended.is_set():
                async with aclosing(self._batches_of_one_folder(ended)) as batches:
                    async for batch in batches:
                        unseen = [*changed_before, *await self._take_unseen()]
                        if names := sorted({*unseen, *batch}):
                            yield names
                        changed_before = ()
                # No watch saw what was written before the new one stands.
                changed_before = [self._relative(str(self._app.functions_root))]
        except (OSError, RuntimeError) as error:
            # The watcher's own error type derives from RuntimeError.
            logger.warning("The app's files are not watched: %s", error)

    async def _batches_of_one_folder(
        self, ended: asyncio.Event
    ) -> AsyncGenerator[Sequence[str], None]:
        """Batches, empty ones too, until the root is another folder than it was, or is gone."""
        root = self._app.functions_root
        with _holding(root) as identity:
            if identity is None:
                await _pause(ended)
                return
            try:
                async with aclosing(self._watch(ended)) as batches:
                    async for batch in batches:
                        yield batch
                        if _identity(root) != identity:
                            return
            except FileNotFoundError:
                # It went just now.
                await _pause(ended)

    async def _take_unseen(self) -> Sequence[str]:
        """What was written before the first watch stood, once: the app is loaded from then on."""
        since, self._since = self._since, None
        if since is None:
            return ()
        found = await asyncio.to_thread(_written_since, since, self._app.functions_root)
        return [self._relative(path) for path in found if self._filter(Change.modified, path)]

    async def _watch(self, ended: asyncio.Event) -> AsyncGenerator[Sequence[str], None]:
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
    folders = {name.lower() for name in app.host.watch_directories}

    def is_in_watched_folder(file: Path) -> bool:
        # Azure/azure-functions-host: FileMonitoringService.cs (OnFileChanged): the first segment.
        root = app.functions_root
        parts = file.relative_to(root).parts if file.is_relative_to(root) else ()
        return len(parts) > 1 and parts[0].lower() in folders

    def matters(change: Change, path: str) -> bool:
        file = Path(path)
        name = file.name
        if is_in_watched_folder(file):
            return default(change, path)
        is_code = name.endswith(".py") or name in WATCHED_NAMES or name.lower() in more
        is_new_folder = change is Change.added and file.is_dir()
        is_gone_folder = change is Change.deleted and file in function_folders()
        return (is_code or is_new_folder or is_gone_folder) and default(change, path)

    return matters


def _written_since(since: float, root: Path) -> Sequence[str]:
    """Files below the root that were written, or put there, from that time on."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_WALKED]
        for path in (os.path.join(folder, name) for name in files):
            try:
                status = os.stat(path)
            except FileNotFoundError:
                continue
            if max(status.st_mtime, status.st_ctime) >= since:
                found.append(path)
    return found


@contextmanager
def _holding(folder: Path) -> Iterator[tuple[int, int] | None]:
    """What tells the folder from any other: while it is held, no new one gets its number."""
    if sys.platform == "win32":
        # Folders cannot be opened there, and numbers are not given again.
        yield _identity(folder)
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        yield None
        return
    try:
        found = os.fstat(descriptor)
        yield found.st_dev, found.st_ino
    finally:
        os.close(descriptor)


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
