"""An HTTP server on an open socket, without signal handlers: the host has its own."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

CLOSE_LIMIT_S = 5
"""How long open connections may finish their response when the server stops."""


class HttpServer:
    """Serves one ASGI app on one socket."""

    def __init__(self, app: Any, listener: socket.socket, name: str) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_keep_alive=120,
            timeout_graceful_shutdown=CLOSE_LIMIT_S,
        )
        self._server = _Server(config)
        self._listener = listener
        self.name = name

    async def run(self) -> None:
        """Serve until `stop`; requests that run then may finish."""
        await self._server.serve(sockets=[self._listener])

    def stop(self) -> None:
        """Accept nothing more, let responses finish, then end `run`."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """uvicorn's server; signals are the composition root's business."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:  # type: ignore[explicit-override] # needs 3.12
        yield
