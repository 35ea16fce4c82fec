"""Who may do what over HTTP.

A key comes in the header `x-functions-key`; only when there is no such header, in the query's
`code`. Refusals have no body.
Source: Azure/azure-functions-host: Security/Authentication/Keys/AuthenticationLevelHandler.cs,
Security/Authorization/Policies/AuthorizationOptionsExtensions.cs,
Middleware/FunctionInvocationMiddleware.cs (GetResultAsync, RequiresAuthz).
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response

from durahost.http.errors import empty
from durahost.http.requests import HttpRequest
from durahost.http.site_guard import SiteGuard
from durahost.keys import AuthLevel, Caller, HostKeys
from durahost.model.functions import FunctionMetadata

logger = logging.getLogger(__name__)

KEY_HEADER = "x-functions-key"
KEY_PARAMETER = "code"
PRINCIPAL_HEADER = "x-ms-client-principal"

_ADMIN = Caller(AuthLevel.ADMIN)
_LEVELS = {level.value: level for level in AuthLevel}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a request has reached, and whether it answers to everybody or to Admin alone."""

    answer: Callable[[], Awaitable[Response]]
    is_open: bool = False


class Gate:
    """Lets requests in, or has their refusal.

    guard: whose foreign pages need keys; every other caller is Admin, as under `func start`
    without `--enableAuth`. None: all callers need keys.
    Source: Azure/azure-functions-core-tools: CliAuthenticationHandler.cs.
    """

    def __init__(self, keys: HostKeys, guard: SiteGuard | None = None) -> None:
        self._keys = keys
        self._guard = guard

    async def refuse_admin(self, request: HttpRequest) -> Response | None:
        """The refusal of a request to one of the host's own endpoints."""
        return self._tell(request, _refusal(await self._identify(request), AuthLevel.ADMIN))

    async def refuse_webhook(self, request: HttpRequest, extension: str) -> Response | None:
        """The refusal of a request to an extension's webhook, whether there is one or not.

        Source of the key's name: Azure/azure-functions-host: DefaultScriptWebHookProvider.cs
        (GetKeyName).
        """
        if self.trusts(request):
            return None
        caller = await self._identify(request)
        return self._tell(request, _refusal(caller, AuthLevel.SYSTEM, f"{extension}_extension"))

    async def refuse_function(
        self, request: HttpRequest, function: FunctionMetadata, *, is_disabled: bool
    ) -> Response | None:
        """The refusal of a request to a function; a disabled one runs for Admin alone."""
        level = auth_level(function)
        caller = Caller()
        if level is not AuthLevel.ANONYMOUS or _brings_credentials(request):
            caller = await self._identify(request, function.name)
        if not caller.has(level):
            return self._tell(request, empty(401))
        return empty(404) if is_disabled and not caller.has(AuthLevel.ADMIN) else None

    def trusts(self, request: HttpRequest) -> bool:
        """Whether it needs no key, wherever it goes; the request alone decides."""
        return self._guard is not None and self._guard.find_reason(request) is None

    async def _identify(self, request: HttpRequest, function: str | None = None) -> Caller:
        if self.trusts(request):
            return _ADMIN
        key = request.first_header(KEY_HEADER)
        if key is None:
            key = request.first_parameter(KEY_PARAMETER)
        return await self._keys.identify(key, function) if key else Caller()

    def _tell(self, request: HttpRequest, refusal: Response | None) -> Response | None:
        """The same refusal; the log says why there is one although no key is asked for."""
        reason = self._guard.find_reason(request) if refusal and self._guard else None
        if refusal is not None and reason is not None:
            text = "%s %s: %d. It came %s, and brought no key that does (README, --cors)."
            logger.warning(text, request.method, request.raw_path, refusal.status_code, reason)
        return refusal


def auth_level(function: FunctionMetadata) -> AuthLevel:
    """What an HTTP function asks for; a word that is no level keeps everybody but Admin out."""
    word = str(function.trigger.get("authLevel", AuthLevel.FUNCTION.value)).lower()
    return _LEVELS.get(word, AuthLevel.ADMIN)


def _refusal(caller: Caller, level: AuthLevel, key_name: str | None = None) -> Response | None:
    """401 with a challenge for a caller without a key, 403 for one whose key does not do."""
    if caller.has(level, key_name):
        return None
    if caller.level is AuthLevel.ANONYMOUS:
        return Response(status_code=401, headers={"www-authenticate": "Bearer"})
    return empty(403)


def _brings_credentials(request: HttpRequest) -> bool:
    return (
        request.first_parameter(KEY_PARAMETER) is not None
        or KEY_HEADER in request.headers
        or PRINCIPAL_HEADER in request.headers
    )
