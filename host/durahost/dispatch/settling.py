"""Ending one work item: failed work is given back."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta

from durahost.model.errors import (
    AppLoadError,
    HostError,
    LeaseLost,
    StoreError,
    WorkerError,
    WorkGone,
)
from durahost.model.instances import Lease

logger = logging.getLogger(__name__)

MAX_DELAY = timedelta(seconds=600)
"""Source: Azure/durabletask: TaskHubQueue.cs (AbandonMessageAsync)."""

LOAD_DELAY_LIMIT = timedelta(seconds=2)
"""Code that does not load is mended by its developer, who then waits for it."""

Abandon = Callable[[Lease, timedelta], Awaitable[None]]


def retry_delay(attempts: int, at_most: timedelta = MAX_DELAY) -> timedelta:
    """Wait before what could not be done is tried again: 0.25 s, doubling to the limit, no end."""
    return min(timedelta(seconds=0.25 * 2 ** min(attempts - 1, 20)), at_most)


async def do_or_abandon(
    work: Coroutine[None, None, None], lease: Lease, *, attempts: int, what: str, abandon: Abandon
) -> None:
    """Do the work; when it cannot be done now, release the claim so that it is tried again.

    what: names the work in the log. One of the four edges where every exception is caught: a
    failure
    here is ours, never the user's, and no work item may take the loop down.
    """
    try:
        await work
    except WorkGone:
        logger.warning(
            "%s ended too late: its instance had ended, was purged or begun anew meanwhile; what "
            "it gave is dropped.",
            what,
        )
    except LeaseLost:
        # The number of what is gone may be that of other work by now, which is claimed.
        logger.warning(
            "%s was claimed by somebody else, or is gone with its instance; what it gave is "
            "dropped.",
            what,
        )
    except asyncio.CancelledError:
        await _give_back(lease, timedelta(0), abandon)
        raise
    except Exception as error:  # noqa: BLE001
        is_load_failure = isinstance(error, AppLoadError)
        delay = retry_delay(attempts, LOAD_DELAY_LIMIT if is_load_failure else MAX_DELAY)
        if attempts == 1 or not is_load_failure:
            _log_failure(error, what, delay)
        await _give_back(lease, delay, abandon)


def _log_failure(error: Exception, what: str, delay: timedelta) -> None:
    known = isinstance(error, WorkerError | StoreError | HostError)
    logger.log(
        logging.WARNING if known else logging.ERROR,
        "%s could not be done and is tried again in %.2f s: %s",
        what,
        delay.total_seconds(),
        str(error) or type(error).__name__,
        exc_info=None if known else error,
    )


async def _give_back(lease: Lease, delay: timedelta, abandon: Abandon) -> None:
    try:
        await abandon(lease, delay)
    except StoreError as error:
        logger.warning("The claim on %s %s is left to lapse: %s", lease.kind, lease.key, error)
