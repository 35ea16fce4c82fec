"""Which changes count, which folders are watched, and what becomes of a watcher that cannot."""

import asyncio
import os
import shutil
import sys
from contextlib import aclosing
from pathlib import Path

import app_files
import pytest
from watchfiles import Change, awatch
from watchfiles._rust_notify import WatchfilesRustInternalError

from durahost import watching
from durahost.clock import RealClock
from durahost.config.load import load_app
from durahost.watching import FileWatch, build_filter

LIMIT_S = 20


@pytest.fixture
def app(default_app):
    return load_app(default_app, default_app, {}, port=7071)


@pytest.fixture
def watch(app):
    return FileWatch(app, lambda: {app.functions_root / "Approval"}, RealClock())


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        WatchfilesRustInternalError("error in underlying watcher: OS file watch limit reached."),
    ],
)
async def test_a_watcher_that_cannot_start_is_one_warning(watch, monkeypatch, caplog, error):
    async def awatch(*paths, **options):
        raise error
        yield

    monkeypatch.setattr(watching, "awatch", awatch)
    assert [batch async for batch in watch.batches(asyncio.Event())] == []
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == f"The app's files are not watched: {error}"


async def test_what_was_written_before_the_watch_stood_counts(app):
    def written(name, when):
        file = app.functions_root / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("x = 1")
        os.utime(file, (when, when))
        return file.stat().st_ctime

    begun = written("Approval/late.py", 2_000_000_000)
    written(".venv/late.py", 2_000_000_000)
    written("Approval/late.txt", 2_000_000_000)
    watch = FileWatch(app, lambda: (), RealClock(), since=begun + 1)
    ended = asyncio.Event()
    async with asyncio.timeout(LIMIT_S), aclosing(watch.batches(ended)) as batches:
        assert await anext(batches) == ["function_app/Approval/late.py"]
        ended.set()
        assert [batch async for batch in batches] == []


@pytest.fixture(params=["each folder", "the tree"])
def way(request, monkeypatch):
    """Both ways to watch; the second is that of other systems."""
    monkeypatch.setattr(watching, "IS_TREE_WATCHED", request.param == "the tree")
    return request.param


class Watched:
    """A running watch: what it tells, and what happens between its folders' listing and it."""

    def __init__(self, app, monkeypatch, **options):
        self._watch = FileWatch(
            app, lambda: {app.functions_root / "Approval"}, RealClock(), **options
        )
        self._ended = asyncio.Event()
        self._stands = asyncio.Event()
        self._meanwhile = []
        self.paths = []
        monkeypatch.setattr(watching, "awatch", self._awatch)
        monkeypatch.setattr(watching, "TICK_MS", 100)

    async def _awatch(self, *paths, **options):
        self.paths.append(list(map(str, paths)))
        changes, self._meanwhile = self._meanwhile, []
        for change in changes:
            change()
        async with aclosing(awatch(*paths, **options)) as batches:
            async for batch in batches:
                self._stands.set()
                yield batch

    def before_the_next(self, change):
        self._meanwhile.append(change)

    async def __aenter__(self):
        self._batches = self._watch.batches(self._ended)
        self._coming = asyncio.ensure_future(anext(self._batches))
        await self._stands.wait()
        return self

    async def __aexit__(self, *reason):
        self._ended.set()
        await asyncio.gather(self._coming, return_exceptions=True)
        await self._batches.aclose()

    async def told(self, *names):
        """Until all of these were told; everything that was."""
        told = set()
        async with asyncio.timeout(LIMIT_S):
            while not told.issuperset(names):
                told.update(await self._coming)
                self._coming = asyncio.ensure_future(anext(self._batches))
        return told


def inodes_watched():
    """Device and number of each file that this process has an inotify watch of."""
    found = set()
    for entry in Path("/proc/self/fdinfo").iterdir():
        try:
            lines = entry.read_text().splitlines()
        except FileNotFoundError:
            continue  # The descriptor with which the folder was listed.
        fields = [
            dict(f.split(":", 1) for f in line.split()[1:] if ":" in f)
            for line in lines
            if line.startswith("inotify ")
        ]
        found.update((int(f["sdev"], 16), int(f["ino"], 16)) for f in fields)
    return found


def inode(path):
    status = path.stat()
    # The kernel writes a device with twenty bits for the minor number.
    return (os.major(status.st_dev) << 20) + os.minor(status.st_dev), status.st_ino


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
async def test_folders_that_do_not_count_are_not_watched(app, monkeypatch):
    root = app.functions_root
    ignored = [
        app.root / ".durahost",
        *(root / name for name in (".durahost", ".venv/lib", ".git")),
    ]
    for folder in [*ignored, root / "shared" / "deep"]:
        folder.mkdir(parents=True)
    async with Watched(app, monkeypatch):
        numbers = inodes_watched()
        for folder in (app.root, root, root / "Approval", root / "shared" / "deep"):
            assert inode(folder) in numbers
        assert not numbers & {inode(folder) for folder in (*ignored, root / ".venv")}


async def test_a_new_folder_is_watched_when_it_is_told(app, monkeypatch, way):
    async with Watched(app, monkeypatch) as watched:
        ready = app.root / "ready"
        (ready / "deep").mkdir(parents=True)
        (ready / "deep" / "made.py").write_text("")
        ready.rename(app.functions_root / "New")
        await watched.told("function_app/New")
        (app.functions_root / "New" / "deep" / "made.py").write_text("x = 1")
        (app.functions_root / "New" / "deep" / "more").mkdir()
        await watched.told("function_app/New/deep/made.py", "function_app/New/deep/more")
        (app.functions_root / "New" / "deep" / "more" / "last.py").write_text("")
        await watched.told("function_app/New/deep/more/last.py")


async def test_what_is_made_while_nobody_watches_is_told(app, monkeypatch):
    def make_more():
        (app.functions_root / "New" / "deep").mkdir()
        (app.functions_root / "New" / "deep" / "made.py").write_text("")
        (app.functions_root / "Approval" / "edited.py").write_text("")
        (app.root / "host.json").write_text("{}")

    async with Watched(app, monkeypatch) as watched:
        watched.before_the_next(make_more)
        (app.functions_root / "New").mkdir()
        await watched.told(
            "function_app/New",
            "function_app/New/deep/made.py",
            "function_app/Approval/edited.py",
            "host.json",
        )
        (app.functions_root / "New" / "deep" / "made.py").unlink()
        await watched.told("function_app/New/deep/made.py")


async def test_folders_that_never_stop_coming_hold_back_nothing(app, monkeypatch):
    """Before each new watch there is one more."""
    async with Watched(app, monkeypatch) as watched:

        def make_another(number):
            (app.functions_root / f"New{number}").mkdir()
            watched.before_the_next(lambda: make_another(number + 1))

        (app.functions_root / "Approval" / "edited.py").write_text("")
        make_another(1)
        await watched.told("function_app/Approval/edited.py", "function_app/New3")


async def test_a_folder_renamed_and_one_made_again_are_watched(app, monkeypatch, way):
    folder = app.functions_root / "Approval"
    copy = shutil.copytree(folder, app.root / "copy")
    async with Watched(app, monkeypatch) as watched:
        folder.rename(app.functions_root / "Other")
        await watched.told("function_app/Approval", "function_app/Other")
        (app.functions_root / "Other" / "__init__.py").write_text("")
        await watched.told("function_app/Other/__init__.py")
        shutil.copytree(copy, folder)
        await watched.told("function_app/Approval")
        shutil.rmtree(folder)
        shutil.copytree(copy, folder)
        await watched.told("function_app/Approval")
        (folder / "__init__.py").write_text("")
        await watched.told("function_app/Approval/__init__.py")


async def test_a_folder_behind_a_link_is_watched_once(app, monkeypatch, way, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    (app.functions_root / "shared").symlink_to(shared)
    (shared / "up").symlink_to(app.functions_root)
    async with Watched(app, monkeypatch) as watched:
        assert len(watched.paths[0]) < 12
        (shared / "made.py").write_text("")
        assert await watched.told("function_app/shared/made.py") == {"function_app/shared/made.py"}


async def test_a_file_put_in_the_place_of_another_is_told_each_time(app, monkeypatch, way):
    """As editors save."""
    async with Watched(app, monkeypatch) as watched:
        for _ in range(2):
            saved = app.functions_root / "Approval" / "saving"
            saved.write_text("x = 1")
            saved.replace(app.functions_root / "Approval" / "__init__.py")
            await watched.told("function_app/Approval/__init__.py")


async def test_settings_beside_the_functions_are_told_each_time(app, monkeypatch):
    monkeypatch.setattr(watching, "IS_TREE_WATCHED", False)
    (app.root / "local.settings.json").unlink(missing_ok=True)
    async with Watched(app, monkeypatch) as watched:
        (app.root / "helper.py").write_text("")
        (app.root / "Folder").mkdir()
        for name in ("host.json", "host.json", "local.settings.json"):
            (app.root / "saving").write_text("{}")
            (app.root / "saving").replace(app.root / name)
            assert await watched.told(name) == {name}


async def test_an_app_below_a_folder_with_an_ignored_name_is_watched(tmp_path, monkeypatch):
    root = app_files.copy_app(tmp_path / "build" / "app")
    app = load_app(root, root, {}, port=7071)
    async with Watched(app, monkeypatch) as watched:
        (app.functions_root / "Approval" / "__init__.py").write_text("")
        await watched.told("function_app/Approval/__init__.py")


async def test_the_watch_ends_with_its_event(watch):
    ended = asyncio.Event()
    asyncio.get_running_loop().call_soon(ended.set)
    async with asyncio.timeout(LIMIT_S):
        assert [batch async for batch in watch.batches(ended)] == []


async def test_a_folder_that_comes_later_is_noticed_and_watched(app, watch):
    away = app.root / "away"
    app.functions_root.rename(away)
    ended = asyncio.Event()
    async with asyncio.timeout(LIMIT_S), aclosing(watch.batches(ended)) as batches:
        coming = asyncio.ensure_future(anext(batches))
        await asyncio.sleep(0)
        away.rename(app.functions_root)
        assert await coming == ["function_app"]
        (app.functions_root / "Approval" / "__init__.py").write_text("")
        assert await anext(batches) == ["function_app/Approval/__init__.py"]


async def test_a_new_folder_with_the_number_of_the_old_one_is_another_folder(app, watch):
    """File systems give the number of a deleted folder to the next one."""
    copy = shutil.copytree(app.functions_root, app.root / "copy")
    ended = asyncio.Event()
    async with asyncio.timeout(LIMIT_S), aclosing(watch.batches(ended)) as batches:
        (app.functions_root / "Approval" / "__init__.py").touch()
        coming = asyncio.ensure_future(anext(batches))
        while not coming.done():
            (app.functions_root / "Approval" / "__init__.py").touch()
            await asyncio.wait({coming}, timeout=0.5)
        shutil.rmtree(app.functions_root)
        shutil.copytree(copy, app.functions_root)
        while "function_app" not in await anext(batches):
            pass
        (app.functions_root / "Approval" / "__init__.py").touch()
        assert await anext(batches) == ["function_app/Approval/__init__.py"]


@pytest.mark.parametrize(
    ("change", "path", "counts"),
    [
        (Change.modified, "Approval/__init__.py", True),
        (Change.added, "Approval/helper.py", True),
        (Change.modified, "Approval/function.json", True),
        (Change.deleted, "Approval", True),
        (Change.added, "Approval", True),
        (Change.deleted, "tmp_4711", False),
        (Change.added, "tmp_4711", False),
        (Change.modified, "Approval", False),
        (Change.modified, "Approval/notes.txt", False),
        (Change.modified, "Approval/data.yaml", False),
        (Change.modified, ".venv/lib/module.py", False),
        (Change.modified, ".durahost/module.py", False),
        (Change.modified, "__pycache__/module.py", False),
        (Change.modified, "../host.json", True),
        (Change.modified, "../helper.py", False),
    ],
)
def test_changes_that_count(app, change, path, counts):
    matters = build_filter(app, lambda: {app.functions_root / "Approval"})
    assert matters(change, os.path.normpath(app.functions_root / path)) is counts


@pytest.mark.feature("Functions host", "`host.json`")
def test_everything_below_a_watched_directory_counts(default_app):
    settings = {"AzureFunctionsJobHost__watchDirectories__0": "Shared"}
    app = load_app(default_app, default_app, settings, port=7071)
    matters = build_filter(app, lambda: ())
    assert matters(Change.modified, str(app.functions_root / "shared" / "a" / "table.csv"))
    assert not matters(Change.modified, str(app.functions_root / "Approval" / "shared" / "x.csv"))
    assert not matters(Change.modified, str(app.functions_root / "shared"))
