"""Orchestrators that live on in a child: which, and what a call says of that.

A session is proven by nobody but the child: each call names the very call it goes on from. An
orchestrator that lives on is replayed in full whenever its history has doubled, so that a replay
that differs is found.
"""

import itertools

from durahost.config.settings import DurableSettings, SessionUse
from durahost.model.values import dataclass
from durahost.worker.base import SessionAsk

LONG_HISTORY = 256
"""Events up to which a replay costs next to nothing."""

_KEYS = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An orchestrator that lives on.

    key, child: its name, and who has it. verify_at: number of events from which on the whole
    history is replayed again.
    """

    key: str
    child: str
    verify_at: int


class Sessions:
    """What is asked of children, as the settings say."""

    def __init__(self, settings: DurableSettings) -> None:
        self._use = settings.session_use
        self._idle_s = settings.session_idle.total_seconds()

    def ask(self, events: int, former: Session | None) -> SessionAsk | None:
        """What to ask with a whole history of so many events; None when a replay is enough."""
        if self._use is SessionUse.NEVER or self._idle_s <= 0:
            return None
        if self._use is SessionUse.WHEN_LONG and events <= LONG_HISTORY:
            return None
        child, key = (former.child, former.key) if former else (None, None)
        return SessionAsk(key=_new_key(), child=child, replaces=key, idle_s=self._idle_s)

    def follow(self, session: Session) -> SessionAsk:
        """What to ask with the new events alone."""
        return SessionAsk(
            key=_new_key(), follows=session.key, child=session.child, idle_s=self._idle_s
        )


def verify_at(events: int) -> int:
    """When to replay again a history that was replayed at so many events: once it has doubled."""
    return 2 * max(events, LONG_HISTORY)


def _new_key() -> str:
    """Never used before, and never again: a child that died took its sessions along."""
    return f"session {next(_KEYS)}"
