"""What a client gets when a function returns bare text: the host reads it as JSON first.

Source: Azure/azure-functions-host: src/WebJobs.Script/Binding/Http/HttpBinding.cs (CreateResult,
ParseResponseObject, TryParseStatusCode), with Newtonsoft.Json's defaults, which rewrite dates.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from durahost.codec.json_text import dumps, format_double
from durahost.tolerant_json import JsonTextError, read_whole

LIST_TEXT = "System.Collections.Generic.List`1[System.Object]"
"""What .NET's ToString makes of an array in `body`."""

_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?(Z|[-+]\d\d:\d\d)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class SniffedResponse:
    """Status, headers and text that the returned text stands for."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


def sniff(text: str) -> SniffedResponse:
    """Read returned text as the host does: JSON is re-written, an object with `body` is a response.

    Text that is not JSON stays as it is.
    """
    try:
        value = read_whole(text)
    except JsonTextError:
        return SniffedResponse(200, text)
    if isinstance(value, dict):
        return _of_object(_rewrite_dates(value))
    if isinstance(value, list):
        return SniffedResponse(200, dumps(_rewrite_dates(value), indent=2))
    return SniffedResponse(200, _scalar(value))


def _of_object(value: Mapping[str, Any]) -> SniffedResponse:
    members = {name.lower(): one for name, one in value.items()}
    if "body" not in members:
        return SniffedResponse(200, dumps(value, indent=2))
    headers = members.get("headers")
    return SniffedResponse(
        _status(members.get("statuscode", members.get("status"))),
        _body(members["body"]),
        {name: _scalar(one) for name, one in headers.items()} if isinstance(headers, dict) else {},
    )


def _body(value: Any) -> str:
    if isinstance(value, dict):
        return dumps(value)
    if isinstance(value, list):
        return LIST_TEXT
    return value if isinstance(value, str) else _scalar(value)


def _status(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*[-+]?\d+\s*", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 200


def _scalar(value: Any) -> str:
    """A value's .NET ToString."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "True", False: "False"}[value]
    if isinstance(value, float):
        return format_double(value)
    if isinstance(value, str) and (found := _DATE_TIME.fullmatch(value)) is not None:
        when = _to_local(found)
        return value if when is None else f"{when:%m/%d/%Y %H:%M:%S}"
    return str(value)


def _rewrite_dates(value: Any) -> Any:
    """ISO date-times lose trailing zeros, and their offset: they move to the host's zone, UTC."""
    if isinstance(value, dict):
        return {name: _rewrite_dates(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rewrite_dates(one) for one in value]
    if not isinstance(value, str) or (found := _DATE_TIME.fullmatch(value)) is None:
        return value
    when, zone = _to_local(found), found[3] or ""
    if when is None:
        return value
    fraction = f".{found[2]}".rstrip("0").rstrip(".") if found[2] else ""
    return f"{when:%Y-%m-%dT%H:%M:%S}{fraction}{zone if zone in ('', 'Z') else '+00:00'}"


def _to_local(found: re.Match[str]) -> datetime | None:
    try:
        when = datetime.fromisoformat(found[1] + (found[3] or ""))
        return when.astimezone(UTC) if when.tzinfo else when
    except (ValueError, OverflowError):
        return None
