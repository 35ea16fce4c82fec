"""Greets."""


def main(name: str) -> str:
    """Greet one city."""
    return f"Hello {name}!"
