"""One function folder: its function.json and script, checked in the host's order.

Only the first fault of a function is reported. Names in function.json compare with case, names in
a binding without.
Source: Azure/azure-functions-host: HostFunctionMetadataProvider.cs (ParseFunctionMetadata,
DeterminePrimaryScriptFile), BindingMetadata.cs (Create), Utility.cs (ValidateRetryOptions).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from durahost.config.app_root import FUNCTION_FILE
from durahost.config.dotnet_values import scalar_text
from durahost.config.json_file import read_json_file
from durahost.functions.binding_checks import check_bindings, check_name, suggest_type
from durahost.functions.failures import build_failure
from durahost.functions.retry import parse_policy
from durahost.model.functions import Binding, FunctionFailure, FunctionMetadata, RetryPolicy
from durahost.tolerant_json import JsonTextError

_DIRECTIONS = ("in", "out", "inout")
_SCRIPT_NAMES = ("index.js", "index.mjs", "index.cjs", "__init__.py")
_SCRIPT_STEM = "run"
_RETRY_NEEDS = {
    "fixeddelay": ("maxRetryCount", "delayInterval"),
    "exponentialbackoff": ("maxRetryCount", "minimumInterval", "maximumInterval"),
}


class _Fault(Exception):
    """The first fault of a function, in the host's words, and what to do about it.

    function: itself, where all of it could be read.
    """

    def __init__(
        self, message: str, advice: str | None = None, function: FunctionMetadata | None = None
    ) -> None:
        super().__init__(message)
        self.advice = advice
        self.function = function


def read_function(
    app_root: Path, directory: Path, *, has_extension_bundle: bool
) -> FunctionMetadata | FunctionFailure:
    """Read one folder that holds a function.json.

    A failure's file is relative to the app root; its message ends with a full stop, as the host
    writes it.
    """
    path = directory / FUNCTION_FILE
    try:
        return _read(directory, path, has_extension_bundle)
    except (_Fault, OSError) as error:
        fault = error if isinstance(error, _Fault) else _unreadable(error)
        file = Path(os.path.relpath(path, app_root)).as_posix()
        return build_failure(
            directory.name, str(fault), file=file, advice=fault.advice, function=fault.function
        )


def _unreadable(error: OSError) -> _Fault:
    name = Path(str(error.filename)).name
    return _Fault(f"Cannot read {name}: {error.strerror}.", "Let this user read the folder.")


def _read(directory: Path, path: Path, has_extension_bundle: bool) -> FunctionMetadata:
    if text := check_name(directory.name):
        raise _Fault(text, "Rename the folder: a letter, then letters, digits, _ or -.")
    document = _read_document(path)
    bindings = _parse_bindings(document)
    _check_configuration_source(directory.name, document)
    script = _find_script(directory, document)
    retry = _read_retry(document)
    if script is None:
        raise _Fault(
            "Unable to determine the primary function script. Make sure at least one script file "
            "is present. Try renaming your entry point script to 'run' or alternatively you can "
            "specify the name of the entry point script explicitly by adding a 'scriptFile' "
            "property to your function metadata.",
            f'Add an __init__.py beside it, or "scriptFile": "<name>.py" to {FUNCTION_FILE}.',
        )
    function = FunctionMetadata(
        name=directory.name,
        directory=directory,
        script_file=script,
        entry_point=scalar_text(document.get("entryPoint")),
        bindings=bindings,
        retry=retry,
    )
    if text := check_bindings(bindings, has_extension_bundle=has_extension_bundle):
        advice = suggest_type(bindings) or f'Correct "bindings" in {FUNCTION_FILE}.'
        raise _Fault(text, advice, function)
    return function


def _read_document(path: Path) -> dict[str, Any]:
    try:
        return read_json_file(path)
    except JsonTextError as error:
        raise _Fault(str(error), f"Correct line {error.line}:\n{error.pointer}") from error


def _parse_bindings(document: Mapping[str, Any]) -> list[Binding]:
    written = document.get("bindings")
    if not isinstance(written, list) or not written:
        advice = 'Add "bindings": [{"name": ..., "type": "httpTrigger", ...}], in lower case.'
        other = next((key for key in document if key.lower() == "bindings"), "bindings")
        if other != "bindings":
            advice = f'Write "bindings", not "{other}": case counts here.'
        raise _Fault("At least one binding must be declared.", advice)
    return [_parse_binding(one) for one in written]


def _parse_binding(written: Any) -> Binding:
    if not isinstance(written, dict):
        raise _Fault("A binding must be a JSON object.", f'Correct "bindings" in {FUNCTION_FILE}.')
    raw = Binding(name="", type="", direction="", properties=written)
    direction = scalar_text(raw.get("direction")) or "in"
    if direction.lower() not in _DIRECTIONS:
        raise _Fault(f"'{direction}' is not a valid binding direction.", "Use in, out or inout.")
    return Binding(
        name=scalar_text(raw.get("name")),
        type=scalar_text(raw.get("type")),
        direction=direction,
        properties=written,
    )


def _check_configuration_source(name: str, document: Mapping[str, Any]) -> None:
    for key, value in document.items():
        if key.lower() == "configurationsource" and scalar_text(value).lower() not in (
            "attributes",
            "config",
        ):
            raise _Fault(
                f"Illegal value '{scalar_text(value)}' for 'configurationSource' property in "
                f"{name}'.",
                f"Remove configurationSource from {FUNCTION_FILE}.",
            )


def _find_script(directory: Path, document: Mapping[str, Any]) -> Path | None:
    """The primary script; None when it cannot be determined."""
    written = scalar_text(document.get("scriptFile"))
    if written:
        script = directory / written
        if not script.is_file():
            raise _Fault(
                "Invalid script file name configuration. The 'scriptFile' property is set to a "
                "file that does not exist.",
                f"Create {written}, or correct scriptFile; it is relative to {FUNCTION_FILE}.",
            )
        return Path(os.path.normpath(script))
    # Sorted, so that the choice does not depend on the file system.
    files = sorted(
        one for one in directory.iterdir() if one.is_file() and one.name.lower() != FUNCTION_FILE
    )
    if len(files) == 1:
        return files[0]
    return next((one for one in files if _is_script(one)), None)


def _is_script(file: Path) -> bool:
    return file.stem.lower() == _SCRIPT_STEM or file.name.lower() in _SCRIPT_NAMES


def _read_retry(document: Mapping[str, Any]) -> RetryPolicy | None:
    retry = document.get("retry")
    if not isinstance(retry, dict):
        return None
    given = {name.lower() for name, value in retry.items() if value is not None}
    strategy = next((v for k, v in retry.items() if k.lower() == "strategy"), None)
    # RetryStrategy.cs: ExponentialBackoff is the enumeration's default.
    word = scalar_text(strategy).lower() or "exponentialbackoff"
    for name in _RETRY_NEEDS.get(word, ()):
        if name.lower() not in given:
            raise _Fault(
                f"Value cannot be null. (Parameter '{name[0].upper()}{name[1:]}')",
                f'Add "{name}" to "retry" in {FUNCTION_FILE}.',
            )
    try:
        return parse_policy(retry)
    except ValueError as error:
        raise _Fault(str(error), f'Correct "retry" in {FUNCTION_FILE}.') from error
