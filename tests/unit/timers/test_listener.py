"""When a timer runs, what it is told, and what becomes of its status.

Cases: Azure/azure-webjobs-sdk-extensions: TimerListenerTests.cs.
"""

import logging
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from clocks import START
from timer_world import HOUR, MINUTE, SECOND, TimerWorld, timer

from durahost.model.errors import StoreUnavailable, WorkerExited, WorkerTimeout
from durahost.model.functions import RetryPolicy
from durahost.timers.listener import RETRY_FIRST, TICK
from durahost.worker.base import Raised, Returned

SCHEDULED = pytest.mark.feature("Functions host", "Timer triggers: runs on schedule, by the clock")
MONITORED = pytest.mark.feature("Functions host", "Timer triggers: `useMonitor`, past due")
STARTUP = pytest.mark.feature("Functions host", "Timer triggers: `runOnStartup`")
OVERLAP = pytest.mark.feature("Functions host", "Timer triggers: a timer never overlaps itself")
LOGS = pytest.mark.feature("Functions host", "Timer triggers: log lines of the extension")

UNKNOWN = "0001-01-01T00:00:00+00:00"


@pytest.fixture
async def world():
    world = TimerWorld()
    yield world
    await world.die()


@pytest.fixture
def messages(caplog):
    caplog.set_level(logging.DEBUG, "durahost")

    def read(level=logging.DEBUG):
        return [one.getMessage() for one in caplog.records if one.levelno >= level]

    return read


def status(last, following, updated=None):
    def text(when):
        return when if isinstance(when, str) else when.isoformat()

    return {
        "Last": text(last),
        "Next": text(following),
        "LastUpdated": text(last if updated is None else updated),
    }


@SCHEDULED
async def test_it_runs_at_each_occurrence_and_not_before(world):
    await world.start(timer())
    await world.pass_time(HOUR - SECOND)
    assert world.worker.calls == []
    await world.pass_time(SECOND)
    await world.pass_time(HOUR)
    assert world.worker.times == [START + HOUR, START + 2 * HOUR]


@SCHEDULED
async def test_an_interval_counts_from_the_beginning_of_each_run(world):
    await world.start(timer(schedule="00:00:10"))
    for _ in range(3):
        await world.pass_time(timedelta(seconds=10))
    assert world.worker.times == [START + timedelta(seconds=n) for n in (10, 20, 30)]
    assert world.worker.info == {
        "Schedule": {"AdjustForDST": False},
        "ScheduleStatus": None,
        "IsPastDue": False,
    }


@SCHEDULED
async def test_the_wall_clock_of_the_zone_counts():
    world = TimerWorld(ZoneInfo("Asia/Tokyo"))
    await world.start(timer(schedule="0 30 9 * * *"))
    await world.pass_time(MINUTE * 30)
    assert world.worker.times == [START + MINUTE * 30]
    assert world.worker.info["ScheduleStatus"]["Next"] == "2026-01-01T09:30:00+09:00"
    await world.die()


@SCHEDULED
async def test_an_interval_of_zero_runs_without_a_pause(world):
    await world.start(timer(schedule="00:00:00"))
    for _ in range(3):
        await world.tick()
    assert world.worker.times == [START + n * TICK for n in (1, 2, 3)]


@SCHEDULED
async def test_one_that_never_fires_waits(world):
    await world.start(timer(schedule="0 0 0 30 2 *"))
    await world.pass_time(timedelta(days=2000))
    assert world.worker.calls == []
    assert (await world.stored())["Next"] == "9999-12-31T23:59:59.9999999+00:00"


@SCHEDULED
async def test_a_disabled_function_has_no_listener(world):
    await world.start(timer(), timer("Off"), disabled=["Off"])
    await world.pass_time(HOUR)
    assert [name for name, *_ in world.worker.calls] == ["Tick"]


@MONITORED
async def test_the_status_is_stored_at_the_start_and_after_each_run(world):
    await world.start(timer())
    assert await world.stored() == status(UNKNOWN, START + HOUR, START)
    await world.pass_time(HOUR)
    # The first run is told what was known when the listener started.
    assert world.worker.info["ScheduleStatus"] == status(UNKNOWN, START + HOUR)
    assert await world.stored() == status(START + HOUR, START + 2 * HOUR)
    await world.pass_time(HOUR)
    assert world.worker.info["ScheduleStatus"] == status(START + HOUR, START + 2 * HOUR)


@MONITORED
@pytest.mark.parametrize("function", [timer(useMonitor=False), timer(schedule="00:00:30")])
async def test_what_is_not_monitored_is_not_stored(world, function):
    await world.start(function)
    await world.pass_time(HOUR)
    assert world.worker.info["ScheduleStatus"] is None
    assert await world.stored() is None


@MONITORED
async def test_missed_occurrences_are_one_run_at_the_next_start(world, messages):
    await world.start(timer(runOnStartup=True, schedule="0 0 * * *"))
    await world.stop()
    world.clock.advance(timedelta(days=3, hours=1))
    now = world.clock.now()
    await world.start(timer(runOnStartup=True, schedule="0 0 * * *"))
    await world.tick()
    await world.pass_time(HOUR)
    assert world.worker.times == [now + TICK]
    assert world.worker.info["IsPastDue"] is True
    assert world.worker.info["ScheduleStatus"]["Next"] == "2026-01-02T00:00:00+00:00"
    details = "Trigger Details: UnscheduledInvocationReason: IsPastDue, OriginalSchedule: "
    assert f"{details}2026-01-02T00:00:00.0000000+00:00" in messages(logging.INFO)
    assert "Function 'Tick' is past due on startup. Executing now." in messages()
    await world.pass_time(timedelta(hours=22))
    assert world.worker.info["IsPastDue"] is False


@MONITORED
async def test_an_occurrence_that_is_due_at_the_start_is_not_past_due(world):
    await world.start(timer())
    await world.stop()
    world.clock.advance(HOUR)
    await world.start(timer())
    await world.tick()
    assert world.worker.info["IsPastDue"] is False


@MONITORED
async def test_a_changed_schedule_begins_anew(world):
    await world.start(timer())
    await world.stop()
    world.clock.advance(2 * HOUR + MINUTE)
    await world.start(timer(schedule="0 */30 * * * *"))
    await world.tick()
    assert world.worker.calls == []
    now = START + 2 * HOUR + MINUTE
    assert await world.stored() == status(UNKNOWN, START + 2.5 * HOUR, now)
    await world.pass_time(MINUTE * 29)
    assert world.worker.info["ScheduleStatus"] == status(UNKNOWN, START + 2.5 * HOUR, now)


@MONITORED
async def test_a_changed_schedule_whose_next_lies_ahead_keeps_its_base(world):
    await world.start(timer())
    await world.pass_time(HOUR)
    await world.stop()
    await world.start(timer(schedule="0 0 0 * * *"))
    ran, midnight = START + HOUR, START + 24 * HOUR
    assert await world.stored() == status(UNKNOWN, midnight, ran)


@MONITORED
async def test_a_status_without_a_base_is_reckoned_from_now(world):
    text = f'{{"Last":"{UNKNOWN}","Next":"2026-01-01T00:30:00+00:00","LastUpdated":"{UNKNOWN}"}}'
    await world.store.write("timers/tick", text)
    await world.start(timer())
    assert await world.stored() == status(UNKNOWN, START + HOUR, START)


@MONITORED
async def test_a_stored_status_that_is_none_begins_anew(world, messages):
    await world.store.write("timers/tick", "{")
    await world.start(timer())
    assert await world.stored() == status(UNKNOWN, START + HOUR, START)
    (warning,) = messages(logging.WARNING)
    assert "The stored status of 'Tick' is none and begins anew: " in warning


@MONITORED
async def test_a_host_that_dies_during_a_run_makes_up_for_it(world):
    await world.start(timer())
    world.worker.hold()
    await world.pass_time(HOUR)
    assert len(world.worker.calls) == 1
    await world.die()
    await world.pass_time(MINUTE)
    await world.start(timer())
    await world.tick()
    assert world.worker.info["IsPastDue"] is True


@MONITORED
async def test_a_run_that_a_stop_waits_for_counts(world):
    await world.start(timer())
    world.worker.hold()
    await world.pass_time(HOUR)
    task = await world.begin_to_stop()
    assert not task.done()
    world.worker.go.set()
    await task
    assert await world.stored() == status(START + HOUR, START + 2 * HOUR)


@MONITORED
async def test_a_run_that_ends_with_its_worker_while_the_host_stops_stays_due(world):
    await world.start(timer())
    world.worker.hold()
    world.worker.outcomes = [WorkerExited("drained")]
    await world.pass_time(HOUR)
    task = await world.begin_to_stop()
    world.worker.go.set()
    await task
    assert await world.stored() == status(UNKNOWN, START + HOUR, START)


@MONITORED
async def test_a_store_that_refuses_the_status_stops_no_schedule(world, messages):
    await world.start(timer())
    world.store.is_in_trouble = True
    await world.pass_time(HOUR)
    await world.pass_time(HOUR)
    assert len(world.worker.calls) == 2
    error = "Function 'Host.Functions.Tick' failed to update the timer trigger status. "
    assert messages(logging.ERROR) == [f"{error}database is locked"] * 2


@MONITORED
async def test_a_store_that_cannot_be_asked_is_asked_again(world, messages):
    world.store.is_in_trouble = True
    await world.start(timer())
    refused = "The listener for function 'Functions.Tick' was unable to start. database is locked"
    await world.pass_time(2 * SECOND)
    await world.pass_time(3 * SECOND)
    assert messages(logging.ERROR) == [refused] * 2
    world.store.is_in_trouble = False
    await world.pass_time(SECOND)
    again = "Retrying to start listener for function 'Functions.Tick' (Attempt 2)"
    assert again in messages(logging.INFO)
    await world.pass_time(HOUR - 6 * SECOND)
    assert len(world.worker.calls) == 1


@MONITORED
async def test_a_stop_does_not_wait_for_a_store(world):
    world.store.is_in_trouble = True
    await world.start(timer())
    await world.stop()
    assert world.worker.calls == []


@pytest.mark.feature("Functions host", "`app_offline.htm` takes the app offline")
async def test_while_the_app_is_offline_nothing_runs_and_what_was_missed_is_one_run_later(world):
    await world.start(timer())
    world.is_offline = True
    await world.pass_time(HOUR)
    await world.pass_time(HOUR)
    assert world.worker.calls == []
    world.is_offline = False
    await world.pass_time(RETRY_FIRST)
    await world.tick()
    assert len(world.worker.calls) == 1
    assert world.worker.info["IsPastDue"] is True
    await world.pass_time(HOUR)
    assert len(world.worker.calls) == 2


@pytest.mark.feature("Functions host", "`app_offline.htm` takes the app offline")
async def test_a_listener_of_an_offline_app_can_be_stopped(world):
    world.is_offline = True
    await world.start(timer(runOnStartup=True))
    await world.stop()
    assert world.worker.calls == []


@STARTUP
async def test_one_run_more_at_each_start(world, messages):
    await world.start(timer(runOnStartup=True, useMonitor=False))
    await world.tick()
    assert world.worker.times == [START + TICK]
    assert world.worker.info["IsPastDue"] is False
    assert "Trigger Details: UnscheduledInvocationReason: RunOnStartup" in messages(logging.INFO)
    assert "Function 'Tick' is configured to run on startup. Executing now." in messages()
    await world.pass_time(HOUR)
    assert len(world.worker.calls) == 2


@OVERLAP
async def test_what_passes_during_a_run_is_one_run_after_it(world, messages):
    await world.start(timer(schedule="*/10 * * * * *"))
    world.worker.hold()
    await world.pass_time(10 * SECOND)
    await world.pass_time(35 * SECOND)
    assert len(world.worker.calls) == 1
    world.worker.go.set()
    await world.quiet()
    await world.tick()
    assert world.worker.times == [START + 10 * SECOND, START + 45 * SECOND + TICK]
    assert world.worker.info["IsPastDue"] is False
    await world.pass_time(5 * SECOND - TICK)
    assert world.worker.times[2:] == [START + 50 * SECOND]


@OVERLAP
async def test_a_run_that_is_too_long_is_told_once(world, messages):
    await world.start(timer(schedule="*/10 * * * * *"))
    for _ in range(2):
        world.worker.hold()
        await world.pass_time(20 * SECOND)
        await world.pass_time(15 * SECOND)
        world.worker.go.set()
        await world.quiet()
    assert messages(logging.WARNING) == [
        "Function 'Tick' ran for 00:00:15, and its next occurrence passed meanwhile: a timer never"
        " overlaps itself, so all that pass during a run are one run right after it."
    ]


@SCHEDULED
@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Raised("ValueError", "no", ""), []),
        (WorkerTimeout("Timeout value of ..."), []),
        (WorkerExited("python exited with code 1 (0x1)"), ["python exited with code 1 (0x1)"]),
        (StoreUnavailable("no output"), ["no output"]),
    ],
)
async def test_a_run_that_fails_stops_no_schedule(world, messages, outcome, told):
    await world.start(timer())
    world.worker.outcomes = [outcome]
    await world.pass_time(HOUR)
    assert await world.stored() == status(START + HOUR, START + 2 * HOUR)
    await world.pass_time(HOUR)
    assert len(world.worker.calls) == 2
    own = [one for one in messages(logging.WARNING) if one.startswith("Function 'Tick'")]
    assert own == [f"Function 'Tick': {text}" for text in told]


@pytest.mark.feature("Functions host", "Retry policies")
async def test_a_policy_repeats_a_run_before_the_next_occurrence(world, messages):
    retry = RetryPolicy(2, 10 * SECOND, 10 * SECOND, is_fixed=True)
    await world.start(timer(retry=retry))
    world.worker.outcomes = [Raised("ValueError", "no", ""), Returned()]
    await world.pass_time(HOUR)
    await world.pass_time(10 * SECOND)
    assert world.worker.times == [START + HOUR, START + HOUR + 10 * SECOND]
    assert await world.stored() == status(START + HOUR, START + 2 * HOUR)
    reasons = [one.split("'")[3] for one in messages(logging.INFO) if one.startswith("Executing")]
    assert reasons == [
        "Timer fired at 2026-01-01T01:00:00.0000000+00:00",
        "Timer fired at 2026-01-01T01:00:10.0000000+00:00",
    ]


@LOGS
async def test_every_line_of_a_listener(world, messages):
    await world.start(timer())
    await world.pass_time(HOUR)
    await world.stop()
    none, number = "(null)", "00000000-0000-0000-0000-000000000001"
    assert messages() == [
        "The 'Tick' timer is using the schedule 'Cron: '0 0 * * * *'' and the local time zone: "
        "'UTC'",
        f"Function 'Tick' initial status: Last='{none}', Next='{none}', LastUpdated='{none}'",
        "The next 5 occurrences of the 'Tick' schedule (Cron: '0 0 * * * *') will be:\n"
        "01/01/2026 01:00:00Z\n01/01/2026 02:00:00Z\n01/01/2026 03:00:00Z\n"
        "01/01/2026 04:00:00Z\n01/01/2026 05:00:00Z\n",
        "Timer for 'Tick' started with interval '01:00:00'.",
        "Timer listener started (Tick)",
        "Executing 'Functions.Tick' (Reason='Timer fired at 2026-01-01T01:00:00.0000000+00:00', "
        f"Id={number})",
        f"Executed 'Functions.Tick' (Succeeded, Id={number}, Duration=0ms)",
        "Function 'Tick' updated status: Last='2026-01-01T01:00:00.0000000+00:00', "
        "Next='2026-01-01T02:00:00.0000000+00:00', "
        "LastUpdated='2026-01-01T01:00:00.0000000+00:00'",
        "Timer for 'Tick' started with interval '01:00:00'.",
        "Timer listener stopped (Tick)",
    ]
