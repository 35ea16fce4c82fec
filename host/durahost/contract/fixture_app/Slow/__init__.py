"""Takes its time."""

import time


def main(seconds: int) -> str:
    """Sleep, so that a client can see an activity that is still open."""
    time.sleep(int(seconds))
    return "done"
