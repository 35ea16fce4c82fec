"""Sections of host.json that change nothing here, checked as the host checks them.

A host.json that keeps an app from starting on Azure keeps it from starting here, with the same
text. The setters refuse with .NET's own text, whose parameter is the setter's.
Sources: Azure/azure-webjobs-sdk: SingletonOptions.cs, ConcurrencyOptions.cs,
FunctionResultAggregatorOptions.cs, FixedDelayRetryAttribute.cs; Azure/azure-functions-host:
HostHealthMonitorOptions.cs, Utility.cs (ValidateRetryOptions), ScriptJobHostOptions.cs,
ManagedDependencyOptions.cs, HttpWorkerOptionsSetup.cs.
"""

import difflib
from datetime import timedelta

from durahost.config import durable_options, http_options
from durahost.config.option_tree import OptionTree
from durahost.model.functions import RetryPolicy

_NOT_ACTED_ON = frozenset(
    {
        "http",
        "queues",
        "servicebus",
        "eventhub",
        "singleton",
        "aggregator",
        "healthmonitor",
        "manageddependencies",
        "manageddependency",
        "concurrency",
        "sendcanceledinvocationstoworker",
        "metadataprovidertimeout",
        "telemetrymode",
        "sequentialrestart",
    }
)
"""Top-level names that the host knows and that change nothing here, lower case."""

_KNOWN = (
    "version", "functionTimeout", "retry", "functions", "http", "watchDirectories", "watchFiles",
    "fileWatchingEnabled", "queues", "serviceBus", "eventHub", "singleton", "logging", "aggregator",
    "healthMonitor", "extensionBundle", "managedDependency", "managedDependencies", "customHandler",
    "httpWorker", "extensions", "concurrency", "sendCanceledInvocationsToWorker",
    "metadataProviderTimeout", "telemetryMode", "isDefaultHostConfig", "sequentialRestart",
)  # fmt: skip
"""Source: Azure/azure-functions-host: HostJsonFileConfigurationSource.cs
(WellKnownHostJsonProperties), ScriptJobHostOptions.cs.
"""

_CUSTOM_HANDLERS = ("customHandler", "httpWorker")
_LOGGING_NOT_ACTED_ON = frozenset({"fileloggingmode", "applicationinsights", "console"})
_SINGLETON = "singleton"
_MAX_SPAN = timedelta(days=10675199)
_LEASE = (timedelta(seconds=15), timedelta(seconds=60))
_LEAST = {
    "lockAcquisitionTimeout": timedelta(microseconds=1),
    "lockAcquisitionPollingInterval": timedelta(milliseconds=500),
    "listenerLockRecoveryPollingInterval": timedelta(seconds=15),
}
_RETRY_NEEDS = {
    "fixedDelay": ("delayInterval",),
    "exponentialBackoff": ("minimumInterval", "maximumInterval"),
}


def check(options: OptionTree) -> None:
    """Note every fault of the sections in the options."""
    _check_custom_handler(options)
    _check_aggregator(options)
    _check_health_monitor(options)
    _check_singleton(options)
    _check_concurrency(options)
    _check_others(options)


def find_ignored(options: OptionTree) -> list[str]:
    """Names of known sections that change nothing here, as written; unknown ones stay unnamed, as
    the host ignores them without a word.
    """
    found = [name for name in options.names() if name.lower() in _NOT_ACTED_ON]
    found += _known(options, "logging", _LOGGING_NOT_ACTED_ON)
    for extension in options.names("extensions"):
        path = f"extensions:{extension}"
        known = {
            "http": http_options.NOT_ACTED_ON,
            "durabletask": durable_options.NOT_ACTED_ON,
        }.get(extension.lower())
        found += [path] if known is None else _known(options, path, known)
    return [name.replace(":", ".") for name in found]


def find_unknown(options: OptionTree) -> list[str]:
    """Warnings of top-level names that look like one that the host knows."""
    known = {name.lower(): name for name in _KNOWN}
    found = []
    for name in options.names():
        near = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.8)
        if near and name.lower() not in known:
            found.append(
                f"host.json: '{name}' is not known and has no effect; did you mean "
                f"'{known[near[0]]}'?"
            )
    return found


def _known(options: OptionTree, path: str, known: frozenset[str]) -> list[str]:
    return [f"{path}:{name}" for name in options.names(path) if name.lower() in known]


def _check_custom_handler(options: OptionTree) -> None:
    """A custom handler is another language's program: the app's functions run there, not here."""
    for section in _CUSTOM_HANDLERS:
        if options.names(section) or options.text(section):
            options.refuse(
                section,
                f"host.json has a {section} section: the app's functions run in a program of its "
                "own, not in Python.",
                f"Remove {section} from host.json when the functions are Python; only Python apps "
                "run here.",
            )


def _check_aggregator(options: OptionTree) -> None:
    options.boolean("aggregator:isEnabled", True)
    if not 0 < options.integer("aggregator:batchSize", 1000) <= 10000:
        options.refuse(
            "aggregator:batchSize",
            "'BatchSize' value must be greater than 0 and less than or equal to 10000.",
            "Change aggregator.batchSize.",
        )
    flush = options.timespan("aggregator:flushTimeout", timedelta(seconds=30))
    if not timedelta(0) < flush <= timedelta(minutes=5):
        options.refuse(
            "aggregator:flushTimeout",
            "'FlushTimeout' value must be greater than '00:00:00' and less than or equal to "
            "'00:05:00'.",
            "Change aggregator.flushTimeout.",
        )


def _check_health_monitor(options: OptionTree) -> None:
    options.boolean("healthMonitor:enabled", True)
    options.timespan("healthMonitor:healthCheckInterval", timedelta(seconds=10))
    options.timespan("healthMonitor:healthCheckWindow", timedelta(minutes=2))
    options.integer("healthMonitor:healthCheckThreshold", 6)
    options.single("healthMonitor:counterThreshold", 0.8)


def _check_singleton(options: OptionTree) -> None:
    for name in ("lockPeriod", "listenerLockPeriod"):
        path, (least, most) = f"{_SINGLETON}:{name}", _LEASE
        if not least <= options.timespan(path, least) <= most:
            _refuse_range(options, path, "value", "it must be 00:00:15 to 00:01:00")
    for name, least in _LEAST.items():
        path = f"{_SINGLETON}:{name}"
        if options.timespan(path, _MAX_SPAN) < least:
            _refuse_range(options, path, "value", f"it must be at least {least}")


def _check_concurrency(options: OptionTree) -> None:
    options.boolean("concurrency:dynamicConcurrencyEnabled", False)
    options.boolean("concurrency:snapshotPersistenceEnabled", True)
    most = options.integer("concurrency:maximumFunctionConcurrency", 500)
    if most <= 0 and most != -1:
        path = "concurrency:maximumFunctionConcurrency"
        _refuse_range(options, path, "MaximumFunctionConcurrency", "it must be above 0, or -1")
    if not 0 < options.single("concurrency:CPUThreshold", 0.8) < 1:
        path = "concurrency:CPUThreshold"
        _refuse_range(options, path, "CPUThreshold", "it must lie between 0 and 1")


def build_retry(options: OptionTree) -> RetryPolicy | None:
    """The app-wide retry; its faults have the words of a function's own."""
    given = {name.lower() for name in options.names("retry")}
    if not given:
        return None
    strategy = options.choice(
        "retry:strategy",
        "exponentialBackoff",
        list(_RETRY_NEEDS),
        "Microsoft.Azure.WebJobs.Script.Description.RetryStrategy",
    )
    count = options.integer("retry:maxRetryCount", 0)
    delay, least, most = (
        options.timespan(f"retry:{name}", timedelta(0))
        for name in ("delayInterval", "minimumInterval", "maximumInterval")
    )
    for name in ("maxRetryCount", *_RETRY_NEEDS[strategy]):
        if name.lower() not in given:
            options.refuse(
                f"retry:{name}",
                f"Value cannot be null. (Parameter '{name[0].upper()}{name[1:]}')",
                f'Add "{name}" to "retry" in host.json.',
            )
    if strategy == "fixedDelay":
        return RetryPolicy(count, delay, delay, is_fixed=True)
    return RetryPolicy(count, least, most)


def _check_others(options: OptionTree) -> None:
    options.boolean("sendCanceledInvocationsToWorker", True)
    options.boolean("sequentialRestart", False)
    options.boolean("managedDependency:enabled", False)
    options.timespan("metadataProviderTimeout", timedelta(seconds=30))
    options.boolean("logging:console:isEnabled", True)
    options.choice(
        "logging:fileLoggingMode",
        "debugOnly",
        ("never", "always", "debugOnly"),
        "Microsoft.Azure.WebJobs.Script.FileLoggingMode",
    )
    # A wrong telemetryMode is no fault: ScriptJobHostOptionsSetup.cs takes the default instead.
    options.text("telemetryMode")


def _refuse_range(options: OptionTree, path: str, parameter: str, reason: str) -> None:
    """Source of the text: dotnet/runtime: ArgumentOutOfRangeException."""
    options.refuse(
        path,
        f"Specified argument was out of the range of valid values. (Parameter '{parameter}')",
        f"{path.replace(':', '.')} is '{options.text(path)}'; {reason}.",
    )
