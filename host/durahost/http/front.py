"""The public port: host endpoints first, then the app's functions, then nothing.

Requests are held while the host starts. A failure of the app or of its worker is a 500 without a
body; texts of exceptions never reach a client.
Source: Azure/azure-functions-host: Middleware/HostAvailabilityCheckMiddleware.cs,
Middleware/FunctionInvocationMiddleware.cs, Middleware/ExceptionMiddleware.cs.
"""

import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from durahost.codec.rest import WEBHOOK_PATH
from durahost.functions.routing import RouteMatch
from durahost.host_state import Generation, HostPhase, HostState
from durahost.http.added_headers import AddedHeaders
from durahost.http.authorization import Endpoint, Gate
from durahost.http.body_budget import BodiesFull
from durahost.http.durable_api import DurableApi
from durahost.http.errors import empty
from durahost.http.forwarding import Forwarding
from durahost.http.front_settings import FrontSettings
from durahost.http.home_page import home_page
from durahost.http.incoming import Incoming
from durahost.http.looks import Look
from durahost.http.offline import offline_response
from durahost.http.paths import EXTENSION, find_extension, is_admin
from durahost.http.request_headers import RawHeader, read_headers
from durahost.http.requests import (
    BodyTooLarge,
    ClientGone,
    HttpRequest,
    function_query,
)
from durahost.http.responses import UnsendableResponse, build_response
from durahost.http.throttle import REJECTED_HEADERS, Throttle
from durahost.invocations import Call, Invoker
from durahost.model.errors import WorkerError
from durahost.worker.base import HttpData, HttpExchange, Returned, TypedData

logger = logging.getLogger(__name__)

NOT_RUNNING = b"Function host is not running."
"""Source: Azure/azure-functions-host: Extensions/HttpContextExtensions.cs."""

_WEBHOOK_METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS"})


class HostApi(Protocol):
    """Endpoints of the host's own, below `/admin`."""

    def find(self, request: HttpRequest) -> Endpoint | None:
        """What the request has reached; None for paths and methods that are not routed there."""
        ...


class Front:
    """The ASGI app of the public port."""

    def __init__(
        self,
        state: HostState,
        invoker: Invoker,
        durable: DurableApi,
        host_apis: Sequence[HostApi],
        gate: Gate,
        settings: FrontSettings | None = None,
    ) -> None:
        settings = settings or FrontSettings()
        self._state = state
        self._invoker = invoker
        self._durable = durable
        self._host_apis = host_apis
        self._gate = gate
        self._settings = settings
        self._throttle = Throttle.of(settings.http)
        self._added = AddedHeaders.of(settings.http)
        self._look_of = lru_cache(maxsize=256)(self._make_look)  # the same at each poll

    def find_look(self, scope: Scope) -> Look | None:
        """What the request looks at, if that is all it does, and everybody may do so now."""
        if scope["method"] != "GET" or self._throttle is not None or self._added is not None:
            return None
        if self._state.phase is not HostPhase.RUNNING:
            return None
        return self._look_of(scope["raw_path"], scope["query_string"], scope["headers"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other kinds of connections are closed unanswered."""
        if scope["type"] != "http":
            return
        limit, bodies = self._settings.max_body_bytes, self._settings.bodies
        incoming = Incoming(scope, receive, send, max_body_bytes=limit, bodies=bodies)
        try:
            if incoming.has_body:
                incoming.check_length()
            response = await self._respond(incoming)
        except ClientGone:
            return
        except BodyTooLarge:
            response = self._complete(empty(413), incoming.head)
        except BodiesFull:
            head = incoming.head
            logger.warning("%s %s: 503, too many large bodies", head.method, head.raw_path)
            response = self._complete(empty(503), incoming.head)
        except Exception:
            head = incoming.head
            logger.exception("%s %s failed in the host", head.method, head.raw_path)
            response = empty(500)
        finally:
            if incoming.has_body:
                incoming.end()
        await response(scope, receive, send)

    def _make_look(
        self, raw_path: bytes, raw_query: bytes, headers: tuple[RawHeader, ...]
    ) -> Look | None:
        read = read_headers(headers)
        head = HttpRequest(
            method="GET",
            raw_path=raw_path.decode("latin-1"),
            raw_query=raw_query.decode("latin-1"),
            headers=read.joined,
            firsts=read.firsts,
        )
        is_ours = find_extension(head.raw_path) == EXTENSION
        if not is_ours or head.has_body or not self._gate.trusts(head):
            return None
        return self._durable.find_look(head, len(WEBHOOK_PATH))

    async def _respond(self, incoming: Incoming) -> Response:
        """Admin requests are answered at once; others are held and wait for their turn."""
        head = incoming.head
        if is_admin(head.raw_path):
            return self._complete(await self._respond_admin(incoming), head)
        if self._state.is_offline:
            return offline_response(self._state)
        generation = await self._state.wait_until_running(self._settings.hold_s)
        if generation is None:
            return Response(NOT_RUNNING, 503)
        if self._throttle is None:
            return self._complete(await self._respond_app(generation, incoming), head)
        response = await self._throttle.run(self._respond_app(generation, incoming))
        return self._reject(head) if response is None else self._complete(response, head)

    def _complete(self, response: Response, request: HttpRequest) -> Response:
        return response if self._added is None else self._added.add(response, request)

    def _reject(self, request: HttpRequest) -> Response:
        """429; at `/` the home page, which HomepageMiddleware.cs puts in its place."""
        response = self._home_page() if request.raw_path == "/" else empty(429)
        response.headers.update(REJECTED_HEADERS)
        return response

    async def _respond_admin(self, incoming: Incoming) -> Response:
        for api in self._host_apis:
            if api.find(incoming.head) is None:
                continue
            request = await incoming.read()
            if (endpoint := api.find(request)) is not None:
                refusal = None if endpoint.is_open else await self._gate.refuse_admin(request)
                return refusal or await endpoint.answer()
        generation = self._state.generation
        return empty(404) if generation is None else await self._respond_app(generation, incoming)

    async def _respond_app(self, generation: Generation, incoming: Incoming) -> Response:
        head = incoming.head
        if head.method in _WEBHOOK_METHODS:
            extension = find_extension(head.raw_path)
            if extension is not None:
                if incoming.has_body:
                    await incoming.read()
                return await self._respond_webhook(head, extension)
        match = generation.routes.match(head.method, head.raw_path)
        if match is not None:
            return await self._respond_function(generation, match, incoming)
        return self._home_page() if head.raw_path == "/" else empty(404)

    def _home_page(self) -> Response:
        return home_page() if self._settings.has_home_page else empty(204)

    async def _respond_webhook(self, request: HttpRequest, extension: str) -> Response:
        refusal = await self._gate.refuse_webhook(request, extension)
        if refusal is not None:
            return refusal
        is_ours = extension == EXTENSION
        return await self._durable.respond(request, len(WEBHOOK_PATH)) if is_ours else empty(404)

    async def _respond_function(
        self, generation: Generation, match: RouteMatch, incoming: Incoming
    ) -> Response:
        function, head = match.function, incoming.head
        is_disabled = function.name in generation.registry.disabled
        refusal = await self._gate.refuse_function(head, function, is_disabled=is_disabled)
        if refusal is not None:
            return refusal
        if generation.has_web_server:
            return await self._forward(generation, match, incoming)
        return await self._invoke(generation, match, await incoming.read())

    async def _invoke(
        self, generation: Generation, match: RouteMatch, request: HttpRequest
    ) -> Response:
        function = match.function
        call = _call(request, _trigger_value(match, request))
        try:
            result = await self._invoker.invoke(generation.worker, function, call)
            if isinstance(result, Returned):
                return build_response(function, result)
        except (WorkerError, UnsendableResponse) as error:
            logger.error("Function '%s' gave no response: %s", function.name, error)
        return empty(500)

    async def _forward(
        self, generation: Generation, match: RouteMatch, incoming: Incoming
    ) -> Response:
        """Have the worker's own web server answer, and what it leaves unanswered here."""
        function, head = match.function, incoming.head
        forwarding = Forwarding(incoming, lambda response: self._complete(response, head))
        call = _call(head, _http_data(match, head), forwarding)
        try:
            await self._invoker.invoke(generation.worker, function, call)
        except WorkerError as error:
            logger.error("Function '%s' gave no response: %s", function.name, error)
        return forwarding.conclude()


def _call(request: HttpRequest, trigger: HttpData, exchange: HttpExchange | None = None) -> Call:
    return Call(
        trigger=TypedData("http", trigger),
        trace_parent=request.headers.get("traceparent", ""),
        trace_state=request.headers.get("tracestate", ""),
        exchange=exchange,
    )


def _trigger_value(match: RouteMatch, request: HttpRequest) -> HttpData:
    if request.body and not request.has_length:
        logger.warning(
            "Function '%s' gets an empty body, as on Azure: the request came without "
            "Content-Length (Transfer-Encoding: chunked).",
            match.function.name,
        )
        return _http_data(match, request)
    return _http_data(match, request, request.body)


def _http_data(match: RouteMatch, request: HttpRequest, body: bytes = b"") -> HttpData:
    return HttpData(
        method=request.method,
        url=request.url,
        headers=request.headers,
        query=function_query(request.raw_query),
        params=match.params,
        body=body,
    )
