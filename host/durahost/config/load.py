"""One function app read from disk, with the environment it is started in."""

from collections.abc import Mapping
from pathlib import Path

from durahost.config.app_root import DEFAULT_SCRIPT_FILE, find_app, find_functions_root
from durahost.config.app_settings import build_app_settings, read_local_settings
from durahost.config.host_json import read_host_settings
from durahost.config.name_resolution import get_setting
from durahost.config.settings import App
from durahost.model.errors import ConfigError


def load_app(
    script_root: Path | None, cwd: Path, environ: Mapping[str, str], *, port: int | None = None
) -> App:
    """Find the app and read its settings.

    port: of the command line, None when not given; it becomes part of WEBSITE_HOSTNAME.
    Errors: ConfigError when there is no app, or its files are wrong.
    """
    root = find_app(script_root, cwd)
    local = read_local_settings(root)
    script_file = environ.get("PYTHON_SCRIPT_FILE_NAME") or local.values.get(
        "PYTHON_SCRIPT_FILE_NAME"
    )
    functions_root = find_functions_root(root, script_file or DEFAULT_SCRIPT_FILE)
    # The app sees the folder that becomes the root of its package.
    settings = build_app_settings(local, environ, script_root=functions_root, port=port)
    runtime = get_setting(settings.values, "FUNCTIONS_WORKER_RUNTIME")
    if runtime is not None and runtime.lower() != "python":
        # Azure/azure-functions-host: Utility.cs (VerifyFunctionsMatchSpecifiedLanguage).
        raise ConfigError(
            f"Did not find functions with language [{runtime}].",
            advice="Only Python apps run here: set FUNCTIONS_WORKER_RUNTIME to python.",
        )
    return App(
        root=root,
        functions_root=functions_root,
        host=read_host_settings(root, settings.values),
        settings=settings,
    )
