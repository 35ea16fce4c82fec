"""The zip that Azure deploys: host.json and the function folders at its root.

The same files give the same bytes. Settings, state, virtual environments and tests never go in.
"""

import contextlib
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from durahost.config.app_root import FUNCTION_FILE, HOST_FILE
from durahost.config.settings import App
from durahost.model.errors import ConfigError

IGNORE_FILE = ".funcignore"

_NEVER_FILES = frozenset({"local.settings.json", IGNORE_FILE})
_NEVER_FOLDERS = frozenset({".durahost", ".venv", ".git", "__pycache__"})
_TESTS = "tests"
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold: file times differ from checkout to checkout."""


@dataclass(frozen=True, slots=True)
class PackageSummary:
    """What was written: the zip, the names in it in order, and its size."""

    path: Path
    files: Sequence[str]
    size_bytes: int


def select_files(app: App, *, leave_out: Path | None = None) -> Sequence[tuple[str, Path]]:
    """Select what belongs into the package, as (name in the zip, file), sorted by name.

    When the functions live in `function_app/`, that folder's content and host.json go in, and
    nothing else; otherwise everything below the root does. `.funcignore` of the root and of
    `function_app/` leave files out, each by paths relative to its own folder.
    """
    source = app.functions_root
    ignored = [(folder, _read_ignored(folder)) for folder in {app.root, source}]
    selected = {HOST_FILE: app.root / HOST_FILE}
    for path in _walk(source):
        name = path.relative_to(source).as_posix()
        if path == leave_out or any(
            path.is_relative_to(folder) and spec.match_file(path.relative_to(folder).as_posix())
            for folder, spec in ignored
        ):
            continue
        selected.setdefault(name, path)
    return sorted(selected.items())


def write_package(app: App, target: Path) -> PackageSummary:
    """Write the package; an existing target is replaced as a whole, or not at all.

    Errors: ConfigError when a file cannot be read or the target not be written.
    """
    target = target.resolve()
    partial = target.with_name(f".{target.name}.partial")
    files = select_files(app, leave_out=target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_zip(partial, files)
        partial.replace(target)
    except OSError as error:
        raise ConfigError(
            f"Cannot write the package {target}: {error.strerror} ({error.filename}).",
            advice="Name another file, or make this one writable.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
    return PackageSummary(target, [name for name, _ in files], target.stat().st_size)


def _write_zip(path: Path, files: Sequence[tuple[str, Path]]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        for name, file in files:
            entry = zipfile.ZipInfo(name, _FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix everywhere, so that the mode below is read
            entry.external_attr = 0o100644 << 16
            package.writestr(entry, file.read_bytes())


def _walk(source: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(source):
        here = Path(folder)
        folders[:] = [name for name in folders if _enters(here / name, source)]
        yield from (here / name for name in names if name not in _NEVER_FILES)


def _enters(folder: Path, source: Path) -> bool:
    """Whether a folder may hold files of the package; a function may be called tests."""
    if folder.name in _NEVER_FOLDERS or (folder / "pyvenv.cfg").is_file():
        return False
    is_tests = folder.name == _TESTS and folder.parent == source
    return not is_tests or (folder / FUNCTION_FILE).is_file()


def _read_ignored(folder: Path) -> GitIgnoreSpec:
    try:
        lines = (folder / IGNORE_FILE).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        lines = []
    return GitIgnoreSpec.from_lines(lines)
