"""An answer whose headers are known as they are to be sent."""

from collections.abc import Sequence

from starlette.responses import Response

RawHeaders = Sequence[tuple[bytes, bytes]]
"""Names, lower-case, and values, as they are sent."""

BODILESS = frozenset({204, 304})
"""Statuses whose answers have no body, and no length."""


class Answer(Response):
    """The base class looks for headers that may be missing; that takes longer than all the rest.

    headers: without the length, which is added.
    """

    def __init__(self, status: int, body: bytes = b"", headers: RawHeaders = ()) -> None:
        self.status_code = status
        self.background = None
        self.body = body
        self.raw_headers = [*headers]
        if status not in BODILESS:
            self.raw_headers.append((b"content-length", b"%d" % len(body)))
