"""What is said of a function that runs longer than it may."""

from durahost.worker.base import Invocation


def timeout_text(call: Invocation, deadline_s: float) -> str:
    """The host's words for a function that exceeds functionTimeout.

    Source: Azure/azure-webjobs-sdk: FunctionExecutor.cs (OnFunctionTimeout).
    """
    return (
        f"Timeout value of {_timespan(deadline_s)} exceeded by function"
        f" 'Functions.{call.function}' (Id: '{call.invocation_id}'). Initiating cancellation."
    )


def _timespan(seconds: float) -> str:
    """.NET's constant format: [d.]hh:mm:ss[.fffffff]."""
    whole, ticks = divmod(round(seconds * 10_000_000), 10_000_000)
    days, rest = divmod(whole, 86_400)
    minutes, second = divmod(rest, 60)
    hour, minute = divmod(minutes, 60)
    day = f"{days}." if days else ""
    fraction = f".{ticks:07}" if ticks else ""
    return f"{day}{hour:02}:{minute:02}:{second:02}{fraction}"
