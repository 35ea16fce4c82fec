"""Requests that only look take turns."""

import asyncio

from durahost.http.turns import Turns


async def test_a_few_pass_at_once():
    turns = Turns(each=3)
    for _ in range(3):
        waiting = turns.wait()
        # A coroutine that does not wait ends at its first step.
        try:
            waiting.send(None)
        except StopIteration:
            continue
        raise AssertionError("it waited")


async def test_work_goes_on_beside_those_who_ask_without_a_pause():
    turns, answered = Turns(each=2), 0

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
    assert 0 < answered <= 2 * steps


async def test_first_come_first_served():
    turns, order = Turns(each=1), []

    async def ask(number):
        await turns.wait()
        order.append(number)

    await asyncio.gather(*[ask(number) for number in range(10)])
    assert order == list(range(10))


async def test_one_who_leaves_takes_nobodys_turn():
    turns = Turns(each=1)
    asking = [asyncio.ensure_future(turns.wait()) for _ in range(4)]
    await asyncio.sleep(0)
    for gone in asking[1:3]:
        gone.cancel()
    async with asyncio.timeout(30):
        await asking[3]
    await turns.wait()


async def test_who_is_called_takes_a_turn_among_those_who_wait():
    turns, order = Turns(each=1), []

    def call(number, *, is_here=True):
        order.append(number)
        return is_here

    async def wait(number):
        await turns.wait()
        order.append(number)

    turns.call(lambda: call(0))
    assert order == [0]
    waiting = asyncio.ensure_future(wait(1))
    await asyncio.sleep(0)
    for number in (2, 3):
        turns.call(lambda number=number: call(number, is_here=number != 2))
    turns.call(lambda: call(4))
    for _ in range(5):
        await asyncio.sleep(0)
    await waiting
    assert order == [0, 1, 2, 3, 4]


async def test_one_that_fails_holds_up_nobody():
    turns, told, order = Turns(each=1), [], []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))

    def fail():
        raise RuntimeError

    def call(number):
        order.append(number)
        return True

    turns.call(lambda: call(0))
    turns.call(fail)
    turns.call(lambda: call(1))
    for _ in range(3):
        await asyncio.sleep(0)
    assert order == [0, 1]
    assert [type(one) for one in told] == [RuntimeError]
