"""Retry policies: which triggers have them, how they are written, and the pauses they make.

Sources: Azure/azure-webjobs-sdk: FixedDelayRetryAttribute.cs, ExponentialBackoffRetryAttribute.cs,
RandomizedExponentialBackoffStrategy.cs; Azure/azure-functions-host: RetryOptions.cs, Utility.cs
(ValidateRetryOptions).
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from durahost.config.dotnet_values import parse_timespan, scalar_text
from durahost.model.functions import FunctionMetadata, RetryPolicy

TRIGGERS = frozenset({"timertrigger", "eventhubtrigger", "kafkatrigger", "cosmosdbtrigger"})
"""Triggers whose listener repeats failed invocations ([SupportsRetry])."""

SPREAD = 0.2
"""RandomizationFactor: how far a pause may lie from the exact power of two."""

_FIXED = "fixeddelay"


def supports_retry(function: FunctionMetadata) -> bool:
    """Whether the function's trigger repeats failed invocations."""
    return function.trigger.type.lower() in TRIGGERS


def unsupported_text(function: FunctionMetadata) -> str:
    """What the host says of a policy on another trigger."""
    return f"Retries are not supported for function 'Functions.{function.name}'."


def parse_policy(written: Mapping[str, Any]) -> RetryPolicy:
    """Read `retry` of function.json or host.json; names compare without case.

    Errors: ValueError for a value that is none; what is missing counts as zero.
    """
    given = {name.lower(): value for name, value in written.items() if value is not None}
    count = int(scalar_text(given.get("maxretrycount", 0)))
    if scalar_text(given.get("strategy", "")).lower() == _FIXED:
        delay = _interval(given, "delayInterval")
        return RetryPolicy(count, delay, delay, is_fixed=True)
    least, most = _interval(given, "minimumInterval"), _interval(given, "maximumInterval")
    if least > most:
        raise ValueError(
            "The minimumInterval must not be greater than the maximumInterval. (Parameter"
            " 'minimumInterval')"
        )
    return RetryPolicy(count, least, most)


def _interval(given: Mapping[str, Any], name: str) -> timedelta:
    interval = parse_timespan(scalar_text(given.get(name.lower(), "0")))
    if interval < timedelta(0):
        raise ValueError(f"The TimeSpan must not be negative. (Parameter '{name}')")
    return interval


def pauses(policy: RetryPolicy, random: Callable[[], float]) -> Iterator[timedelta]:
    """The pause before each further try, without end; random gives numbers from 0 to below 1."""
    if policy.is_fixed:
        while True:
            yield policy.minimum
    pause, exponent = policy.minimum, 0
    while pause < policy.maximum:
        yield pause
        factor = 1 - SPREAD + 2 * SPREAD * random()
        # Never beyond the maximum, so that no power of two is too large for a duration.
        grown = factor * 2.0 ** min(exponent, 62) * policy.minimum.total_seconds()
        grown = min(grown, policy.maximum.total_seconds())
        pause = policy.minimum + timedelta(seconds=grown)
        exponent += 1
    while True:
        yield policy.maximum
