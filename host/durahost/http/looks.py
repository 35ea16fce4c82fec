"""Requests for the status of an instance, which clients send again and again: answered from what is
in memory, without a task of their own.

What such a request asks for is found once for all that come with the same bytes. Whatever is not as
usual (the instance has to be read, its status is long) is answered as any other request.
"""

from starlette.responses import Response

from durahost.http.answers import RawHeaders
from durahost.http.errors import body_response
from durahost.http.requests import StatusView
from durahost.http.status_bodies import StatusBodies
from durahost.http.turns import Turns
from durahost.management import Management
from durahost.model.ids import InstanceId
from durahost.model.instances import InstanceState
from durahost.model.status import RuntimeStatus
from durahost.model.values import dataclass

_LOOK_AGAIN = (b"retry-after", b"5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look at an instance.

    location: the address that the client asked for. turns: which looks take.
    """

    hub: Management
    instance_id: InstanceId
    view: StatusView
    location: bytes
    bodies: StatusBodies
    turns: Turns

    def answer(self) -> Response | None:
        """The status; None when it takes more than a look."""
        state = self.hub.peek(self.instance_id)
        if state is None:
            return None
        body = self.bodies.show(state, show_input=self.view.has_input)
        return None if body is None else status_response(state, self.view, body, self.location)


def status_response(
    state: InstanceState, view: StatusView, body: bytes, location: bytes
) -> Response:
    """The answer to a request for a status, whose text is the body.

    Source: Azure/azure-functions-durable-extension: HttpApiHandler.cs
    (HandleGetStatusRequestAsync).
    """
    if not state.status.is_terminal:
        headers: RawHeaders = [(b"location", location), _LOOK_AGAIN]
        return body_response(202, body, headers)
    failed = state.status is RuntimeStatus.FAILED and view.fails_loudly
    return body_response(500 if failed else 200, body)
