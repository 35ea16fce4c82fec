"""Changes of the app's files, in batches.

What goes wrong with watching is told and never brings the host down; a folder that has come, or was
replaced by another one of the same name (a checkout, an unzipped package), counts as changed, and
is watched before that is told.
"""

import asyncio
import logging
import math
import os
import sys
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

from durahost.clock import Clock
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

IS_TREE_WATCHED = sys.platform != "linux"
"""Elsewhere the system watches trees by itself, and a watch of each folder costs more: on Windows
it keeps the folders above from being renamed. inotify watches single folders, so that there is no
need to be woken by those that do not count, such as the one that the hub's database is in.
"""

Folders = frozenset[str]
KnownFolders = Callable[[], Collection[Path]]


class FileWatch:
    """Watches the folder of the functions, and the settings files beside it.

    since: seconds since the epoch; what was written from then on counts as changed, although no
    watch saw it.
    """

    def __init__(
        self, app: App, function_folders: KnownFolders, clock: Clock, since: float = math.inf
    ) -> None:
        self._app = app
        self._filter = build_filter(app, function_folders)
        self._clock = clock
        self._since: float | None = since

    async def batches(self, ended: asyncio.Event) -> AsyncGenerator[Sequence[str], None]:
        """Names of changed files, relative to the app's root, until the event is set.

        New folders are named once they are watched: whoever reads the files then misses nothing.
        The event must be the caller's own: the watcher sets it when it is cancelled.
        """
        waiting: frozenset[str] = frozenset()
        try:
            while not ended.is_set():
                try:
                    async with aclosing(self._batches_of_one_tree(ended)) as batches:
                        async for names, is_last in batches:
                            ready = waiting if is_last else waiting | names
                            waiting = names if is_last else frozenset()
                            if ready:
                                yield sorted(ready)
                except FileNotFoundError:
                    # It went just now.
                    waiting |= {_relative(self._app, str(self._app.functions_root))}
                    await _pause(ended)
        except (OSError, RuntimeError) as error:
            # The watcher's own error type derives from RuntimeError.
            logger.warning("The app's files are not watched: %s", error)

    async def _batches_of_one_tree(
        self, ended: asyncio.Event
    ) -> AsyncGenerator[tuple[frozenset[str], bool], None]:
        """Names, none too, and whether they are the last, since the watched folders are not those
        that are there.
        """
        root = self._app.functions_root
        with _holding(root) as identity:
            watched = await asyncio.to_thread(_folders_below, root)
            begun = self._now()
            async with aclosing(self._watch(watched, ended)) as batches:
                async for changes in batches:
                    there, unseen = await self._take_unseen(watched)
                    others = {*(there ^ watched), *_new_folders(changes)}
                    if _identity(root) != identity:
                        others = {str(root)}
                    if others:
                        # No watch sees what is written from now on, until the next one stands.
                        self._since = begun
                    paths = {*changes, *unseen, *others}
                    yield frozenset(_relative(self._app, path) for path in paths), bool(others)
                    if others:
                        return
                    begun = self._now()

    async def _take_unseen(self, watched: Folders) -> tuple[Folders, Sequence[str]]:
        """The folders that are there, and what was written before the watch stood, once."""
        since, self._since = self._since, None
        if since is None:
            return watched, ()
        there = await asyncio.to_thread(_folders_below, self._app.functions_root)
        written = await asyncio.to_thread(_written_since, since, self._app)
        return there, [path for path in written if self._filter(Change.modified, path)]

    async def _watch(
        self, folders: Folders, ended: asyncio.Event
    ) -> AsyncGenerator[Collection[str], None]:
        """Paths that changed, none too; the first ones prove that the watch stands.

        Errors: FileNotFoundError when a folder is not there (any more).
        """
        watching = awatch(
            *sorted(folders),  # Parents first: whoever replaces a folder meanwhile is seen.
            *_beside(self._app),
            watch_filter=self._filter,
            stop_event=ended,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            rust_timeout=TICK_MS,
            yield_on_timeout=True,
            recursive=IS_TREE_WATCHED,
        )
        async for batch in watching:
            yield {path for _, path in batch}

    def _now(self) -> float:
        return self._clock.now().timestamp()


def build_filter(app: App, function_folders: KnownFolders) -> Callable[[Change, str], bool]:
    """Python files, function.json and folders below the root, but environments and our own state.

    A new folder counts by itself: what was written into it before it was watched is not reported.
    """
    default = DefaultFilter(ignore_dirs=tuple(NOT_WALKED))
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
        if not default(change, _relative(app, path)):
            return False
        if is_in_watched_folder(file):
            return True
        if file.parent == app.root != app.functions_root and file != app.functions_root:
            return name in SETTINGS_NAMES
        is_code = name.endswith(".py") or name in WATCHED_NAMES or name.lower() in more
        is_new_folder = change is Change.added and file.is_dir()
        is_gone_folder = change is Change.deleted and file in function_folders()
        return is_code or is_new_folder or is_gone_folder

    return matters


def _relative(app: App, path: str) -> str:
    changed = Path(path)
    return str(changed.relative_to(app.root)) if changed.is_relative_to(app.root) else path


def _beside(app: App) -> Sequence[Path]:
    """What is watched for the settings files, where they are not in the functions' folder."""
    if app.root == app.functions_root:
        return ()
    if not IS_TREE_WATCHED:
        # Many an editor puts another file in the place of the old one, which only the folder tells.
        return (app.root,)
    return [file for file in _settings_files(app) if file.is_file()]


def _settings_files(app: App) -> Sequence[Path]:
    return [app.root / name for name in SETTINGS_NAMES]


def _new_folders(changes: Collection[str]) -> Collection[str]:
    """Those that no watch covers yet."""
    return () if IS_TREE_WATCHED else [path for path in changes if Path(path).is_dir()]


def _folders_below(root: Path) -> Folders:
    """What is watched for the functions; the root too when it is not there."""
    below = () if IS_TREE_WATCHED else (folder for folder, _ in _walk(root))
    return frozenset((str(root), *below))


def _written_since(since: float, app: App) -> Sequence[str]:
    """Files of the app that were written, or put there, from that time on."""
    below = (
        os.path.join(folder, name) for folder, files in _walk(app.functions_root) for name in files
    )
    paths = {*below, *map(str, _settings_files(app))}
    return [path for path in paths if _last_touched(path) >= since]


def _last_touched(path: str) -> float:
    try:
        status = os.stat(path)
    except OSError:
        # It is gone, or leads nowhere.
        return -math.inf
    return max(status.st_mtime, status.st_ctime)


def _walk(root: Path) -> Iterator[tuple[str, Sequence[str]]]:
    """Folders and their files, each folder once, whatever links lead to it."""
    met = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        identity = _identity(Path(folder))
        if identity in met:
            folders.clear()
            continue
        met.add(identity)
        folders[:] = [name for name in folders if name not in NOT_WALKED]
        yield folder, files


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
