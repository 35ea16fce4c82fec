"""The threads that sync functions run on: a new one when all others are busy, up to a limit.

It is what `concurrent.futures` does, with fewer changes of thread: the one that went idle last
comes first, at most one is on its way at a time, and who comes sends for the next if work waits by
then. So what blocks delays nobody, and many short calls at once are done by few threads.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class Threads:
    """Runs work in the order it comes; from any thread.

    name: what the threads are called, with a number each. most: of threads at once.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], None]] = deque()
        self._idle: list[threading.Lock] = []
        self._count = 0
        self._is_one_coming = False
        self._is_stopped = False

    def run(self, work: Callable[[], None]) -> None:
        """Have it run soon, never on this thread; what it raises ends its thread, aloud.

        Errors: RuntimeError when it never will, since no thread can be started, or after `stop`.
        """
        with self._lock:
            if self._is_stopped:
                raise RuntimeError("the worker is being stopped")
            self._waiting.append(work)
            try:
                self._send_for_one()
            except RuntimeError:
                self._waiting.pop()
                raise

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        """As `run`, for who waits for what it returns or raises."""
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001  # who waits is given it
                future.set_exception(error)
            else:
                future.set_result(result)

        self.run(work)
        return future

    def stop(self) -> None:
        """Drop what waits and end the threads, each after what it does."""
        with self._lock:
            self._is_stopped = True
            self._waiting.clear()
            for wake in self._idle:
                wake.release()
            self._idle.clear()

    def _send_for_one(self) -> None:
        """With the lock. Errors: RuntimeError, a limit of the system."""
        if self._is_one_coming:
            return
        if self._idle:
            self._idle.pop().release()
        elif self._count < self._most:
            # No daemon: the threads that user code starts would be daemons, too.
            threading.Thread(target=self._serve, name=f"{self._name}_{self._count}").start()
            self._count += 1
        else:
            return
        self._is_one_coming = True

    def _serve(self) -> None:
        wake = threading.Lock()
        wake.acquire()
        has_come = True
        try:
            while True:
                with self._lock:
                    if has_come:
                        self._is_one_coming = False
                    if self._is_stopped:
                        return
                    work = self._take()
                    if work is None:
                        self._idle.append(wake)
                has_come = work is None
                if work is None:
                    wake.acquire()
                else:
                    work()
        finally:
            with self._lock:
                self._count -= 1

    def _take(self) -> Callable[[], None] | None:
        """With the lock: the next work, if any; for more of it another thread is sent for."""
        if not self._waiting:
            return None
        work = self._waiting.popleft()
        if self._waiting:
            with contextlib.suppress(RuntimeError):  # whoever is free next takes it
                self._send_for_one()
        return work
