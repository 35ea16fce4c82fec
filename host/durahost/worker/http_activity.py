"""The built-in durable HTTP activity: one request, its redirects, and the answer as JSON.

What fails here is what .NET would throw, so it is data (`Raised`), never an error of the host's.
Source: Azure/azure-functions-durable-extension: Listener/TaskHttpActivityShim.cs,
DurableHttpClientFactory.cs.
"""

import asyncio
import importlib
import logging
from contextlib import AsyncExitStack
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from durahost.codec import dotnet_http, durable_http
from durahost.codec.body_text import read_content_type, read_text
from durahost.codec.dotnet_http import CANCELED_ERROR, TIMEOUT_ERROR, DotnetError
from durahost.codec.durable_http import HttpRequest
from durahost.config.dotnet_values import timespan_text
from durahost.worker.base import Raised, Returned, TypedData

if TYPE_CHECKING:
    from durahost.worker.http_client import HttpClient, Incoming

logger = logging.getLogger(__name__)

CLIENT_TIMEOUT = timedelta(seconds=240)
"""Source: DurableHttpClientFactory.cs (GetClient)."""

_CLIENT_MODULE = "durahost.worker.http_client"

CLIENT_TIMED_OUT = (
    "The request was canceled due to the configured HttpClient.Timeout of 240 seconds elapsing."
)
USER_TIMED_OUT = "{} Reached user specified timeout: {}."
CANCELED = "The operation was canceled."
NO_IDENTITY = (
    "The durable HTTP call to '{}' asks for a token of a managed identity for the resource '{}', "
    "and there is no managed identity outside Azure. Get a token in an activity and send it as "
    "the call's Authorization header, or leave the token source out when running locally."
)


class HttpActivity:
    """Runs durable HTTP calls over one pool of connections; use as a context manager.

    The client is loaded and opened by the first call: importing aiohttp takes a fifth of a second,
    and most apps never call.
    """

    def __init__(self, timeout: timedelta = CLIENT_TIMEOUT) -> None:
        self._timeout = timeout
        self._resources = AsyncExitStack()
        self._client: HttpClient | None = None
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._resources.aclose()

    async def run(self, input: str) -> Returned | Raised:
        """Do the request in `input`, TaskScheduled.Input, and return its answer as JSON text."""
        shown = ""
        try:
            request = durable_http.decode_request(input)
            shown = f"{request.method} {request.uri.partition('?')[0]}"
            return Returned(TypedData("json", await self._ask(request)))
        except DotnetError as error:
            logger.warning("Durable HTTP call %s failed: %s", shown, _whole(error))
            return Raised(error.error_type, error.message, "")
        except ValueError as error:
            return Raised("System.ArgumentException", str(error), "")

    async def _ask(self, request: HttpRequest) -> str:
        answer = await self._send_in_time(request)
        if request.retried is not None:
            dotnet_http.check_success(answer.status, answer.reason, request.retried)
        content = read_text(answer.body, read_content_type(answer.find("content-type")))
        headers = dotnet_http.response_headers(answer.headers)
        return durable_http.encode_response(answer.status, headers, content)

    async def _send_in_time(self, request: HttpRequest) -> "Incoming":
        given = request.timeout
        limit = self._timeout if given is None else min(given, self._timeout)
        try:
            async with asyncio.timeout(max(limit.total_seconds(), 0)):
                return await self._send(request)
        except TimeoutError as error:
            if given is None:
                raise DotnetError(CANCELED_ERROR, CLIENT_TIMED_OUT) from error
            reason = CANCELED if given <= self._timeout else CLIENT_TIMED_OUT
            text = USER_TIMED_OUT.format(reason, timespan_text(given))
            raise DotnetError(TIMEOUT_ERROR, text) from error

    async def _send(self, request: HttpRequest) -> "Incoming":
        outgoing = dotnet_http.prepare(
            request.method, request.uri, request.headers, request.content
        )
        if request.token_resource is not None:
            text = NO_IDENTITY.format(request.uri, request.token_resource)
            raise DotnetError("Azure.Identity.CredentialUnavailableException", text)
        client = await self._open()
        answer = await client.send(outgoing)
        for _ in range(dotnet_http.MAX_REDIRECTS):
            following = dotnet_http.redirected(outgoing, answer.status, answer.find("location"))
            if following is None:
                break
            outgoing = following
            answer = await client.send(outgoing)
        return answer

    async def _open(self) -> "HttpClient":
        async with self._opening:
            if self._client is not None:
                return self._client
            module = await asyncio.to_thread(importlib.import_module, _CLIENT_MODULE)
            client: HttpClient = await self._resources.enter_async_context(module.open_client())
            self._client = client
            return client


def _whole(error: DotnetError) -> str:
    """The message with its cause, which .NET's texts leave out."""
    return f"{error.message} [{error.__cause__}]" if error.__cause__ else error.message
