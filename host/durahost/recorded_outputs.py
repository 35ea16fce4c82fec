"""What functions gave to output bindings that this host does not send on, for people to look at.

Kept in memory, the newest of it, within limits: it is a view for developers, no state of the app.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from durahost.model.functions import Binding
from durahost.model.ids import InvocationId
from durahost.worker.base import TypedData

MAX_RECORDS = 1000
MAX_BYTES = 16 * 1024 * 1024
"""Of all values together: a minute of a busy app stays, and the host's memory does too."""

LONGEST_VALUE = 64 * 1024
"""Characters or bytes of one value that are kept; the rest is cut off."""


@dataclass(frozen=True, slots=True)
class RecordedOutput:
    """One value of one output binding.

    properties: of the binding, as this call had them. value: str, bytes or a number, cut to
    LONGEST_VALUE. size: of the whole value, in bytes (UTF-8 for text).
    """

    recorded_at: datetime
    function: str
    invocation_id: InvocationId
    binding: str
    type: str
    properties: Mapping[str, Any]
    kind: str
    value: str | bytes | int | float
    size: int
    is_cut: bool


@dataclass(slots=True)
class RecordedOutputs:
    """The newest recorded outputs; the oldest go when a limit is passed.

    dropped: how many have gone since the start, or since they were cleared.
    """

    max_records: int = MAX_RECORDS
    max_bytes: int = MAX_BYTES
    dropped: int = 0
    _records: deque[RecordedOutput] = field(default_factory=deque)
    _bytes: int = 0

    def add(
        self,
        now: datetime,
        function: str,
        invocation_id: InvocationId,
        binding: Binding,
        data: TypedData,
    ) -> RecordedOutput:
        """Keep one value, and what it was given to."""
        value, size, is_cut = _shorten(data.value)
        record = RecordedOutput(
            recorded_at=now,
            function=function,
            invocation_id=invocation_id,
            binding=binding.name,
            type=binding.type,
            properties=binding.properties,
            kind=data.kind,
            value=value,
            size=size,
            is_cut=is_cut,
        )
        self._records.append(record)
        self._bytes += _kept(record)
        while len(self._records) > self.max_records or self._bytes > self.max_bytes:
            self._bytes -= _kept(self._records.popleft())
            self.dropped += 1
        return record

    def clear(self) -> None:
        """Forget all of them."""
        self._records.clear()
        self._bytes = 0
        self.dropped = 0

    def __iter__(self) -> Iterator[RecordedOutput]:
        """Oldest first."""
        return iter(tuple(self._records))


def _shorten(value: str | bytes | int | float) -> tuple[str | bytes | int | float, int, bool]:
    if isinstance(value, str | bytes):
        size = len(value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else len(value)
        return value[:LONGEST_VALUE], size, len(value) > LONGEST_VALUE
    return value, len(str(value)), False


def _kept(record: RecordedOutput) -> int:
    """Bytes that the record's value takes, about."""
    return min(record.size, 4 * LONGEST_VALUE)
