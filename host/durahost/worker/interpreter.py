"""Which Python runs the app."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from durahost.model.errors import ConfigError

SETTINGS = (
    "languageWorkers:python:defaultExecutablePath",
    "languageWorkers__python__defaultExecutablePath",
)
"""In a variable's name `__` stands for `:`. Source: Azure/azure-functions-host:
RpcWorkerConfigFactory.cs.
"""


def find_interpreter(explicit: str | None, environ: Mapping[str, str]) -> str:
    """Choose: `--python`, the active virtual environment, the platform's setting, else ours.

    A virtual environment that holds no interpreter is passed over. Errors: ConfigError when a named
    interpreter is not there.
    """
    if explicit:
        return _located(explicit, "--python")
    if active := _of_environment(environ.get("VIRTUAL_ENV")):
        return active
    for setting in SETTINGS:
        if written := environ.get(setting):
            return _located(written, setting)
    return sys.executable


def _of_environment(folder: str | None) -> str | None:
    if not folder:
        return None
    places = (Path(folder, "bin", "python"), Path(folder, "Scripts", "python.exe"))
    return next((str(place) for place in places if place.exists()), None)


def _located(written: str, where: str) -> str:
    found = shutil.which(written)
    if found is None:
        raise ConfigError(
            f"the Python interpreter '{written}' ({where}) is not there or cannot be run",
            f"give {where} the path of a Python 3.10 or newer that has the app's packages",
        )
    return found
