"""Requests that only look take turns, so that the work they look at goes on.

The event loop runs everything that is ready before it looks for more. A hundred clients that poll
without a pause are ready all the time, and each step of an instance would wait for a hundred
answers. So a number of them (`EACH_TURN`) is answered at each turn of the loop, first come first
served; as long as there are no more than those, none waits.
"""

import asyncio
from collections import deque
from collections.abc import Callable

EACH_TURN = 1
"""So that what they look at goes on as soon as it can; more of them would wait as long, in all."""

Passer = Callable[[], bool]
"""Called when it is its turn; whether it took it, since who has left takes nobody's."""


class Turns:
    """Lets a few pass at each turn of the running event loop."""

    def __init__(self, each: int = EACH_TURN) -> None:
        self._each = each
        self._left = each
        self._is_counting = False
        self._loop: asyncio.AbstractEventLoop  # asking for it is a call of the system
        self._waiting: deque[Passer] = deque()

    async def wait(self) -> None:
        """Return when it is the caller's turn, at once when few ask."""
        if self._may_pass():
            return
        turn = self._loop.create_future()

        def let_pass() -> bool:
            if turn.done():
                return False
            turn.set_result(None)
            return True

        self._waiting.append(let_pass)
        await turn

    def call(self, passer: Passer) -> None:
        """Have it called when it is its turn, before this returns when few ask."""
        if self._may_pass():
            passer()
        else:
            self._waiting.append(passer)

    def _may_pass(self) -> bool:
        """Whether there is a turn left in this turn of the loop; it is the caller's then."""
        if not self._is_counting:
            self._is_counting = True
            self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._begin)
        if self._left == 0:
            return False
        self._left -= 1
        return True

    def _begin(self) -> None:
        """Begin the next turn: those who wait go first."""
        left = self._each
        self._left = 0  # whoever comes meanwhile waits behind them
        try:
            while self._waiting and left > 0:
                left -= self._waiting.popleft()()
        finally:  # whatever happens to one, the others have their turns
            self._left = left
            self._is_counting = left < self._each or bool(self._waiting)
            if self._is_counting:
                self._loop.call_soon(self._begin)
