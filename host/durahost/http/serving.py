"""An HTTP server on an open socket, without signal handlers: the host has its own."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from durahost.http.connections import Connection

CLOSE_LIMIT_S = 5
"""How long open connections may finish their response when the server stops."""

DATE_STEP_S = 1
"""What the header `Date` counts in."""

MOST_OPEN_FILES = 65_536


class HttpServer:
    """Serves one ASGI app on one socket."""

    def __init__(self, app: Any, listener: socket.socket, name: str) -> None:
        config = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            # X-Forwarded-Proto is no business of the server: `useForwardedHost` decides.
            proxy_headers=False,
            timeout_keep_alive=120,
            timeout_graceful_shutdown=CLOSE_LIMIT_S,
        )
        self._server = _Server(config)
        self._listener = listener
        self.name = name

    async def run(self) -> None:
        """Serve until `stop`; requests that run then may finish."""
        allow_many_connections()
        await self._server.serve(sockets=[self._listener])

    def stop(self) -> None:
        """Accept nothing more, let responses finish, then end `run`."""
        self._server.stop()


class _Server(uvicorn.Server):
    """uvicorn's server; signals are the composition root's business."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        self.should_exit = True
        self._stopping.set()

    async def main_loop(self) -> None:  # type: ignore[explicit-override] # needs 3.12
        """Keep the time of the header `Date`, until told to stop.

        uvicorn's own loop looks ten times a second whether it should; an idle host sleeps.
        """
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(DATE_STEP_S):
                    await self._stopping.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:  # type: ignore[explicit-override] # needs 3.12
        yield


def allow_many_connections() -> None:
    """Open as many files as the system lets this process, as .NET does at its start.

    The usual soft limit of 1,024 is what a thousand idle connections use up.
    """
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS has a lower limit of its own, which it does not tell.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
