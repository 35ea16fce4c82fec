"""The errors of the host, one tree.

HostError
├── ConfigError                 a file or setting is wrong; the program exits with 1
├── NotSupported                asked for something durahost does not do yet, named
├── RequestError                a client asked for what cannot be
│   ├── InstanceNotFound
│   ├── InstanceExists
│   └── InvalidState
├── StoreError
│   ├── LeaseLost               the claim was given to somebody else; nothing was written
│   │   └── WorkGone            nobody has it: the work itself is not there any more
│   ├── HubInUse                another process holds the database
│   ├── TooLarge                a text is larger than the database takes, at every try
│   └── StoreUnavailable        the database refused; the work is tried again
└── WorkerError
    ├── WorkerExited            the process that ran the code is gone; the work is tried again
    ├── WorkerTimeout           no answer within the limit; the process is replaced
    ├── SessionLost             no orchestrator lives on there; the whole history is needed
    ├── BatchLost               an entity's batch gave nothing to commit; it is run again
    └── AppLoadError            the app as a whole cannot be loaded

A failure of user code is none of these: it is data (`worker.base.Raised`).
"""

from collections.abc import Sequence

from durahost.model.ids import InstanceId
from durahost.model.status import RuntimeStatus


class HostError(Exception):
    """Any failure of the host's own."""


class ConfigError(HostError):
    """A configuration file or setting is wrong; `advice` says what to do about it.

    file, line: where it stands, when known. others: what else is wrong, found together with it.
    """

    def __init__(
        self,
        message: str,
        advice: str | None = None,
        *,
        file: str | None = None,
        line: int | None = None,
        others: "Sequence[ConfigError]" = (),
    ) -> None:
        super().__init__(message)
        self.advice = advice
        self.file = file
        self.line = line
        self.others = others


class NotSupported(HostError):
    """Something of Azure's that durahost does not do yet."""


class RequestError(HostError):
    """A client asked for what cannot be."""


class InstanceNotFound(RequestError):
    """No instance has this id."""

    def __init__(self, instance_id: InstanceId) -> None:
        super().__init__(f"No instance with ID '{instance_id}' was found.")
        self.instance_id = instance_id


class InstanceExists(RequestError):
    """An instance with this id exists in a state that a start does not replace.

    Text: Azure/durabletask: AzureStorageOrchestrationService.cs (CreateTaskOrchestrationAsync).
    """

    def __init__(self, instance_id: InstanceId, status: RuntimeStatus) -> None:
        super().__init__(
            f"An Orchestration instance with the status {status.value} already exists."
        )
        self.instance_id = instance_id
        self.status = status


class InvalidState(RequestError):
    """The instance's state does not allow the operation."""

    def __init__(self, instance_id: InstanceId, status: RuntimeStatus) -> None:
        super().__init__(f"Instance '{instance_id}' is in the {status.value} state.")
        self.instance_id = instance_id
        self.status = status


class StoreError(HostError):
    """The store could not do what was asked."""


class LeaseLost(StoreError):
    """The claim is no longer ours; nothing was written."""


class WorkGone(LeaseLost):
    """What was claimed went with its instance, which has ended, was purged or begun anew."""


class HubInUse(StoreError):
    """Another process holds the database; `holder` says which."""

    def __init__(self, path: str, holder: str) -> None:
        super().__init__(
            f"The task hub database {path} is in use by {holder}. Stop that host first, or start "
            "this one for another app (--script-root) or in memory (--ephemeral)."
        )
        self.path = path
        self.holder = holder


class TooLarge(StoreError):
    """A text is larger than the database takes; nothing was written, nor would it be next time."""


class StoreUnavailable(StoreError):
    """The database refused the transaction as a whole; it can be tried again."""


class WorkerError(HostError):
    """The worker, not the user's code, failed."""


class WorkerExited(WorkerError):
    """The process that ran the code is gone; `stderr` holds its last lines."""

    def __init__(self, message: str, stderr: str = "") -> None:
        super().__init__(message)
        self.stderr = stderr


class WorkerTimeout(WorkerError):
    """No answer within the limit."""


class SessionLost(WorkerError):
    """The orchestrator that was to go on does not live any more; nothing was run."""


class BatchLost(WorkerError):
    """A batch of entity operations gave nothing to commit; it is run again."""


class AppLoadError(WorkerError):
    """The app as a whole cannot be loaded; `frames` holds the app's own traceback frames."""

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        advice: str | None = None,
        frames: str | None = None,
    ) -> None:
        super().__init__(message)
        self.file = file
        self.advice = advice
        self.frames = frames
