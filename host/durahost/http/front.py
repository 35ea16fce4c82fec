"""The public port: host endpoints first, then the app's functions, then nothing.

Requests are held while the host starts. A failure of the app or of its worker is a 500 without a
body; texts of exceptions never reach a client.
Source: Azure/azure-functions-host: Middleware/HostAvailabilityCheckMiddleware.cs,
Middleware/FunctionInvocationMiddleware.cs, Middleware/ExceptionMiddleware.cs.
"""

import logging

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from durahost.codec.rest import WEBHOOK_PATH
from durahost.functions.routing import RouteMatch
from durahost.host_state import Generation, HostState
from durahost.http.admin_api import AdminApi, home_page
from durahost.http.durable_api import DurableApi
from durahost.http.errors import empty
from durahost.http.requests import (
    MAX_BODY_BYTES,
    BodyTooLarge,
    ClientGone,
    HttpRequest,
    decode_api_path,
    function_query,
    read_request,
)
from durahost.http.responses import UnsendableResponse, build_response
from durahost.invocations import Call, Invoker
from durahost.model.errors import WorkerError
from durahost.worker.base import HttpData, Returned, TypedData

logger = logging.getLogger(__name__)

HOLD_S = 30.0
"""Longest wait for a starting host (ScriptConstants.cs, HostTimeoutSeconds)."""

NOT_RUNNING = b"Function host is not running."
"""Source: Azure/azure-functions-host: Extensions/HttpContextExtensions.cs."""

_ANY_WEBHOOK = WEBHOOK_PATH.rpartition("/")[0] + "/"
_WEBHOOK_METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS"})


class Front:
    """The ASGI app of the public port."""

    def __init__(
        self,
        state: HostState,
        invoker: Invoker,
        durable: DurableApi,
        admin: AdminApi,
        *,
        hold_s: float = HOLD_S,
    ) -> None:
        self._state = state
        self._invoker = invoker
        self._durable = durable
        self._admin = admin
        self._hold_s = hold_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other kinds of connections are closed unanswered."""
        if scope["type"] != "http":
            return
        try:
            response = await self._read_and_respond(scope, receive)
        except ClientGone:
            return
        except Exception:
            logger.exception("%s %s failed in the host", scope["method"], scope["path"])
            response = empty(500)
        await response(scope, receive, send)

    async def _read_and_respond(self, scope: Scope, receive: Receive) -> Response:
        try:
            request = await read_request(scope, receive, MAX_BODY_BYTES)
        except BodyTooLarge:
            return empty(413)
        return await self._respond(request)

    async def _respond(self, request: HttpRequest) -> Response:
        # Who may do what (`--enable-auth`) is decided here, between the path and its endpoint.
        answer = self._admin.respond(request)
        if answer is not None:
            return answer
        generation = await self._state.wait_until_running(self._hold_s)
        if generation is None:
            return Response(NOT_RUNNING, 503)
        if request.method in _WEBHOOK_METHODS and (length := _webhook_length(request)) is not None:
            return await self._durable.respond(request, length) if length else empty(404)
        match = generation.routes.match(request.method, request.raw_path)
        if match is not None:
            return await self._invoke(generation, match, request)
        return home_page() if request.raw_path == "/" else empty(404)

    async def _invoke(
        self, generation: Generation, match: RouteMatch, request: HttpRequest
    ) -> Response:
        function = match.function
        call = Call(
            trigger=TypedData("http", _trigger_value(match, request)),
            trace_parent=request.headers.get("traceparent", ""),
            trace_state=request.headers.get("tracestate", ""),
        )
        try:
            result = await self._invoker.invoke(generation.worker, function, call)
            if isinstance(result, Returned):
                return build_response(function, result)
        except (WorkerError, UnsendableResponse) as error:
            logger.error("Function '%s' gave no response: %s", function.name, error)
        return empty(500)


def _webhook_length(request: HttpRequest) -> int | None:
    """How much of the decoded path is the Durable webhook's; 0 for another extension's webhook.

    None when the path is none of the host's.
    """
    path = decode_api_path(request.raw_path).lower()
    if path == WEBHOOK_PATH or path.startswith(WEBHOOK_PATH + "/"):
        return len(WEBHOOK_PATH)
    return 0 if path.startswith(_ANY_WEBHOOK) and path != _ANY_WEBHOOK else None


def _trigger_value(match: RouteMatch, request: HttpRequest) -> HttpData:
    body = request.body
    if body and not request.has_length:
        logger.warning(
            "Function '%s' gets an empty body, as on Azure: the request came without "
            "Content-Length (Transfer-Encoding: chunked).",
            match.function.name,
        )
        body = b""
    return HttpData(
        method=request.method,
        url=request.url,
        headers=request.headers,
        query=function_query(request.raw_query),
        params=match.params,
        body=body,
    )
