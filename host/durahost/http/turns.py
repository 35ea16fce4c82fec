"""Requests that only look take turns, so that the work they look at goes on.

The event loop runs everything that is ready before it looks for more. A hundred clients that poll
without a pause are ready all the time, and each step of an instance would wait for a hundred
answers. So one of them is answered, first come first served, and then the loop turns a few times
before the next one is. A turn takes as long as there is work: a host that has none answers as many
as it can, and a single client waits for nobody.
"""

import asyncio
from collections import deque

TURNS_BETWEEN = 2
"""An answer takes a tenth of a millisecond, a turn of a busy host a whole one: so looking takes a
twentieth of its time. Fewer answers would not make the work quicker, only clients wait longer.
"""


class Turns:
    """Lets one pass at each so-manieth turn of the running event loop."""

    def __init__(self, between: int = TURNS_BETWEEN) -> None:
        self._between = between
        self._left = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def wait(self) -> None:
        """Return when it is the caller's turn, at once when nobody else has asked just now."""
        loop = asyncio.get_running_loop()
        if self._left == 0:
            self._left = self._between
            loop.call_soon(self._count)
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _count(self) -> None:
        """Count one turn of the loop; after the last one, who has waited longest goes."""
        self._left -= 1
        while self._left == 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._left = self._between
        if self._left > 0:
            asyncio.get_running_loop().call_soon(self._count)
