"""How many requests are under way at once: the rest waits, and what is too much gets 429.

Source: Azure/azure-functions-host: HttpRequestQueue.cs, Middleware/HttpThrottleMiddleware.cs.
"""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import nullcontext
from typing import Any, TypeVar

from durahost.config.settings import HttpSettings

logger = logging.getLogger(__name__)

T = TypeVar("T")

UNLIMITED = -1
REJECTED_HEADERS = {"x-function-scaleout": "1"}
"""Source: Azure/azure-functions-host: ScriptConstants.cs (AntaresScaleOutHeaderName)."""


class Throttle:
    """Lets a number of requests run, and a number of them be there at all.

    most_outstanding: those that run or wait. most_concurrent: those that run. -1 is no limit.
    """

    def __init__(self, most_outstanding: int, most_concurrent: int) -> None:
        self._most_outstanding = most_outstanding
        self._outstanding = 0
        self._slots = (
            nullcontext() if most_concurrent == UNLIMITED else asyncio.Semaphore(most_concurrent)
        )

    @classmethod
    def of(cls, http: HttpSettings) -> "Throttle | None":
        """The throttle that host.json asks for; None when it asks for none."""
        limits = (http.max_outstanding_requests, http.max_concurrent_requests)
        return None if limits == (UNLIMITED, UNLIMITED) else cls(*limits)

    async def run(self, answer: Coroutine[Any, Any, T]) -> T | None:
        """Make the answer when it is its turn; None when too many wait already."""
        if self._most_outstanding != UNLIMITED and self._outstanding >= self._most_outstanding:
            answer.close()
            # Text: HttpThrottleMiddleware.cs (Invoke).
            text = "Http request queue limit of %d has been exceeded."
            logger.info(text, self._most_outstanding)
            return None
        self._outstanding += 1
        try:
            async with self._slots:
                return await answer
        finally:
            self._outstanding -= 1
            answer.close()
