"""Which functions an app has: its programming model, its folders, and the checks across functions.

Functions are ordered by name without case (upper case compared, as .NET's OrdinalIgnoreCase does).
A fault takes out one function, never the app.
Sources: Azure/azure-functions-host: HostFunctionMetadataProvider.cs (ReadFunctionsMetadata),
FunctionMetadataManager.cs (ApplyAllowList), ScriptHost.cs (ValidateHttpFunction,
HttpRoutesConflict); Azure/azure-webjobs-sdk: HostListenerFactory.cs (IsDisabled).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from durahost.config.app_root import DEFAULT_SCRIPT_FILE, FUNCTION_FILE
from durahost.config.name_resolution import UnresolvedName, get_setting, resolve_names
from durahost.config.settings import App
from durahost.functions.binding_checks import check_bindings, check_name
from durahost.functions.failures import build_failure
from durahost.functions.function_json import read_function
from durahost.functions.routing import HTTP_TRIGGER, find_fault, get_methods, get_route
from durahost.functions.scripts import Script
from durahost.functions.timer_trigger import find_timer_fault
from durahost.model.errors import ConfigError
from durahost.model.functions import FunctionFailure, FunctionMetadata

_SCRIPT_FILE = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_\-]*\.py", re.ASCII)
_RESERVED = ("admin", "runtime")


class ProgrammingModel(Enum):
    """Who declares the functions: function.json folders, or decorators that only a worker reads."""

    FOLDERS = "folders"
    DECORATORS = "decorators"


@dataclass(frozen=True, slots=True)
class Discovery:
    """What the host found.

    functions: those that stand, in order; none yet in the decorator model, where the worker
    indexes `script_file` and `screen` checks its answer. failures: those that do not, in order.
    disabled: names among functions that app settings disable. excluded: those that the allow-list
    of host.json leaves out.
    """

    model: ProgrammingModel
    functions: Sequence[FunctionMetadata] = ()
    failures: Sequence[FunctionFailure] = ()
    disabled: frozenset[str] = frozenset()
    script_file: str = DEFAULT_SCRIPT_FILE
    excluded: Sequence[FunctionMetadata] = ()


def discover(app: App) -> Discovery:
    """Read the app's functions from disk, or find that its worker must index them.

    Errors: ConfigError when PYTHON_SCRIPT_FILE_NAME names no Python file.
    """
    script = get_setting(app.settings.values, "PYTHON_SCRIPT_FILE_NAME") or DEFAULT_SCRIPT_FILE
    if not _SCRIPT_FILE.fullmatch(script):
        # Azure/azure-functions-python-worker: utils/validators.py (validate_script_file_name).
        raise ConfigError(
            f"Invalid file name: {script}",
            advice="PYTHON_SCRIPT_FILE_NAME is the name of a .py file in the app root.",
        )
    if (app.functions_root / script).is_file():
        return Discovery(ProgrammingModel.DECORATORS, script_file=script)
    return discover_folders(app)


def discover_folders(app: App) -> Discovery:
    """Read the function folders; also the host's way out when a decorator app has no function."""
    functions: list[FunctionMetadata] = []
    failures: list[FunctionFailure] = []
    for directory in _function_directories(app.functions_root):
        found = read_function(
            app.root, directory, has_extension_bundle=app.host.has_extension_bundle
        )
        if isinstance(found, FunctionMetadata):
            functions.append(found)
        else:
            failures.append(found)
    return _screen(ProgrammingModel.FOLDERS, app, functions, failures)


def screen(
    app: App,
    functions: Sequence[FunctionMetadata],
    failures: Sequence[FunctionFailure] = (),
) -> Discovery:
    """Check functions that a worker indexed (decorator model), as the host checks them all."""
    standing: list[FunctionMetadata] = []
    refused = list(failures)
    for function in functions:
        message = check_name(function.name) or check_bindings(
            function.bindings, has_extension_bundle=app.host.has_extension_bundle
        )
        if message is None:
            standing.append(function)
        else:
            advice = "Correct its decorators."
            refused.append(_refuse(app, function, message, advice))
    return _screen(ProgrammingModel.DECORATORS, app, standing, refused)


def _function_directories(folder: Path) -> Sequence[Path]:
    found = (path.parent for path in folder.glob(f"*/{FUNCTION_FILE}"))
    return sorted(found, key=lambda directory: (directory.name.upper(), directory.name))


def _screen(
    model: ProgrammingModel,
    app: App,
    functions: Sequence[FunctionMetadata],
    failures: Sequence[FunctionFailure],
) -> Discovery:
    """Apply the allow-list, then let each function in unless it clashes with an earlier one."""
    standing: list[FunctionMetadata] = []
    refused = [failure for failure in failures if _is_allowed(app, failure.name)]
    allowed = [one for one in functions if _is_allowed(app, one.name)]
    for function in sorted(allowed, key=lambda one: one.name.upper()):
        try:
            resolved = _resolve(app, function)
        except UnresolvedName as error:
            advice = "Add the app setting to Values of local.settings.json, or to the environment."
            refused.append(_refuse(app, function, str(error), advice))
            continue
        fault = (
            _find_clash(resolved, standing)
            or _find_bad_route(resolved, app)
            or find_timer_fault(resolved)
        )
        if fault is None:
            standing.append(resolved)
        else:
            refused.append(_refuse(app, function, *fault))
    return Discovery(
        model,
        standing,
        sorted(refused, key=lambda failure: failure.name.upper()),
        frozenset(one.name for one in standing if _is_disabled(app, one.name)),
        script_file=get_setting(app.settings.values, "PYTHON_SCRIPT_FILE_NAME")
        or DEFAULT_SCRIPT_FILE,
        excluded=[one for one in functions if not _is_allowed(app, one.name)],
    )


def _resolve(app: App, function: FunctionMetadata) -> FunctionMetadata:
    """Put app settings where the bindings say `%NAME%`, those of other services' too.

    Errors: UnresolvedName.
    Source: Azure/azure-webjobs-sdk: AttributeCloner.cs (AutoResolve, which their attributes have).
    """
    bindings = [
        replace(one, properties=_resolved(one.properties, app.settings.values))
        for one in function.bindings
    ]
    return replace(function, bindings=bindings)


def _resolved(properties: Mapping[str, Any], values: Mapping[str, str]) -> Mapping[str, Any]:
    return {
        name: resolve_names(value, values) if isinstance(value, str) and "%" in value else value
        for name, value in properties.items()
    }


def _find_clash(
    function: FunctionMetadata, earlier: Sequence[FunctionMetadata]
) -> tuple[str, str] | None:
    """The first fault of a function among the earlier ones, and what to do about it."""
    if any(other.name.upper() == function.name.upper() for other in earlier):
        text = f"The function or proxy name '{function.name}' must be unique"
        return f"{text} within the function app.", "Rename one of them; case does not count."
    if not function.trigger.is_type(HTTP_TRIGGER):
        return None
    if get_route(function).strip("/").lower().startswith(_RESERVED):
        return (
            "The specified route conflicts with one or more built in routes.",
            "A route may not begin with 'admin' or 'runtime', not even as part of a word.",
        )
    for other in earlier:
        if other.trigger.is_type(HTTP_TRIGGER) and _routes_conflict(function, other):
            return (
                f"The route specified conflicts with the route defined by function '{other.name}'.",
                "Give them different routes or different methods.",
            )
    return None


def _find_bad_route(function: FunctionMetadata, app: App) -> tuple[str, str] | None:
    """What keeps the function from having a route; it alone goes without, others are served."""
    if not function.trigger.is_type(HTTP_TRIGGER):
        return None
    fault = find_fault(function, app.host.http.route_prefix)
    advice = "Correct its route, which begins without '/'; with it no function starts on Azure."
    return None if fault is None else (fault, advice)


def _routes_conflict(one: FunctionMetadata, other: FunctionMetadata) -> bool:
    """Routes compare as text without case; methods with case, and none or [] counts as all."""
    if get_route(one).strip("/").upper() != get_route(other).strip("/").upper():
        return False
    methods, others = get_methods(one.trigger), get_methods(other.trigger)
    return not methods or not others or not set(methods).isdisjoint(others)


def _is_allowed(app: App, name: str) -> bool:
    allowed = app.host.functions
    return allowed is None or name.lower() in {one.lower() for one in allowed}


def _is_disabled(app: App, name: str) -> bool:
    values = app.settings.values
    settings = (f"AzureWebJobs.{name}.Disabled", f"AzureWebJobs_{name}_Disabled")
    found = (get_setting(values, setting) for setting in settings)
    return any((value or "").lower() in ("1", "true") for value in found)


def _refuse(app: App, function: FunctionMetadata, message: str, advice: str) -> FunctionFailure:
    file = function.directory / FUNCTION_FILE
    source = file if file.is_file() else function.script_file
    is_inside = source.is_relative_to(app.root)
    shown = (source.relative_to(app.root) if is_inside else source).as_posix()
    if source is function.script_file:
        script = Script.read(source)
        entry = script.entry_point(function) if script else None
        shown = f"{shown}:{entry.lineno}" if entry else shown
    return build_failure(function.name, message, file=shown, advice=advice, function=function)
