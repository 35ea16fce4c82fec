"""Finds and imports the functions of both programming models.

Folder model: modules live in the namespace package `__app__`, a failing function takes no other
down. Decorator model: one module, one failure fails the app.
Source: Azure/azure-functions-python-worker: loader.py, functions.py.
"""

import importlib
import importlib.machinery
import importlib.util
import inspect
import json
import logging
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .conversion import Library
from .failures import load_failure
from .signature import BindingInfo, Callee, check
from .sites import watch
from .web import WebExtension, WebServer

logger = logging.getLogger("azure_functions_worker")

NAMESPACE = "__app__"
DEFAULT_ENTRY_POINT = "main"
PACKAGES = Path(".python_packages/lib/site-packages")
SCRIPT_NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_\-]*\.py")


class InvalidFileNameError(Exception):
    """PYTHON_SCRIPT_FILE_NAME cannot name a module; the real worker's class name."""


@dataclass
class LoadedFunctions:
    """What stands, what does not and why, and the decorator model's metadata for the host.

    web: the server that takes the requests of HTTP functions, when the app brings one.
    """

    library: Library
    callees: dict[str, Callee] = field(default_factory=dict)
    failures: dict[str, dict[str, Any]] = field(default_factory=dict)
    metadata: list[dict[str, Any]] = field(default_factory=list)
    web: "WebServer | None" = None


class AppFailure(Exception):
    """The app as a whole does not load; `failure` has the fields of a load failure."""

    def __init__(self, failure: dict[str, Any]) -> None:
        super().__init__(failure["message"])
        self.failure = failure


def add_paths(root: Path) -> None:
    """Make the app's modules and its deployed packages importable, as the real worker does."""
    packages = str(root / PACKAGES)
    if packages not in sys.path and Path(packages).is_dir():
        sys.path.insert(0, packages)
    if str(root) not in sys.path:
        sys.path.append(str(root))
    importlib.invalidate_caches()


def load_folders(root: Path, functions: Sequence[Mapping[str, Any]]) -> LoadedFunctions:
    """Import each function of a folder-model app. Errors: AppFailure without azure.functions."""
    loaded = LoadedFunctions(_library(root))
    for function in functions:
        name, script = function["name"], Path(function["script_file"])
        try:
            call = _import_folder(
                name, Path(function["directory"]), script, function["entry_point"]
            )
            bindings = [BindingInfo.of(binding) for binding in function["bindings"]]
            loaded.callees[name] = check(
                loaded.library, name, function["directory"], call, bindings
            )
            watch(call, str(root))
            loaded.library.extensions.loaded(name, function["directory"])
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001  # user code
            loaded.failures[name] = load_failure(error, root, script)
    return loaded


def load_decorated(root: Path, script_file: str) -> LoadedFunctions:
    """Import and index a decorator-model app. Errors: AppFailure names what is wrong."""
    loaded = LoadedFunctions(_library(root))
    script = root / script_file
    try:
        app = _find_app(loaded.library, script_file)
        loaded.library.web = web = WebExtension.imported()
        for function in app.get_functions():
            name, call = function.get_function_name(), function.get_user_function()
            raw = [json.loads(text) for text in function.get_raw_bindings()]
            bindings = [BindingInfo.of(binding, undefined=None) for binding in raw]
            directory = str(Path(inspect.getfile(call)).parent)
            loaded.callees[name] = check(loaded.library, name, directory, call, bindings)
            watch(call, str(root))
            loaded.metadata.append({"name": name, "bindings": raw, "retry": _retry(function)})
        if web is not None and web.is_served:
            loaded.web = web.open_server()
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        raise AppFailure(load_failure(error, root, script)) from error
    for name in loaded.callees:
        loaded.library.extensions.loaded(name, str(root))
    return loaded


def _retry(function: Any) -> dict[str, Any] | None:
    """The retry policy of a decorator, intervals in seconds.

    Errors: ValueError, TypeError for an interval that is not H:M:S.
    Source: loader.py (build_retry_protos, convert_to_seconds); 3.13's engine for the intervals that
    may be left out.
    """
    read = getattr(function, "get_settings_dict", None)  # older libraries have no policies
    policy = read("retry_policy") if read else None
    if not policy:
        return None
    is_fixed = policy.get("strategy") == "fixed_delay"
    names = ("delay_interval",) if is_fixed else ("minimum_interval", "maximum_interval")
    intervals = {name: _seconds(policy.get(name)) for name in names if is_fixed or policy.get(name)}
    return {"is_fixed": is_fixed, "max_retry_count": int(policy["max_retry_count"]), **intervals}


def _seconds(written: Any) -> int:
    parsed = time.strptime(written, "%H:%M:%S")
    return (parsed.tm_hour * 60 + parsed.tm_min) * 60 + parsed.tm_sec


def _library(root: Path) -> Library:
    try:
        return Library()
    except ImportError as error:
        failure = load_failure(error, root, None)
        failure["advice"] = (
            f"install azure-functions where the app runs ({sys.executable} -m pip install"
            " azure-functions), or choose another interpreter with --python"
        )
        raise AppFailure(failure) from error


def _import_folder(name: str, directory: Path, script: Path, entry_point: str) -> Any:
    """Import the script and find its entry point. Texts: loader.py (load_function)."""
    _namespace_of(directory.parent)
    entry_point = entry_point or DEFAULT_ENTRY_POINT
    try:
        relative = script.relative_to(directory.parent)
    except ValueError:
        raise RuntimeError(
            f"script path {script} is not relative to the specified directory {directory}"
        ) from None
    if relative.suffix != ".py":
        raise RuntimeError(f"cannot load function {name}: invalid Python filename {script}")
    parts = [NAMESPACE, *relative.with_suffix("").parts]
    if parts[-1].lower() == "__init__":
        parts.pop()
    found = getattr(importlib.import_module(".".join(parts)), entry_point, None)
    if not callable(found):
        raise RuntimeError(
            f"cannot load function {name}: function {entry_point}() is not present in {relative}"
        )
    return found


def _namespace_of(folder: Path) -> None:
    """Make the folder's modules submodules of `__app__`."""
    package = sys.modules.get(NAMESPACE)
    if package is None:
        spec = importlib.machinery.ModuleSpec(NAMESPACE, None, is_package=True)
        spec.submodule_search_locations = []
        package = sys.modules[NAMESPACE] = importlib.util.module_from_spec(spec)
        package.__path__ = []
    if str(folder) not in package.__path__:
        # A new list, for the namespace's own path object cannot be appended to.
        package.__path__ = [*package.__path__, str(folder)]


def _find_app(library: Library, script_file: str) -> Any:
    """The module's one app object. Texts: loader.py (index_function_app)."""
    if not SCRIPT_NAME.fullmatch(script_file):
        raise InvalidFileNameError(f"Invalid file name: {script_file}")
    module = importlib.import_module(script_file.removesuffix(".py"))
    apps = [one for one in vars(module).values() if isinstance(one, library.function_register)]
    if not apps:
        raise ValueError(f"Could not find top level function app instances in {script_file}.")
    if len(apps) > 1:
        raise ValueError(
            f"More than one {type(apps[0]).__name__} or other top level function app instances are"
            " defined."
        )
    return apps[0]
