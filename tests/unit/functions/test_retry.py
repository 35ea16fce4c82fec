"""Retry policies: how they are read, and the pauses they make."""

import itertools
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durahost.functions.retry import SPREAD, parse_policy, pauses, supports_retry
from durahost.model.functions import Binding, FunctionMetadata, RetryPolicy

pytestmark = pytest.mark.feature("Functions host", "Retry policies")

SECOND = timedelta(seconds=1)


def seconds(count):
    return timedelta(seconds=count)


def test_names_compare_without_case():
    written = {"Strategy": "FIXEDDELAY", "MaxRetryCount": "3", "delayinterval": "00:00:10"}
    assert parse_policy(written) == RetryPolicy(3, seconds(10), seconds(10), is_fixed=True)


def test_exponential_backoff_is_the_default_strategy():
    written = {"maxRetryCount": -1, "minimumInterval": "00:00:04", "maximumInterval": "00:15:00"}
    assert parse_policy(written) == RetryPolicy(-1, seconds(4), timedelta(minutes=15))


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ({"maxRetryCount": "many"}, "many"),
        (
            {"strategy": "fixedDelay", "maxRetryCount": 1, "delayInterval": "soon"},
            "String 'soon' was not recognized as a valid TimeSpan.",
        ),
        (
            {"strategy": "fixedDelay", "maxRetryCount": 1, "delayInterval": "-00:00:01"},
            "The TimeSpan must not be negative. (Parameter 'delayInterval')",
        ),
        (
            {"maxRetryCount": 1, "minimumInterval": "00:00:02", "maximumInterval": "00:00:01"},
            "The minimumInterval must not be greater than the maximumInterval.",
        ),
    ],
)
def test_what_is_no_policy_is_refused(written, text):
    with pytest.raises(ValueError, match=text.replace("(", r"\(").replace(")", r"\)")):
        parse_policy(written)


def test_a_fixed_delay_stays():
    policy = RetryPolicy(-1, SECOND, SECOND, is_fixed=True)
    assert list(itertools.islice(pauses(policy, lambda: 0.9), 5)) == [SECOND] * 5


def test_exponential_backoff_doubles_up_to_the_maximum():
    policy = RetryPolicy(-1, SECOND, seconds(10))
    found = list(itertools.islice(pauses(policy, lambda: 0.5), 8))
    # The minimum, and then the minimum beside each power of two.
    assert found == [seconds(n) for n in (1, 2, 3, 5, 9, 10, 10, 10)]


@given(
    least=st.integers(0, 10**6),
    spread=st.integers(0, 10**9),
    random=st.floats(0, 1, exclude_max=True),
)
def test_a_pause_lies_between_minimum_and_maximum_and_never_falls(least, spread, random):
    policy = RetryPolicy(-1, seconds(least), seconds(least + spread))
    found = list(itertools.islice(pauses(policy, lambda: random), 70))
    assert found == sorted(found)
    assert all(policy.minimum <= one <= policy.maximum for one in found)
    if least:
        assert found[-1] == policy.maximum
        second = policy.minimum * (1 + 1 - SPREAD), policy.minimum * (1 + 1 + SPREAD)
        assert second[0] <= found[1] <= second[1] or found[1] == policy.maximum


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ("timerTrigger", True),
        ("EventHubTrigger", True),
        ("kafkaTrigger", True),
        ("cosmosDBTrigger", True),
        ("httpTrigger", False),
        ("queueTrigger", False),
        ("blobTrigger", False),
        ("activityTrigger", False),
        ("orchestrationTrigger", False),
    ],
)
def test_triggers_that_repeat(trigger, expected):
    function = FunctionMetadata("f", Path(), Path(), "", [Binding("t", trigger, "in")])
    assert supports_retry(function) is expected
