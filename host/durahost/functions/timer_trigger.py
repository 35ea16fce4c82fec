"""The timer trigger's binding: its schedule and switches, checked as the extension indexes it.

Sources: Azure/azure-webjobs-sdk-extensions: TimerSchedule.cs (Create); Azure/azure-functions-host:
CoreExtensionsScriptBindingProvider.cs, Utility.cs (FlattenException names each text's assembly);
Azure/azure-webjobs-sdk: FunctionIndexingException.cs.
"""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from durahost.config.dotnet_values import parse_boolean, scalar_text
from durahost.model.functions import Binding, FunctionMetadata
from durahost.schedules.schedule import Schedule, ScheduleError, parse_schedule

TIMER_TRIGGER = "timerTrigger"

_EXAMPLES = (
    'Write six fields, seconds first ("0 */5 * * * *" is every five minutes), or an interval '
    '("00:05:00").'
)


@dataclass(frozen=True, slots=True)
class TimerTrigger:
    """When a timer runs. uses_monitor: as written; see `is_monitored`."""

    schedule: Schedule
    runs_on_startup: bool = False
    uses_monitor: bool = True

    def is_monitored(self, when: datetime, zone: tzinfo) -> bool:
        """Whether its status is stored: not of a schedule that fires more than once a minute."""
        return self.uses_monitor and not self.schedule.is_frequent(when, zone)


class TimerFault(ValueError):
    """The binding cannot be used; what to do about it is `advice`."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


def is_timer(function: FunctionMetadata) -> bool:
    """Whether a timer triggers the function."""
    return function.trigger.is_type(TIMER_TRIGGER)


def find_timer_fault(function: FunctionMetadata) -> tuple[str, str] | None:
    """What the extension refuses a timer function for, with what to do; None for any other."""
    if not is_timer(function):
        return None
    try:
        read_trigger(function.trigger)
    except TimerFault as fault:
        start = f"Microsoft.Azure.WebJobs.Host: Error indexing method 'Functions.{function.name}'."
        return f"{start} {fault}", fault.advice
    return None


def read_trigger(binding: Binding) -> TimerTrigger:
    """Read the binding; `%NAME%` is resolved by then. Errors: TimerFault."""
    text = scalar_text(binding.get("schedule"))
    if not text:
        message = "System.Private.CoreLib: Value cannot be null. (Parameter 'type')"
        raise TimerFault(message, f'Add "schedule". {_EXAMPLES}')
    return TimerTrigger(
        _read_schedule(text),
        runs_on_startup=_read_switch(binding, "runOnStartup", default=False),
        uses_monitor=_read_switch(binding, "useMonitor", default=True),
    )


def _read_schedule(text: str) -> Schedule:
    try:
        return parse_schedule(text)
    except ScheduleError as error:
        message = f"Microsoft.Azure.WebJobs.Extensions: {error}"
        raise TimerFault(message, f"{error.reason} {_EXAMPLES}") from error
    except OverflowError as error:
        raise TimerFault(f"System.Private.CoreLib: {error}", _EXAMPLES) from error


def _read_switch(binding: Binding, name: str, *, default: bool) -> bool:
    """As a JSON token becomes a bool: also of a number, or of a text."""
    value: Any = binding.get(name, default)
    if isinstance(value, int | float):
        return bool(value)
    try:
        return parse_boolean(str(value))
    except ValueError as error:
        message = f"System.Private.CoreLib: String '{value}' was not recognized as a valid Boolean."
        raise TimerFault(message, f"Write true or false for {name}.") from error
