"""What a timer's binding may say, and what is refused for which reason."""

from datetime import UTC, datetime, timedelta

import pytest

from durahost import problems
from durahost.functions.discovery import discover
from durahost.functions.timer_trigger import TimerTrigger, find_timer_fault, read_trigger
from durahost.schedules.schedule import parse_schedule

pytestmark = pytest.mark.feature("Functions host", "Timer triggers: bindings checked at indexing")

NOW = datetime(2026, 1, 5, tzinfo=UTC)
START = "Microsoft.Azure.WebJobs.Host: Error indexing method 'Functions.Tick'. "
BOOLEAN = "System.Private.CoreLib: String 'yes' was not recognized as a valid Boolean."


def timer(**properties):
    return {"type": "timerTrigger", "name": "timer", "direction": "in", **properties}


def found(folder, binding, **environ):
    folder.function("Tick", binding)
    return discover(folder.load(**environ))


def trigger(folder, binding, **environ):
    (function,) = found(folder, binding, **environ).functions
    assert find_timer_fault(function) is None
    return read_trigger(function.trigger)


def test_the_defaults(folder):
    assert trigger(folder, timer(schedule="0 * * * *")) == TimerTrigger(
        parse_schedule("0 * * * *"), runs_on_startup=False, uses_monitor=True
    )


def test_names_without_case_and_switches_as_json_reads_them(folder):
    written = timer(SCHEDULE="00:05:00", RunOnStartup="True", usemonitor=0)
    schedule = parse_schedule("00:05:00")
    assert trigger(folder, written) == TimerTrigger(schedule, True, False)


def test_a_schedule_of_the_app_settings(folder):
    written = timer(schedule="%EVERY%")
    assert trigger(folder, written, EVERY="0 0 * * * *").schedule == parse_schedule("0 0 * * * *")


def test_a_bare_number_is_days(folder):
    assert trigger(folder, timer(schedule=5)).schedule.interval == timedelta(days=5)


@pytest.mark.parametrize(
    ("properties", "is_monitored"),
    [
        ({"schedule": "0 * * * * *"}, True),
        ({"schedule": "*/10 * * * * *"}, False),
        ({"schedule": "00:00:30", "useMonitor": True}, False),
        ({"schedule": "00:01:00"}, True),
        ({"schedule": "00:01:00", "useMonitor": False}, False),
    ],
)
@pytest.mark.feature("Functions host", "Timer triggers: `useMonitor`, past due")
def test_what_is_monitored(folder, properties, is_monitored):
    assert trigger(folder, timer(**properties)).is_monitored(NOW, UTC) == is_monitored


@pytest.mark.parametrize(
    ("properties", "message", "advice"),
    [
        (
            {"schedule": "0 0 * * 7"},
            "Microsoft.Azure.WebJobs.Extensions: The schedule expression '0 0 * * 7' was not "
            "recognized as a valid cron expression or timespan string.",
            "7 is higher than the maximum allowable value for the [DayOfWeek] field.",
        ),
        ({}, "System.Private.CoreLib: Value cannot be null. (Parameter 'type').", 'Add "schedule"'),
        (
            {"schedule": "0 0 99999999999 * *"},
            "System.Private.CoreLib: Value was either too large or too small for an Int32.",
            "Write six fields",
        ),
        ({"schedule": "1", "runOnStartup": "yes"}, BOOLEAN, "true or false for runOnStartup"),
        ({"schedule": "1", "useMonitor": "yes"}, BOOLEAN, "true or false for useMonitor"),
    ],
)
def test_what_is_refused(folder, properties, message, advice):
    folder.function("Other", timer(schedule="0 * * * *"))
    result = found(folder, timer(**properties))
    assert [one.name for one in result.functions] == ["Other"]
    (failure,) = result.failures
    assert failure.message == START + message
    finding = problems.of_failure(failure, folder.load())
    assert (finding.rule, finding.file, finding.line) == ("schedule", "Tick/function.json", 1)
    assert advice in finding.advice


def test_an_unresolved_setting_is_told_as_such(folder):
    (failure,) = found(folder, timer(schedule="%NONE%")).failures
    assert failure.message == "'%NONE%' does not resolve to a value."


def test_other_triggers_are_not_looked_at(folder):
    written = {"type": "queueTrigger", "name": "item", "schedule": "x"}
    assert not found(folder, written).failures
