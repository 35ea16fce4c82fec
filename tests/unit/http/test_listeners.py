"""The sockets that the host listens on."""

import asyncio
import socket

import pytest

from durahost.http.ports import bind


async def test_what_is_accepted_sends_at_once():
    listener = bind("127.0.0.1", 0)
    accepted = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(
        lambda reader, writer: accepted.set_result(writer), sock=listener
    )
    async with asyncio.timeout(10), server:
        _, client = await asyncio.open_connection(*listener.getsockname())
        writer = await accepted
        connection = writer.get_extra_info("socket")
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        client.close()
        writer.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_port_0_takes_any(address):
    with bind(address, 0) as listener:
        assert listener.getsockname()[1] > 0
