"""Rewinding a whole tree inside one transaction; a store lends the four steps it is made of.

A descendant that has ended is rewound, a live one goes on and answers the new execution; for one
that is gone, or is somebody else's, the caller is answered with a failure, so that nobody waits for
ever.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from durahost.engine.outcome import FreshIds
from durahost.engine.rewind import ChildRewind, Rewound, rewind
from durahost.model.actions import Hint
from durahost.model.events import HistoryEvent
from durahost.model.ids import InstanceId
from durahost.model.instances import InstanceState
from durahost.model.messages import Message
from durahost.store import rules


class Rewriter(Protocol):
    """What the store does, inside its transaction."""

    def read(self, instance_id: InstanceId) -> tuple[InstanceState, Sequence[HistoryEvent]] | None:
        """The row and its history, None when there is none."""
        ...

    def rewrite(self, rewound: Rewound) -> None:
        """Replace row and history; answers of entities are for the new execution now, all else in
        the inbox and the activities go; deliver.
        """
        ...

    def adopt(self, state: InstanceState) -> None:
        """Write the row alone; a claim on it is void, as its episode knows the old caller."""
        ...

    def deliver(self, message: Message) -> None:
        """Put a message into an inbox."""
        ...


def rewind_tree(
    store: Rewriter, instance_id: InstanceId, request: HistoryEvent, seed: UUID, now: datetime
) -> Sequence[Hint]:
    """Rewind the instance, which is there, and what failed below it.

    Callers come before their children, whose answers are addressed to the new execution.
    """
    fresh = FreshIds(seed)
    hints: list[Hint] = []
    found = store.read(instance_id)
    waiting = deque([(*found, request)] if found is not None else [])
    while waiting:
        state, past, event = waiting.popleft()
        execution_id = fresh.execution_id(f"rewound {state.instance_id}")
        rewound = rewind(state, past, event, execution_id, now)
        store.rewrite(rewound)
        hints += rewound.hints
        for child in rewound.children:
            waiting.extend(_follow(store, child, now))
    return hints


def _follow(
    store: Rewriter, child: ChildRewind, now: datetime
) -> list[tuple[InstanceState, Sequence[HistoryEvent], HistoryEvent]]:
    """The child when it is to be rewound itself."""
    found = store.read(child.instance_id)
    if found is None or not rules.is_same_call(found[0].parent, child.former):
        store.deliver(rules.failure_of_child(child.parent, _gone(child), now))
        return []
    state, past = found
    adopted = replace(state, parent=child.parent)
    if state.status.is_terminal and past:
        return [(adopted, past, child.request)]
    store.adopt(adopted)
    return []


def _gone(child: ChildRewind) -> str:
    return (
        f"The orchestration instance with ID '{child.instance_id}' cannot be rewound: it was "
        "purged, or started anew by somebody else; restart its caller instead."
    )
