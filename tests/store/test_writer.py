"""Which thread COMMIT runs on: the loop's, for a lone change on a disk that is mostly quick."""

import sqlite3
import threading

import pytest
from clocks import ManualClock
from store.builders import new_instance

from durahost.store.sqlite.store import SqliteStore
from durahost.store.sqlite.writer import QUICK_S


class Disk(ManualClock):
    """The time that a COMMIT takes, on a clock that goes on when it is looked at."""

    is_slow = False
    spent_s = 0.0

    def monotonic(self):
        if self.is_slow:
            self.spent_s += 2 * QUICK_S
        return super().monotonic() + self.spent_s


@pytest.fixture
def disk():
    return Disk()


@pytest.fixture
async def commit(path, disk):
    """Make one change on a disk that is slow or not: whether COMMIT ran on this thread."""
    async with SqliteStore(path, disk) as provider:
        hub = provider.open_hub("h")
        threads, numbers = [], iter(range(1000))

        def note(sql):
            if sql == "COMMIT":
                threads.append(threading.current_thread())

        raw: sqlite3.Connection = hub._writer._connection._raw
        raw.set_trace_callback(note)

        async def one(*, is_slow):
            disk.is_slow = is_slow
            await hub.create(new_instance(f"i{next(numbers)}"), ())
            return threads.pop() is threading.current_thread()

        yield one
        raw.set_trace_callback(None)


async def test_a_quick_one_runs_at_once(commit):
    assert [await commit(is_slow=False) for _ in range(5)] == [True] * 5


async def test_a_disk_that_is_slow_holds_up_nobody(commit):
    for _ in range(16):
        await commit(is_slow=True)
    assert not await commit(is_slow=True)


async def test_a_disk_that_was_slow_may_be_quick_again(commit):
    for _ in range(16):
        await commit(is_slow=True)
    for _ in range(8):
        await commit(is_slow=False)
    assert await commit(is_slow=False)


async def test_a_hiccup_now_and_then_changes_nothing(commit):
    found = [await commit(is_slow=number % 4 == 3) for number in range(40)]
    assert all(found)
