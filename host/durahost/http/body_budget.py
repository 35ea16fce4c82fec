"""How much memory the bodies of requests may hold together, lest many large ones end the host."""

CAPACITY = 5 * 104_857_600
"""Bytes; five bodies of the largest size. Ours: on Azure the plan's memory is the limit."""


class BodiesFull(Exception):
    """The bodies under way leave no room for this one."""


class BodyLoan:
    """What one request holds of the budget, until it ends."""

    def __init__(self, budget: "BodyBudget") -> None:
        self._budget = budget
        self.held = 0

    def take(self, size: int) -> None:
        """Hold so many bytes more. Errors: BodiesFull."""
        if self._budget.held + size > self._budget.capacity:
            raise BodiesFull
        self._budget.held += size
        self.held += size

    def end(self) -> None:
        """Give all of it back."""
        self._budget.held -= self.held
        self.held = 0


class BodyBudget:
    """Bytes of request bodies that are held at this moment, and how many may be."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.held = 0

    def lend(self) -> BodyLoan:
        """A loan, to be ended with the request."""
        return BodyLoan(self)
