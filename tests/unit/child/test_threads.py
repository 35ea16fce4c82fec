"""The threads that sync functions have, and how many: the setting's text, and what the worker says
of a bad one.
"""

import threading
from queue import SimpleQueue

import pytest

from durahost.child.runtime import DEFAULT_THREADS, thread_count
from durahost.child.threads import Threads

LIMIT_S = 20

SETTING = "PYTHON_THREADPOOL_THREAD_COUNT"
RANGE = (
    f"{SETTING} must be set to a value between 1 and sys.maxint. Reverting to default value for"
    " max_workers"
)


@pytest.mark.feature("Functions host", "`PYTHON_THREADPOOL_THREAD_COUNT`")
@pytest.mark.parametrize(
    ("environ", "count", "warning"),
    [
        ({}, DEFAULT_THREADS, None),
        ({SETTING: "5"}, 5, None),
        ({SETTING: "many"}, DEFAULT_THREADS, f"{SETTING} must be an integer"),
        ({SETTING: "1.5"}, DEFAULT_THREADS, f"{SETTING} must be an integer"),
        ({SETTING: "0"}, DEFAULT_THREADS, RANGE),
        ({SETTING: "-1"}, DEFAULT_THREADS, RANGE),
    ],
)
def test_counts(environ, count, warning, caplog):
    assert thread_count(environ) == count
    assert caplog.messages == ([warning] if warning else [])


def test_unset_is_what_the_host_gives_its_workers():
    assert DEFAULT_THREADS == 1000


@pytest.fixture
def threads():
    made = []

    def make(most=1000):
        made.append(Threads("pool", most))
        return made[-1]

    yield make
    for one in made:
        one.stop()
    for thread in threading.enumerate():
        if thread.name.startswith("pool_"):
            thread.join(LIMIT_S)
            assert not thread.is_alive()


class Blocked:
    """Work that begins, and ends when it is let."""

    def __init__(self):
        self.begun = threading.Event()
        self.let = threading.Event()

    def __call__(self):
        self.begun.set()
        assert self.let.wait(LIMIT_S)


def test_what_blocks_delays_nobody(threads):
    pool, meeting, met = threads(), threading.Barrier(10, timeout=LIMIT_S), SimpleQueue()
    for _ in range(10):
        pool.run(lambda: met.put(meeting.wait()))
    assert sorted(met.get(timeout=LIMIT_S) for _ in range(10)) == list(range(10))


def test_beyond_the_limit_work_waits_for_a_thread_and_keeps_its_order(threads):
    pool, done, blocked = threads(2), SimpleQueue(), [Blocked(), Blocked()]
    for work in blocked:
        pool.run(work)
    for number in range(5):
        pool.run(lambda number=number: done.put((number, threading.current_thread().name)))
    for work in blocked:
        assert work.begun.wait(LIMIT_S)
    assert done.empty()
    blocked[1].let.set()
    assert [done.get(timeout=LIMIT_S) for _ in range(5)] == [(n, "pool_1") for n in range(5)]
    blocked[0].let.set()


def test_one_call_after_another_needs_few_threads(threads):
    """More than one, as the call before may have answered without being idle yet."""
    pool, names = threads(), SimpleQueue()
    seen = set()
    for _ in range(200):
        pool.run(lambda: names.put(threading.current_thread().name))
        seen.add(names.get(timeout=LIMIT_S))
    assert len(seen) < 20


def test_work_that_no_thread_can_be_started_for_never_runs(threads, monkeypatch):
    pool, ran = threads(), SimpleQueue()
    first = Blocked()
    pool.run(first)
    assert first.begun.wait(LIMIT_S)

    def refuse(self):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            pool.run(lambda: ran.put("refused"))
    pool.run(lambda: ran.put("after"))
    assert ran.get(timeout=LIMIT_S) == "after"
    first.let.set()
    assert ran.empty()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_work_raises_is_said_and_others_go_on(threads, monkeypatch):
    pool, said, done = threads(1), SimpleQueue(), SimpleQueue()
    monkeypatch.setattr(threading, "excepthook", lambda told: said.put(told.exc_value))
    pool.run(lambda: 1 // 0)
    assert isinstance(said.get(timeout=LIMIT_S), ZeroDivisionError)
    for thread in threading.enumerate():
        if thread.name == "pool_0":
            thread.join(LIMIT_S)
    pool.run(lambda: done.put("others"))
    assert done.get(timeout=LIMIT_S) == "others"


def test_who_waits_is_given_what_comes_out(threads):
    pool, blocked = threads(1), Blocked()
    assert pool.submit(lambda: 5).result(LIMIT_S) == 5
    assert isinstance(pool.submit(lambda: 1 // 0).exception(LIMIT_S), ZeroDivisionError)
    pool.run(blocked)
    unwanted = pool.submit(lambda: 6)
    assert unwanted.cancel()
    blocked.let.set()
    assert pool.submit(lambda: 7).result(LIMIT_S) == 7


def test_stop_drops_what_waits_and_takes_nothing_more(threads):
    pool, ran, blocked = threads(1), SimpleQueue(), Blocked()
    pool.run(blocked)
    pool.run(lambda: ran.put("waited"))
    assert blocked.begun.wait(LIMIT_S)
    pool.stop()
    with pytest.raises(RuntimeError, match="stopped"):
        pool.run(lambda: ran.put("late"))
    blocked.let.set()
    for thread in threading.enumerate():
        if thread.name == "pool_0":
            thread.join(LIMIT_S)
    assert ran.empty()
