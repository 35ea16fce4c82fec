"""The local RPC endpoint: the management API on a loopback port, for the SDKs of this machine.

No authorisation and no limit on bodies; the length of the base path is cut off, not compared. Pages
of a browser are refused: no SDK runs in one.
Source: Azure/azure-functions-durable-extension: LocalHttpListener.cs, HttpApiHandler.cs.
"""

import logging
import socket

from starlette.types import Receive, Scope, Send

from durahost.clock import Clock
from durahost.http.durable_api import DurableApi
from durahost.http.errors import empty
from durahost.http.ports import bind
from durahost.http.requests import ClientGone, read_request
from durahost.http.site_guard import SiteGuard
from durahost.model.errors import ConfigError

logger = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"
BASE_PATH = "/durabletask/"
DEFAULT_PORT = 17071
FALLBACK_PORTS = range(30000, 31000)
ATTEMPTS = 10


def rpc_base_url(port: int) -> str:
    """The address that the durableClient binding names."""
    return f"http://{ADDRESS}:{port}{BASE_PATH}"


def bind_rpc_socket(clock: Clock, first_port: int = DEFAULT_PORT) -> tuple[socket.socket, int]:
    """Listen on the first port that can be had; returns the socket and its port.

    Errors: ConfigError when none of ten can be had.
    """
    port = first_port
    for _ in range(ATTEMPTS):
        try:
            return bind(ADDRESS, port), port
        except ConfigError:
            chance = int.from_bytes(clock.random_bytes(4), "big")
            port = FALLBACK_PORTS[chance % len(FALLBACK_PORTS)]
    raise ConfigError(
        f"Unable to find a port to open an RPC endpoint on after {ATTEMPTS} attempts",
        f"Free port {DEFAULT_PORT}, or one between {FALLBACK_PORTS[0]} and {FALLBACK_PORTS[-1]}.",
    )


class RpcEndpoint:
    """The ASGI app of the RPC port."""

    def __init__(self, durable: DurableApi) -> None:
        self._durable = durable
        self._guard = SiteGuard()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other kinds of connections are closed unanswered."""
        if scope["type"] != "http":
            return
        try:
            request = await read_request(scope, receive, limit=None)
            if self._guard.find_reason(request) is None:
                response = await self._durable.respond(request, len(BASE_PATH))
            else:
                response = empty(403)
        except ClientGone:
            return
        await response(scope, receive, send)
