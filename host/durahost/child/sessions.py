"""Orchestrators that live on between their episodes, so that an episode costs what is new in it.

A session is the SDK's own context, executor and generator of one execution, after the events it has
seen. It is named by a key that changes with every call, so that a call can only go on from the very
call that the host means; who has no such session is told so, and gives the whole history. Sessions
are bounded by the events they hold and by the time they are not used, the oldest goes first; what
is not the known SDK's has none.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from .live import Live, begin

MAX_EVENTS = 200_000
"""Of all sessions together: some 200 MB. The one used last always stays."""


class SessionLost(Exception):
    """No session has this key; the host is to give the whole history."""


class Ask:
    """What the host wants of sessions in one call, and what it is told.

    key: of the session from this call on. follows: the key it has; None with a whole context.
    replaces: a session that is of no use any more. idle_s: how long it may stay unused.
    is_alive, kept: whether the key can be followed, how many actions the answer leaves out.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.key: str = fields["key"]
        self.follows: str | None = fields["follows"]
        self.replaces: str | None = fields["replaces"]
        self.idle_s: float = fields["idle_s"]
        self.is_alive = False
        self.kept = 0

    def told(self) -> dict[str, Any]:
        """The fields of the answer."""
        return {"is_alive": self.is_alive, "kept": self.kept}


class Sessions:
    """All sessions of a child; from any thread.

    end: called with those that are over.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        max_events: int = MAX_EVENTS,
        end: Callable[[Live], None] = Live.close,
    ) -> None:
        self._clock = clock
        self._end = end
        self._max_events = max_events
        self._lock = threading.Lock()
        self._alive: OrderedDict[str, tuple[Live, float]] = OrderedDict()
        self._events = 0

    def run(self, ask: Ask, call: Callable[..., Any], context: Any, sites: list[str | None]) -> Any:
        """Answer as `call` would, but without what was answered before.

        context: the argument of the call; its body, or it itself, is the JSON of the context, or of
        an array of the events that follow. sites: the list that `note_sites` fills; it is left with
        those of the answer's actions. Errors: SessionLost; what user code or the SDK raises.
        """
        if ask.replaces is not None and (old := self._take(ask.replaces)) is not None:
            self._end(old)
        body = getattr(context, "body", context)
        live = begin(call, body, sites) if ask.follows is None else self._take(ask.follows)
        if live is None:
            if ask.follows is not None:
                raise SessionLost(ask.follows)
            return call(context)
        try:
            answer = live.answer(None if ask.follows is None else body)
        finally:
            ask.kept = live.kept
            sites[:] = live.sites[live.kept :]
        if live.is_alive:
            ask.is_alive = True
            self._keep(ask, live)
        return answer

    def expire(self) -> float | None:
        """End the sessions that were not used in time; seconds until the next one may, if any."""
        ended, due_s = [], None
        with self._lock:
            now = self._clock()
            while self._alive and due_s is None:
                key, (_, until) = next(iter(self._alive.items()))
                if until > now:
                    due_s = until - now
                else:
                    ended.append(self._remove(key))
        for live in ended:
            self._end(live)
        return due_s

    def _keep(self, ask: Ask, live: Live) -> None:
        with self._lock:
            self._alive[ask.key] = live, self._clock() + ask.idle_s
            self._events += live.events
            ended = []
            while self._events > self._max_events and len(self._alive) > 1:
                ended.append(self._remove(next(iter(self._alive))))
        for one in ended:
            self._end(one)

    def _take(self, key: str) -> Live | None:
        with self._lock:
            return self._remove(key) if key in self._alive else None

    def _remove(self, key: str) -> Live:
        live, _ = self._alive.pop(key)
        self._events -= live.events
        return live
