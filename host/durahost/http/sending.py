"""A client that takes its answer too slowly loses it: what waits for it is held in memory.

Source: dotnet/aspnetcore: src/Servers/Kestrel/Core/src/KestrelServerLimits.cs
(MinResponseDataRate). There a large answer has its time at the slowest rate even when nothing of
it is taken; here the client must keep that rate.
"""

import asyncio
import logging

logger = logging.getLogger(__name__)

SLOWEST_ANSWER_BYTES_S = 240
ANSWER_GRACE_S = 5.0


class SendWatch:
    """Watches one connection from the moment that something waits to be sent until nothing does."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        # Whatever the system does not take at once counts, be it a byte.
        transport.set_write_buffer_limits(high=0)
        self._transport = transport
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._size = 0
        self._begun = 0.0

    def begin(self) -> None:
        """Something waits; nothing more is written before it is sent."""
        self._size = self._transport.get_write_buffer_size()
        self._begun = self._loop.time()
        self._timer = self._loop.call_later(ANSWER_GRACE_S, self._check)

    def end(self) -> None:
        """Nothing waits any more, or nobody waits for it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        taken = self._size - self._transport.get_write_buffer_size()
        if taken < SLOWEST_ANSWER_BYTES_S * (self._loop.time() - self._begun):
            logger.info("A client took its answer too slowly; its connection was closed.")
            self._transport.abort()
        else:
            self._timer = self._loop.call_later(ANSWER_GRACE_S, self._check)
