"""What the memory store keeps of each instance and activity: the rows of a database as objects."""

from dataclasses import dataclass, field
from datetime import datetime

from durahost.model.events import HistoryEvent
from durahost.model.instances import InstanceState, Lease
from durahost.model.messages import ActivityTask, InboxMessage, Message
from durahost.model.status import RuntimeStatus


@dataclass(slots=True)
class Claim:
    """Who holds it, and until when (monotonic seconds); also a delay after an abandonment."""

    token: int = 0
    owner: str | None = None
    until_s: float = 0.0
    attempts: int = 0

    def take(self, token: int, owner: str, until_s: float) -> None:
        """Claim it, once more."""
        self.token, self.owner, self.until_s = token, owner, until_s
        self.attempts += 1

    def release(self, until_s: float = 0.0) -> None:
        """Give it back, to be claimed from then on."""
        self.owner, self.until_s = None, until_s

    def is_proven_by(self, lease: Lease) -> bool:
        """Whether the lease is that of this claim."""
        return self.token == lease.token and self.owner == lease.owner


@dataclass(slots=True, eq=False)
class Instance:
    """One instance with all that belongs to it but its activities."""

    state: InstanceState
    history: list[HistoryEvent] = field(default_factory=list)
    inbox: dict[int, Message] = field(default_factory=dict)
    claim: Claim = field(default_factory=Claim)

    @property
    def due_at(self) -> datetime | None:
        """When its earliest message may be delivered; None without messages.

        Those of a failed instance wait for a rewind.
        """
        times = [m.visible_at for m in self.inbox.values() if m.visible_at is not None]
        if not times or self.state.status is RuntimeStatus.FAILED:
            return None
        return max(min(times), self.state.scheduled_at or min(times))

    def visible(self, now: datetime) -> list[InboxMessage]:
        """Its visible messages in delivery order."""
        visible = [
            InboxMessage(message_id, message)
            for message_id, message in self.inbox.items()
            if message.visible_at is not None and message.visible_at <= now
        ]
        return sorted(visible, key=lambda m: (not m.message.is_carried, m.message_id))


@dataclass(slots=True, eq=False)
class Task:
    """One activity that has not been answered."""

    instance: Instance
    task: ActivityTask
    claim: Claim = field(default_factory=Claim)
