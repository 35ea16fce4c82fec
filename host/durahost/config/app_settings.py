"""local.settings.json and the process environment, merged as Core Tools merges them.

The process environment wins over the file. Nothing is printed: what the developer should know is
in `AppSettings.warnings`, in Core Tools' words.
Sources: Azure/azure-functions-core-tools: AppSettingsFile.cs, HostStartSettings.cs,
StartHostAction.cs (GetConfigurationSettings, UpdateEnvironmentVariables).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from durahost.config.dotnet_values import (
    parse_boolean,
    parse_int32,
    rewritten_date,
    scalar_text,
)
from durahost.config.json_file import read_json_file
from durahost.config.settings import AppSettings
from durahost.model.errors import ConfigError

SETTINGS_FILE = "local.settings.json"
DEFAULT_PORT = 7071
_MAX_PORT = 65535

_ENVIRONMENT = "AZURE_FUNCTIONS_ENVIRONMENT"
_RESERVED = "CONTAINER_NAME"
_KEY_VAULT = "@microsoft.keyvault("
_PROCESS_COUNT = "FUNCTIONS_WORKER_PROCESS_COUNT"
_MAX_PROCESSES = 10
_OWN_NAMES = ("WEBSITE_HOSTNAME", "AzureWebJobsScriptRoot")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings:
    """What local.settings.json says; all empty when there is none.

    values: `Values`, then `ConnectionStrings` as `ConnectionStrings:<name>`; None is JSON null.
    """

    values: Mapping[str, str | None] = field(default_factory=dict)
    port: int | None = None
    address: str | None = None
    cors: str | None = None
    has_cors_credentials: bool = False
    warnings: tuple[str, ...] = ()


def read_local_settings(root: Path) -> LocalSettings:
    """Read local.settings.json of the app root; a file that is no valid JSON counts as empty.

    Errors: ConfigError when its values are encrypted or declared so.
    """
    path = root / SETTINGS_FILE
    try:
        document = read_json_file(path)
        settings, is_encrypted = _parse(document)
    except FileNotFoundError:
        return LocalSettings()
    except (ValueError, OSError) as error:
        warning = (
            f"Failed to read app settings file at '{path}'. Ensure it is a valid JSON file. {error}"
        )
        return LocalSettings(warnings=(warning,))
    if is_encrypted and any(settings.values.values()):
        raise ConfigError(
            "Failed to decrypt settings. Encrypted settings only be edited through "
            "'func settings add'.",
            advice=_encryption_advice(document),
            file=SETTINGS_FILE,
        )
    _check_port(settings.port)
    return settings


def _encryption_advice(document: Mapping[str, Any]) -> str:
    if document.get("IsEncrypted") is None:
        return (
            f'Add "IsEncrypted": false to {SETTINGS_FILE} when its values are plain text; without '
            "it they count as encrypted, as under Core Tools."
        )
    return (
        "Encrypted values can be read on the machine that encrypted them only: run "
        "'func settings decrypt' there, or write the values as plain text, with "
        f'"IsEncrypted": false in {SETTINGS_FILE}.'
    )


def _check_port(port: int | None) -> None:
    if port is not None and not 0 <= port <= _MAX_PORT:
        raise ConfigError(
            f"Host.LocalHttpPort of {SETTINGS_FILE} is {port}, which is no port.",
            advice=f"Give it a number from 1 to {_MAX_PORT}, or 0 for any free one.",
            file=SETTINGS_FILE,
        )


def build_app_settings(
    local: LocalSettings, environ: Mapping[str, str], *, script_root: Path, port: int | None
) -> AppSettings:
    """Merge the file, the process environment and what the program itself sets.

    script_root: becomes AzureWebJobsScriptRoot. port: of the command line, for WEBSITE_HOSTNAME.
    Errors: ConfigError when the file sets a name that is the program's own.
    """
    warnings = list(local.warnings)
    own = _build_own(local, script_root, port)
    for name in _OWN_NAMES:
        if name in local.values:
            # dotnet/runtime: Dictionary.cs (Add), as StartHostAction.GetConfigurationSettings.
            raise ConfigError(
                f"An item with the same key has already been added. Key: {name}",
                advice=f"Remove {name} from Values of {SETTINGS_FILE}; the host sets it itself.",
                file=SETTINGS_FILE,
            )
    environment = local.values.get(_ENVIRONMENT)
    if environment is not None:
        warnings.append(
            f"{_ENVIRONMENT} already exists with value '{environment}', overriding to "
            "'Development'."
        )
    merged = dict(environ)
    skipped: list[str] = []
    for name, value in {**local.values, **own}.items():
        if not name:
            warnings.append("Skipping local setting with empty key.")
        elif environ.get(name):
            skipped.append(name)
        elif value is None:
            warnings.append(f"Skipping '{name}' because value is null")
        else:
            merged[name] = value
    for name, value in _DEFAULTS.items():
        merged[name] = merged.get(name) or value
    if local.values.get(_RESERVED):
        warnings.append(
            f"{_RESERVED} is a reserved environment variable for the Functions Host. "
            "Please remove or rename this setting."
        )
    warnings += _check_process_count(merged)
    warnings += [
        f"{SETTINGS_FILE}: {name} is a Key Vault reference, which is not resolved here; the app "
        "sees its text."
        for name, value in local.values.items()
        if (value or "").lower().startswith(_KEY_VAULT) and merged.get(name) == value
    ]
    return AppSettings(
        values=merged,
        local_names=tuple(local.values),
        skipped=tuple(skipped),
        port=local.port,
        address=local.address,
        cors=local.cors,
        has_cors_credentials=local.has_cors_credentials,
        warnings=tuple(warnings),
    )


def _check_process_count(values: Mapping[str, str]) -> list[str]:
    # Source of the limits: Azure/azure-functions-host: WorkerProcessCountOptions.cs.
    count = values.get(_PROCESS_COUNT, "1").strip()
    if count.isdecimal() and 1 <= int(count) <= _MAX_PROCESSES:
        return []
    return [
        f"{_PROCESS_COUNT} is '{count}', which is no number from 1 to {_MAX_PROCESSES}; the "
        "nearest is taken, 1 for what is no number."
    ]


_DEFAULTS = {
    "FUNCTIONS_WORKER_RUNTIME": "python",
    "FUNCTIONS_CORETOOLS_ENVIRONMENT": "true",
    "PYTHON_ENABLE_DEBUG_LOGGING": "1",
}


def _build_own(local: LocalSettings, script_root: Path, port: int | None) -> dict[str, str]:
    return {
        "WEBSITE_HOSTNAME": f"localhost:{port or local.port or DEFAULT_PORT}",
        "AzureWebJobsScriptRoot": str(script_root),
        _ENVIRONMENT: "Development",
    }


def _parse(document: Mapping[str, Any]) -> tuple[LocalSettings, bool]:
    """Read the document's four members; ValueError says which is not of its type."""
    encrypted = document.get("IsEncrypted")
    is_encrypted = True if encrypted is None else _parse_flag("IsEncrypted", encrypted)
    warnings: list[str] = []
    values: dict[str, str | None] = {}
    for name, value in _members(document, "Values").items():
        values[name] = _parse_value(f"Values.{name}", value, warnings)
    for name, value in _members(document, "ConnectionStrings").items():
        text = value.get("ConnectionString") if isinstance(value, dict) else value
        values[f"ConnectionStrings:{name}"] = _parse_text(f"ConnectionStrings.{name}", text)
    host = {name.lower(): value for name, value in _members(document, "Host").items()}
    port, address = host.get("localhttpport"), host.get("localhttpaddress")
    cors, credentials = host.get("cors"), host.get("corscredentials")
    settings = LocalSettings(
        values=values,
        port=None if port is None else _parse_port(port),
        address=None if address is None else _parse_text("Host.LocalHttpAddress", address),
        cors=None if cors is None else _parse_text("Host.CORS", cors),
        has_cors_credentials=credentials is not None
        and _parse_flag("Host.CORSCredentials", credentials),
        warnings=tuple(warnings),
    )
    return settings, is_encrypted


def _members(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    members = document.get(name)
    if members is None:
        return {}
    if not isinstance(members, dict):
        raise ValueError(f"{name} must be an object.")
    return members


def _parse_flag(path: str, value: Any) -> bool:
    if isinstance(value, int | float):
        return value != 0
    try:
        return parse_boolean(_parse_text(path, value))
    except ValueError:
        raise ValueError(f"{path} must be true or false, not '{value}'.") from None


def _parse_port(value: Any) -> int:
    try:
        return parse_int32(_parse_text("Host.LocalHttpPort", value))
    except ValueError:
        raise ValueError(f"Host.LocalHttpPort must be a whole number, not '{value}'.") from None


def _parse_text(path: str, value: Any) -> str:
    if isinstance(value, dict | list):
        raise ValueError(f"{path} must be a string, not an object or an array.")
    return scalar_text(value)


def _parse_value(path: str, value: Any, warnings: list[str]) -> str | None:
    if value is None or not isinstance(value, str):
        return None if value is None else _parse_text(path, value)
    rewritten = rewritten_date(value)
    if rewritten is None:
        return value
    warnings.append(
        f"{SETTINGS_FILE}: {path} is '{rewritten}' for the app, not '{value}', as under Core "
        "Tools, which reads it as a date. On Azure an app setting keeps its text."
    )
    return rewritten
