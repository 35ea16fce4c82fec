"""host.json: the file, its faults in the host's words, and the settings taken from it.

Sources: Azure/azure-functions-host: HostJsonFileConfigurationSource.cs,
ScriptJobHostOptionsSetup.cs, ExtensionBundleConfigurationHelper.cs.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from durahost.config import durable_options
from durahost.config.app_root import HOST_FILE
from durahost.config.dotnet_values import MAX_TIMESPAN_TEXT, parse_timespan, scalar_text
from durahost.config.json_file import read_json_file
from durahost.config.option_tree import OptionTree
from durahost.config.settings import UNLIMITED, HostSettings, HttpSettings
from durahost.model.errors import ConfigError
from durahost.tolerant_json import JsonTextError

_HELP = "https://aka.ms/functions-hostjson"
_NOT_ACTED_ON = frozenset(
    {
        "retry",
        "http",
        "queues",
        "servicebus",
        "eventhub",
        "singleton",
        "logging",
        "aggregator",
        "healthmonitor",
        "manageddependencies",
        "manageddependency",
        "customhandler",
        "httpworker",
        "concurrency",
        "sendcanceledinvocationstoworker",
        "metadataprovidertimeout",
        "telemetrymode",
        "sequentialrestart",
    }
)
_HTTP_NOT_ACTED_ON = frozenset(
    {
        "maxoutstandingrequests",
        "maxconcurrentrequests",
        "dynamicthrottlesenabled",
        "enablechunkedrequestbinding",
        "hsts",
        "customheaders",
    }
)


def read_host_settings(root: Path, values: Mapping[str, str]) -> HostSettings:
    """Read host.json of the app root.

    values: app settings; `AzureFunctionsJobHost__a__b` among them win over the file.
    Errors: ConfigError with the host's text.
    """
    path = root / HOST_FILE
    try:
        document = read_json_file(path)
    except JsonTextError as error:
        raise ConfigError(
            f"Unable to parse host configuration file '{path}'.",
            advice=f"{error}\n{error.pointer}",
        ) from error
    except OSError as error:
        raise ConfigError(f"Cannot read '{path}': {error.strerror}.") from error
    return build_host_settings(document, values)


def build_host_settings(document: Mapping[str, Any], values: Mapping[str, str]) -> HostSettings:
    """Build the settings from the parsed file; `{}` is the default file.

    Errors: ConfigError with the host's text.
    """
    if document:
        _check_version(document)
    options = OptionTree.of(document, values)
    return HostSettings(
        function_timeout=_build_timeout(options),
        functions=frozenset(options.texts("functions")) or None,
        has_extension_bundle=_has_bundle(options),
        watch_directories=tuple(options.texts("watchDirectories")),
        watch_files=tuple(options.texts("watchFiles")),
        is_file_watching_enabled=options.boolean("fileWatchingEnabled", True),
        http=HttpSettings(route_prefix=_build_route_prefix(options)),
        durable=durable_options.build_durable_settings(options, values),
        ignored=tuple(_ignored(options)),
    )


def _check_version(document: Mapping[str, Any]) -> None:
    version = scalar_text(document.get("version"))
    advice = 'Put "version": "2.0" into host.json, with the quotes.'
    if not version:
        raise ConfigError(
            "The host.json file is missing the required 'version' property. "
            f"See {_HELP} for steps to migrate the configuration file.",
            advice,
        )
    if version != "2.0":
        hint = (
            "This does not correspond to the function runtime version, only to the schema version "
            "of the host.json file. "
        )
        raise ConfigError(
            f"'{version}' is an invalid value for host.json 'version' property. We recommend you "
            f"set the 'version' property to '2.0'. {hint if version.startswith('3') else ''}"
            f"See {_HELP} for more information on this configuration file.",
            advice,
        )


def _build_timeout(options: OptionTree) -> timedelta:
    text = options.text("functionTimeout")
    if text is None:
        return HostSettings().function_timeout
    if text == "-1":
        return UNLIMITED
    advice = 'functionTimeout in host.json is "hh:mm:ss", or "-1" for no limit.'
    try:
        timeout = parse_timespan(text)
    except ValueError as error:
        raise ConfigError(str(error), advice) from error
    if timeout < timedelta(seconds=1):
        raise ConfigError(
            f"FunctionTimeout must be greater than 00:00:01 and less than {MAX_TIMESPAN_TEXT}.",
            advice,
        )
    return timeout


def _build_route_prefix(options: OptionTree) -> str:
    prefix = options.text("extensions:http:routePrefix")
    return HttpSettings().route_prefix if prefix is None else prefix


def _has_bundle(options: OptionTree) -> bool:
    if not options.names("extensionBundle"):
        return False
    for name in ("id", "version"):
        if not options.text(f"extensionBundle:{name}"):
            raise ConfigError(
                f"The value of {name} property in extensionBundle section of host.json file is "
                f"invalid or missing. See {_HELP} for more information",
                advice=f"Add {name}, or leave extensionBundle out: it is not needed here.",
            )
    return True


def _ignored(options: OptionTree) -> list[str]:
    """Names of known sections that change nothing here, as written; unknown ones stay unnamed."""
    found = [name for name in options.names() if name.lower() in _NOT_ACTED_ON]
    for extension in options.names("extensions"):
        path = f"extensions:{extension}"
        known = {
            "http": _HTTP_NOT_ACTED_ON,
            "durabletask": durable_options.NOT_ACTED_ON,
        }.get(extension.lower())
        if known is None:
            found.append(path)
        else:
            found += [f"{path}:{n}" for n in options.names(path) if n.lower() in known]
    return [name.replace(":", ".") for name in found]
