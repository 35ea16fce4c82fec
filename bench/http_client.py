"""Keep-alive HTTP/1.1 connections, as cheap as the load generator needs them to be."""

import asyncio


class Connection:
    """One connection to a port of this machine."""

    def __init__(self, port):
        self._port = port
        self._reader = self._writer = None

    async def request(self, method, target, body=b"", content_type=None):
        """(status, body). Connects at the first call, and again when the server has closed."""
        if self._writer is None or self._writer.is_closing() or self._reader.at_eof():
            opened = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 24)
            self._reader, self._writer = opened
        head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
        if content_type is not None:
            head += f"Content-Type: {content_type}\r\n"
        if body or method != "GET":
            head += f"Content-Length: {len(body)}\r\n"
        self._writer.write(head.encode() + b"\r\n" + body)
        return await self._answer()

    async def _answer(self):
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ", 2)[1])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("transfer-encoding") == "chunked":
            return status, await self._chunks()
        return status, await self._reader.readexactly(int(headers.get("content-length", 0)))

    async def _chunks(self):
        parts = []
        while True:
            size = int((await self._reader.readline()).split(b";")[0], 16)
            parts.append((await self._reader.readexactly(size + 2))[:-2])
            if size == 0:
                return b"".join(parts)

    def close(self):
        if self._writer is not None:
            self._writer.close()


class Pool:
    """A fixed number of connections, each lent to one user at a time."""

    def __init__(self, port, size):
        self._free = asyncio.Queue()
        for _ in range(size):
            self._free.put_nowait(Connection(port))

    async def use(self, one):
        """Await one(connection) with a free connection."""
        connection = await self._free.get()
        try:
            return await one(connection)
        finally:
            self._free.put_nowait(connection)


async def wait_until_served(port, target, timeout_s=60):
    """Return when `target` answers 200; asked every 5 ms."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        connection = Connection(port)
        try:
            if (await connection.request("GET", target))[0] == 200:
                return
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            connection.close()
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(f"nothing served {target} on port {port} within {timeout_s} s")
        await asyncio.sleep(0.005)
