"""HTTP functions of an app that imports a web extension: the extension's own server has requests.

As on the platform, the host passes each request on to that server, on loopback, and names the call
in a header. So bodies stream both ways, and it is the sockets that hold back whoever is too fast.
The function gets the server's request, and what it returns becomes the server's response; a call is
over once its response is sent.
Source: Azure/azure-functions-python-worker: http_v2.py, dispatcher.py, bindings/meta.py.
"""

import asyncio
import importlib
import logging
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

logger = logging.getLogger("azure_functions_worker")

BASE = "azurefunctions.extensions.base"
INVOCATION_HEADER = "x-ms-invocation-id"
ADDRESS = "127.0.0.1"

SETTING = "PYTHON_ENABLE_INIT_INDEXING"
ALWAYS_SERVED = (3, 13)
"""From this Python on, the platform's worker does not ask for the setting."""

TRUE_WORDS = frozenset({"1", "true", "t", "yes", "y"})
FALSE_WORDS = frozenset({"0", "false", "f", "no", "n"})

MEETING_LIMIT_S = 30.0
"""How long a call and its request wait for each other; the host sends both at once."""

Scope = Mapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


class MissingHeaderError(ValueError):
    """A request that did not come through the host; the real worker's class name."""


class WebExtension:
    """The one web extension that the app has imported; it decides which types functions have."""

    def __init__(self, base: Any) -> None:
        self._base = base
        self.is_served = _is_served()
        if not self.is_served:
            logger.warning(
                "%s is imported, but %s is not 1: on Azure no request to an HTTP function of this"
                " app is ever answered, and here it fails",
                base.ModuleTrackerMeta.get_module().rpartition(".")[0],
                SETTING,
            )

    @classmethod
    def imported(cls) -> "WebExtension | None":
        """The extension; None when there is none, or when the setting says no."""
        base = sys.modules.get(BASE)
        if base is None or not base.HttpV2FeatureChecker.http_v2_enabled():
            return None
        if sys.version_info[:2] < ALWAYS_SERVED and _written() in FALSE_WORDS:
            return None
        return cls(base)

    def accepts(self, pytype: Any, *, is_out: bool) -> bool:
        """Whether a request or response may be annotated so."""
        tracker = self._base.ResponseTrackerMeta if is_out else self._base.RequestTrackerMeta
        return bool(tracker.check_type(pytype))

    def open_server(self) -> "WebServer":
        """A server that does not run yet. Errors: whatever the extension raises."""
        module = importlib.import_module(self._base.ModuleTrackerMeta.get_module())
        return WebServer(module, self._base.RequestTrackerMeta)


class WebServer:
    """The extension's server, where requests and calls meet."""

    def __init__(self, module: Any, tracker: Any) -> None:
        self._tracker = tracker
        self._meetings: dict[str, Meeting] = {}
        self._adopt: Callable[[str], object] = str

        async def answer(request: Any) -> Any:
            return await self._answer(request)

        # By this annotation the extension knows that it is to hand over its request.
        answer.__annotations__["request"] = tracker.get_request_type()
        app = module.WebApp()
        app.route(answer)
        self._app: App = app.get_app()
        port = _unused_port()
        self.address = f"http://{ADDRESS}:{port}"
        self._server = module.WebServer(ADDRESS, port, self)

    def get_app(self) -> App:
        """What the extension's server serves."""
        return self

    async def run(self, adopt: Callable[[str], None]) -> None:
        """Serve until cancelled.

        adopt: called where the response of an invocation is sent, whose code it may run.
        Errors: SystemExit, as uvicorn ends when it cannot listen.
        """
        self._adopt = adopt
        await self._server.serve()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """The extension's app, watched: a call is over when this returns."""
        invocation_id = _invocation_id(scope)
        if invocation_id is None:
            await self._app(scope, receive, send)
            return
        meeting = self._meeting(invocation_id)
        failure = None
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            failure = error
            raise
        finally:
            self._meetings.pop(invocation_id, None)
            meeting.end(failure)

    async def meet(self, invocation_id: str) -> "Meeting":
        """Wait for the request of a call. Errors: TimeoutError when the host sends none."""
        meeting = self._meeting(invocation_id)
        meeting.is_called.set()
        try:
            await asyncio.wait_for(meeting.has_request.wait(), MEETING_LIMIT_S)
        except asyncio.TimeoutError:
            self._meetings.pop(invocation_id, None)
            raise TimeoutError("the host has sent no request for the call") from None
        return meeting

    async def refuse(self, invocation_id: str, reason: str) -> None:
        """Fail the request of a call that cannot be made."""
        await (await self.meet(invocation_id)).respond(RuntimeError(reason))

    def set_route(self, request: Any, parameters: Mapping[str, str]) -> None:
        """Give the request the values of the function's own route."""
        self._tracker.get_synchronizer().sync_route_params(request, parameters)

    def _meeting(self, invocation_id: str) -> "Meeting":
        return self._meetings.setdefault(invocation_id, Meeting())

    async def _answer(self, request: Any) -> Any:
        invocation_id = request.headers.get(INVOCATION_HEADER)
        if invocation_id is None:
            raise MissingHeaderError(f"Header {INVOCATION_HEADER} not found")
        outcome = await self._meeting(invocation_id).hand_over(request)
        self._adopt(invocation_id)
        if isinstance(outcome, BaseException):
            raise outcome
        if outcome is None:
            raise ValueError(f"No http response found for invocation {invocation_id}")
        return outcome


class Meeting:
    """One request and its call, whichever comes first; both on the event loop.

    request: what the function gets, once `has_request` is set.
    """

    def __init__(self) -> None:
        self.is_called = asyncio.Event()
        self.has_request = asyncio.Event()
        self.request: Any = None
        loop = asyncio.get_running_loop()
        self._outcome: asyncio.Future[Any] = loop.create_future()
        self._ended: asyncio.Future[Exception | None] = loop.create_future()

    async def respond(self, outcome: Any) -> "Exception | None":
        """Answer with what the function returned or raised; gives what failed while it was sent."""
        self._outcome.set_result(outcome)
        return await self._ended

    async def hand_over(self, request: Any) -> Any:
        """Give the request to its call, and wait for the outcome. Errors: TimeoutError."""
        self.request = request
        self.has_request.set()
        await asyncio.wait_for(self.is_called.wait(), MEETING_LIMIT_S)
        return await self._outcome

    def end(self, error: "Exception | None") -> None:
        """The response is sent, or cannot be."""
        if not self._ended.done():
            self._ended.set_result(error)


def _invocation_id(scope: Scope) -> "str | None":
    for name, value in scope.get("headers", ()):
        if name == INVOCATION_HEADER.encode():
            return str(value, "latin-1")
    return None


def _unused_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def _written() -> str:
    return os.environ.get(SETTING, "").strip().lower()


def _is_served() -> bool:
    return sys.version_info[:2] >= ALWAYS_SERVED or _written() in TRUE_WORDS
