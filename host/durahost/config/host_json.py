"""host.json: the file, its faults in the host's words, and the settings taken from it.

Sources: Azure/azure-functions-host: HostJsonFileConfigurationSource.cs,
ScriptJobHostOptionsSetup.cs, ExtensionBundleConfigurationHelper.cs.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from durahost.config import durable_options, host_checks
from durahost.config.app_root import HOST_FILE
from durahost.config.dotnet_values import MAX_TIMESPAN_TEXT, scalar_text
from durahost.config.http_options import build_http_settings
from durahost.config.json_file import decode
from durahost.config.log_levels import build_log_levels
from durahost.config.option_tree import Locator, OptionTree
from durahost.config.settings import UNLIMITED, HostSettings
from durahost.model.errors import ConfigError
from durahost.tolerant_json import JsonTextError, find_lines, read_object

_HELP = "https://aka.ms/functions-hostjson"
_MINUS_ONE = timedelta(days=-1)


def read_host_settings(root: Path, values: Mapping[str, str]) -> HostSettings:
    """Read host.json of the app root.

    values: app settings; `AzureFunctionsJobHost__a__b` among them win over the file.
    Errors: ConfigError with the host's text, and with all other faults of the file.
    """
    path = root / HOST_FILE
    try:
        text = decode(path.read_bytes())
        document = read_object(text)
    except JsonTextError as error:
        raise ConfigError(
            f"Unable to parse host configuration file '{path}'.",
            advice=f"{error}\n{error.pointer}",
            file=HOST_FILE,
            line=error.line,
        ) from error
    except OSError as error:
        raise ConfigError(
            f"Cannot read '{path}': {error.strerror}.",
            advice="Make it a file that this user may read.",
            file=HOST_FILE,
        ) from error
    return build_host_settings(document, values, lambda option: _find_line(text, option))


def build_host_settings(
    document: Mapping[str, Any], values: Mapping[str, str], locate: Locator = lambda _: None
) -> HostSettings:
    """Build the settings from the parsed file; `{}` is the default file.

    Errors: ConfigError with the host's text; every other fault is among its `others`.
    """
    options = OptionTree.of(document, values, locate)
    if document:
        _check_version(document, options)
    host_checks.check(options)
    settings = HostSettings(
        function_timeout=_build_timeout(options),
        functions=frozenset(options.texts("functions")) or None,
        has_extension_bundle=_has_bundle(options),
        watch_directories=tuple(options.texts("watchDirectories")),
        watch_files=tuple(options.texts("watchFiles")),
        is_file_watching_enabled=options.boolean("fileWatchingEnabled", True),
        http=build_http_settings(options),
        durable=durable_options.build_durable_settings(options, values),
        log_levels=build_log_levels(options),
        retry=host_checks.build_retry(options),
        ignored=tuple(host_checks.find_ignored(options)),
        warnings=(*options.warnings, *host_checks.find_unknown(options)),
    )
    options.raise_faults()
    return settings


def _find_line(text: str, option: str) -> int | None:
    """The line of an option's name, or of the innermost name above it that the file has."""
    lines = find_lines(text)
    parts = option.lower().split(":")
    for size in range(len(parts), 0, -1):
        if line := lines.get(tuple(parts[:size])):
            return line
    return None


def _check_version(document: Mapping[str, Any], options: OptionTree) -> None:
    version = scalar_text(document.get("version"))
    advice = 'Put "version": "2.0" into host.json, with the quotes.'
    if not version:
        wrong = next((name for name in document if name.lower() == "version"), None)
        if wrong is not None and wrong != "version":
            advice += f" '{wrong}' does not count: case does, here."
        options.refuse(
            "version",
            "The host.json file is missing the required 'version' property. "
            f"See {_HELP} for steps to migrate the configuration file.",
            advice,
        )
    elif version != "2.0":
        hint = (
            "This does not correspond to the function runtime version, only to the schema version "
            "of the host.json file. "
        )
        options.refuse(
            "version",
            f"'{version}' is an invalid value for host.json 'version' property. We recommend you "
            f"set the 'version' property to '2.0'. {hint if version.startswith('3') else ''}"
            f"See {_HELP} for more information on this configuration file.",
            advice,
        )


def _build_timeout(options: OptionTree) -> timedelta:
    default = HostSettings().function_timeout
    if not options.text("functionTimeout"):
        return default
    timeout = options.timespan("functionTimeout", default)
    if timeout == _MINUS_ONE:
        return UNLIMITED
    if timeout < timedelta(seconds=1):
        options.refuse(
            "functionTimeout",
            f"FunctionTimeout must be greater than 00:00:01 and less than {MAX_TIMESPAN_TEXT}.",
            'functionTimeout in host.json is "hh:mm:ss", or "-1" for no limit.',
        )
    return timeout


def _has_bundle(options: OptionTree) -> bool:
    if not options.names("extensionBundle"):
        return False
    for name in ("id", "version"):
        if not options.text(f"extensionBundle:{name}"):
            options.refuse(
                f"extensionBundle:{name}",
                f"The value of {name} property in extensionBundle section of host.json file is "
                f"invalid or missing. See {_HELP} for more information",
                f"Add {name}, or leave extensionBundle out: it is not needed here.",
            )
    return True
