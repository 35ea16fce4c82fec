"""Headers that host.json adds to every answer: `customHeaders`, and HSTS over https.

Sources: Azure/azure-functions-host: Middleware/CustomHttpHeadersMiddleware.cs,
Middleware/HstsConfigurationMiddleware.cs; dotnet/aspnetcore: Middleware/HttpsPolicy/src/
HstsMiddleware.cs.
"""

from collections.abc import Sequence

from starlette.responses import Response

from durahost.config.settings import HstsSettings, HttpSettings
from durahost.http.requests import HttpRequest

_HSTS = "strict-transport-security"


class AddedHeaders:
    """Adds them to answers that have none of the same name."""

    def __init__(self, http: HttpSettings) -> None:
        self._custom = [*http.custom_headers.items()]
        self._hsts = http.hsts
        self._hsts_text = _hsts_text(http.hsts)

    @classmethod
    def of(cls, http: HttpSettings) -> "AddedHeaders | None":
        """What host.json asks for; None when it asks for nothing."""
        return cls(http) if http.custom_headers or http.hsts.is_enabled else None

    def add(self, response: Response, request: HttpRequest) -> Response:
        """The same response, with what it lacks."""
        if self._hsts.is_enabled and self._is_sent_securely(request):
            response.headers[_HSTS] = self._hsts_text
        for name, value in self._custom:
            response.headers.setdefault(name, value)
        return response

    def _is_sent_securely(self, request: HttpRequest) -> bool:
        excluded: Sequence[str] = self._hsts.excluded_hosts
        host = request.host_name.lower()
        return request.scheme == "https" and host not in [one.lower() for one in excluded]


def _hsts_text(settings: HstsSettings) -> str:
    flags = {"; includeSubDomains": settings.include_subdomains, "; preload": settings.preload}
    chosen = "".join(text for text, is_set in flags.items() if is_set)
    return f"max-age={int(settings.max_age.total_seconds())}{chosen}"
