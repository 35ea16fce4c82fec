"""What happens to a function that runs longer than it may, and what is said of it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from durahost.config.dotnet_values import timespan_text
from durahost.model.errors import WorkerExited, WorkerTimeout
from durahost.worker.base import Invocation, Raised, Returned
from durahost.worker.channel import Channel


async def invoke_in_time(
    channel: Channel, call: Invocation, deadline_s: float, end: Callable[[str], None]
) -> Returned | Raised:
    """Run one invocation, and end the worker unless the answer has come by then.

    A caller that leaves takes neither the call nor its deadline along.
    Errors: WorkerTimeout; WorkerExited for another reason.
    """
    text = _timeout_text(call, deadline_s)
    loop = asyncio.get_running_loop()
    try:
        return await channel.invoke(call, lambda: loop.call_later(deadline_s, end, text).cancel)
    except WorkerExited as error:
        if str(error) == text:
            raise WorkerTimeout(text) from None
        raise


RESTARTED = "Restart of language worker process(es) completed."
"""Text: Azure/azure-functions-host: WebScriptHostExceptionHandler.cs (OnTimeoutExceptionAsync)."""

_START = "Timeout value of "


def is_timeout(reason: WorkerExited) -> bool:
    """Whether a process was ended because a function exceeded functionTimeout."""
    return str(reason).startswith(_START)


def _timeout_text(call: Invocation, deadline_s: float) -> str:
    """The host's words for a function that exceeds functionTimeout.

    Source: Azure/azure-webjobs-sdk: FunctionExecutor.cs (OnFunctionTimeout).
    """
    return (
        f"{_START}{_timespan(deadline_s)} exceeded by function"
        f" 'Functions.{call.function}' (Id: '{call.invocation_id}'). Initiating cancellation."
    )


def exceeded_text(function: str, deadline_s: float) -> str:
    """What the failed invocation says.

    Source: Azure/azure-webjobs-sdk: FunctionTimeoutException.cs, ExceptionFormatter.cs.
    """
    return (
        f"Microsoft.Azure.WebJobs.Host: Timeout value of {_timespan(deadline_s)} was exceeded by"
        f" function: Functions.{function}."
    )


def _timespan(seconds: float) -> str:
    return timespan_text(timedelta(seconds=seconds))
