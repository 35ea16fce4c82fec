"""How many threads functions have: the setting's text, and what the worker says of a bad one."""

import pytest

from durahost.child.runtime import DEFAULT_THREADS, thread_count

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
