"""Fails."""


def main(reason: str) -> str:
    """Raise ValueError."""
    raise ValueError(reason)
