"""The frames between host and child, for both sides, without any I/O.

A frame is two lengths (all that follows; the header's), a small JSON header `[kind, fields, sizes]`
and the parts as they are, so that bodies and contexts are never escaped into JSON.

Kinds, host to child: load, invoke, stop. Child to host: loaded, load_failed, returned, raised, log,
error. Requests carry a number `id` that their answer repeats.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

PREFIX = struct.Struct(">II")

MAX_FRAME_BYTES = 2**31 - 1
"""As the platform: the host's gRPC messages may have int.MaxValue bytes."""

MAX_HEADER_BYTES = 64 * 2**20
"""Headers hold names, HTTP headers, log lines and tracebacks; anything larger is no frame."""

GREETING = b"\0durahost child 1\n"
"""The child's first bytes; what comes before them is output of its environment (`site`, `.pth`)."""

_write_header = json.JSONEncoder(separators=(",", ":")).encode
_read_header = json.JSONDecoder().raw_decode

_TEXTS = ("string", "json")
_IN_HEADER = ("int", "double", "collection_sint64")
_COLLECTIONS = {"collection_string": "string", "collection_bytes": "bytes"}

Value = tuple[str, Any]
"""A kind of TypedData and its value: str for string and json, bytes, a number for int and double,
for http a mapping with RpcHttp's fields and `body` as bytes, a list for each collection.
"""


class ProtocolError(Exception):
    """What came, or what was to be sent, is no frame."""


class Frame(NamedTuple):
    """One message: what it is, its JSON fields, and its raw parts."""

    kind: str
    fields: Mapping[str, Any]
    parts: Sequence[bytes] = ()


def encode(frame: Frame) -> bytes:
    """The frame's bytes. Errors: ProtocolError when it is larger than the limits."""
    kind, fields, parts = frame
    sizes = [*map(len, parts)]
    header = _write_header([kind, fields, sizes]).encode("ascii")
    size = len(header)
    total = PREFIX.size - 4 + size + sum(sizes)
    _check(total, size)
    return b"".join((PREFIX.pack(total, size), header, *parts))


class Decoder:
    """Makes frames of bytes that arrive in pieces of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take the bytes and yield the frames they complete. Errors: ProtocolError."""
        self._buffer += data
        while len(self._buffer) >= PREFIX.size:
            total, header = PREFIX.unpack_from(self._buffer)
            _check(total, header)
            end = total + 4
            if len(self._buffer) < end:
                return
            with memoryview(self._buffer) as view:
                frame = _parse(view[PREFIX.size : end], header)
            del self._buffer[:end]
            yield frame


def _check(total: int, header: int) -> None:
    if total > MAX_FRAME_BYTES or header > MAX_HEADER_BYTES or header > total - 4:
        raise ProtocolError(
            f"a message of {total} bytes (its header: {header}) between host and worker is outside"
            f" the limits ({MAX_FRAME_BYTES}, {MAX_HEADER_BYTES}); keep large data elsewhere and"
            " pass a reference to it"
        )


def _parse(view: memoryview, header: int) -> Frame:
    try:
        (kind, fields, sizes), end = _read_header(str(view[:header], "ascii"))
        parts = []
        for size in sizes:
            parts.append(bytes(view[end : end + size]))
            end += size
    except (ValueError, TypeError) as error:
        raise ProtocolError(f"a frame's header cannot be read: {error}") from error
    if end != len(view) or not isinstance(kind, str) or not isinstance(fields, dict):
        raise ProtocolError("a frame's header does not describe the frame")
    return Frame(kind, fields, parts)


def pack(value: Value | None, parts: list[bytes]) -> Mapping[str, Any] | None:
    """Describe the value in JSON; its text or bytes go behind the parts.

    Errors: TypeError when the value is not of its kind.
    """
    if value is None:
        return None
    kind, content = value
    described: dict[str, Any] = {"kind": kind, "part": len(parts)}
    if kind in _TEXTS:
        if not isinstance(content, str):
            raise TypeError(f"{kind} must be text, got {type(content).__name__}")
        content = content.encode("utf-8", "surrogatepass")
    elif kind in _IN_HEADER:
        return {"kind": kind, "value": content}
    elif kind in _COLLECTIONS:
        return {"kind": kind, "items": [pack((_COLLECTIONS[kind], one), parts) for one in content]}
    elif kind == "http":
        described |= content
        content = described.pop("body")
    parts.append(bytes(content))
    return described


def unpack(described: Mapping[str, Any] | None, parts: Sequence[bytes]) -> Value | None:
    """The value that `pack` described."""
    if described is None:
        return None
    kind = described["kind"]
    if kind in _TEXTS:
        return kind, parts[described["part"]].decode("utf-8", "surrogatepass")
    if kind in _IN_HEADER:
        return kind, described["value"]
    if kind in _COLLECTIONS:
        return kind, [_value(one, parts) for one in described["items"]]
    content = parts[described["part"]]
    if kind == "bytes":
        return kind, content
    fields = {name: value for name, value in described.items() if name not in ("kind", "part")}
    return kind, {**fields, "body": content}


def _value(described: Mapping[str, Any], parts: Sequence[bytes]) -> Any:
    found = unpack(described, parts)
    return None if found is None else found[1]
