"""Passing on a request whose worker is slow to listen, silent, or breaks off."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from durahost.http import forwarding
from durahost.http.body_budget import BodyBudget
from durahost.http.forwarding import Forwarding
from durahost.http.incoming import Incoming
from durahost.model.ids import InvocationId

pytestmark = pytest.mark.feature(
    "Functions host", "HTTP streaming (`azurefunctions-extensions-http-fastapi`)"
)

ID = InvocationId("11111111-2222-3333-4444-555555555555")
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ONE, END = b"3\r\none\r\n", b"0\r\n\r\n"


class Client:
    """Asks for `/x`; keeps what it is sent."""

    def __init__(self):
        self.has_left = asyncio.Event()
        self.sent = []
        scope = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "raw_path": b"/x",
            "query_string": b"",
            "headers": [(b"host", b"h")],
            "client": ("127.0.0.1", 1),
        }
        bodies = BodyBudget()
        incoming = Incoming(scope, self.receive, self.send, max_body_bytes=9, bodies=bodies)
        self.forwarding = Forwarding(incoming, lambda one: one)

    async def receive(self):
        await self.has_left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)

    @property
    def body(self):
        return b"".join(one.get("body", b"") for one in self.sent)

    @property
    def is_answered(self):
        return bool(self.sent) and self.sent[-1].get("more_body") is False

    async def forward(self, port):
        async with asyncio.timeout(10):
            await self.forwarding.forward(f"http://127.0.0.1:{port}", ID)


@asynccontextmanager
async def worker(*pieces, ends=True, port=0):
    """A server that answers with the pieces, and then ends the connection or says nothing more."""
    left = asyncio.Event()

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.writelines(pieces)
        if not ends:
            await reader.read()
            left.set()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1], left
    finally:
        server.close()


async def test_an_answer_is_passed_on():
    client = Client()
    async with worker(HEAD, ONE, END) as (port, _):
        await client.forward(port)
    assert (client.body, client.is_answered) == (b"one", True)


async def test_a_server_that_does_not_listen_yet_is_tried_again(monkeypatch):
    async with worker() as (port, _):
        pass
    client, tries = Client(), []

    async def nap(delay_s):
        if not delay_s:
            return
        tries.append(delay_s)
        if len(tries) == 3:
            started.append(worker(HEAD, END, port=port))
            await started[0].__aenter__()

    started = []
    monkeypatch.setattr(forwarding.asyncio, "sleep", nap)
    await client.forward(port)
    await started[0].__aexit__(None, None, None)
    assert client.is_answered
    assert tries == [0.05, 0.1, 0.2]


async def test_a_server_that_never_listens(monkeypatch, caplog):
    monkeypatch.setattr(forwarding, "MOST_TRIES", 2)
    async with worker() as (port, _):
        pass
    client = Client()
    await client.forward(port)
    assert client.forwarding.conclude().status_code == 500
    assert f"Failed to proxy request {ID}: ClientConnectorError" in caplog.text


@pytest.mark.parametrize("pieces", [(), (HEAD[:-2],)])
async def test_a_server_that_ends_before_it_answers(pieces, caplog):
    client = Client()
    async with worker(*pieces) as (port, _):
        await client.forward(port)
    assert client.sent == []
    assert client.forwarding.conclude().status_code == 500
    assert "Failed to proxy request" in caplog.text


async def test_a_server_that_ends_in_the_middle(caplog):
    client = Client()
    async with worker(HEAD, ONE) as (port, _):
        await client.forward(port)
    assert (client.body, client.is_answered) == (b"one", False)
    await client.forwarding.conclude()(
        {}, None, None
    )  # the client has a part: nothing more is sent
    assert "Failed to proxy request" in caplog.text


@pytest.mark.parametrize("pieces", [(), (HEAD, ONE)])
async def test_silence_has_an_end(pieces, monkeypatch, caplog):
    monkeypatch.setattr(forwarding, "ACTIVITY_LIMIT_S", 0.1)
    client = Client()
    async with worker(*pieces, ends=False) as (port, left):
        await client.forward(port)
        await left.wait()
    assert not client.is_answered
    assert "TimeoutError" in caplog.text


@pytest.mark.parametrize("pieces", [(), (HEAD, ONE)])
async def test_a_client_that_leaves_ends_the_request(pieces, caplog):
    client = Client()
    client.has_left.set()
    async with worker(*pieces, ends=False) as (port, left):
        await client.forward(port)
        await left.wait()
    assert caplog.text == ""
    await client.forwarding.conclude()({}, None, None)
