"""Requests that only look take turns, so that the work they look at goes on.

The event loop runs everything that is ready before it looks for more. A hundred clients that poll
without a pause are ready all the time, and each step of an instance would wait for a hundred
answers. So a few of them are answered at each turn of the loop, first come first served; as long as
there are no more than those, none waits.
"""

import asyncio
from collections import deque

EACH_TURN = 2
"""Answering so many takes a sixth of a millisecond: little beside the step that waits for it."""


class Turns:
    """Lets a few pass at each turn of the running event loop."""

    def __init__(self, each: int = EACH_TURN) -> None:
        self._each = each
        self._left = each
        self._is_counting = False
        self._loop: asyncio.AbstractEventLoop  # asking for it is a call of the system
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def wait(self) -> None:
        """Return when it is the caller's turn, at once when few ask."""
        if not self._is_counting:
            self._is_counting = True
            self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._begin)
        if self._left > 0:
            self._left -= 1
            return
        turn = self._loop.create_future()
        self._waiting.append(turn)
        await turn

    def _begin(self) -> None:
        """Begin the next turn: those who wait go first."""
        self._left = self._each
        while self._waiting and self._left > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._left -= 1
        self._is_counting = self._left < self._each
        if self._is_counting:
            self._loop.call_soon(self._begin)
