"""The limits of one connection: what a client gets that is too slow, too large or out of turn."""

import asyncio

import pytest
from connection_support import Peer

from durahost.http import connections

pytestmark = pytest.mark.feature("Functions host", "Limits of the web server")

POST = b"POST /x HTTP/1.1\r\nHost: h\r\n"


@pytest.fixture
async def peer():
    made = Peer()
    yield made
    made.transport.close()
    await made.ended()


async def test_a_request_in_single_bytes(peer):
    request = POST + b"Content-Length: 3\r\n\r\nabc"
    peer.send(*[bytes([one]) for one in request])
    assert await peer.answered() == [200]
    assert peer.bodies == [b"abc"]


async def test_a_head_that_does_not_end_in_time(peer, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_LIMIT_S", 0)
    peer.send(POST)
    assert await peer.ended() == [408]


async def test_a_body_that_comes_too_slowly(peer, monkeypatch):
    monkeypatch.setattr(connections, "BODY_GRACE_S", 0.001)
    monkeypatch.setattr(connections, "SLOWEST_BODY_BYTES_S", 1_000_000)
    peer.send(POST + b"Content-Length: 5000\r\n\r\n", b"a" * 500)
    assert await peer.ended() == [408]
    assert peer.bodies == []


async def test_a_body_that_comes_fast_enough_is_waited_for(peer, monkeypatch):
    monkeypatch.setattr(connections, "BODY_GRACE_S", 0.001)
    monkeypatch.setattr(connections, "SLOWEST_BODY_BYTES_S", 0)
    peer.send(POST + b"Content-Length: 5\r\n\r\n", b"ab")
    seen = asyncio.Semaphore(0)
    check_body = peer.connection._check_body

    def count(size_before):
        seen.release()
        check_body(size_before)

    monkeypatch.setattr(peer.connection, "_check_body", count)
    peer.connection._end_watch()
    peer.send(b"c")
    async with asyncio.timeout(5):
        for _ in range(3):
            await seen.acquire()
    peer.send(b"de")
    assert await peer.answered() == [200]
    assert peer.bodies == [b"abcde"]


async def test_a_client_that_says_nothing_is_let_go():
    peer = Peer(timeout_keep_alive=0)
    assert await peer.ended() == []


async def test_a_client_that_asks_nothing_more_is_let_go(monkeypatch):
    peer = Peer(timeout_keep_alive=0)
    peer.send(POST + b"Content-Length: 2\r\n\r\n", b"a", b"b")
    assert await peer.ended() == [200]


async def test_requests_behind_the_first_wait_and_the_client_with_them(peer):
    peer.may_answer.clear()
    request = POST + b"Content-Length: 1\r\n\r\n"
    peer.send(request + b"1" + request + b"2" + request)
    await asyncio.sleep(0)
    assert peer.transport.is_paused
    assert len(peer.state.tasks) == 1
    peer.may_answer.set()
    async with asyncio.timeout(5):
        await peer.transport.resumed.wait()
    peer.send(b"3")
    assert await peer.answered() == [200, 200, 200]
    assert peer.bodies == [b"1", b"2", b"3"]


async def test_a_body_that_waits_is_asked_for(peer):
    peer.send(POST + b"Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n")
    await asyncio.sleep(0)
    assert peer.statuses() == [100]
    peer.send(b"a")
    assert await peer.answered() == [100, 200]


async def test_a_body_is_read_no_further_than_it_is_wanted(peer):
    peer.send(POST + b"Content-Length: 100000\r\n\r\n" + b"a" * 70_000)
    assert peer.transport.is_paused
    await asyncio.sleep(0)
    assert not peer.transport.is_paused
    peer.send(b"a" * 30_000)
    assert await peer.answered() == [200]


async def test_a_head_is_answered_without_the_body(peer):
    peer.answer_size = 3
    peer.send(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert await peer.answered() == [200]
    assert peer.transport.written.endswith(b"content-length: 3\r\n\r\n")


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0"])
async def test_no_header_of_an_answer_becomes_two(peer, value):
    peer.answer_headers = [(b"x", value)]
    peer.send(POST + b"Content-Length: 0\r\n\r\n")
    assert await peer.answered() == [500]
    assert value not in peer.transport.written


async def test_a_server_that_stops_lets_the_answer_be_the_last(peer):
    peer.may_answer.clear()
    peer.send(POST + b"Content-Length: 0\r\n\r\n")
    peer.connection.shutdown()
    peer.may_answer.set()
    assert await peer.ended() == [200]
    assert b"\r\nconnection: close\r\n" in peer.transport.written


async def test_a_bad_request_does_not_answer_the_one_before(peer):
    peer.may_answer.clear()
    peer.send(POST + b"Content-Length: 0\r\n\r\n", b"nonsense\r\n\r\n")
    peer.may_answer.set()
    assert await peer.ended() == []


async def test_a_bad_body_is_refused_in_its_turn(peer):
    peer.send(POST + b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n")
    assert await peer.ended() == [400]


async def test_trailers_are_no_headers(peer):
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    peer.send(head + b"1\r\na\r\n0\r\nX-Forwarded-Host: evil\r\n\r\n")
    assert await peer.answered() == [200]
    assert peer.headers == [[b"host", b"transfer-encoding"]]
    assert peer.bodies == [b"a"]


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ([b"GET /" + b"a" * 8176 + b" HTTP/1.1\r\nHost: h\r\n\r\n"], 200),
        ([b"GET /" + b"a" * 8177 + b" HTTP/1.1\r\nHost: h\r\n\r\n"], 414),
        ([POST] + [b"X: 1\r\n"] * 99 + [b"\r\n"], 200),
        ([POST] + [b"X: 1\r\n"] * 100 + [b"\r\n"], 431),
        ([POST + b"X: " + b"x" * 32_000 + b"\r\n\r\n"], 200),
        ([POST + b"X: " + b"x" * 33_000 + b"\r\n\r\n"], 431),
        ([POST + b"X: "] + [b"x" * 1000] * 50, 431),
        ([b"\r\n" * 500] * 50, 431),
        ([POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: "] + [b"x" * 1000] * 50, 431),
        ([POST + b"Transfer-Encoding: chunked\r\n\r\n1;a="] + [b"x" * 1000] * 50, 431),
    ],
)
async def test_sizes(peer, pieces, status):
    peer.send(*pieces)
    assert await (peer.answered() if status == 200 else peer.ended()) == [status]


class SendClock:
    """Makes the watch of a connection look at the answer when the test says so."""

    def __init__(self, peer, monkeypatch):
        self.now = 1000.0
        self.due = None
        self.is_set = asyncio.Event()
        monkeypatch.setattr(peer.connection._line, "_loop", self)

    def time(self):
        return self.now

    def call_later(self, delay_s, check):
        self.due = check
        self.is_set.set()
        return self

    def cancel(self):
        self.due = None

    def pass_time(self, seconds):
        self.now += seconds
        self.due()


async def send_large_answer(peer, monkeypatch):
    clock = SendClock(peer, monkeypatch)
    peer.answer_size, peer.transport.takes_at_once = 100_000, 0
    peer.send(POST + b"Content-Length: 0\r\n\r\n")
    async with asyncio.timeout(5):
        await clock.is_set.wait()
    assert await peer.answered() == []
    assert clock.due is not None
    return clock


async def test_an_answer_that_nobody_takes_is_given_up(peer, monkeypatch):
    clock = await send_large_answer(peer, monkeypatch)
    clock.pass_time(5)
    assert await peer.ended() == []
    await asyncio.sleep(0)
    assert clock.due is None


async def test_an_answer_that_is_taken_too_slowly_is_given_up(peer, monkeypatch):
    clock = await send_large_answer(peer, monkeypatch)
    peer.transport.take(240 * 5)
    clock.pass_time(5)
    assert not peer.transport.closed.is_set()
    peer.transport.take(240 * 5 - 1)
    clock.pass_time(5)
    assert peer.transport.closed.is_set()


async def test_a_client_may_rest_when_it_was_fast_before(peer, monkeypatch):
    clock = await send_large_answer(peer, monkeypatch)
    peer.transport.take(240 * 60)
    for _ in range(12):
        clock.pass_time(5)
    assert not peer.transport.closed.is_set()
    peer.transport.drain()
    assert clock.due is None


# Answers in parts --------------------------------------------------------------------------------


LENGTH = [(b"content-length", b"6")]
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("request_line", "headers", "sent", "end"),
    [
        (b"GET / HTTP/1.1", [], CHUNKED + b"3\r\none\r\n3\r\ntwo\r\n", b"0\r\n\r\n"),
        (b"GET / HTTP/1.1", LENGTH, b"content-length: 6\r\n\r\nonetwo", b""),
        (b"GET / HTTP/1.0", [], b"connection: close\r\n\r\nonetwo", b""),
        (b"HEAD / HTTP/1.1", LENGTH, b"content-length: 6\r\n\r\n", b""),
    ],
)
async def test_an_answer_in_parts(peer, request_line, headers, sent, end):
    peer.parts, peer.answer_headers = asyncio.Queue(), headers
    peer.send(request_line + b"\r\nHost: h\r\n\r\n")
    for part in (b"one", b"two"):
        await peer.parts.put(part)
        await peer.parts.join()
    assert peer.transport.written.endswith(sent)
    await peer.parts.put(None)
    assert await peer.answered() == [200]
    assert peer.transport.written.endswith(sent + end)
    assert peer.transport.is_closing() == (b"1.0" in request_line)
    assert not peer.transport.is_aborted


async def test_an_answer_that_ends_before_its_last_part_ends_the_connection(peer):
    peer.parts, peer.breaks = asyncio.Queue(), True
    peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await peer.parts.put(b"one")
    await peer.parts.put(None)
    assert await peer.ended() == [200]
    assert peer.transport.is_aborted
    assert peer.transport.written.endswith(b"3\r\none\r\n")


async def test_an_app_that_fails_in_the_middle_of_its_answer_ends_the_connection(peer):
    peer.parts = asyncio.Queue()
    peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await peer.parts.put("no bytes")
    assert await peer.ended() == [200]
    assert peer.transport.is_aborted
    assert peer.transport.written.endswith(CHUNKED)


async def test_nothing_is_written_into_an_answer_that_has_begun(peer):
    peer.parts = asyncio.Queue()
    peer.send(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    await peer.parts.put(b"one")
    await peer.parts.join()
    peer.send(b"no chunk\r\n")
    await peer.parts.put(b"two")
    assert await peer.ended() == [200]
    assert peer.transport.written.endswith(b"3\r\none\r\n")


async def test_a_part_waits_until_the_one_before_it_is_taken(peer):
    peer.parts = asyncio.Queue()
    peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await peer.parts.put(b"one")
    await peer.parts.join()
    peer.transport.takes_at_once = 0
    await peer.parts.put(b"two")
    await peer.parts.join()
    await peer.parts.put(b"three")
    await peer.parts.put(None)
    assert peer.transport.waiting == b"3\r\ntwo\r\n"
    peer.transport.takes_at_once = None
    peer.transport.drain()
    assert await peer.answered() == [200]
    assert peer.transport.written.endswith(b"3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n")
