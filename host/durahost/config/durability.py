"""How durable a commit is: the setting of our own that a developer may trade for speed."""

from collections.abc import Mapping
from typing import Literal, cast

from durahost.config.name_resolution import get_setting
from durahost.model.errors import ConfigError

SETTING = "DURAHOST_SQLITE_SYNCHRONOUS"

Synchronous = Literal["FULL", "NORMAL"]
"""SQLite's PRAGMA synchronous: each commit is synced, or the log is synced now and then.

NORMAL loses no commit to a killed process; a power cut may take the last ones, and the file stays
whole.
Source: sqlite.org: pragma.html#pragma_synchronous.
"""


def synchronous(values: Mapping[str, str]) -> Synchronous:
    """What the app settings ask for; FULL when they do not. Errors: ConfigError."""
    asked = (get_setting(values, SETTING) or "FULL").upper()
    if asked not in ("FULL", "NORMAL"):
        raise ConfigError(
            f"{SETTING} is '{asked}'.", advice="It can be FULL (the default) or NORMAL."
        )
    return cast(Synchronous, asked)
