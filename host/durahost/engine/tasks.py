"""What the walk awaits: single tasks, compounds, and retried calls.

A task only knows that it is done and whether it failed; results are for the SDK to read.
"""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from durahost.model.actions import RetryOptions
from durahost.model.events import HistoryEvent
from durahost.model.values import dataclass


class Task:
    """Something awaited; whoever waits is called at once, in the order of waiting.

    answer: the event that ended it, for the few who look into it.
    """

    def __init__(self) -> None:
        self.is_done = False
        self.has_failed = False
        self.answer: HistoryEvent | None = None
        self._waiting: list[Callable[[], None]] = []

    def finish(self, *, failed: bool = False, answer: HistoryEvent | None = None) -> None:
        """End the task; a second end has no effect."""
        if self.is_done:
            return
        self.is_done, self.has_failed, self.answer = True, failed, answer
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
            self.task.finish(answer=call.answer)
            return
        delay = self._delay()
        self._failures += 1
        is_last = self._failures >= self._options.max_attempts
        if delay == timedelta(0):
            self.task.finish(failed=True)
        elif is_last:
            self._timer(self._now()).then(lambda: self.task.finish(failed=True))
        else:
            self._retry_at(delay)

    def _retry_at(self, delay: timedelta) -> None:
        try:
            when = self._now() + delay
        except OverflowError:  # .NET's DateTime.Add throws into the awaited task
            self.task.finish(failed=True)
        else:
            self._timer(when).then(self._try)

    def _delay(self) -> timedelta:
        """The wait before the next attempt; none, as for any exception there, when a number
        overflows.
        """
        options = self._options
        try:
            elapsed = self._now() - self._first_attempt_at
            if options.timeout is not None and elapsed >= options.timeout:
                return timedelta(0)
            seconds = options.first_interval.total_seconds() * self._factor()
            is_within = seconds < options.max_interval.total_seconds()
            return timedelta(seconds=seconds) if is_within else options.max_interval
        except OverflowError:
            return timedelta(0)

    def _factor(self) -> float:
        """.NET's Math.Pow: too large a power is infinite."""
        try:
            return float(self._options.backoff_coefficient**self._failures)
        except OverflowError:
            return math.inf


@dataclass(frozen=True, slots=True)
class NextAsk:
    """What a polled call does after an answer that is not final.

    when None: it fails at once. request None: it fails at that time.
    """

    when: datetime | None
    request: str | None


class PolledCall:
    """A durable HTTP call that follows 202 answers: wait, then ask the Location, until it is no
    202.

    first: the first request. ask: schedules one more. next_ask: what follows an answer; None when
    it is final.
    Source: Azure/azure-functions-durable-extension: DurableOrchestrationContext.cs (CallHttpAsync).
    """

    def __init__(
        self,
        first: Task,
        *,
        ask: Callable[[str], Task],
        timer: Callable[[datetime], Task],
        next_ask: Callable[[HistoryEvent], NextAsk | None],
    ) -> None:
        self.task = Task()
        self._ask = ask
        self._timer = timer
        self._next_ask = next_ask
        self._await(first)

    def _await(self, call: Task) -> None:
        call.then(lambda: self._after(call))

    def _after(self, call: Task) -> None:
        if call.has_failed or call.answer is None:
            self.task.finish(failed=True)
            return
        following = self._next_ask(call.answer)
        if following is None:
            self.task.finish(answer=call.answer)
        elif following.when is None:
            self.task.finish(failed=True)
        else:
            self._timer(following.when).then(lambda: self._send(following.request))

    def _send(self, request: str | None) -> None:
        if request is None:
            self.task.finish(failed=True)
        else:
            self._await(self._ask(request))
