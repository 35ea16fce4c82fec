"""What is wrong with an app, told by `durahost start` and `durahost check` alike.

Faults come from the configuration, from discovery and from the worker in the platform's own texts;
here each gets its place in the app, the name of its trap, and what to do about it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from durahost.config.app_root import FUNCTION_FILE, HOST_FILE
from durahost.config.app_settings import SETTINGS_FILE
from durahost.config.json_file import read_text
from durahost.config.settings import App
from durahost.config.time_zone import find_time_zone
from durahost.functions.app_checks import check_folders, check_functions
from durahost.functions.function_checks import relative
from durahost.functions.scripts import Script
from durahost.functions.traps import BY_RULE, explain
from durahost.model.errors import AppLoadError, ConfigError, HostError, WorkerError
from durahost.model.findings import Finding, Severity
from durahost.model.functions import FunctionFailure, FunctionMetadata
from durahost.tolerant_json import JsonTextError, find_lines, read_object

_PLACE = re.compile(r"(?P<file>.+):(?P<line>\d+)")
_JSON_PLACE = re.compile(r" line (?P<line>\d+), position \d+")
_MISSING = re.compile(r"No module named '(?P<name>[^']+)'")
_OPTION = re.compile(r"host\.json: (?P<path>[\w.]+) is ")
_DEFINED = re.compile(r"(?:cannot load the|Function) (?P<name>\w+) ")
_ROUTE = "route"
_BINDINGS = "bindings"
_KEYS = {
    "bindings-missing": _BINDINGS,
    "binding": _BINDINGS,
    "trigger": _BINDINGS,
    "return-direction": _BINDINGS,
    "route": _BINDINGS,
    "schedule": _BINDINGS,
    "configuration-source": "configurationsource",
    "script-missing": "scriptfile",
    "retry": "retry",
}
"""The key of function.json that a rule, or a rule's first word, is about."""


def of_settings(app: App) -> list[Finding]:
    """What should be known of the app's configuration before its code is loaded."""
    durable, host = app.host.durable, app.host
    found = [_of_text(text, SETTINGS_FILE) for text in app.settings.warnings]
    found += [_of_text(_skipped(name), SETTINGS_FILE) for name in _skipped_names(app)]
    if fault := find_time_zone(app.settings.values).fault:
        found.append(_of_text(fault, SETTINGS_FILE))
    lines = _lines_of(app.root / HOST_FILE)
    for text in (*host.warnings, *durable.warnings):
        option = _OPTION.match(text)
        path = tuple(option["path"].lower().split(".")) if option else ()
        found.append(replace(_of_text(text, HOST_FILE), line=lines.get(path)))
    if host.ignored:
        found.append(_of_text(f"host.json: no effect here: {', '.join(host.ignored)}.", HOST_FILE))
    return found


def of_app(
    app: App,
    functions: Sequence[FunctionMetadata],
    failures: Sequence[FunctionFailure],
) -> list[Finding]:
    """What is wrong with the functions of a loaded app, and what they do otherwise than it seems.

    functions: all that the host knows, those whose code does not load among them.
    """
    by_name = {one.name: one for one in functions}
    ordered = sorted(failures, key=lambda failure: failure.name.upper())
    failing = {failure.name for failure in failures}
    known = {one.name for one in functions} | failing
    standing = [one for one in functions if one.name not in failing]
    nothing = [] if functions or failures else [_no_functions()]
    return [
        *nothing,
        *(of_failure(failure, app, by_name.get(failure.name)) for failure in ordered),
        *check_folders(app, functions),
        *check_functions(app, standing, known),
    ]


def _no_functions() -> Finding:
    trap = BY_RULE["no-functions"]
    return Finding(
        rule=trap.rule, severity=trap.severity, message="No functions found.", advice=trap.hint
    )


def of_failure(
    failure: FunctionFailure, app: App, function: FunctionMetadata | None = None
) -> Finding:
    """A function that does not load; function: itself, when the host knows it."""
    finding = _build(failure.message, failure.file, failure.advice, app.root, "function")
    folder = app.functions_root / failure.name
    advice = _import_advice(failure.message, folder, app) or finding.advice
    line = finding.line or _line_of_key(finding, folder) or _line_of_entry(function)
    return replace(finding, function=failure.name, frames=failure.frames, advice=advice, line=line)


def of_error(error: HostError, app: App | None = None) -> list[Finding]:
    """Why the app as a whole does not start."""
    root = app.root if app else None
    match error:
        case ConfigError():
            rule = "host-json-value" if error.file == HOST_FILE else "configuration"
            own = _build(str(error), error.file, error.advice, root, rule)
            others = [finding for other in error.others for finding in of_error(other, app)]
            return [replace(own, line=error.line or own.line), *others]
        case AppLoadError():
            finding = _build(str(error), error.file, error.advice, root, "worker")
            advice = _import_advice(str(error), None, app) if app else None
            line = finding.line or (_line_of_def(finding, app) if app else None)
            advice = advice or finding.advice
            return [replace(finding, frames=error.frames, advice=advice, line=line)]
        case WorkerError():
            return [_build(str(error), None, BY_RULE["worker"].hint, root, "worker")]
        case _:
            # The store's texts say themselves what to do; the app's interpreter has no part in it.
            return [_build(str(error), None, None, root, "configuration")]


def _build(
    message: str, file: str | None, advice: str | None, root: Path | None, rule: str
) -> Finding:
    """A finding of an error's text; the trap's hint is more exact than general advice.

    rule: its name when it is no known trap.
    """
    known = explain(message)
    place = _PLACE.fullmatch(file) if file else None
    name = place["file"] if place else file
    if name and root and Path(name).is_absolute():
        name = relative(Path(name), root)
    line = int(place["line"]) if place else _line_in(message, name)
    return Finding(
        rule=known[0].rule if known else rule,
        severity=Severity.ERROR,
        message=message if message.endswith(".") else f"{message}.",
        file=name,
        line=line,
        advice=(known[1] if known else "") or advice,
    )


def _of_text(text: str, file: str) -> Finding:
    known = explain(text)
    trap, hint = known if known else (None, "")
    return Finding(
        rule=trap.rule if trap else "advice",
        severity=trap.severity if trap else Severity.WARNING,
        message=text,
        file=file,
        line=_line_in(text, file),
        advice=hint or None,
    )


def _skipped_names(app: App) -> list[str]:
    return [name for name in app.settings.skipped if name in app.settings.local_names]


def _skipped(name: str) -> str:
    # Azure/azure-functions-core-tools: StartHostAction.cs (UpdateEnvironmentVariables).
    return (
        f"Skipping '{name}' from local settings as it's already defined in current environment "
        "variables."
    )


def _line_in(message: str, file: str | None) -> int | None:
    """The line that a JSON parser's text names."""
    found = _JSON_PLACE.search(message) if file and file.endswith(".json") else None
    return max(int(found["line"]), 1) if found else None


def _line_of_key(finding: Finding, folder: Path) -> int | None:
    """The line of what a fault is about in function.json: a binding that it names, or a key."""
    key = _KEYS.get(finding.rule) or _KEYS.get(finding.rule.partition("-")[0])
    if key is None or not (finding.file or "").endswith(FUNCTION_FILE):
        return None
    text = read_text(folder / FUNCTION_FILE)
    lines = find_lines(text)
    if finding.rule.startswith(_ROUTE):
        found = [line for path, line in lines.items() if path[::2] == (_BINDINGS, _ROUTE)]
        return found[0] if found else lines.get((key,))
    for index, binding in reversed(list(enumerate(_bindings(text)))):
        if key == _BINDINGS and any(_names(finding.message, value) for value in binding.values()):
            return lines.get((key, str(index)))
    return lines.get((key,))


def _lines_of(file: Path) -> Mapping[tuple[str, ...], int]:
    return find_lines(read_text(file))


def _bindings(text: str) -> list[dict[str, Any]]:
    try:
        written = read_object(text).get(_BINDINGS)
    except JsonTextError:
        return []
    return [one for one in written if isinstance(one, dict)] if isinstance(written, list) else []


def _names(message: str, value: object) -> bool:
    """Whether a text speaks of a value of a binding."""
    return isinstance(value, str) and bool(value) and any(
        form.format(value) in message for form in ("'{}'", "'{},", ", {}'", "name {} is")
    )  # fmt: skip


def _line_of_def(finding: Finding, app: App) -> int | None:
    """The line of the function that a fault of the decorator model names."""
    named = _DEFINED.search(finding.message)
    script = Script.read(app.functions_root / finding.file) if named and finding.file else None
    found = script.functions.get(named["name"]) if script and named else None
    return found.lineno if found else None


def _line_of_entry(function: FunctionMetadata | None) -> int | None:
    """The line of the function whose signature is at fault."""
    script = Script.read(function.script_file) if function else None
    entry = script.entry_point(function) if script and function else None
    return entry.lineno if entry else None


def _import_advice(message: str, folder: Path | None, app: App) -> str | None:
    """What to do about a module that is not there: it may be, under another name."""
    missing = _MISSING.search(message)
    if missing is None:
        return None
    name = missing["name"]
    top = name.partition(".")[0]
    if name.startswith("__app__."):
        return (
            f"Create {name.removeprefix('__app__.').replace('.', '/')}.py, or correct the import."
        )
    if folder is not None and _has_module(folder, top):
        return (
            f"{top} lies in the function's own folder, which is not on the path: write "
            f"'from . import {top}', or 'from .{top} import ...'."
        )
    if listed := _requirement(app, top):
        return f"{listed} is in requirements.txt: install that in the environment of the app."
    return None


def _has_module(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()


def _requirement(app: App, module: str) -> str | None:
    """The line of requirements.txt that seems to provide a module."""
    for root in dict.fromkeys((app.functions_root, app.root)):
        file = root / "requirements.txt"
        for line in read_text(file).splitlines():
            name = re.split(r"[\s\[<>=!~;#]", line.strip(), maxsplit=1)[0]
            if name and name.lower().replace("-", "_") == module.lower():
                return line.strip()
    return None
