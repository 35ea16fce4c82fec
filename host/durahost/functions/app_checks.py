"""Traps of an app as a whole: its folders, its two models, its lists of names.

Sources: Azure/azure-functions-host: WorkerFunctionMetadataProvider.cs (ValidateFunctionAppFormat);
Azure/azure-functions-core-tools: StartHostAction.cs (its warning of proxies.json).
"""

import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from durahost.config.app_root import (
    DEFAULT_SCRIPT_FILE,
    FUNCTION_FILE,
    HOST_FILE,
    has_function_folders,
)
from durahost.config.app_settings import SETTINGS_FILE
from durahost.config.known_settings import NO_EFFECT, find_without_effect
from durahost.config.name_resolution import get_setting
from durahost.config.settings import App
from durahost.functions.function_checks import check_function, relative
from durahost.functions.retry import supports_retry, unsupported_text
from durahost.functions.scripts import Script
from durahost.functions.traps import BY_RULE
from durahost.model.findings import Finding
from durahost.model.functions import FunctionMetadata

_DISABLED = re.compile(r"AzureWebJobs[._](?P<name>.+)[._]Disabled", re.IGNORECASE)
_MIXED_HELP = (
    "Refer to the documentation to filter warning - https://docs.microsoft.com/en-us/azure/"
    "azure-functions/configure-monitoring?tabs=v2"
)
_WITHOUT_STORAGE = frozenset(
    {
        "httptrigger",
        "kafkatrigger",
        "rabbitmqtrigger",
        "orchestrationtrigger",
        "activitytrigger",
        "entitytrigger",
    }
)
_NO_STORAGE = (
    "Missing value for AzureWebJobsStorage in local.settings.json. This is required for all "
    "triggers other than httptrigger, kafkatrigger, rabbitmqtrigger, orchestrationTrigger, "
    "activityTrigger, entityTrigger. You can run 'func azure functionapp fetch-app-settings "
    "<functionAppName>', specify a connection string in local.settings.json, or use managed "
    "identity to authenticate."
)
_DEPTH = 4
"""How many folders deep is looked for function folders that lie too deep."""


def check_folders(app: App, functions: Sequence[FunctionMetadata]) -> list[Finding]:
    """What the files of the app say beside its functions; those are none when it does not load."""
    return [
        *_find_mixed(app, functions),
        *_find_proxies(app),
        *_find_misplaced(app),
        *_find_useless_settings(app),
    ]


def check_functions(
    app: App, functions: Sequence[FunctionMetadata], known: Collection[str]
) -> list[Finding]:
    """What the functions that stand will do otherwise than it seems.

    known: names of all functions, those that do not stand too.
    """
    scripts = {one.script_file: Script.read(one.script_file) for one in functions}
    found = [
        finding
        for one in functions
        for finding in check_function(app, one, scripts[one.script_file])
    ]
    parsed = [script for script in scripts.values() if script is not None]
    return [
        *found,
        *_find_doubles(app, parsed),
        *_find_unknown_names(app, known),
        *_find_idle_retries(app, functions),
        *_find_no_storage(app, functions),
    ]


def _warn(rule: str, message: str, **fields: str | int | None) -> Finding:
    trap = BY_RULE[rule]
    values = {"advice": trap.hint, **fields}
    return Finding(rule=rule, severity=trap.severity, message=message, **values)  # type: ignore[arg-type]


def _find_mixed(app: App, functions: Sequence[FunctionMetadata]) -> Iterator[Finding]:
    root = app.functions_root
    script = get_setting(app.settings.values, "PYTHON_SCRIPT_FILE_NAME") or DEFAULT_SCRIPT_FILE
    from_folders = any(one.directory != root for one in functions)
    if (root / script).is_file() and has_function_folders(root) and not from_folders:
        names = sorted(str(path.parent) for path in root.glob(f"*/{FUNCTION_FILE}"))
        yield _warn(
            "mixed-app",
            "Detected mixed function app. Some functions may not be indexed - "
            f"{', '.join(names)} {_MIXED_HELP}",
        )


def _find_idle_retries(app: App, functions: Sequence[FunctionMetadata]) -> Iterator[Finding]:
    for one in functions:
        if one.retry is not None and not supports_retry(one):
            file = one.directory / FUNCTION_FILE
            place = file if file.is_file() else one.script_file
            yield _warn(
                "retry-ignored",
                unsupported_text(one),
                function=one.name,
                file=relative(place, app.root),
            )


def _find_proxies(app: App) -> Iterator[Finding]:
    if (app.root / "proxies.json").is_file():
        yield _warn(
            "proxies",
            "Proxies are not supported in Azure Functions v4. Instead of 'proxies.json', try Azure "
            "API Management: https://aka.ms/AAfiueq",
            file="proxies.json",
        )


def _find_misplaced(app: App) -> Iterator[Finding]:
    root = app.functions_root
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        depth = len(here.relative_to(root).parts)
        folders[:] = sorted(
            name
            for name in folders
            if depth < _DEPTH and not name.startswith((".", "_")) and name not in _FOREIGN
            and not (here / name / "pyvenv.cfg").is_file()
            and not (here / name / HOST_FILE).is_file()
        )  # fmt: skip
        for name in sorted(names):
            if name != FUNCTION_FILE and name.lower() in (FUNCTION_FILE, "functions.json"):
                if depth == 1 and FUNCTION_FILE not in names:
                    text = f"The folder has a {name}, which is no {FUNCTION_FILE}."
                    place = relative(here / name, app.root)
                    yield _warn("function-json-case", text, function=here.name, file=place)
            elif name == FUNCTION_FILE and depth > 1 and here.parent != app.root:
                text = f"The function '{here.name}' is not found: its folder lies too deep."
                place = relative(here / name, app.root)
                hint = BY_RULE["function-nested"].hint.format(root=root)
                yield _warn("function-nested", text, function=here.name, file=place, advice=hint)


_FOREIGN = frozenset({"node_modules", "site-packages", "tests", "samples"})
"""Folders whose function folders are somebody else's."""


def _find_useless_settings(app: App) -> Iterator[Finding]:
    reasons = {name.lower(): reason for name, reason in NO_EFFECT.items()}
    for name in find_without_effect(app.settings.local_names):
        text = f"The app setting {name} has no effect here: {reasons[name.lower()]}."
        yield _warn("setting-without-effect", text, file=SETTINGS_FILE)


def _find_doubles(app: App, scripts: Sequence[Script]) -> Iterator[Finding]:
    """Modules below the root that are imported by a relative and by an absolute name."""
    relatives: dict[str, str] = {}
    for script in scripts:
        for level, name, _ in script.imports():
            base = script.path.parent
            for _ in range(level - 1):
                base = base.parent
            if level and base == app.functions_root:
                relatives.setdefault(name, relative(script.path, app.root))
    told: set[str] = set()
    for script in scripts:
        for level, name, node in script.imports():
            if level or name not in relatives or not _is_module(app, name):
                continue
            if name.partition(".")[0] not in told:
                told.add(name.partition(".")[0])
                text = f"'{name}' is imported as '..{name}' too, in {relatives[name]}."
                place = relative(script.path, app.root)
                yield _warn("shared-twice", text, file=place, line=node.lineno)


def _is_module(app: App, name: str) -> bool:
    path = app.functions_root.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _find_no_storage(app: App, functions: Sequence[FunctionMetadata]) -> Iterator[Finding]:
    """What Core Tools would not start for; it looks at function.json folders only.

    Source: StartHostAction.cs (CheckNonOptionalSettings), Constants.cs (TriggersWithoutStorage).
    """
    values = app.settings.values
    is_set = any(values[one] for one in values if one.lower().startswith("azurewebjobsstorage"))
    folders = [one for one in functions if one.directory != app.functions_root]
    if not is_set and any(one.trigger.type.lower() not in _WITHOUT_STORAGE for one in folders):
        yield _warn("storage-missing", _NO_STORAGE)


def _find_unknown_names(app: App, known: Collection[str]) -> Iterator[Finding]:
    there = {name.lower() for name in known}
    if app.host.functions:
        # Azure/azure-functions-host: FunctionMetadataManager.cs (ApplyAllowList).
        names = ", ".join(sorted(app.host.functions))
        yield _warn(
            "allow-list-used",
            "A function allow list has been specified, excluding all but the following functions: "
            f"[{names}]",
            advice=None,
        )
    for name in sorted(app.host.functions or ()):
        if name.lower() not in there:
            yield _warn("allow-list", f"functions names '{name}', which is not there.")
    if app.host.functions:
        return  # the names of those left out are not known
    for setting in app.settings.values:
        found = _DISABLED.fullmatch(setting)
        if found and found["name"].lower() not in there:
            text = f"{setting} disables '{found['name']}', which is not there."
            yield _warn("disabled-unknown", text)
