"""What becomes of a work item that could not be done."""

import logging
from datetime import timedelta

import pytest

from durahost.dispatch.settling import do_or_abandon, retry_delay
from durahost.model.errors import AppLoadError, LeaseLost, StoreUnavailable, WorkerExited, WorkGone
from durahost.model.instances import Lease

LEASE = Lease("episode", "a", "me", 1)


async def delay_after(error, attempts):
    delays = []

    async def work():
        raise error

    async def abandon(lease, delay):
        assert lease == LEASE
        delays.append(delay)

    await do_or_abandon(work(), LEASE, attempts=attempts, what="An episode", abandon=abandon)
    return delays


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 0.25), (4, 2), (5, 2), (500, 2)])
async def test_code_that_does_not_load_is_tried_again_within_two_seconds(attempts, seconds):
    error = AppLoadError("no")
    assert await delay_after(error, attempts) == [timedelta(seconds=seconds)]


async def test_code_that_does_not_load_is_told_once(caplog):
    for attempts in (1, 2, 3):
        await delay_after(AppLoadError("the reason"), attempts)
    assert caplog.text.count("the reason") == 1


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 0.25), (5, 4), (500, 600)])
async def test_other_failures_wait_longer_and_longer(attempts, seconds):
    assert await delay_after(WorkerExited("gone"), attempts) == [timedelta(seconds=seconds)]


async def test_a_lost_lease_gives_nothing_back():
    assert await delay_after(LeaseLost("lost"), 1) == []


async def test_an_error_of_our_own_is_logged_with_its_trace_and_tried_again(caplog):
    assert await delay_after(ZeroDivisionError(), 1) == [timedelta(seconds=0.25)]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info


async def test_a_claim_that_cannot_be_given_back_lapses(caplog):
    async def work():
        raise WorkerExited("gone")

    async def abandon(lease, delay):
        raise StoreUnavailable("busy")

    await do_or_abandon(work(), LEASE, attempts=1, what="An episode", abandon=abandon)
    assert "is left to lapse: busy" in caplog.text


def test_delays_double_up_to_the_limit():
    assert [retry_delay(n).total_seconds() for n in (1, 2, 3, 12, 13, 99999)] == [
        0.25,
        0.5,
        1,
        512,
        600,
        600,
    ]
    assert retry_delay(99999, timedelta(seconds=10)) == timedelta(seconds=10)


async def test_work_that_went_with_its_instance_is_told_as_such(caplog):
    assert await delay_after(WorkGone("gone"), 1) == []
    assert "An episode ended too late: its instance had ended, was purged or" in caplog.text
    assert "somebody else" not in caplog.text
