"""Runtime status of an instance, and the sets of states the rules speak of."""

from enum import Enum

_ENDS = frozenset({"Completed", "Failed", "Canceled", "Terminated"})


class RuntimeStatus(Enum):
    """The wire's names.

    number: DurableTask's enum value, in history events and status filters.
    is_terminal: the instance has ended: only a new start, a rewind or a purge changes it now.
    Source: Azure/durabletask: OrchestrationStatus.cs; orchestration-engine rules: only the
    transitions of `engine/transitions.py` occur.
    """

    RUNNING = "Running"
    COMPLETED = "Completed"
    CONTINUED_AS_NEW = "ContinuedAsNew"
    FAILED = "Failed"
    CANCELED = "Canceled"
    TERMINATED = "Terminated"
    PENDING = "Pending"
    SUSPENDED = "Suspended"

    def __init__(self, name: str) -> None:
        self.number = len(type(self).__members__)  # of those before it
        self.is_terminal = name in _ENDS

    # Enum's own hashes the name, by a call of Python; there is one object for each member.
    __hash__ = object.__hash__


TERMINAL = frozenset(status for status in RuntimeStatus if status.is_terminal)
LIVE = frozenset(RuntimeStatus) - TERMINAL
