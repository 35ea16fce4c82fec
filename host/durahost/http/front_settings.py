"""What the settings of an app say of its public port."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from durahost.config.name_resolution import get_setting
from durahost.config.settings import HttpSettings
from durahost.http.body_budget import BodyBudget
from durahost.http.requests import MAX_BODY_BYTES

HOLD_S = 30.0
"""Longest wait for a starting host (ScriptConstants.cs, HostTimeoutSeconds)."""

_BODY_LIMIT = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"
_LONGEST_NUMBER = 19
"""Digits that an Int64 holds at least, and one."""
_NO_HOME_PAGE = "AzureWebJobsDisableHomepage"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontSettings:
    """http: `extensions.http` of host.json. hold_s: how long requests wait for the first load.

    max_body_bytes: the largest body of a request.
    """

    http: HttpSettings = field(default_factory=HttpSettings)
    has_home_page: bool = True
    hold_s: float = HOLD_S
    max_body_bytes: int = MAX_BODY_BYTES
    bodies: BodyBudget = field(default_factory=BodyBudget)


def max_body_bytes(values: Mapping[str, str]) -> int:
    """The largest body that the app settings allow; what is no number leaves the default.

    Source: Azure/azure-functions-host: Middleware/HttpRequestBodySizeMiddleware.cs.
    """
    text = (get_setting(values, _BODY_LIMIT) or "").strip()
    is_number = text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER
    return int(text) if is_number else MAX_BODY_BYTES


def has_home_page(values: Mapping[str, str]) -> bool:
    """Whether the app settings leave the page at `/` on.

    Source: Azure/azure-functions-host: Middleware/HomepageMiddleware.cs (IsHomepageDisabled).
    """
    return (get_setting(values, _NO_HOME_PAGE) or "").lower() != "true"
