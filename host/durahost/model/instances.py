"""An orchestration instance as it is stored, and everything that one episode changes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime

from durahost.model.events import HistoryEvent
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.messages import ActivityTask, InboxMessage, Message
from durahost.model.status import RuntimeStatus
from durahost.model.values import dataclass


@dataclass(frozen=True, slots=True)
class ParentInstance:
    """Who called a sub-orchestration, and which of the caller's tasks it answers."""

    instance_id: InstanceId
    execution_id: ExecutionId
    name: str
    version: str
    task_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceState:
    """The row of one instance: what a client sees of it, and whom it answers.

    input, output, custom_status: JSON text as stored, never re-serialised; output holds the bare
    reason
    or failure text where Azure stores one (`codec.rest` decides how it shows).
    created_at: start of the current execution, as Azure Storage keeps it.
    scheduled_at: not to be run before this time.
    """

    instance_id: InstanceId
    execution_id: ExecutionId
    name: str
    status: RuntimeStatus
    created_at: datetime
    updated_at: datetime
    version: str = ""
    generation: int = 0
    input: str | None = None
    output: str | None = None
    custom_status: str | None = None
    completed_at: datetime | None = None
    scheduled_at: datetime | None = None
    parent: ParentInstance | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewInstance:
    """A start: the row in state Pending, and the ExecutionStarted message that will run it."""

    state: InstanceState
    started: Message


@dataclass(frozen=True, slots=True)
class Lease:
    """Proof of a claim on one work item: worth nothing once a newer token was handed out.

    key: instance id of an episode, row id of an activity.
    """

    kind: str
    key: str
    owner: str
    token: int


@dataclass(frozen=True, slots=True)
class LockedEpisode:
    """An instance claimed for one episode: its row, history and visible messages in delivery order.

    attempts: claims since the last commit, this one included.
    left_out: how many events at the beginning of its history were not read, since they are known.
    """

    lease: Lease
    state: InstanceState
    history: Sequence[HistoryEvent]
    inbox: Sequence[InboxMessage]
    attempts: int = 1
    left_out: int = 0

    @property
    def recorded(self) -> int:
        """How many events its history has."""
        return self.left_out + len(self.history)


@dataclass(frozen=True, slots=True)
class Seen:
    """How many events of an execution are known already, from its first on."""

    execution_id: ExecutionId
    events: int


@dataclass(frozen=True, slots=True)
class LockedActivity:
    """An activity claimed for one execution; `attempts` counts the claims, this one included."""

    lease: Lease
    task: ActivityTask
    attempts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """All that one episode changes, applied at once or not at all.

    state: the whole row afterwards. Within an execution it differs in status, output, custom status
        and the times of the last change and of the end alone.
    append: events that go behind the stored history.
    consume: ids of the messages that leave the inbox; what is not named stays.
    schedule: activities to run.
    create: sub-orchestrations to start; one whose id is live is answered by the store's rule
        (`EpisodeStore.commit_episode`).
    send: messages to this or other instances; one to an instance that does not exist or has ended
    is dropped, but one to an entity that does not exist starts it.
    starts_generation: the old execution ends here: its history, unanswered activities and messages
        addressed to it go, before `append` and `send` are applied.
    """

    state: InstanceState
    append: Sequence[HistoryEvent] = ()
    consume: Sequence[int] = ()
    schedule: Sequence[ActivityTask] = ()
    create: Sequence[NewInstance] = ()
    send: Sequence[Message] = ()
    starts_generation: bool = False
