"""Instances as last committed, of those that were written lately, for clients who look again and
again.

One process holds the file, so that what its own transactions have left is what a read would find:
each of them that writes an instance's row says so here, once it is committed, before its caller is
told and in the order of the transactions.
"""

from durahost.model.ids import InstanceId
from durahost.model.instances import InstanceState

MOST_CHARACTERS = 2**22
"""Of all together."""

LARGE = 2**16
"""A state of so many characters is read from the file."""

CHARACTERS_OF_A_STATE = 1_000
"""What an object costs beside its long texts."""


class States:
    """Of one hub; used on the event loop only. The one written longest ago goes first."""

    def __init__(self, most_characters: int = MOST_CHARACTERS) -> None:
        self._kept: dict[InstanceId, tuple[InstanceState, int]] = {}
        self._free = most_characters

    def get(self, instance_id: InstanceId) -> InstanceState | None:
        """The instance, if it is kept."""
        kept = self._kept.get(instance_id)
        return None if kept is None else kept[0]

    def keep(self, state: InstanceState) -> None:
        """This is committed."""
        self.forget(state.instance_id)
        texts = (state.input, state.output, state.custom_status)
        characters = CHARACTERS_OF_A_STATE + sum(len(text) for text in texts if text)
        if characters > LARGE:
            return
        self._kept[state.instance_id] = state, characters
        self._free -= characters
        while self._free < 0:
            self.forget(next(iter(self._kept)))

    def forget(self, instance_id: InstanceId) -> None:
        """The instance is gone, or may be another."""
        _, characters = self._kept.pop(instance_id, (None, 0))
        self._free += characters

    def clear(self) -> None:
        """Nothing is known any more."""
        for instance_id in list(self._kept):
            self.forget(instance_id)
