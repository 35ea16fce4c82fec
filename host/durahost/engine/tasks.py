"""What the walk awaits: single tasks, compounds, and retried calls.

A task only knows that it is done and whether it failed; results are for the SDK to read.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from durahost.model.actions import RetryOptions


class Task:
    """Something awaited; whoever waits is called at once, in the order of waiting."""

    def __init__(self) -> None:
        self.is_done = False
        self.has_failed = False
        self._waiting: list[Callable[[], None]] = []

    def finish(self, *, failed: bool = False) -> None:
        """End the task; a second end has no effect."""
        if self.is_done:
            return
        self.is_done, self.has_failed = True, failed
        waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()

    def then(self, wake: Callable[[], None]) -> None:
        """Call back once the task is done; now, when it already is."""
        if self.is_done:
            wake()
        else:
            self._waiting.append(wake)


def finished(*, failed: bool = False) -> Task:
    """A task that is done from the start."""
    task = Task()
    task.finish(failed=failed)
    return task


def when_all(children: Sequence[Task]) -> Task:
    """Done when every child is, failed when one of them has; done at once without children."""
    whole = Task()
    left = len(children)

    def one_less() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            whole.finish(failed=any(child.has_failed for child in children))

    for child in children:
        child.then(one_less)
    if not children:
        whole.finish()
    return whole


def when_any(children: Sequence[Task]) -> Task:
    """Done with the first child; done at once without children."""
    whole = Task()
    for child in children:
        child.then(lambda child=child: whole.finish(failed=child.has_failed))  # type: ignore[misc]
    if not children:
        whole.finish()
    return whole


class RetriedCall:
    """A call repeated after failures, with a durable timer before each attempt but the first.

    After the last failed attempt one more timer fires at once: SDKs count on it ("dummy timer for
    back-compat"). Retry by timeout ends without it.
    Source: Azure/durabletask: src/DurableTask.Core/RetryInterceptor.cs (Invoke, ComputeNextDelay).
    """

    def __init__(
        self,
        options: RetryOptions,
        *,
        attempt: Callable[[], Task],
        timer: Callable[[datetime], Task],
        now: Callable[[], datetime],
    ) -> None:
        self.task = Task()
        self._options = options
        self._attempt = attempt
        self._timer = timer
        self._now = now
        self._first_attempt_at = now()
        self._failures = 0
        self._try()

    def _try(self) -> None:
        call = self._attempt()
        call.then(lambda: self._after(call))

    def _after(self, call: Task) -> None:
        if not call.has_failed:
            self.task.finish()
            return
        delay = self._delay()
        self._failures += 1
        is_last = self._failures >= self._options.max_attempts
        if delay == timedelta(0):
            self.task.finish(failed=True)
        elif is_last:
            self._timer(self._now()).then(lambda: self.task.finish(failed=True))
        else:
            self._timer(self._now() + delay).then(self._try)

    def _delay(self) -> timedelta:
        options = self._options
        if options.timeout is not None and self._now() >= self._first_attempt_at + options.timeout:
            return timedelta(0)
        factor = options.backoff_coefficient**self._failures
        limit = options.max_interval.total_seconds()
        return timedelta(seconds=min(options.first_interval.total_seconds() * factor, limit))
