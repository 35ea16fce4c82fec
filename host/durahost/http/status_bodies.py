"""Statuses as they were shown last, for clients who look again and again.

A state does not change, so that the very same one is shown as it was; each commit makes another.
"""

from durahost.codec.rest import status_text
from durahost.model.ids import InstanceId
from durahost.model.instances import InstanceState
from durahost.off_loop import LONG_TEXT

MOST_BODIES = 1_000
LARGE = 2_000
"""A status of so many bytes, with what it is made of, is written each time."""


class StatusBodies:
    """Of all hubs. The one written longest ago goes first."""

    def __init__(self, most: int = MOST_BODIES) -> None:
        self._most = most
        self._kept: dict[tuple[InstanceId, bool], tuple[InstanceState, bytes]] = {}

    def show(self, state: InstanceState, *, show_input: bool) -> bytes | None:
        """The status, written unless it was; None when that takes long."""
        kept = self.find(state, show_input=show_input)
        if kept is not None or length_of(state, show_input=show_input) > LONG_TEXT:
            return kept
        body = status_text(state, show_input=show_input).encode()
        self.keep(state, body, show_input=show_input)
        return body

    def find(self, state: InstanceState, *, show_input: bool) -> bytes | None:
        """The status, if it was written of this very state."""
        kept = self._kept.get((state.instance_id, show_input))
        return kept[1] if kept is not None and kept[0] is state else None

    def keep(self, state: InstanceState, body: bytes, *, show_input: bool) -> None:
        """This was written of it."""
        texts = (state.input, state.output, state.custom_status)
        if len(body) + sum(len(text) for text in texts if text) > LARGE:
            return
        place = (state.instance_id, show_input)
        self._kept.pop(place, None)
        if len(self._kept) == self._most:
            del self._kept[next(iter(self._kept))]
        self._kept[place] = (state, body)


def length_of(state: InstanceState, *, show_input: bool) -> int:
    """How much text there is to be read for a status."""
    length = len(state.custom_status or "") + len(state.output or "")
    return length + len(state.input or "") if show_input else length
