"""Runtime status of an instance, and the sets of states the rules speak of."""

from enum import Enum


class RuntimeStatus(Enum):
    """The wire's names; `number` is DurableTask's enum value.

    Source: Azure/durabletask: OrchestrationStatus.cs; orchestration-engine rules: only the
    transitions
    of `engine/transitions.py` occur.
    """

    RUNNING = "Running"
    COMPLETED = "Completed"
    CONTINUED_AS_NEW = "ContinuedAsNew"
    FAILED = "Failed"
    CANCELED = "Canceled"
    TERMINATED = "Terminated"
    PENDING = "Pending"
    SUSPENDED = "Suspended"

    @property
    def number(self) -> int:
        """The value in `OrchestrationStatus` of history events and in status filters."""
        return _NUMBERS[self]

    @property
    def is_terminal(self) -> bool:
        """Whether the instance has ended: only a new start, a rewind or a purge changes it now."""
        return self in TERMINAL


_NUMBERS = {status: number for number, status in enumerate(RuntimeStatus)}

TERMINAL = frozenset(
    {
        RuntimeStatus.COMPLETED,
        RuntimeStatus.FAILED,
        RuntimeStatus.CANCELED,
        RuntimeStatus.TERMINATED,
    }
)
LIVE = frozenset(RuntimeStatus) - TERMINAL
