"""One orchestration instance, its history and inbox, without a store, and episodes over it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from durahost.codec import sdk1
from durahost.engine.calls import KnownFunctions
from durahost.engine.episode import conclude, plan
from durahost.engine.outcome import FreshIds, Rules, start_of
from durahost.model.instances import InstanceState, Lease, LockedEpisode
from durahost.model.messages import InboxMessage, Message
from durahost.model.status import RuntimeStatus

T0 = datetime(2026, 1, 5, 10, tzinfo=UTC)
LEASE = Lease("episode", "i1", "me", 1)


def at(seconds):
    return T0 + timedelta(seconds=seconds)


def new_state(**changes):
    """The instance before its first episode."""
    values = {
        "instance_id": "i1",
        "execution_id": "e1",
        "name": "Flow",
        "status": RuntimeStatus.PENDING,
        "created_at": T0,
        "updated_at": T0,
    }
    return InstanceState(**(values | changes))


class LoneInstance:
    """It drops what it sends to itself but timers, which `timers` keeps."""

    def __init__(self):
        self.state = new_state()
        self.history = []
        self.timers = []
        self.inbox = [start_of(self.state, T0).started]

    def send(self, *events):
        self.inbox += [Message("i1", event) for event in events]

    def run(self, answer):
        """Plan, encode and conclude the next episode, as a host does."""
        inbox = [InboxMessage(number, message) for number, message in enumerate(self.inbox)]
        planned = plan(LockedEpisode(LEASE, self.state, self.history, inbox), T0)
        sdk1.encode_context(
            self.state,
            self.history,
            planned.new_events,
            http_sleep_ms=1,
            sends_timer_limits=True,
        )
        concluded = conclude(
            planned,
            answer,
            rules=Rules(),
            known=KnownFunctions(),
            fresh=FreshIds(UUID(int=1)),
            now=T0,
        )
        self.inbox = []
        self.timers = [m.event for m in concluded.commit.send if m.visible_at is not None]
        self.state = concluded.commit.state
        self.history += concluded.commit.append
        return concluded
