"""A client's request as it comes: its head at once, its body when somebody asks for it.

So nothing is read for a request that is refused, and a body can be passed on as it comes. Kestrel,
the web server of Azure's host, does the same.
"""

from collections.abc import AsyncGenerator

from starlette.types import Receive, Scope, Send

from durahost.http.body_budget import BodyBudget
from durahost.http.requests import (
    HttpRequest,
    body_parts,
    check_length,
    read_body,
    read_head,
)


class Incoming:
    """One request and what may be done with it.

    max_body_bytes: the largest body. bodies: what a body read whole takes from, until `end`.
    """

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, *, max_body_bytes: int, bodies: BodyBudget
    ) -> None:
        self.head = read_head(scope, receive)
        self.has_body = self.head.has_body
        self.send = send
        self._scope = scope
        self._receive = receive
        self._limit = max_body_bytes
        self._bodies = bodies
        self._held = 0

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers as sent, names lower-case."""
        return list(self._scope["headers"])

    @property
    def client(self) -> str | None:
        """The client's IP address, if it has one."""
        address: tuple[str, int] | None = self._scope.get("client")
        return address and address[0]

    async def read(self) -> HttpRequest:
        """The whole request. Errors: ClientGone, BodyTooLarge, BodiesFull."""
        if self.has_body:
            await read_body(self.head, self._receive, self._limit, self._hold)
        return self.head

    def check_length(self) -> None:
        """Refuse a body that says to be too large. Errors: BodyTooLarge."""
        check_length(self.head, self._limit)

    def parts(self) -> AsyncGenerator[bytes]:
        """The body as it comes, never kept. Errors: ClientGone, BodyTooLarge."""
        return body_parts(self._receive, self._limit)

    def end(self) -> None:
        """The body is not held any more."""
        self._bodies.give_back(self._held)
        self._held = 0

    def _hold(self, size: int) -> None:
        self._bodies.take(size)
        self._held += size
