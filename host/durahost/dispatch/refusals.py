"""Instances of versions that this host does not run: each is named in the log once."""

import logging
from collections import OrderedDict

from durahost.config.settings import DurableSettings
from durahost.model.ids import InstanceId
from durahost.model.instances import LockedEpisode

logger = logging.getLogger(__name__)

REMEMBERED = 1_000
"""Refused instances come back every ten minutes at least; only that many are told apart."""


class Refusals:
    """Those refused of late; what was run meanwhile, and is refused again, is named again."""

    def __init__(self, settings: DurableSettings, remembered: int = REMEMBERED) -> None:
        self._settings = settings
        self._remembered = remembered
        self._recent: OrderedDict[InstanceId, None] = OrderedDict()
        self._has_forgotten = False

    def warn(self, locked: LockedEpisode) -> None:
        """Say that an instance is left to another host, unless that was said."""
        instance_id = locked.state.instance_id
        is_known = instance_id in self._recent
        self._recent[instance_id] = None
        self._recent.move_to_end(instance_id)
        if len(self._recent) > self._remembered:
            self._recent.popitem(last=False)
            self._has_forgotten = True
        if is_known or (self._has_forgotten and locked.attempts > 1):
            return
        logger.warning(
            "Instance '%s' has version '%s'; with defaultVersion '%s' and versionMatchStrategy "
            "%s this host does not run it and leaves it to another. Change host.json to run it "
            "here.",
            instance_id,
            locked.state.version,
            self._settings.default_version or "",
            self._settings.version_match.value,
            extra={"instance_id": instance_id},
        )

    def forget(self, instance_id: InstanceId) -> None:
        """The instance is run."""
        self._recent.pop(instance_id, None)
