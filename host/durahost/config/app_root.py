"""Where a function app lies on disk: its root, and the folder that holds its functions."""

from pathlib import Path

from durahost.model.errors import ConfigError

HOST_FILE = "host.json"
FUNCTION_FILE = "function.json"
DEFAULT_SCRIPT_FILE = "function_app.py"
CLASSIC_FOLDER = "function_app"
"""The folder below the root that may hold the function folders instead of the root."""


def find_app(script_root: Path | None, cwd: Path) -> Path:
    """Find the app root: the script root when given, else the nearest folder with a host.json,
    from cwd upward.

    Errors: ConfigError when there is none.
    """
    if script_root is not None:
        return _checked(cwd / script_root)
    start = cwd.resolve()
    for folder in (start, *start.parents):
        if (folder / HOST_FILE).is_file():
            return folder
    raise ConfigError(
        f"No {HOST_FILE} in {start} or any folder above it.",
        advice="Run this in the folder of a function app, or name that folder with --script-root. "
        + _CREATE,
    )


def find_functions_root(root: Path, script_file: str = DEFAULT_SCRIPT_FILE) -> Path:
    """Find the folder whose direct children are function folders.

    That is the root, unless it has neither function folders nor the decorator model's file and its
    `function_app/` has function folders.
    """
    classic = root / CLASSIC_FOLDER
    if (root / script_file).is_file() or has_function_folders(root):
        return root
    return classic if has_function_folders(classic) else root


def has_function_folders(folder: Path) -> bool:
    """Whether a direct child of the folder holds a function.json."""
    return any(folder.glob(f"*/{FUNCTION_FILE}"))


_CREATE = f'An app is a folder with a {HOST_FILE} that holds at least {{"version": "2.0"}}.'


def _checked(folder: Path) -> Path:
    if folder.is_file():
        raise ConfigError(
            f'"{folder}" is a file, not a folder.',
            advice="Give --script-root the folder of a function app.",
        )
    if not folder.is_dir():
        # Azure/azure-functions-core-tools: ConsoleApp.cs (EnsureScriptRoot).
        raise ConfigError(
            f'"{folder}" doesn\'t exist.',
            advice="Give --script-root the folder of a function app.",
        )
    if not (folder / HOST_FILE).is_file():
        raise ConfigError(
            f"No {HOST_FILE} in {folder.resolve()}.",
            advice="Give --script-root the folder of a function app. " + _CREATE,
        )
    return folder.resolve()
