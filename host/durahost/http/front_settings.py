"""What the settings of an app say of its public port."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from durahost.config.name_resolution import get_setting
from durahost.config.settings import HttpSettings
from durahost.http.body_budget import BodyBudget

HOLD_S = 30.0
"""Longest wait for a starting host (ScriptConstants.cs, HostTimeoutSeconds)."""

_NO_HOME_PAGE = "AzureWebJobsDisableHomepage"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontSettings:
    """http: `extensions.http` of host.json. hold_s: how long requests wait for the first load."""

    http: HttpSettings = field(default_factory=HttpSettings)
    has_home_page: bool = True
    hold_s: float = HOLD_S
    bodies: BodyBudget = field(default_factory=BodyBudget)


def has_home_page(values: Mapping[str, str]) -> bool:
    """Whether the app settings leave the page at `/` on.

    Source: Azure/azure-functions-host: Middleware/HomepageMiddleware.cs (IsHomepageDisabled).
    """
    return (get_setting(values, _NO_HOME_PAGE) or "").lower() != "true"
