"""The threads that sync functions run on: a new one when all others are busy.

It is what `concurrent.futures` does, with fewer changes of thread: the one that went idle last
comes first, at most one is on its way at a time, and who comes sends for the next if work waits by
then. So what blocks delays nobody, and many short calls at once are done by few threads.
"""

import contextlib
import functools
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Threads:
    """Does what it is given in the order it comes; from any thread.

    name: what the threads are called, with a number each.
    """

    def __init__(self, name: str) -> None:
        self._name = name
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

    def hand_on(self, work: Callable[[], None]) -> bool:
        """Have another thread go on with what this one of them does, if all others are idle.

        Whether one does; it is there for nothing else. Errors: as `run`.
        """
        with self._lock:
            if self._is_stopped:
                raise RuntimeError("the worker is being stopped")
            if len(self._idle) < self._count - 1:
                return False
            self._bring_one()
            self._waiting.append(work)
            return True

    def stop(self) -> None:
        """Drop what waits and end the threads, each after what it does."""
        with self._lock:
            self._is_stopped = True
            self._waiting.clear()
            for wake in self._idle:
                wake.release()
            self._idle.clear()

    def _send_for_one(self) -> None:
        """With the lock: for what waits, unless one is on its way. Errors: as `_bring_one`."""
        if not self._is_one_coming:
            self._bring_one()

    def _bring_one(self) -> None:
        """With the lock. Errors: RuntimeError, a limit of the system."""
        if self._idle:
            self._idle.pop().release()
        else:
            # No daemon: the threads that user code starts would be daemons, too.
            threading.Thread(target=self._serve, name=f"{self._name}_{self._count}").start()
            self._count += 1
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


class Work(NamedTuple):
    """What is to be done, and what instead, with the reason, where no thread can be had for it."""

    do: Callable[[], None]
    refuse: Callable[[RuntimeError], None]


class Lane:
    """Work of one kind, so much of it at a time; the rest waits in its order.

    most: at a time.
    """

    def __init__(self, threads: Threads, most: int) -> None:
        self._threads = threads
        self._most = most
        self._lock = threading.Lock()
        self._running = 0
        self._waiting: deque[Work] = deque()

    def admit(self, work: Work) -> bool:
        """Whether it is for the caller to `run` or `start` it now; else it follows another."""
        with self._lock:
            if self._running < self._most:
                self._running += 1
                return True
            self._waiting.append(work)
            return False

    def run(self, work: Work) -> None:
        """Do the admitted work on this thread, and what has waited for it."""
        following: Work | None = work
        while following is not None:
            try:
                following.do()
            except BaseException:
                self.start(self._leave())
                raise
            following = self._leave()

    def start(self, work: Work | None) -> None:
        """Have the admitted work done on another thread, and what has waited for it."""
        while work is not None:
            try:
                self._threads.run(functools.partial(self.run, work))
            except RuntimeError as error:
                work.refuse(error)
                work = self._leave()
            else:
                return

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        """Have the call made on another thread, for who waits for what it returns or raises."""
        future: Future[T] = Future()

        def do() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001  # who waits is given it
                future.set_exception(error)
            else:
                future.set_result(result)

        def refuse(error: RuntimeError) -> None:
            if future.set_running_or_notify_cancel():
                future.set_exception(error)

        work = Work(do, refuse)
        if self.admit(work):
            self.start(work)
        return future

    def stop(self) -> None:
        """Drop what waits."""
        with self._lock:
            self._waiting.clear()

    def _leave(self) -> Work | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._running -= 1
            return None
