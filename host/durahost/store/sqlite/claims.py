"""Who holds which work of one hub: in the memory of the one process that holds the file.

A claim is proven by its token, and worth nothing once the row it was taken on has changed hands:
`mark` is what the row had at that time. The queries of a commit name it too, so what was purged,
replaced or rewound meanwhile is fenced off in the database. A process that dies takes its claims
along, and the delays of what was given back.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from durahost.model.instances import Lease
from durahost.store.sqlite.residents import Mark, Resident

KEPT_S = 600.0
"""How long a lapsed claim is remembered: as long as nobody took it, its holder may still commit."""


@dataclass(slots=True)
class Claim:
    """One claim, or, when it is not held, the delay before the next one.

    until_s: monotonic seconds. attempts: claims since the last commit, this one included.
    resident: of a claimed instance, what its episode begins with. is_committing: the row may have
    changed hands by its holder's own commit, which is not settled yet. is_gone: what was claimed
    was deleted with its instance or execution.
    """

    lease: Lease
    mark: Mark
    until_s: float
    attempts: int
    is_held: bool = True
    resident: Resident | None = None
    is_committing: bool = False
    is_gone: bool = False


class Claims:
    """The claims on one kind of work; used on the event loop only."""

    def __init__(self) -> None:
        self._known: dict[str, Claim] = {}

    def __len__(self) -> int:
        return len(self._known)

    def take(self, lease: Lease, mark: Mark, until_s: float) -> Claim:
        """Claim it; whoever held it has lost it."""
        known = self._known.get(lease.key)
        failed = known.attempts if known is not None and known.mark == mark else 0
        claim = self._known[lease.key] = Claim(lease, mark, until_s, failed + 1)
        return claim

    def is_free(self, key: str, mark: Mark, now_s: float) -> bool:
        """Whether it may be claimed: by a lease that has lapsed, too, but not during its delay."""
        claim = self._known.get(key)
        if claim is None:
            return True
        return not claim.is_committing and (claim.mark != mark or claim.until_s <= now_s)

    def find(self, lease: Lease) -> Claim | None:
        """The claim that the lease proves; None when it is void."""
        claim = self._known.get(lease.key)
        return claim if claim is not None and claim.is_held and claim.lease == lease else None

    def give_back(self, lease: Lease, until_s: float) -> None:
        """Let it be claimed again from then on; a lease that proves nothing changes nothing."""
        claim = self.find(lease)
        if claim is not None:
            claim.is_held, claim.until_s = False, until_s

    def close(self, claim: Claim) -> None:
        """Let nobody have it any more, its holder neither: what it was claimed for is done."""
        claim.is_held, claim.until_s = False, math.inf

    def void(self, key: str, mark: Mark) -> None:
        """What may have been claimed is gone."""
        claim = self._known.get(key)
        if claim is not None and claim.mark == mark:
            claim.is_gone = True

    def forget(self, claim: Claim) -> None:
        """Forget a claim, whoever could prove it."""
        if self._known.get(claim.lease.key) is claim:
            del self._known[claim.lease.key]

    def drop(self, leases: Iterable[Lease]) -> None:
        """Forget the claims that these leases prove, and their attempts."""
        for lease in leases:
            if self.find(lease) is not None:
                del self._known[lease.key]

    def next_free(self, now_s: float) -> float | None:
        """When the next lease lapses, or the next delay ends; None when there is none."""
        coming = [claim.until_s for claim in self._known.values() if claim.until_s > now_s]
        if len(coming) < len(self._known):
            self._forget_before(now_s - KEPT_S)
        return min(coming, default=None)

    def _forget_before(self, until_s: float) -> None:
        """What nobody claimed again in all that time is not there any more."""
        self._known = {key: one for key, one in self._known.items() if one.until_s > until_s}
