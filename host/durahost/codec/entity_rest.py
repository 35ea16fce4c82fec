"""The JSON of the entity part of the management API.

Source: Azure/azure-functions-durable-extension: DurableEntityStatus.cs, HttpApiHandler.cs
(HandleListEntitiesRequestAsync).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from durahost.codec.history import format_time
from durahost.codec.json_text import parse_stored
from durahost.model.ids import EntityId

_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)


def entity_payload(
    entity: EntityId, last_operation_time: datetime, state: str | None
) -> dict[str, Any]:
    """Build one entry of a listing; `state` is JSON text, None when it was not asked for."""
    return {
        "entityId": {"name": entity.name, "key": entity.key},
        "lastOperationTime": format_time(last_operation_time),
        "state": _with_dates_read(parse_stored(state)),
    }


def _with_dates_read(value: Any) -> Any:
    """The value with its date-time strings as .NET writes them once it has read them as such.

    An offset is converted to the server's local time, which is UTC.
    Source: JamesNK/Newtonsoft.Json: DateTimeUtils.cs (TryParseDateTime), JToken.Parse.
    """
    if isinstance(value, str):
        return _rewrite_date(value)
    if isinstance(value, Mapping):
        return {name: _with_dates_read(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_with_dates_read(one) for one in value]
    return value


def _rewrite_date(text: str) -> str:
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        return text
    seconds, digits, zone = found.groups()
    zone = zone or ""
    try:
        when = datetime.fromisoformat(seconds + (zone or "Z"))
        if zone not in ("", "Z"):
            when, zone = when.astimezone(UTC), "+00:00"
    except (ValueError, OverflowError):
        return text
    fraction = (digits or "").rstrip("0")
    return when.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + (fraction and f".{fraction}") + zone
