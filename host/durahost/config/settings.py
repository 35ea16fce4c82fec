"""The settings the host acts on, parsed, typed and range-checked, as frozen values.

Sources of names and defaults: Azure/azure-functions-durable-extension: Options/*.cs;
Azure/azure-functions-host: ScriptJobHostOptions.cs; Azure/azure-webjobs-sdk-extensions:
HttpOptions.cs.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from pathlib import Path

from durahost.model.functions import RetryPolicy
from durahost.model.status import LIVE, TERMINAL, RuntimeStatus
from durahost.model.versioning import VersionFailure, VersionMatch

UNLIMITED = timedelta(days=10675199)
"""`functionTimeout` of "-1"."""


class SessionUse(Enum):
    """When an orchestrator lives on between its episodes (`extendedSessionsEnabled`)."""

    WHEN_LONG = None
    ALWAYS = True
    NEVER = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableSettings:
    """`extensions.durableTask` of host.json.

    replaceable: states of an existing instance that a start with its id replaces
        (`overridableExistingInstanceStates`: NonRunningStates by default).
    session_use, session_idle: when an orchestrator lives on, and for how long without an episode.
    warnings: what the extension says of the values when it starts.
    """

    hub_name: str = "TestHubName"
    connection_name: str = "Storage"
    provider_type: str = "AzureStorage"
    max_concurrent_orchestrators: int = 10 * (os.cpu_count() or 1)
    max_concurrent_activities: int = 10 * (os.cpu_count() or 1)
    max_concurrent_entities: int = 10 * (os.cpu_count() or 1)
    max_entity_batch: int = 5000
    max_orchestration_actions: int = 100_000
    replaceable: frozenset[RuntimeStatus] = TERMINAL
    store_inputs_in_history: bool = False
    default_http_sleep_ms: int = 30_000
    default_version: str | None = None
    version_match: VersionMatch = VersionMatch.CURRENT_OR_OLDER
    version_failure: VersionFailure = VersionFailure.REJECT
    use_forwarded_host: bool = False
    uses_app_lease: bool = True
    is_local_rpc_enabled: bool = True
    session_use: SessionUse = SessionUse.WHEN_LONG
    session_idle: timedelta = timedelta(seconds=30)
    checks_sessions: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def sends_timer_limits(self) -> bool:
        """Whether contexts carry the two timer durations: only Azure Storage has a timer limit."""
        return self.provider_type.lower() == "azurestorage"

    @property
    def replaces_any_state(self) -> bool:
        """`overridableExistingInstanceStates` is AnyState."""
        return self.replaceable >= LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class HstsSettings:
    """`extensions.http.hsts`; max_age defaults as in ASP.NET Core.

    Source: dotnet/aspnetcore: HstsOptions.cs.
    """

    is_enabled: bool = False
    max_age: timedelta = timedelta(days=30)
    include_subdomains: bool = False
    preload: bool = False
    excluded_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """`extensions.http` of host.json; a limit of -1 is none."""

    route_prefix: str = "api"
    max_outstanding_requests: int = -1
    max_concurrent_requests: int = -1
    hsts: HstsSettings = field(default_factory=HstsSettings)
    custom_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLevels:
    """`logging.logLevel` of host.json: levels of `logging` by category, the longest prefix counts.

    default: of every other category, None when host.json does not say. levels: keys in lower case.
    """

    default: int | None = None
    levels: Mapping[str, int] = field(default_factory=dict)

    def level_of(self, category: str) -> int | None:
        """The level from which records of this category are shown; None when nothing is said."""
        name = category.lower()
        fitting = [start for start in self.levels if name.startswith(start)]
        return self.levels[max(fitting, key=len)] if fitting else self.default


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """host.json as far as the host acts on it.

    functions: allow-list of function names, None means all. has_extension_bundle: decides the text
    for unknown binding types only. ignored: sections accepted and not acted on, named once at
    start. warnings: what the developer should know about the values, for the log.
    """

    function_timeout: timedelta = timedelta(minutes=30)
    functions: frozenset[str] | None = None
    has_extension_bundle: bool = False
    watch_directories: tuple[str, ...] = ()
    watch_files: tuple[str, ...] = ()
    is_file_watching_enabled: bool = True
    http: HttpSettings = field(default_factory=HttpSettings)
    durable: DurableSettings = field(default_factory=DurableSettings)
    log_levels: LogLevels = field(default_factory=LogLevels)
    retry: RetryPolicy | None = None
    ignored: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSettings:
    """The app's environment: process variables over `Values` of local.settings.json.

    values: the whole environment for the child. local_names: those in `Values` of the file.
    skipped: names in the file that the process environment already sets. port, address: `Host` of
    local.settings.json, None when absent. cors: its origins as written, comma-separated. warnings:
    what the developer should know about the file, for the log.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    local_names: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    port: int | None = None
    address: str | None = None
    cors: str | None = None
    has_cors_credentials: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One function app on disk: its root, where its function folders are, and its settings.

    functions_root: the folder whose direct children are function folders: the root itself, or its
    `function_app/` when the root has none of its own (the classic layout of this repository).
    """

    root: Path
    functions_root: Path
    host: HostSettings
    settings: AppSettings
