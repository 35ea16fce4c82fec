"""A connection of the web server in memory, and what a client sees of it."""

import asyncio

import uvicorn
from uvicorn.server import ServerState

from durahost.http.connections import Connection


class MemoryTransport(asyncio.Transport):
    """Keeps what is written; closes like a socket, in a later turn of the loop."""

    def __init__(self):
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""
        self.closed = asyncio.Event()
        self.is_paused = False
        self.resumed = asyncio.Event()
        self.takes_at_once = None  # bytes that leave the buffer at each write; None is all of them
        self.waiting = b""
        self.is_aborted = False

    def set_write_buffer_limits(self, high=None, low=None):
        assert (high, low) == (0, None)

    def get_write_buffer_size(self):
        return len(self.waiting)

    def write(self, data):
        was_waiting = bool(self.waiting)
        self.waiting += data
        self.take(self.takes_at_once)
        if self.waiting and not was_waiting:
            self.get_protocol().pause_writing()

    def take(self, size=None):
        size = len(self.waiting) if size is None else size
        self.written += self.waiting[:size]
        self.waiting = self.waiting[size:]

    def drain(self):
        self.take()
        self.get_protocol().resume_writing()

    def abort(self):
        self.is_aborted = True
        self.close()

    def is_closing(self):
        return self.closed.is_set()

    def pause_reading(self):
        self.is_paused = True

    def resume_reading(self):
        self.is_paused = False
        self.resumed.set()

    def close(self):
        if not self.closed.is_set():
            self.closed.set()
            asyncio.get_running_loop().call_soon(self.get_protocol().connection_lost, None)


class Peer:
    """One connection and the app behind it, by default one that answers when it is let."""

    def __init__(self, app=None, **settings):
        self.bodies = []
        self.headers = []
        self.answer_size = 0
        self.answer_headers = []
        self.parts = None  # else the answer's, each sent when it is put there; None ends them
        self.breaks = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.transport = MemoryTransport()
        config = uvicorn.Config(
            app or self.answer,
            interface="asgi3",
            http=Connection,
            ws="none",
            log_config=None,
            proxy_headers=False,
            **settings,
        )
        config.load()
        self.state = ServerState()
        self.connection = Connection(config=config, server_state=self.state, app_state={})
        self.transport.set_protocol = lambda protocol: None
        self.transport.get_protocol = lambda: self.connection
        self.connection.connection_made(self.transport)

    async def answer(self, scope, receive, send):
        if self.parts is not None:
            await self.answer_in_parts(receive, send)
            return
        self.headers.append([name for name, _ in scope["headers"]])
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            if not message["more_body"]:
                break
        await self.may_answer.wait()
        self.bodies.append(body)
        length = (b"content-length", str(self.answer_size).encode())
        headers = [length, *self.answer_headers]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"x" * self.answer_size})

    async def answer_in_parts(self, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": self.answer_headers})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        while (part := await self.parts.get()) is not None:
            await send({"type": "http.response.body", "body": part, "more_body": True})
            self.parts.task_done()
        if not self.breaks:
            await send({"type": "http.response.body", "body": b""})

    def send(self, *pieces):
        for piece in pieces:
            if not self.transport.closed.is_set():
                self.connection.data_received(piece)

    async def ended(self):
        async with asyncio.timeout(5):
            await self.transport.closed.wait()
            for task in list(self.state.tasks):
                await task
        return self.statuses()

    async def answered(self):
        async with asyncio.timeout(5):
            for task in list(self.state.tasks):
                await task
        return self.statuses()

    def statuses(self):
        return [int(part[:3]) for part in self.transport.written.split(b"HTTP/1.1 ")[1:]]
