"""Running a function as its trigger's listener does: again after a failure, as its policy says.

Only listeners repeat: a call through the admin endpoint is made once. Tries belong to one
generation of the app; a worker that drains takes no further one.
Source: Azure/azure-webjobs-sdk: FunctionExecutorExtensions.cs (TryExecuteAsync),
LoggerExtensions.cs.
"""

import logging
from dataclasses import replace

from durahost.clock import Clock
from durahost.config.dotnet_values import timespan_text
from durahost.functions.retry import pauses, supports_retry
from durahost.invocations import Call, Invoker
from durahost.model.errors import WorkerError
from durahost.model.functions import FunctionMetadata, RetryPolicy
from durahost.worker.base import Raised, Returned, Worker

logger = logging.getLogger(__name__)


class RetryingInvoker:
    """Invokes functions for listeners.

    default: the app's policy (`retry` of host.json), for functions that have none of their own.
    """

    def __init__(self, invoker: Invoker, clock: Clock, default: RetryPolicy | None = None) -> None:
        self._invoker = invoker
        self._clock = clock
        self._default = default

    async def invoke(
        self, worker: Worker, function: FunctionMetadata, call: Call
    ) -> Returned | Raised:
        """Run the function until it returns or its policy gives up; the last failure is the answer.

        Errors: as `Invoker.invoke`, of the last try.
        """
        policy = function.retry or self._default
        if policy is None or not supports_retry(function):
            return await self._invoker.invoke(worker, function, call)
        call = replace(call, max_retry_count=policy.max_retry_count)
        for retries, pause in enumerate(pauses(policy, self._random)):
            is_last = retries == policy.max_retry_count
            result = await self._try(worker, function, call, is_last=is_last)
            if isinstance(result, Returned) or (is_last and result is not None):
                return result
            logger.debug(
                "Waiting for `%s` before retrying function execution. Next attempt: '%d'. Max retry"
                " count: '%d'.",
                timespan_text(pause),
                retries + 1,
                policy.max_retry_count,
                extra={"function": function.name},
            )
            failed = f"Exception while executing function: Functions.{function.name}"
            stack = result.stack_trace if result is not None else ""
            call = replace(call, retry_count=retries + 1, retry_exception=(failed, stack))
            await self._clock.sleep_until(self._clock.now() + pause)
        raise AssertionError("pauses have no end")

    async def _try(
        self, worker: Worker, function: FunctionMetadata, call: Call, *, is_last: bool
    ) -> Returned | Raised | None:
        """One try; None when its worker ended and another try follows."""
        result: Returned | Raised | None = None
        try:
            result = await self._invoker.invoke(worker, function, call)
        except WorkerError:
            if is_last:
                _log_given_up(function, call)
                raise
        if is_last and isinstance(result, Raised):
            _log_given_up(function, call)
        return result

    def _random(self) -> float:
        return int.from_bytes(self._clock.random_bytes(4)) / 2**32


def _log_given_up(function: FunctionMetadata, call: Call) -> None:
    text = "Function execution failed after '%d' retries."
    logger.error(text, call.retry_count, extra={"function": function.name})
