"""A call that follows another one: made at once, on the same thread, when that one has returned.

The host says beforehand which call it will ask for, with gaps in its trigger's text where it needs
to know what the first one returned, and when. So an orchestrator that waits for an activity is
replayed while the host still notes the activity's answer.
"""

import json
from datetime import datetime, timezone

from .wire import Frame, unpack

GAP = "\0"
"""It stands in no JSON text."""

_GAP = GAP.encode("ascii")
"""As it is sent: in UTF-8 it is the part of no other character."""


def join_following(frame: Frame, answer: Frame) -> tuple[Frame, Frame | None]:
    """The answer, which says so if another call follows, and the frame that asks for that one."""
    then = frame.fields.get("then")
    if then is None or answer.kind != "returned":
        return answer, None
    value = unpack(answer.fields["value"], answer.parts)
    if value is not None and not isinstance(value[1], str):
        return answer, None
    text = None if value is None or value[1].strip() == "null" else value[1]
    at = _write_time(datetime.now(timezone.utc))  # noqa: TID251  # the host's is not here
    parts = [*frame.parts]
    result = json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")
    parts[then["part"]] = _fill(parts[then["part"]], at.encode("ascii"), result)
    fields = {**answer.fields, "then": {"id": then["id"], "at": at}}
    return Frame(answer.kind, fields, answer.parts), Frame("invoke", then, parts)


def _fill(text: bytes, at: bytes, result: bytes) -> bytes:
    begin, between, after, end = text.split(_GAP)
    return b"".join((begin, at, between, result, after, at, end))


def _write_time(when: datetime) -> str:
    """As the host writes the times of events: no zeros at the end of the fraction, suffix Z."""
    text = when.replace(tzinfo=None).isoformat()
    return f"{text.rstrip('0') if when.microsecond else text}Z"
