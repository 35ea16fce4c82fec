"""Lines for the terminal, written in batches by a thread of their own.

Writing, and asking whether the output is a terminal, costs more than most of what is told; and a
terminal that stands still must not hold up requests.
"""

import threading
from collections import deque
from collections.abc import Callable

DELAY_S = 0.02
"""How long a line may wait for others; nobody who reads along notices it."""

MOST_WAITING = 10_000
"""Lines that may wait; who adds more waits for the terminal, as everybody did before."""

FLUSH_LIMIT_S = 2.0
"""How long the end of the program waits for a terminal that stands still."""


class LineWriter:
    """Takes lines from any thread and hands them to `write`, joined and in order."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._waiting: deque[str] = deque()
        self._writing = threading.Lock()
        self._has_lines = threading.Event()
        self._begin = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, lines: str) -> None:
        """Take lines, each with its end; they are written soon, or by `flush`."""
        self._waiting.append(lines)
        if not self._has_lines.is_set():
            self._start()
            self._has_lines.set()
        if len(self._waiting) > MOST_WAITING:
            self.flush(limit_s=-1)

    def flush(self, limit_s: float = FLUSH_LIMIT_S) -> None:
        """Write what waits, now; -1 waits without a limit for who writes at the moment."""
        if not self._writing.acquire(timeout=limit_s):
            return
        try:
            # Before the lines are taken: one that comes meanwhile wakes the thread again.
            self._has_lines.clear()
            taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if taken:
                self._write("".join(taken))
        finally:
            self._writing.release()

    def _start(self) -> None:
        with self._begin:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            self._has_lines.wait()
            pause.wait(DELAY_S)
            self.flush(limit_s=-1)
