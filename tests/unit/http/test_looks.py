"""Requests for a status that are answered from memory: the same bytes, without a task."""

import asyncio
from dataclasses import replace

import pytest
from api_support import Target
from connection_support import Peer

from durahost.config.settings import HttpSettings
from durahost.http.front_settings import FrontSettings
from durahost.http.looks import Look
from durahost.http.requests import StatusView
from durahost.http.status_bodies import StatusBodies
from durahost.http.turns import EACH_TURN, Turns
from durahost.model.ids import InstanceId
from durahost.model.status import RuntimeStatus
from durahost.off_loop import LONG_TEXT

pytestmark = pytest.mark.feature("Management API", "`GET /instances/{instanceId}`")

STATUS = "/runtime/webhooks/durabletask/instances/abc"
UPGRADE = "Connection: Upgrade\r\nUpgrade: h2c\r\n"
LINK = "taskHub=TestHubName&connection=Storage&code=k"


class Tasks:
    """The public port; counts what it is asked as any other request is."""

    def __init__(self, front):
        self.find_look = front.find_look
        self.asked = 0
        self._front = front

    async def __call__(self, scope, receive, send):
        self.asked += 1
        await self._front(scope, receive, send)


def request(target=STATUS, method="GET", headers="", version="1.1"):
    return f"{method} {target} HTTP/{version}\r\nHost: localhost:7071\r\n{headers}\r\n".encode()


async def exchange(app, sent):
    peer = Peer(app)
    peer.send(sent)
    await asyncio.sleep(0)  # it may not be its turn before
    await peer.answered()
    peer.transport.close()
    return peer.transport.written


async def looked(target, sent):
    """Whether no task answered; what did is what a task would have answered."""
    tasks = Tasks(target.front)
    found = await exchange(tasks, sent)
    assert found == await exchange(target.front.__call__, sent)
    assert found
    return tasks.asked == 0


@pytest.mark.parametrize(
    "query",
    ["", LINK, "showInput=false", "returnInternalServerErrorOnFailure=true", "showHistory=no"],
)
@pytest.mark.parametrize(
    "status", [one for one in RuntimeStatus if one is not RuntimeStatus.CONTINUED_AS_NEW]
)
async def test_a_status_is_the_same_and_takes_no_task(status, query):
    target = Target()
    output = '"out"' if status.is_terminal else None
    await target.put(status, input='"in"', output=output, custom_status='{"a":1}')
    for _ in range(2):
        assert await looked(target, request(f"{STATUS}?{query}" if query else STATUS))
    assert await looked(target, request(STATUS, version="1.0"))
    assert await looked(target, request(STATUS.upper().replace("/ABC", "/abc")))
    assert await looked(target, request(STATUS, headers="Connection: close\r\n"))
    assert await looked(target, request(STATUS, headers=UPGRADE))


@pytest.mark.parametrize(
    "sent",
    [
        request(STATUS, "HEAD"),
        request(STATUS, "PUT", "Content-Length: 0\r\n"),
        request(STATUS, headers="Content-Length: 2\r\n") + b"{}",
        request(STATUS, headers="Origin: https://example.com\r\n"),
        request(f"{STATUS}?showHistory=true"),
        request(f"{STATUS}?taskHub=Other"),
        request(f"{STATUS}?connection=Unknown"),
        request(f"{STATUS}d"),
        request(STATUS, "PURGE"),
        request(STATUS.replace("abc", "")),
        request(STATUS.replace("instances", "entities")),
        request(STATUS.replace("durabletask", "other")),
        request("/api/none"),
    ],
)
async def test_all_else_is_answered_as_ever(sent):
    target = Target()
    await target.put(RuntimeStatus.RUNNING)
    assert not await looked(target, sent)


@pytest.mark.parametrize(
    "settings",
    [
        {"is_auth_enabled": True},
        {"is_running": False},
        {"front": FrontSettings(http=HttpSettings(max_concurrent_requests=5))},
        {"front": FrontSettings(http=HttpSettings(custom_headers={"X-One": "1"}))},
    ],
)
async def test_nor_does_a_host_look_that_has_more_to_do_for_each_request(settings):
    assert not await looked(Target(**settings), request())


async def test_each_commit_is_seen():
    target = Target()
    await target.start("abc")
    assert await looked(target, request())
    await target.finish("abc", RuntimeStatus.RUNNING, custom_status='"half"')
    assert b'"half"' in await exchange(Tasks(target.front), request())
    await target.hubs().raise_event(InstanceId("abc"), "go", "1")
    await target.finish("abc", RuntimeStatus.COMPLETED, output='"done"')
    assert b'"done"' in await exchange(Tasks(target.front), request())


async def test_a_long_status_is_written_beside_others():
    target = Target()
    await target.put(RuntimeStatus.COMPLETED, output=f'"{"x" * LONG_TEXT}"')
    assert not await looked(target, request())


async def test_an_app_that_goes_offline_is_not_looked_at(tmp_path):
    page = tmp_path / "app_offline.htm"
    target = Target(offline_page=page)
    await target.put(RuntimeStatus.RUNNING)
    assert await looked(target, request())
    page.write_text("closed")
    assert not await looked(target, request())
    page.unlink()
    assert await looked(target, request())


async def test_looks_take_turns_and_who_has_left_takes_nobodys():
    target = Target()
    await target.put(RuntimeStatus.RUNNING)
    peers = [Peer(Tasks(target.front)) for _ in range(3 * EACH_TURN)]
    for peer in peers:
        peer.send(request())
    answered = [len(peer.statuses()) for peer in peers]
    assert answered == [1] * EACH_TURN + [0] * (2 * EACH_TURN)
    for peer in peers[EACH_TURN : 2 * EACH_TURN]:
        peer.transport.close()
    for _ in range(2):
        await asyncio.sleep(0)
    assert [peer.statuses() for peer in peers[2 * EACH_TURN :]] == [[202]] * EACH_TURN
    assert [peer.statuses() for peer in peers[EACH_TURN : 2 * EACH_TURN]] == [[]] * EACH_TURN


async def test_requests_behind_each_other_are_answered_in_order():
    target = Target()
    await target.put(RuntimeStatus.RUNNING)
    peer = Peer(Tasks(target.front))
    peer.send(b"".join([request(), request(f"{STATUS}?showHistory=true"), request(), request()]))
    await peer.answered()
    for _ in range(4):
        await asyncio.sleep(0)
    assert peer.statuses() == [202] * 4
    assert peer.transport.written.count(b"historyEvents") == 1
    assert b"historyEvents" in peer.transport.written.split(b"HTTP/1.1 ")[2]
    peer.transport.close()


async def test_a_client_that_takes_nothing_is_waited_for():
    target = Target()
    await target.put(RuntimeStatus.RUNNING)
    peer = Peer(Tasks(target.front))
    peer.transport.takes_at_once = 10
    peer.send(request(), request())
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(peer.transport.waiting + peer.transport.written) == len(
        await exchange(target.front.__call__, request())
    )
    peer.transport.takes_at_once = None
    peer.transport.drain()
    await peer.answered()
    assert peer.statuses() == [202, 202]
    peer.transport.close()


class Failing:
    """An app whose looks fail, and which answers nevertheless."""

    def __init__(self, look):
        self.find_look = look

    async def __call__(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def test_a_look_that_fails_is_answered_as_any_other_request():
    def fail(scope):
        raise RuntimeError

    view = StatusView(has_input=True, has_output=False, has_history=False, fails_loudly=False)
    nowhere = Look(
        hub=None,
        instance_id=InstanceId("a"),
        view=view,
        location=b"",
        bodies=StatusBodies(),
        turns=Turns(),
    )
    target = Target()
    await target.put(RuntimeStatus.RUNNING)
    unsendable = replace(nowhere, hub=target.hubs(), instance_id=InstanceId("abc"), location=b"\n")
    for look in (fail, lambda scope: nowhere, lambda scope: unsendable):
        for _ in range(2):
            assert b"200 OK" in await exchange(Failing(look), request())


@pytest.mark.parametrize("sent", [request(version="1.0"), request(headers=UPGRADE)])
async def test_a_connection_that_is_not_kept_ends_behind_a_look(sent):
    target = Target()
    await target.put(RuntimeStatus.RUNNING)
    peer = Peer(Tasks(target.front))
    peer.send(sent)
    assert await peer.ended() == [202]
    assert peer.transport.written == await exchange(target.front.__call__, sent)
