"""Calls of listeners that are repeated, and what the function and the log see of it."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from api_support import CallableWorker
from clocks import START, ManualClock

from durahost.invocations import Call, Invoker
from durahost.model.errors import WorkerExited, WorkerTimeout
from durahost.model.functions import Binding, FunctionMetadata, RetryPolicy
from durahost.retrying import RetryingInvoker
from durahost.worker.base import Raised, Returned

pytestmark = pytest.mark.feature("Functions host", "Retry policies")

NO = Raised("ValueError", "no", "the stack")
TEN = timedelta(seconds=10)


class JumpingClock(ManualClock):
    """Every pause is over at once."""

    async def sleep_until(self, when):
        self.advance(when - self.now())


def function(trigger="timerTrigger", retry=None):
    return FunctionMetadata("F", Path(), Path(), "", [Binding("t", trigger, "in")], retry=retry)


def fixed(count, delay=TEN):
    return RetryPolicy(count, delay, delay, is_fixed=True)


def failing(times, then=None, *, failure=NO):
    """Fails so often, then returns."""
    outcomes = [*[failure] * times, then or Returned()]

    def call():
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return CallableWorker(F=call)


@pytest.fixture
def clock():
    return JumpingClock()


@pytest.fixture
def listen(clock, caplog):
    caplog.set_level(logging.DEBUG, "durahost")

    async def run(worker, called, default=None):
        invoker = Invoker(clock, lambda binding: None, timeout_s=5)
        return await RetryingInvoker(invoker, clock, default).invoke(
            worker, called, Call(trigger=None)
        )

    return run


async def test_each_try_knows_how_many_there_were(listen, clock, caplog):
    worker = failing(2)
    assert await listen(worker, function(retry=fixed(3))) == Returned()
    assert [(one.retry_count, one.max_retry_count) for one in worker.calls] == [
        (0, 3), (1, 3), (2, 3),
    ]  # fmt: skip
    assert worker.calls[0].retry_exception == ("", "")
    failed = ("Exception while executing function: Functions.F", "the stack")
    assert worker.calls[2].retry_exception == failed
    assert len({one.invocation_id for one in worker.calls}) == 3
    assert clock.now() == START + 2 * TEN
    text = (
        "Waiting for `00:00:10` before retrying function execution. Next attempt: '2'. Max retry"
        " count: '3'."
    )
    assert text in caplog.messages


async def test_after_the_last_retry_the_failure_stands(listen, clock, caplog):
    worker = failing(3)
    assert await listen(worker, function(retry=fixed(2))) == NO
    assert len(worker.calls) == 3
    assert clock.now() == START + 2 * TEN
    assert caplog.messages[-1] == "Function execution failed after '2' retries."


async def test_minus_one_is_for_ever(listen):
    worker = failing(50)
    assert await listen(worker, function(retry=fixed(-1))) == Returned()
    assert len(worker.calls) == 51


async def test_a_dead_worker_is_a_failed_try(listen):
    worker = failing(1, failure=WorkerExited("python exited with code 1 (0x1)"))
    assert await listen(worker, function(retry=fixed(1))) == Returned()
    with pytest.raises(WorkerTimeout):
        await listen(failing(2, failure=WorkerTimeout("slow")), function(retry=fixed(1)))


async def test_the_apps_policy_serves_functions_without_one(listen):
    worker = failing(1)
    assert await listen(worker, function(), default=fixed(1)) == Returned()
    own = failing(2)
    assert await listen(own, function(retry=fixed(1)), default=fixed(5)) == NO


async def test_without_a_policy_nothing_is_repeated(listen):
    worker = failing(1)
    assert await listen(worker, function()) == NO
    assert len(worker.calls) == 1


async def test_other_triggers_never_repeat(listen):
    worker = failing(1)
    assert await listen(worker, function("httpTrigger", fixed(5)), default=fixed(5)) == NO
    assert worker.calls[0].max_retry_count == 0


async def test_a_timeout_is_told_as_the_host_tells_it(listen, caplog):
    with pytest.raises(WorkerTimeout):
        await listen(failing(1, failure=WorkerTimeout("Timeout value of ...")), function())
    records = [record for record in caplog.records if record.name.startswith("durahost")]
    (number,) = {record.invocation_id for record in records}
    assert [record.getMessage() for record in records[1:]] == [
        "Timeout value of ...",
        f"Executed 'Functions.F' (Failed, Id={number}, Duration=0ms)",
        "Microsoft.Azure.WebJobs.Host: Timeout value of 00:00:05 was exceeded by function:"
        " Functions.F.",
        "A function timeout has occurred. Restarting worker process executing invocationId"
        f" '{number}'.",
    ]
