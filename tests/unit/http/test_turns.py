"""Requests that only look take turns."""

import asyncio

from durahost.http.turns import Turns


async def test_who_asks_alone_does_not_wait():
    turns = Turns(lambda: True, pause_s=0)
    for _ in range(3):
        waiting = turns.wait()
        # A coroutine that does not wait ends at its first step.
        try:
            waiting.send(None)
        except StopIteration:
            for _ in range(2):
                await asyncio.sleep(0)
            continue
        raise AssertionError("it waited")


async def test_work_goes_on_beside_those_who_ask_without_a_pause():
    turns, answered = Turns(lambda: True, pause_s=0), 0

    async def poll():
        nonlocal answered
        while True:
            await turns.wait()
            answered += 1
            await asyncio.sleep(0)

    pollers = [asyncio.ensure_future(poll()) for _ in range(100)]
    steps = 50
    for _ in range(steps):
        await asyncio.sleep(0)
    for poller in pollers:
        poller.cancel()
    await asyncio.gather(*pollers, return_exceptions=True)
    # Without turns each step waits for all hundred.
    assert 0 < answered <= steps


async def test_one_passes_in_each_pause():
    turns, loop, passed = Turns(lambda: True, pause_s=3600), asyncio.get_running_loop(), []

    async def ask(number):
        await turns.wait()
        passed.append(number)

    asking = [loop.create_task(ask(number)) for number in range(3)]
    for _ in range(9):
        await asyncio.sleep(0)
    assert passed == [0]
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


async def test_first_come_first_served():
    turns, order = Turns(lambda: True, pause_s=0), []

    async def ask(number):
        await turns.wait()
        order.append(number)

    await asyncio.gather(*[ask(number) for number in range(10)])
    assert order == list(range(10))


async def test_one_who_leaves_takes_nobodys_turn():
    turns = Turns(lambda: True, pause_s=0)
    asking = [asyncio.ensure_future(turns.wait()) for _ in range(4)]
    await asyncio.sleep(0)
    for gone in asking[1:3]:
        gone.cancel()
    async with asyncio.timeout(30):
        await asking[3]
    await turns.wait()


async def test_without_work_nobody_waits():
    is_working = True
    turns = Turns(lambda: is_working, pause_s=0)
    asking = [asyncio.ensure_future(turns.wait()) for _ in range(9)]
    await asyncio.sleep(0)
    is_working = False
    asking.append(asyncio.ensure_future(turns.wait()))
    for _ in range(4):
        await asyncio.sleep(0)
    assert all(one.done() for one in asking)
