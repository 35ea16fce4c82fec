"""Which changes count, and what becomes of a watcher that cannot watch."""

import asyncio
import os
import shutil
from contextlib import aclosing

import pytest
from watchfiles import Change
from watchfiles._rust_notify import WatchfilesRustInternalError

from durahost import watching
from durahost.config.load import load_app
from durahost.watching import FileWatch, build_filter

LIMIT_S = 20


@pytest.fixture
def app(default_app):
    return load_app(default_app, default_app, {}, port=7071)


@pytest.fixture
def watch(app):
    return FileWatch(app, lambda: {app.functions_root / "Approval"})


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
    watch = FileWatch(app, lambda: (), since=begun + 1)
    ended = asyncio.Event()
    async with asyncio.timeout(LIMIT_S), aclosing(watch.batches(ended)) as batches:
        assert await anext(batches) == ["function_app/Approval/late.py"]
        ended.set()
        assert [batch async for batch in batches] == []


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
    ],
)
def test_changes_that_count(app, change, path, counts):
    matters = build_filter(app, lambda: {app.functions_root / "Approval"})
    assert matters(change, str(app.functions_root / path)) is counts


@pytest.mark.feature("Functions host", "`host.json`")
def test_everything_below_a_watched_directory_counts(default_app):
    settings = {"AzureFunctionsJobHost__watchDirectories__0": "Shared"}
    app = load_app(default_app, default_app, settings, port=7071)
    matters = build_filter(app, lambda: ())
    assert matters(Change.modified, str(app.functions_root / "shared" / "a" / "table.csv"))
    assert not matters(Change.modified, str(app.functions_root / "Approval" / "shared" / "x.csv"))
    assert not matters(Change.modified, str(app.functions_root / "shared"))
