"""Every documented key of `extensions.durableTask`, with a value that is allowed."""

from durahost.config.durable_options import NOT_ACTED_ON

GRID = {"topicEndpoint": "https://t", "keySettingName": "GridKey"}
EVERY_KEY = {
    "hubName": "MyHub",
    "maxConcurrentActivityFunctions": 1,
    "maxConcurrentOrchestratorFunctions": 1,
    "maxConcurrentEntityFunctions": 1,
    "maxEntityOperationBatchSize": 1,
    "extendedSessionsEnabled": False,
    "extendedSessionIdleTimeoutInSeconds": 30,
    "maxOrchestrationActions": 100000,
    "overridableExistingInstanceStates": "AnyState",
    "entityMessageReorderWindowInMinutes": 30,
    "rollbackEntityOperationsOnExceptions": True,
    "useGracefulShutdown": True,
    "storeInputsInOrchestrationHistory": True,
    "throwStatusExceptionsOnRaiseEvent": True,
    "localRpcEndpointEnabled": True,
    "useAppLease": False,
    "appLeaseOptions": {
        "renewInterval": "00:00:25",
        "acquireInterval": "00:05:00",
        "leaseInterval": "00:01:00",
    },
    "httpSettings": {"defaultAsyncRequestSleepTimeMilliseconds": 30000, "useForwardedHost": True},
    "maxGrpcMessageSizeInBytes": 4194304,
    "grpcHttpClientTimeout": "00:01:40",
    "defaultVersion": "1.0",
    "versionMatchStrategy": "None",
    "versionFailureStrategy": "Reject",
    "tracing": {
        "traceInputsAndOutputs": True,
        "traceReplayEvents": True,
        "allowVerboseLinuxTelemetry": True,
        "distributedTracingEnabled": True,
        "distributedTracingProtocol": "W3CTraceContext",
        "version": "V2",
    },
    "notifications": {
        "eventGrid": {
            **GRID,
            "publishRetryCount": 3,
            "publishRetryInterval": "00:05:00",
            "publishRetryHttpStatus": [400, 403],
            "publishEventTypes": ["Started", "Completed", "Failed", "Terminated"],
        }
    },
    "storageProvider": {
        "type": "AzureStorage",
        "connectionName": "Storage",
        "partitionCount": 4,
        "controlQueueBatchSize": 32,
        "controlQueueBufferThreshold": 256,
        "controlQueueVisibilityTimeout": "00:05:00",
        "workItemQueueVisibilityTimeout": "00:05:00",
        "maxQueuePollingInterval": "00:00:30",
        "trackingStoreConnectionName": "Tracking",
        "trackingStoreNamePrefix": "DurableTask",
        "fetchLargeMessagesAutomatically": True,
        "useLegacyPartitionManagement": False,
        "useTablePartitionManagement": True,
        "allowReplayingTerminalInstances": False,
        "queueClientMessageEncoding": "UTF8",
    },
}

ACTED_ON_OF_STORAGE = ("type", "connectionName")
INERT = frozenset({"maxConcurrentEntityFunctions"})
"""Read and checked, but entity batches count as episodes."""


def _paths(document, start=""):
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _paths(value, f"{start}{name}.")
        else:
            yield f"{start}{name}"


KEYS = list(_paths(EVERY_KEY))
"""Their paths, joined by dots."""


def is_inert(key):
    """Whether it is accepted without effect."""
    section, _, name = key.partition(".")
    if section == "storageProvider":
        return name not in ACTED_ON_OF_STORAGE
    return section.lower() in NOT_ACTED_ON or key in INERT
