"""Bodies of requests under way have a limit together; what is held is given back at every end."""

import asyncio

import pytest
from api_support import Target

from durahost.http.body_budget import BodyBudget
from durahost.http.front_settings import FrontSettings

PATH = "/runtime/webhooks/durabletask/orchestrators/Nobody"


@pytest.fixture
def budget():
    return BodyBudget(10)


@pytest.fixture
def front(budget):
    return Target(front=FrontSettings(bodies=budget)).front


async def ask(front, receive):
    """The status of one POST whose body comes from `receive`; None when nothing was answered."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost:7071"), (b"transfer-encoding", b"chunked")],
        "scheme": "http",
    }
    await front(scope, receive, send)
    return sent[0]["status"] if sent else None


def receiving(*messages):
    rest = iter(messages)

    async def receive():
        return next(rest)

    return receive


def part(body, *, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.feature("Functions host", "Limits of requests")
async def test_a_body_that_leaves_too_little_room_is_refused_and_others_go_on(front, budget):
    halfway, rest = asyncio.Event(), asyncio.Event()
    sent = iter([part(b'"12345', more=True)])

    async def slow():
        if (first := next(sent, None)) is not None:
            return first
        halfway.set()
        await rest.wait()
        return part(b'"')

    first = asyncio.create_task(ask(front, slow))
    await halfway.wait()
    assert await ask(front, receiving(part(b'"1234"'))) == 503
    assert budget.held == 6
    rest.set()
    assert await first != 503
    assert budget.held == 0
    assert await ask(front, receiving(part(b'"1234"'))) != 503


@pytest.mark.feature("Functions host", "Limits of requests")
async def test_a_client_that_leaves_gives_its_part_back(front, budget):
    gone = receiving(part(b"12345", more=True), {"type": "http.disconnect"})
    assert await ask(front, gone) is None
    assert budget.held == 0
