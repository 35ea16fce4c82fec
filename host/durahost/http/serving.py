"""An HTTP server on an open socket, without signal handlers: the host has its own."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from durahost.http.connections import Connection

CLOSE_LIMIT_S = 5
"""How long open connections may finish their response when the server stops."""

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
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """uvicorn's server; signals are the composition root's business."""

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
