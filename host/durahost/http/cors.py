"""Cross-origin requests: who may read answers, as Core Tools' `--cors` decides it.

A preflight is answered before the host sees it, whether or not its origin is allowed. Every other
answer gets its headers as it starts, over those that a function set.
Sources: Azure/azure-functions-core-tools: Startup.cs (Configure); dotnet/aspnetcore:
Middleware/CORS/src/Infrastructure/CorsMiddleware.cs, CorsService.cs, CorsPolicyBuilder.cs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from durahost.http.errors import empty
from durahost.model.errors import ConfigError

ANY = "*"

_ORIGIN = "origin"
_REQUEST_METHOD = "access-control-request-method"
_REQUEST_HEADERS = "access-control-request-headers"
_ALLOW = "access-control-allow-"
_INSECURE = (
    "The CORS protocol does not allow specifying a wildcard (any) origin and credentials at the "
    "same time. Configure the CORS policy by listing individual origins if credentials needs to be "
    "supported."
)
"""Source: dotnet/aspnetcore: Middleware/CORS/src/Resources.resx (InsecureConfiguration)."""


@dataclass(frozen=True, slots=True)
class CorsPolicy:
    """origins: lower-case, or `*` alone for any; build it with `parse`."""

    origins: Sequence[str]
    allows_credentials: bool = False

    @classmethod
    def parse(cls, text: str | None, *, allows_credentials: bool) -> "CorsPolicy | None":
        """Read comma-separated origins; None when there are none: then there is no CORS.

        Errors: ConfigError when any origin may bring credentials.
        """
        origins = [origin.lower() for origin in (text or "").split(",") if origin]
        if not text:
            return None
        if origins == [ANY] and allows_credentials:
            raise ConfigError(_INSECURE, "Name the origins instead of '*', or leave credentials.")
        return cls(origins, allows_credentials)

    @property
    def allows_any(self) -> bool:
        """`*` stands for any origin only when it stands alone."""
        return list(self.origins) == [ANY]

    def allows(self, origin: str) -> bool:
        """Whether pages of this origin may read answers; it is compared as text."""
        return self.allows_any or origin in self.origins

    def find_useless(self) -> Sequence[str]:
        """Origins that no browser ever sends, for a hint."""
        return [one for one in self.origins if not self.allows_any and not _is_origin(one)]


class Cors:
    """The ASGI app around another one."""

    def __init__(self, app: ASGIApp, policy: CorsPolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight; let everything else through, and add to its answer."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        origin = ",".join(headers.getlist(_ORIGIN))
        if not origin:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and _REQUEST_METHOD in headers:
            response = empty(204)
            self._allow(response.headers, origin)
            if self._policy.allows(origin):
                _allow_preflight(response.headers, headers)
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, self._adding(origin, send))

    def _adding(self, origin: str, send: Send) -> Send:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._allow(MutableHeaders(scope=message), origin)
            await send(message)

        return add

    def _allow(self, headers: MutableHeaders, origin: str) -> None:
        policy = self._policy
        if not policy.allows(origin):
            return
        headers[f"{_ALLOW}origin"] = ANY if policy.allows_any else origin
        if policy.allows_credentials:
            headers[f"{_ALLOW}credentials"] = "true"
        if len(policy.origins) > 1:
            headers.append("vary", "Origin")


def _allow_preflight(answer: MutableHeaders, asked: Headers) -> None:
    """Any header and any method is allowed, so what was asked for comes back."""
    names = [name.strip() for name in ",".join(asked.getlist(_REQUEST_HEADERS)).split(",")]
    if any(names):
        answer[f"{_ALLOW}headers"] = ",".join(filter(None, names))
    answer[f"{_ALLOW}methods"] = asked[_REQUEST_METHOD]


def _is_origin(text: str) -> bool:
    scheme, separator, authority = text.partition("://")
    is_plain = scheme.strip() == scheme and "/" not in authority and authority.strip() == authority
    return text == "null" or (bool(separator and scheme and authority) and is_plain)
