"""What a path names, before any function is asked."""

from durahost.codec.rest import WEBHOOK_PATH
from durahost.functions.routing import decode_path
from durahost.http.requests import decode_api_path

EXTENSION = WEBHOOK_PATH.rpartition("/")[2]

_ADMIN = "/admin"
_ANY_WEBHOOK = WEBHOOK_PATH.removesuffix(EXTENSION)


def is_admin(raw_path: str) -> bool:
    """Whether the path lies below `/admin`: such requests are neither held nor throttled.

    Source: Azure/azure-functions-host: Extensions/HttpRequestExtensions.cs (IsAdminRequest).
    """
    path = decode_path(raw_path) if "%" in raw_path else raw_path
    start, rest = path[: len(_ADMIN)].lower(), path[len(_ADMIN) :]
    return start == _ADMIN and (not rest or rest[0] == "/")


def find_extension(raw_path: str) -> str | None:
    """The extension whose webhook the path names, lower-case; None when it names none."""
    path = raw_path.lower()
    if "%" in path or "+" in path:
        path = decode_api_path(raw_path).lower()
    if not path.startswith(_ANY_WEBHOOK) or path == _ANY_WEBHOOK:
        return None
    return path.removeprefix(_ANY_WEBHOOK).partition("/")[0]
