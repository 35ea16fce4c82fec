"""The limit of a wait for work, which stays when the wait has ended earlier."""

import asyncio
from datetime import timedelta

from durahost.clock import RealClock
from durahost.store.signals import WorkSignal

LONG, SHORT = timedelta(minutes=10), timedelta(milliseconds=1)


async def after_a_wait_with_a_long_limit():
    signal = WorkSignal(RealClock())
    signal.found_nothing(None, None)
    waiting = asyncio.ensure_future(signal.wait(LONG))
    await asyncio.sleep(0)
    assert not waiting.done()
    signal.notify()
    await waiting
    signal.found_nothing(None, None)
    return signal


async def test_a_shorter_limit_ends_the_next_wait():
    signal = await after_a_wait_with_a_long_limit()
    async with asyncio.timeout(30):
        await signal.wait(SHORT)
    assert signal.may_be_stored


async def test_a_lapse_that_comes_earlier_ends_the_next_wait():
    signal = await after_a_wait_with_a_long_limit()
    signal.found_nothing(None, RealClock().monotonic() + SHORT.total_seconds())
    async with asyncio.timeout(30):
        await signal.wait(LONG)
    assert signal.may_be_stored


async def test_the_limit_counts_for_each_wait_anew():
    signal = await after_a_wait_with_a_long_limit()
    for _ in range(3):
        async with asyncio.timeout(30):
            await signal.wait(SHORT)
        signal.found_nothing(None, None)
    waiting = asyncio.ensure_future(signal.wait(LONG))
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
