"""Traps of one function that loads and then does otherwise than it seems.

Sources: Azure/azure-functions-python-worker: functions.py, bindings/meta.py;
Azure/azure-functions-host: FunctionMetadata.cs (no `disabled`); Azure/azure-functions-core-tools:
StartHostAction.cs (CheckNonOptionalSettings).
"""

import ast
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from durahost.config.app_root import FUNCTION_FILE
from durahost.config.dotnet_values import is_unexpected_days, scalar_text
from durahost.config.json_file import read_text
from durahost.config.name_resolution import get_setting
from durahost.config.settings import App
from durahost.functions.scripts import Def, Script, own_nodes
from durahost.functions.timer_trigger import TIMER_TRIGGER, read_trigger
from durahost.functions.traps import BY_RULE
from durahost.model.findings import Finding
from durahost.model.functions import Binding, FunctionMetadata
from durahost.schedules.schedule import ConstantSchedule
from durahost.tolerant_json import JsonTextError, find_lines, read_object

_TEXT = frozenset({"str", "bytes"})
_EPISODES = ("orchestrationTrigger", "entityTrigger")
_CONNECTIONS = ("connection", "apiKey", "accountSid", "authToken")
_CONNECTION_FORMS = (
    "{}", "AzureWebJobs{}", "ConnectionStrings:{}", "{}__accountName", "{}__serviceUri",
    "{}__fullyQualifiedNamespace", "{}__accountEndpoint", "{}__queueServiceUri",
    "{}__blobServiceUri",
)  # fmt: skip


def check_function(app: App, function: FunctionMetadata, script: Script | None) -> list[Finding]:
    """Every trap of a function, in the order of the table's.

    script: None when it cannot be parsed, or the function's code is elsewhere.
    """
    checks = _Checks(app, function, script)
    return [*checks.of_file(), *checks.of_bindings(), *checks.of_script()]


class _Checks:
    """The checks of one function."""

    def __init__(self, app: App, function: FunctionMetadata, script: Script | None) -> None:
        self._app = app
        self._function = function
        self._script = script
        self._file = function.directory / FUNCTION_FILE
        self._text = read_text(self._file)

    def of_file(self) -> Iterator[Finding]:
        """Traps of function.json beside its bindings."""
        try:
            document: Mapping[str, object] = read_object(self._text) if self._text else {}
        except JsonTextError:
            return
        if document.get("disabled"):
            text = f'"disabled" in {FUNCTION_FILE} is ignored.'
            yield self._of_binding("disabled-in-file", text, ("disabled",))

    def of_bindings(self) -> Iterator[Finding]:
        """Traps of the bindings' own properties."""
        for index, binding in enumerate(self._function.bindings):
            path = ("bindings", str(index))
            if binding.is_type(TIMER_TRIGGER):
                yield from self._of_timer(binding, (*path, "schedule"))
            for name in _CONNECTIONS:
                value = binding.properties.get(name)
                if isinstance(value, str) and not self._has_setting(value):
                    yield self._no_setting(binding, name, value, (*path, name.lower()))

    def _of_timer(self, binding: Binding, path: tuple[str, ...]) -> Iterator[Finding]:
        written, schedule = scalar_text(binding.get("schedule")), read_trigger(binding).schedule
        if isinstance(schedule, ConstantSchedule) and schedule.interval <= timedelta(0):
            text = f"The schedule '{written}' is an interval that has passed as soon as it begins."
            yield self._of_binding("schedule-pauseless", text, path)
        elif schedule.is_never:
            text = f"The schedule '{written}' never fires."
            yield self._of_binding("schedule-never", text, path)
        elif is_unexpected_days(written):
            text = f"The schedule '{written}' is an interval of days, not of hours or minutes."
            yield self._of_binding("schedule-days", text, path)

    def of_script(self) -> Iterator[Finding]:
        """Traps of the entry point."""
        if self._script is None:
            return
        entry = self._script.entry_point(self._function)
        if any(self._function.trigger.is_type(kind) for kind in _EPISODES):
            yield from self._of_orchestrator(entry)
        elif entry is not None:
            yield from self._of_entry(entry)

    def _of_entry(self, entry: Def) -> Iterator[Finding]:
        if entry.args.posonlyargs:
            names = ", ".join(one.arg for one in entry.args.posonlyargs)
            text = f"Parameters before '/' cannot be given by name, so every call fails: {names}."
            yield self._of_code("positional-only", text, entry)
        if isinstance(entry, ast.FunctionDef) and any(map(_is_client_input, entry.decorator_list)):
            text = f"'{entry.name}' has the durable client and is not async."
            yield self._of_code("client-sync", text, entry)
        if not self._function.trigger.is_type("httpTrigger"):
            return
        for one in (*entry.args.args, *entry.args.kwonlyargs):
            kind = one.annotation.id if isinstance(one.annotation, ast.Name) else ""
            if one.arg == self._function.trigger.name and kind in _TEXT:
                text = f"The request parameter '{one.arg}' is annotated as {kind}."
                yield self._of_code("http-annotation", text, one)
        yield from self._of_answer(entry)

    def _of_answer(self, entry: Def) -> Iterator[Finding]:
        outputs = [one for one in self._function.bindings if one.is_type("http")]
        returns = [
            node
            for node in own_nodes(entry)
            if isinstance(node, ast.Return) and not _is_none(node.value)
        ]
        if not outputs and returns:
            text = "The function returns a value, and no http output binding takes it."
            yield self._of_code("http-output-missing", text, returns[0])
        named = any(one.name == "$return" for one in outputs)
        if named and not returns and not _raises_at_its_end(entry):
            text = "The function never returns a value, and $return needs one."
            yield self._of_code("http-returns-nothing", text, entry)

    def _of_orchestrator(self, entry: Def | None) -> Iterator[Finding]:
        assert self._script is not None
        created = self._script.created(self._function)
        if entry is not None and not entry.decorator_list and created is None:
            text = f"The entry point '{entry.name}' is the plain function, which nothing drives."
            hint = BY_RULE["orchestrator-plain"].hint.format(entry=f"{entry.name}_function")
            yield self._of_code("orchestrator-plain", text, entry, hint)
        for one in (created, entry):
            if isinstance(one, ast.AsyncFunctionDef):
                text = f"'{one.name}' is async."
                yield self._of_code("orchestrator-async", text, one)

    def _has_setting(self, name: str) -> bool:
        values = self._app.settings.values
        return any(get_setting(values, form.format(name)) for form in _CONNECTION_FORMS)

    def _no_setting(
        self, binding: Binding, name: str, value: str, path: tuple[str, ...]
    ) -> Finding:
        file = self._file if self._text else self._function.script_file
        if not value:
            text = f"Warning: '{name}' property in '{file}' is empty."
            return self._of_binding("connection-missing", text, path, "Name an app setting.")
        text = (
            f"Warning: Cannot find value named '{value}' in local.settings.json that matches "
            f"'{name}' property set on '{binding.type}' in '{file}'."
        )
        hint = BY_RULE["connection-missing"].hint.format(setting=value)
        return self._of_binding("connection-missing", text, path, hint)

    def _of_binding(
        self, rule: str, message: str, path: tuple[str, ...], hint: str | None = None
    ) -> Finding:
        trap = BY_RULE[rule]
        is_file = bool(self._text)
        return Finding(
            rule=rule,
            severity=trap.severity,
            message=message,
            function=self._function.name,
            file=relative(self._file if is_file else self._function.script_file, self._app.root),
            line=find_lines(self._text).get(path) if is_file else None,
            advice=hint or trap.hint.format(function=self._function.name),
        )

    def _of_code(
        self, rule: str, message: str, node: ast.stmt | ast.arg, hint: str | None = None
    ) -> Finding:
        trap = BY_RULE[rule]
        return Finding(
            rule=rule,
            severity=trap.severity,
            message=message,
            function=self._function.name,
            file=relative(self._function.script_file, self._app.root),
            line=node.lineno,
            advice=hint or trap.hint.format(function=self._function.name),
        )


def relative(path: Path, root: Path) -> str:
    """A file as findings name it: relative to the root, absolute outside it."""
    return Path(os.path.relpath(path, root) if path.is_relative_to(root) else path).as_posix()


def _is_client_input(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr == "durable_client_input"


def _is_none(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _raises_at_its_end(entry: Def) -> bool:
    return any(isinstance(node, ast.Raise) for node in own_nodes(entry))
