"""The machine's clock as the app's time."""

from datetime import UTC, datetime, timedelta

from durahost import clock
from durahost.clock import RealClock

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


async def test_time_never_goes_back_when_the_machine_s_clock_is_set_back(monkeypatch):
    class Machine(datetime):
        reading = NOON

        @classmethod
        def now(cls, tz=None):
            return cls.reading

    monkeypatch.setattr(clock, "datetime", Machine)
    ours = RealClock()
    seen = []
    for minutes in (0, 2, -60, 1, 3):
        Machine.reading = NOON + timedelta(minutes=minutes)
        seen.append(ours.now())
    assert seen == sorted(seen)
    assert seen[-1] == NOON + timedelta(minutes=3)


async def test_sleeping_until_a_time_that_is_past_returns_at_once():
    await RealClock().sleep_until(NOON - timedelta(days=9999))
