"""The life cycle of an instance as tables: what is absent cannot happen.

Source: Azure/azure-functions-durable-extension: ContextImplementations/DurableClient.cs
(IsOrchestrationRunning, IsOrchestrationSuspendable); Azure/durabletask:
OrchestrationRuntimeState.cs.
"""

from collections.abc import Mapping
from enum import Enum

from durahost.model.status import LIVE, TERMINAL, RuntimeStatus


class Request(Enum):
    """What a client may ask of an existing instance."""

    RAISE_EVENT = "raise event"
    TERMINATE = "terminate"
    SUSPEND = "suspend"
    RESUME = "resume"
    REWIND = "rewind"
    PURGE = "purge"


ACCEPTED: Mapping[Request, frozenset[RuntimeStatus]] = {
    Request.RAISE_EVENT: LIVE,
    Request.TERMINATE: LIVE,
    Request.SUSPEND: LIVE - {RuntimeStatus.SUSPENDED},
    Request.RESUME: frozenset({RuntimeStatus.SUSPENDED}),
    Request.REWIND: frozenset({RuntimeStatus.FAILED}),
    Request.PURGE: TERMINAL,
}
"""States in which a request is accepted."""

_FROM_LIVE = frozenset(
    {
        RuntimeStatus.RUNNING,
        RuntimeStatus.SUSPENDED,
        RuntimeStatus.COMPLETED,
        RuntimeStatus.FAILED,
        RuntimeStatus.TERMINATED,
    }
)

EPISODE: Mapping[RuntimeStatus, frozenset[RuntimeStatus]] = {
    RuntimeStatus.PENDING: _FROM_LIVE,
    RuntimeStatus.RUNNING: _FROM_LIVE,
    RuntimeStatus.SUSPENDED: _FROM_LIVE,
    RuntimeStatus.CONTINUED_AS_NEW: _FROM_LIVE,
    **{status: frozenset() for status in TERMINAL},
}
"""States that one episode may leave an instance in, by the state it found it in."""
