"""Pure work that may be long: on a thread then, so that the event loop serves everybody else.

A thread does not make it faster: Python runs one at a time, and takes turns every few milliseconds.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

MANY_STEPS = 2_000
"""Replaying so many events and actions takes some 20 ms."""

LONG_TEXT = 2**16
"""Reading so many characters of JSON takes some 2 ms, and 30 ms when only the tolerant reader takes
it."""


async def run_pure(work: Callable[[], T], *, is_long: bool) -> T:
    """Return what the work returns; errors pass through."""
    return await asyncio.to_thread(work) if is_long else work()
