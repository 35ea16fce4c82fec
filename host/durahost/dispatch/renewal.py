"""Keeps the leases of work in hand alive, and says when one is lost."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from durahost.model.errors import StoreError
from durahost.model.instances import Lease

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
"""How long a claim lives without renewal; renewed at a third. Source: the lease interval of Azure
Storage.
"""

SETTLING_S = 0.2


class Renewal:
    """Renews the held leases; a lost one cancels the task that holds it."""

    def __init__(
        self, renew: Callable[[Sequence[Lease], timedelta], Awaitable[Sequence[Lease]]]
    ) -> None:
        self._renew = renew
        self._held: dict[Lease, tuple[asyncio.Task[object], str]] = {}

    def hold(self, lease: Lease, what: str) -> None:
        """Keep the lease for the current task, until it lets go of it; `what`: its work, in the
        log.
        """
        task = asyncio.current_task()
        assert task is not None
        self._held[lease] = task, what

    def let_go(self, lease: Lease) -> None:
        """Keep it no longer."""
        self._held.pop(lease, None)

    async def run(self) -> None:
        """Renew for ever; ends by cancellation. A store that cannot answer now is asked again."""
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            if self._held:
                await self._renew_all()

    async def _renew_all(self) -> None:
        leases = list(self._held)
        try:
            kept = set(await self._renew(leases, LEASE))
        except StoreError as error:
            logger.warning("Could not renew %d leases now: %s", len(leases), error)
            return
        lost = [lease for lease in leases if lease not in kept]
        if lost:
            # A commit in the same batch ended its claim too: its task goes on first.
            await asyncio.sleep(SETTLING_S)
        for lease in lost:
            held = self._held.get(lease)
            if held is not None:
                task, what = held
                logger.warning(
                    "%s was claimed by somebody else, or is gone with its instance; its work is "
                    "dropped.",
                    what,
                )
                task.cancel()
