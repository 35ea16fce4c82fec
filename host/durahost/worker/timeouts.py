"""What happens to a function that runs longer than it may, and what is said of it."""

from datetime import timedelta

from durahost.config.dotnet_values import timespan_text
from durahost.model.errors import WorkerExited
from durahost.worker.base import Invocation

RESTARTED = "Restart of language worker process(es) completed."
"""Text: Azure/azure-functions-host: WebScriptHostExceptionHandler.cs (OnTimeoutExceptionAsync)."""

_START = "Timeout value of "


def is_timeout(reason: WorkerExited) -> bool:
    """Whether a process was ended because a function exceeded functionTimeout."""
    return str(reason).startswith(_START)


def timeout_text(call: Invocation, deadline_s: float) -> str:
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
