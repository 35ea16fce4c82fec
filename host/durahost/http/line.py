"""The transport of one connection, with its flow in both directions.

A client that takes its answer too slowly loses it: what waits for it is held in memory.
Source: dotnet/aspnetcore: src/Servers/Kestrel/Core/src/KestrelServerLimits.cs
(MinResponseDataRate). There a large answer has its time at the slowest rate even when nothing of
it is taken; here the client must keep that rate.
"""

import asyncio
import logging

logger = logging.getLogger(__name__)

SLOWEST_ANSWER_BYTES_S = 240
ANSWER_GRACE_S = 5.0


class Line:
    """Writes at once, and watches what waits to be sent until nothing does."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        # Whatever the system does not take at once counts, be it a byte.
        transport.set_write_buffer_limits(high=0)
        self.is_paused = False
        self.is_sent = True
        self._transport = transport
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._sent = asyncio.Event()
        self._size = 0
        self._begun = 0.0

    def pause_reading(self) -> None:
        """Let the client wait with what it sends."""
        if not self.is_paused:
            self.is_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take more of the client."""
        if self.is_paused:
            self.is_paused = False
            self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Send; dropped when the connection closes."""
        if not self._transport.is_closing():
            self._transport.write(data)

    async def wait_sent(self) -> None:
        """Return when nothing waits to be sent (`is_sent`), or nobody waits for it."""
        while not self.is_sent:
            await self._sent.wait()

    def begin_watch(self) -> None:
        """Something waits; nothing more is written before it is sent."""
        self.is_sent = False
        self._sent.clear()
        self._size = self._transport.get_write_buffer_size()
        self._begun = self._loop.time()
        self._timer = self._loop.call_later(ANSWER_GRACE_S, self._check)

    def end_watch(self) -> None:
        """Nothing waits any more, or nobody waits for it."""
        self.is_sent = True
        self._sent.set()
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
