"""What functions gave to outputs that are recorded instead of sent.

An endpoint of this host's own, which no other host has.
"""

import base64
from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from durahost.codec.history import format_time
from durahost.http.admin_routing import AdminCall, AdminRoute
from durahost.http.errors import empty, json_response
from durahost.recorded_outputs import RecordedOutput, RecordedOutputs

_PATH = "/admin/durahost/outputs"


class OutputEndpoints:
    """The recorded outputs, oldest first, and their removal."""

    def __init__(self, records: RecordedOutputs) -> None:
        self._records = records

    @property
    def routes(self) -> Sequence[AdminRoute]:
        """Each with what answers it."""
        return (
            AdminRoute(("GET",), _PATH, self._list),
            AdminRoute(("DELETE",), _PATH, self._clear),
        )

    async def _list(self, call: AdminCall) -> Response:
        """All of them, or with `?function=` those of one function."""
        name = (call.request.first_parameter("function") or "").lower()
        found = [
            _describe(record)
            for record in self._records
            if not name or record.function.lower() == name
        ]
        return json_response(200, {"outputs": found, "dropped": self._records.dropped})

    async def _clear(self, call: AdminCall) -> Response:
        self._records.clear()
        return empty(204)


def _describe(record: RecordedOutput) -> dict[str, Any]:
    """One output; value: text as it is, JSON as text, bytes in base64."""
    value = record.value
    return {
        "recordedAt": format_time(record.recorded_at),
        "function": record.function,
        "invocationId": record.invocation_id,
        "binding": record.binding,
        "type": record.type,
        "properties": dict(record.properties),
        "kind": record.kind,
        "value": base64.b64encode(value).decode() if isinstance(value, bytes) else value,
        "size": record.size,
        "isCut": record.is_cut,
    }
