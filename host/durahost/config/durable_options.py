"""`extensions.durableTask` of host.json: names, defaults, ranges and texts of the extension.

Source: Azure/azure-functions-durable-extension: Options/DurableTaskOptions.cs,
Options/AzureStorageOptions.cs.
"""

import re
from collections.abc import Mapping
from datetime import timedelta

from durahost.config import durable_checks
from durahost.config.name_resolution import UnresolvedName, get_setting, resolve_names
from durahost.config.option_tree import OptionTree
from durahost.config.settings import DurableSettings, SessionUse
from durahost.model.status import LIVE, TERMINAL
from durahost.model.versioning import VersionFailure, VersionMatch

PATH = "extensions:durableTask"
NOT_ACTED_ON = frozenset(
    {
        "entitymessagereorderwindowinminutes",
        "rollbackentityoperationsonexceptions",
        "usegracefulshutdown",
        "throwstatusexceptionsonraiseevent",
        "appleaseoptions",
        "maxgrpcmessagesizeinbytes",
        "grpchttpclienttimeout",
        "tracing",
        "notifications",
    }
)
"""Keys the extension knows that change nothing here, lower case."""

_VERSIONING = "DurableTask.Core.Settings.VersioningSettings"
"""Source: Azure/durabletask: Settings/VersioningSettings.cs."""
_AZURE_STORAGE = "AzureStorage"
_POSTGRES = "postgres"
_PROVIDERS = (_AZURE_STORAGE, "mssql", "Netherite", "azureManaged", _POSTGRES)
_CONNECTION = f"{PATH}:storageProvider:connectionName"
_OLD_CONNECTION = f"{PATH}:storageProvider:connectionStringName"
_DEFAULT_CONNECTIONS = {
    _AZURE_STORAGE: "Storage",
    "mssql": "SQLDB_Connection",
    "Netherite": "AzureWebJobsStorage",
    "azureManaged": "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
}
_IDLE = "extendedSessionIdleTimeoutInSeconds"
CHECK_SETTING = "DURAHOST_CHECK_SESSIONS"
"""1: an orchestrator that lives on is compared with a replay at each episode; for tests."""
_HUB_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{2,49}", re.ASCII)
_MAX_DEFAULT_HUB = 45


def build_durable_settings(options: OptionTree, values: Mapping[str, str]) -> DurableSettings:
    """Build and check the settings.

    values: app settings, for `%NAME%` and the default hub name. Faults are noted in the options,
    with the extension's text.
    """
    provider = _build_provider(options)
    warnings = durable_checks.check(options, values, is_azure_storage=provider == _AZURE_STORAGE)
    default = DurableSettings()
    states = options.choice(
        f"{PATH}:overridableExistingInstanceStates",
        "NonRunningStates",
        ("NonRunningStates", "AnyState"),
        "Microsoft.Azure.WebJobs.Extensions.DurableTask.OverridableStates",
    )
    sleep = f"{PATH}:httpSettings:defaultAsyncRequestSleepTimeMilliseconds"
    return DurableSettings(
        hub_name=_build_hub_name(options, values, provider),
        connection_name=_build_connection(options, provider),
        provider_type=provider,
        max_concurrent_orchestrators=_positive(
            options, "MaxConcurrentOrchestratorFunctions", default.max_concurrent_orchestrators
        ),
        max_concurrent_activities=_positive(
            options, "MaxConcurrentActivityFunctions", default.max_concurrent_activities
        ),
        max_concurrent_entities=_positive(
            options, "MaxConcurrentEntityFunctions", default.max_concurrent_entities
        ),
        max_entity_batch=_positive(
            options, "MaxEntityOperationBatchSize", default.max_entity_batch
        ),
        max_orchestration_actions=options.integer(
            f"{PATH}:maxOrchestrationActions", default.max_orchestration_actions
        ),
        replaceable=TERMINAL if states == "NonRunningStates" else TERMINAL | LIVE,
        store_inputs_in_history=options.boolean(f"{PATH}:storeInputsInOrchestrationHistory", False),
        default_http_sleep_ms=options.integer(sleep, default.default_http_sleep_ms),
        default_version=options.text(f"{PATH}:defaultVersion") or None,
        version_match=VersionMatch(
            options.choice(
                f"{PATH}:versionMatchStrategy",
                default.version_match.value,
                [strategy.value for strategy in VersionMatch],
                f"{_VERSIONING}+VersionMatchStrategy",
            )
        ),
        version_failure=VersionFailure(
            options.choice(
                f"{PATH}:versionFailureStrategy",
                default.version_failure.value,
                [strategy.value for strategy in VersionFailure],
                f"{_VERSIONING}+VersionFailureStrategy",
            )
        ),
        use_forwarded_host=options.boolean(f"{PATH}:httpSettings:useForwardedHost", False),
        uses_app_lease=options.boolean(f"{PATH}:useAppLease", True),
        session_use=_build_session_use(options),
        session_idle=timedelta(seconds=options.integer(f"{PATH}:{_IDLE}", 30)),
        checks_sessions=get_setting(values, CHECK_SETTING) == "1",
        is_local_rpc_enabled=options.boolean(f"{PATH}:localRpcEndpointEnabled", True),
        warnings=tuple(warnings),
    )


def _build_session_use(options: OptionTree) -> SessionUse:
    path = f"{PATH}:extendedSessionsEnabled"
    return SessionUse(None if options.text(path) is None else options.boolean(path, False))


def default_hub_name(site_name: str | None) -> str:
    """The hub's name when host.json gives none: the site's name reduced to what storage allows.

    Source: AzureStorageOptions.cs (IsSanitizedHubName).
    """
    if site_name is None:
        return "TestHubName"
    kept = "".join(character for character in site_name if character.isalnum())
    if not kept:
        return "DefaultTaskHub"
    name = ("t" + kept if kept[0].isnumeric() else kept)[:_MAX_DEFAULT_HUB]
    return name if len(name) >= 3 else name + "Hub"


def _build_hub_name(options: OptionTree, values: Mapping[str, str], provider: str) -> str:
    default = default_hub_name(get_setting(values, "WEBSITE_SITE_NAME"))
    name = _read_hub_name(options, values, provider) or default
    slot = get_setting(values, "WEBSITE_SLOT_NAME") or "Production"
    if slot.lower() != "production" and name.lower() == default.lower():
        # Source: DurableTaskOptions.cs (Validate); no blank before "See".
        options.refuse(
            f"{PATH}:hubName",
            "Task Hub name must be specified in host.json when using slots. Specified name must "
            f"not equal the default HubName ({default}).See documentation on Task Hubs for "
            "information on how to set this: https://docs.microsoft.com/azure/azure-functions/"
            "durable/durable-functions-task-hubs",
            f"WEBSITE_SLOT_NAME is '{slot}'; set hubName in host.json.",
        )
    return name


def _read_hub_name(options: OptionTree, values: Mapping[str, str], provider: str) -> str | None:
    written = options.text(f"{PATH}:hubName")
    if written is None:
        return None
    advice = f"Change hubName in host.json ('{written}')."
    try:
        name = resolve_names(written, values)
    except UnresolvedName as error:
        # The extension goes on with the unresolved text, so its text is the one below.
        name, advice = written, f"hubName in host.json: {error} Add it to Values."
    if not name:
        text = "A non-empty HubName configuration is required."
        options.refuse(f"{PATH}:hubName", text, advice)
    elif provider in (_AZURE_STORAGE, _POSTGRES) and not _HUB_NAME.fullmatch(name):
        options.refuse(
            f"{PATH}:hubName",
            f"Task hub name '{name}' should contain only alphanumeric characters, start with a "
            "letter, and have length between 3 and 45.",
            advice,
        )
    return name


def _build_provider(options: OptionTree) -> str:
    written = options.text(f"{PATH}:storageProvider:type") or _AZURE_STORAGE
    for name in _PROVIDERS:
        if name.lower() == written.lower():
            return name
    # Source: DurableTaskExtension.cs (GetDurabilityProviderFactory).
    options.refuse(
        f"{PATH}:storageProvider:type",
        f"Storage provider type ({written}) was not found. Available storage providers: "
        f"{', '.join(_PROVIDERS)}.",
        f"Change {PATH.replace(':', '.')}.storageProvider.type in host.json, or leave it out.",
    )
    return _AZURE_STORAGE


def _build_connection(options: OptionTree, provider: str) -> str:
    named = options.text(_CONNECTION) or options.text(_OLD_CONNECTION)
    if provider == "Netherite":
        named = options.text(f"{PATH}:storageProvider:StorageConnectionName")
    name = named or _DEFAULT_CONNECTIONS.get(provider)
    if name is None:
        options.refuse(
            _OLD_CONNECTION,
            f"Storage provider '{provider}' needs connectionStringName in host.json.",
            "Add to extensions.durableTask.storageProvider the name of the app setting that holds "
            "the connection string.",
        )
    return name or DurableSettings().connection_name


def _positive(options: OptionTree, name: str, default: int) -> int:
    path = f"{PATH}:{name[0].lower()}{name[1:]}"
    value = options.integer(path, default)
    if value <= 0:
        text = f"{name} must be a positive integer value."
        options.refuse(path, text, f"host.json has {value} there.")
    return value
