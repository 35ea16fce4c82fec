"""One function app read from disk, with the environment it is started in."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from durahost.config.app_root import DEFAULT_SCRIPT_FILE, find_app, find_functions_root
from durahost.config.app_settings import LocalSettings, build_app_settings, read_local_settings
from durahost.config.host_json import read_host_settings
from durahost.config.name_resolution import get_setting
from durahost.config.settings import App, AppSettings, HostSettings
from durahost.model.errors import ConfigError

_Value = TypeVar("_Value")


def load_app(
    script_root: Path | None, cwd: Path, environ: Mapping[str, str], *, port: int | None = None
) -> App:
    """Find the app and read its settings.

    port: of the command line, None when not given; it becomes part of WEBSITE_HOSTNAME.
    Errors: ConfigError when there is no app, or its files are wrong; it has all their faults.
    """
    app, faults = read_app(script_root, cwd, environ, port=port)
    if faults:
        first, *others = faults
        first.others = others
        raise first
    return app


def read_app(
    script_root: Path | None, cwd: Path, environ: Mapping[str, str], *, port: int | None = None
) -> tuple[App, Sequence[ConfigError]]:
    """Find the app and read its settings as far as they are right, with the faults of the others.

    Errors: ConfigError when there is no app.
    """
    root = find_app(script_root, cwd)
    faults = _Faults()
    local = faults.attempt(lambda: read_local_settings(root)) or LocalSettings()
    script_file = environ.get("PYTHON_SCRIPT_FILE_NAME") or local.values.get(
        "PYTHON_SCRIPT_FILE_NAME"
    )
    functions_root = find_functions_root(root, script_file or DEFAULT_SCRIPT_FILE)
    # The app sees the folder that becomes the root of its package.
    settings = faults.attempt(
        lambda: build_app_settings(local, environ, script_root=functions_root, port=port)
    )
    settings = settings or AppSettings(values=environ)
    faults.attempt(lambda: _check_runtime(settings.values))
    host = faults.attempt(lambda: read_host_settings(root, settings.values))
    app = App(
        root=root, functions_root=functions_root, host=host or HostSettings(), settings=settings
    )
    return app, faults.found


def _check_runtime(values: Mapping[str, str]) -> None:
    runtime = get_setting(values, "FUNCTIONS_WORKER_RUNTIME")
    if runtime is not None and runtime.lower() != "python":
        # Azure/azure-functions-host: Utility.cs (VerifyFunctionsMatchSpecifiedLanguage).
        raise ConfigError(
            f"Did not find functions with language [{runtime}].",
            advice="Only Python apps run here: set FUNCTIONS_WORKER_RUNTIME to python.",
        )


class _Faults:
    """Collects what is wrong with the files, so that all of it is told at once."""

    def __init__(self) -> None:
        self.found: list[ConfigError] = []

    def attempt(self, read: Callable[[], _Value]) -> _Value | None:
        """What it reads; None when that fails."""
        try:
            return read()
        except ConfigError as error:
            self.found += [error, *error.others]
            error.others = ()
            return None
