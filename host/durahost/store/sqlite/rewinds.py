"""Rewinding on the database: the steps of `store.rewinding`."""

from collections.abc import Collection, Sequence
from uuid import UUID

from durahost.engine.rewind import Rewound
from durahost.model.actions import Hint
from durahost.model.events import HistoryEvent
from durahost.model.ids import InstanceId
from durahost.model.instances import InstanceState
from durahost.model.messages import Message
from durahost.model.status import RuntimeStatus
from durahost.store import rewinding
from durahost.store.sqlite import instances, rows
from durahost.store.sqlite.connection import Connection
from durahost.store.sqlite.scope import HubScope


def rewind(
    hub: HubScope,
    instance_id: InstanceId,
    request: HistoryEvent,
    seed: UUID,
    allowed: Collection[RuntimeStatus],
    connection: Connection,
) -> Sequence[Hint]:
    """Rewind the instance and its failed descendants.

    Errors: InstanceNotFound, InvalidState.
    """
    instances.require(hub, instance_id, allowed, connection)
    rewriter = _Rewriter(hub, connection)
    connection.after_commit(hub.episodes.notify)
    return rewinding.rewind_tree(rewriter, instance_id, request, seed, hub.clock.now())


class _Rewriter:
    def __init__(self, hub: HubScope, connection: Connection) -> None:
        self._hub = hub
        self._connection = connection

    def read(self, instance_id: InstanceId) -> tuple[InstanceState, Sequence[HistoryEvent]] | None:
        state = instances.get(self._hub, instance_id, self._connection)
        if state is None:
            return None
        return state, instances.read_history(self._hub, instance_id, self._connection)

    def rewrite(self, rewound: Rewound) -> None:
        instance_row = instances.update(self._hub, rewound.state, self._connection)
        own = {"instance_row": instance_row, "execution_id": rewound.state.execution_id}
        instances.delete_tasks(self._hub, instance_row, self._connection)
        for query in ("delete_history", "drop_all_but_answers"):
            self._connection.run(query, own)
        for query in ("readdress_messages", "refresh_due"):
            self._connection.run(query, own)
        events = [
            (instance_row, seq, *rows.event_columns(event))
            for seq, event in enumerate(rewound.history)
        ]
        self._connection.run_many("append_event", events)
        self._connection.run("restart_sequence", own | {"next_seq": len(events)})
        for message in rewound.send:
            self.deliver(message)

    def adopt(self, state: InstanceState) -> None:
        instances.update(self._hub, state, self._connection)

    def deliver(self, message: Message) -> None:
        instances.deliver(self._hub, message, self._connection)
