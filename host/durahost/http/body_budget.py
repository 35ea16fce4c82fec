"""How much memory the bodies of requests may hold together, lest many large ones end the host."""

CAPACITY = 5 * 104_857_600
"""Bytes; five bodies of the largest size. Ours: on Azure the plan's memory is the limit."""


class BodiesFull(Exception):
    """The bodies under way leave no room for this one."""


class BodyBudget:
    """Bytes of request bodies that are held at this moment, and how many may be."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.held = 0

    def take(self, size: int) -> None:
        """Hold so many bytes more. Errors: BodiesFull."""
        if self.held + size > self.capacity:
            raise BodiesFull
        self.held += size

    def give_back(self, size: int) -> None:
        """Hold so many bytes less."""
        self.held -= size
