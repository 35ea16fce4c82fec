"""Requests that only look take turns, so that the work they look at goes on.

The event loop runs everything that is ready before it looks for more. A hundred clients that poll
without a pause are ready all the time: each step of an instance would wait for a hundred answers,
and what they take of the machine is missing where the work is done. So while there is work, one of
them is answered each millisecond, first come first served; who asks alone waits for nobody.
"""

import asyncio
from collections import deque
from collections.abc import Callable

PAUSE_S = 0.001
"""An answer takes a tenth of it; a longer pause makes no work quicker, and clients wait longer."""


class Turns:
    """Lets one pass, then nobody for a while, on the running event loop; all when nothing works."""

    def __init__(self, is_working: Callable[[], bool], pause_s: float = PAUSE_S) -> None:
        self._is_working = is_working
        self._pause_s = pause_s
        self._is_pause = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def wait(self) -> None:
        """Return when it is the caller's turn, at once when nobody has passed just now."""
        if not self._is_working():
            return
        if self._is_pause:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        else:
            self._begin_pause()

    def _begin_pause(self) -> None:
        self._is_pause = True
        asyncio.get_running_loop().call_later(self._pause_s, self._end_pause)

    def _end_pause(self) -> None:
        """Let the one go that has waited longest, and still does; all when nothing works."""
        self._is_pause = False
        while self._waiting and not self._is_pause:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                if self._is_working():
                    self._begin_pause()
