"""What a path names, before any function is asked."""

from functools import lru_cache

from durahost.codec.rest import WEBHOOK_PATH
from durahost.functions.routing import decode_path
from durahost.http.requests import decode_api_path

EXTENSION = WEBHOOK_PATH.rpartition("/")[2]

_ADMIN = "/admin"
_ADMIN_LENGTH = len(_ADMIN)
_ANY_WEBHOOK = WEBHOOK_PATH.removesuffix(EXTENSION)
_ANY_LENGTH = len(_ANY_WEBHOOK)


@lru_cache(maxsize=256)  # the same at each poll
def is_admin(raw_path: str) -> bool:
    """Whether the path lies below `/admin`: such requests are neither held nor throttled.

    Source: Azure/azure-functions-host: Extensions/HttpRequestExtensions.cs (IsAdminRequest).
    """
    path = decode_path(raw_path)
    return path[:_ADMIN_LENGTH].lower() == _ADMIN and path[_ADMIN_LENGTH:][:1] in ("", "/")


@lru_cache(maxsize=256)
def find_extension(raw_path: str) -> str | None:
    """The extension whose webhook the path names, lower-case; None when it names none."""
    path = raw_path
    if "%" in path or "+" in path:
        path = decode_api_path(path)
    rest = path[_ANY_LENGTH:]
    if not rest or path[:_ANY_LENGTH].lower() != _ANY_WEBHOOK:
        return None
    return rest.partition("/")[0].lower()
