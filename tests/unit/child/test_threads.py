"""The threads that sync functions have, and how many: the setting's text, and what the worker says
of a bad one.
"""

import threading
from queue import SimpleQueue

import pytest

from durahost.child.runtime import DEFAULT_THREADS, thread_count
from durahost.child.threads import Lane, Threads, Work

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
    made = Threads("pool")
    yield made
    made.stop()
    for thread in threading.enumerate():
        if thread.name.startswith("pool_"):
            thread.join(LIMIT_S)
            assert not thread.is_alive()


@pytest.fixture
def lane(threads):
    """Makes lanes that all have these threads."""
    return lambda most: Lane(threads, most)


def start(lane, do):
    """Do it in the lane when its turn has come; what could not be begun."""
    refused = SimpleQueue()
    work = Work(do, refused.put)
    if lane.admit(work):
        lane.start(work)
    return refused


class Blocked:
    """Work that begins, and ends when it is let."""

    def __init__(self):
        self.begun = threading.Event()
        self.let = threading.Event()

    def __call__(self):
        self.begun.set()
        assert self.let.wait(LIMIT_S)


def test_what_blocks_delays_nobody(threads):
    meeting, met = threading.Barrier(10, timeout=LIMIT_S), SimpleQueue()
    for _ in range(10):
        threads.run(lambda: met.put(meeting.wait()))
    assert sorted(met.get(timeout=LIMIT_S) for _ in range(10)) == list(range(10))


def test_beyond_the_limit_of_a_lane_work_waits_and_keeps_its_order(lane):
    narrow, done, blocked = lane(2), SimpleQueue(), [Blocked(), Blocked()]
    for work in blocked:
        start(narrow, work)
    for number in range(5):
        start(narrow, lambda number=number: done.put((number, threading.current_thread().name)))
    for work in blocked:
        assert work.begun.wait(LIMIT_S)
    start(lane(1), lambda: done.put("another lane"))
    assert done.get(timeout=LIMIT_S) == "another lane"
    assert done.empty()
    blocked[1].let.set()
    found = [done.get(timeout=LIMIT_S) for _ in range(5)]
    assert [number for number, _ in found] == list(range(5))
    assert len({name for _, name in found}) == 1
    blocked[0].let.set()


def test_what_is_admitted_can_be_done_on_the_callers_own_thread(lane):
    narrow, done = lane(1), []
    first = Work(lambda: done.append(threading.get_ident()), done.append)
    assert narrow.admit(first)
    assert not narrow.admit(first)
    narrow.run(first)
    assert done == [threading.get_ident()] * 2
    assert narrow.admit(first)


def test_one_call_after_another_needs_few_threads(threads):
    """More than one, as the call before may have answered without being idle yet."""
    names = SimpleQueue()
    seen = set()
    for _ in range(200):
        threads.run(lambda: names.put(threading.current_thread().name))
        seen.add(names.get(timeout=LIMIT_S))
    assert len(seen) < 20


def test_work_that_no_thread_can_be_started_for_never_runs(lane, monkeypatch):
    narrow, ran = lane(2), SimpleQueue()
    first = Blocked()
    start(narrow, first)
    assert first.begun.wait(LIMIT_S)

    def refuse(self):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        for _ in range(3):
            refused = start(narrow, lambda: ran.put("refused"))
            assert str(refused.get(timeout=LIMIT_S)) == "can't start new thread"
    start(narrow, lambda: ran.put("after"))
    assert ran.get(timeout=LIMIT_S) == "after"
    first.let.set()
    assert ran.empty()


def test_who_hands_on_what_it_does_is_alone_in_being_busy(threads):
    """Else nobody might read for the child: a thread that is on its way has other work."""
    told, blocked = SimpleQueue(), Blocked()

    def try_it():
        told.put(threads.hand_on(lambda: told.put("handed on")))

    threads.run(try_it)
    assert sorted(map(str, (told.get(timeout=LIMIT_S), told.get(timeout=LIMIT_S)))) == [
        "True",
        "handed on",
    ]
    threads.run(blocked)
    assert blocked.begun.wait(LIMIT_S)
    threads.run(try_it)
    assert told.get(timeout=LIMIT_S) is False
    blocked.let.set()
    assert told.empty()


def test_what_no_thread_can_be_started_for_is_not_handed_on(threads, monkeypatch):
    told = SimpleQueue()

    def try_it():
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            try:
                threads.hand_on(lambda: told.put("never"))
            except RuntimeError as error:
                told.put(str(error))

    def refuse(self):
        raise RuntimeError("can't start new thread")

    threads.run(try_it)
    assert told.get(timeout=LIMIT_S) == "can't start new thread"
    threads.run(lambda: told.put("after"))
    assert told.get(timeout=LIMIT_S) == "after"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_work_raises_is_said_and_others_go_on(lane, monkeypatch):
    narrow, said, done, blocked = lane(1), SimpleQueue(), SimpleQueue(), Blocked()
    monkeypatch.setattr(threading, "excepthook", lambda told: said.put(told.exc_value))

    def fail():
        blocked()
        raise ZeroDivisionError

    start(narrow, fail)
    start(narrow, lambda: done.put("others"))
    blocked.let.set()
    assert isinstance(said.get(timeout=LIMIT_S), ZeroDivisionError)
    assert done.get(timeout=LIMIT_S) == "others"


def test_who_waits_is_given_what_comes_out(lane):
    narrow, blocked = lane(1), Blocked()
    assert narrow.submit(lambda: 5).result(LIMIT_S) == 5
    assert isinstance(narrow.submit(lambda: 1 // 0).exception(LIMIT_S), ZeroDivisionError)
    start(narrow, blocked)
    unwanted = narrow.submit(lambda: 6)
    assert unwanted.cancel()
    blocked.let.set()
    assert narrow.submit(lambda: 7).result(LIMIT_S) == 7


def test_stop_drops_what_waits_and_takes_nothing_more(threads, lane):
    narrow, ran, blocked = lane(1), SimpleQueue(), Blocked()
    start(narrow, blocked)
    start(narrow, lambda: ran.put("waited"))
    assert blocked.begun.wait(LIMIT_S)
    threads.stop()
    narrow.stop()
    with pytest.raises(RuntimeError, match="stopped"):
        threads.run(lambda: ran.put("late"))
    blocked.let.set()
    for thread in threading.enumerate():
        if thread.name == "pool_0":
            thread.join(LIMIT_S)
    assert ran.empty()
