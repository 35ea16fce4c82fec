"""Keys of `extensions.durableTask` that change nothing here, checked as the extension checks them.

A host.json that keeps an app from starting on Azure keeps it from starting here, with the same
text.
Source: Azure/azure-functions-durable-extension: Options/*.cs,
EventGridLifeCycleNotificationHelper.cs.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from durahost.config.name_resolution import get_setting
from durahost.config.option_tree import OptionTree

PATH = "extensions:durableTask"
_ADVICE = "Change it in extensions.durableTask of host.json."
_SESSIONS = (
    "Durable Functions does not work with extendedSessions = true for non-.NET languages. This "
    "value is being set to false instead. See https://docs.microsoft.com/en-us/azure/"
    "azure-functions/durable/durable-functions-perf-and-scale#extended-sessions for more details."
)
_LARGE_BATCH = (
    "ControlQueueBatchSize cannot be larger than ControlQueueBufferThreshold. Please adjust these "
    "values in your `host.json` settings for predictable performance"
)
_NOTIFICATIONS = "Failed to start lifecycle notification feature."
_EVENT_TYPES = frozenset({"Started", "Completed", "Failed", "Terminated"})
_BOOLEANS = (
    "rollbackEntityOperationsOnExceptions",
    "useGracefulShutdown",
    "throwStatusExceptionsOnRaiseEvent",
    "tracing:traceInputsAndOutputs",
    "tracing:traceReplayEvents",
    "tracing:allowVerboseLinuxTelemetry",
    "tracing:distributedTracingEnabled",
)
_INTEGERS = (
    "extendedSessionIdleTimeoutInSeconds",
    "entityMessageReorderWindowInMinutes",
    "maxGrpcMessageSizeInBytes",
    "notifications:eventGrid:publishRetryCount",
)
_TIMESPANS = (
    "grpcHttpClientTimeout",
    "appLeaseOptions:renewInterval",
    "appLeaseOptions:acquireInterval",
    "appLeaseOptions:leaseInterval",
)

_STORAGE_SWITCHES = (
    "fetchLargeMessagesAutomatically",
    "useLegacyPartitionManagement",
    "useTablePartitionManagement",
    "allowReplayingTerminalInstances",
)


def check(
    options: OptionTree, values: Mapping[str, str], *, is_azure_storage: bool
) -> Sequence[str]:
    """Check all of them and return the extension's warnings.

    values: app settings, for the key of Event Grid. Faults are noted in the options, with the
    extension's text.
    """
    _check_types(options)
    _check_notifications(options, values)
    warnings = []
    if options.boolean(f"{PATH}:extendedSessionsEnabled", False):
        warnings.append(_SESSIONS)
    if is_azure_storage:
        warnings += _check_azure_storage(options)
    return warnings


def _check_types(options: OptionTree) -> None:
    for name in _BOOLEANS:
        options.boolean(f"{PATH}:{name}", False)
    for name in _INTEGERS:
        options.integer(f"{PATH}:{name}", 0)
    for name in _TIMESPANS:
        options.timespan(f"{PATH}:{name}", timedelta(0))
    options.choice(
        f"{PATH}:tracing:version",
        "V1",
        ("None", "V1", "V2"),
        "Microsoft.Azure.WebJobs.Extensions.DurableTask.Options.DurableDistributedTracingVersion",
    )


def _check_notifications(options: OptionTree, values: Mapping[str, str]) -> None:
    """Lifecycle notifications are not published here; what keeps a host from starting does so.

    Of unpublishable statuses the extension's own check lets some names through that its text does
    not offer; they are refused here too.
    """
    grid = f"{PATH}:notifications:eventGrid"
    interval = options.timespan(f"{grid}:publishRetryInterval", timedelta(minutes=5))
    if not timedelta(0) < interval <= timedelta(minutes=60):
        text = "PublishRetryInterval must be non-negative and no more than 60 minutes."
        options.refuse(f"{grid}:publishRetryInterval", text, _ADVICE)
    endpoint, key = options.text(f"{grid}:topicEndpoint"), options.text(f"{grid}:keySettingName")
    if not endpoint:
        return
    if not key:
        text = f"{_NOTIFICATIONS} Please check the configuration values for {endpoint} and ."
        advice = "Add keySettingName beside topicEndpoint in host.json."
        options.refuse(f"{grid}:topicEndpoint", text, advice)
        return
    if not _EVENT_TYPES.issuperset(options.texts(f"{grid}:publishEventTypes")):
        options.refuse(
            f"{grid}:publishEventTypes",
            f"{_NOTIFICATIONS} Unsupported event types detected in 'EventGridPublishEventTypes'. "
            "You may only specify one or more of the following 'Started', 'Completed', 'Failed', "
            "'Terminated'.",
            _ADVICE,
        )
    if not get_setting(values, key):
        text = f"{_NOTIFICATIONS} Please check the configuration values for {key} on AppSettings."
        advice = f"Add {key} to Values of local.settings.json."
        options.refuse(f"{grid}:keySettingName", text, advice)


def _check_azure_storage(options: OptionTree) -> list[str]:
    """Check what only Azure Storage acts on; an older or newer key of it is none the worse.

    Source: AzureStorageOptions.cs (Validate).
    """
    start = f"{PATH}:storageProvider"
    batch = options.integer(f"{start}:controlQueueBatchSize", 32)
    partitions = options.integer(f"{start}:partitionCount", 4)
    visibility = options.timespan(f"{start}:controlQueueVisibilityTimeout", timedelta(minutes=5))
    polling = options.timespan(f"{start}:maxQueuePollingInterval", timedelta(seconds=30))
    buffered = options.integer(f"{start}:controlQueueBufferThreshold", 256)
    options.timespan(f"{start}:workItemQueueVisibilityTimeout", timedelta(minutes=5))
    for name in _STORAGE_SWITCHES:
        options.boolean(f"{start}:{name}", False)
    checks = (
        (
            "controlQueueBatchSize",
            batch > 0,
            "ControlQueueBatchSize must be a non-negative integer.",
        ),
        (
            "partitionCount",
            1 <= partitions <= 16,
            "PartitionCount must be an integer value between 1 and 16.",
        ),
        (
            "controlQueueVisibilityTimeout",
            timedelta(minutes=1) <= visibility <= timedelta(minutes=60),
            "ControlQueueVisibilityTimeout must be between 1 and 60 minutes.",
        ),
        (
            # Zero is not refused: the real property reads it as its default.
            "maxQueuePollingInterval",
            polling >= timedelta(0),
            "MaxQueuePollingInterval must be non-negative.",
        ),
        (
            "controlQueueBufferThreshold",
            1 <= buffered <= 1000,
            "ControlQueueBufferThreshold must be between 1 and 1000.",
        ),
    )
    advice = "Change it in extensions.durableTask.storageProvider of host.json."
    for name, is_valid, text in checks:
        if not is_valid:
            options.refuse(f"{start}:{name}", text, advice)
    return [_LARGE_BATCH] if batch > buffered else []
