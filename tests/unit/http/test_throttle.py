"""maxOutstandingRequests and maxConcurrentRequests."""

import asyncio
from pathlib import Path

import pytest
from api_support import CallableWorker, Target

from durahost.config.settings import HttpSettings
from durahost.http.front_settings import FrontSettings
from durahost.http.throttle import Throttle
from durahost.model.functions import Binding, FunctionMetadata
from durahost.registry import Registry
from durahost.worker.base import Returned, TypedData

pytestmark = pytest.mark.feature(
    "Functions host", "`maxOutstandingRequests`, `maxConcurrentRequests`"
)


class SlowWorker(CallableWorker):
    """Each call waits until it is let go."""

    def __init__(self):
        super().__init__()
        self.running = 0
        self.most = 0
        self.may_end = asyncio.Event()
        self.called = asyncio.Semaphore(0)

    async def invoke(self, call, *, deadline_s):
        self.running += 1
        self.most = max(self.most, self.running)
        self.called.release()
        await self.may_end.wait()
        self.running -= 1
        return Returned(TypedData("string", "served"))


def target(most_outstanding, most_concurrent=-1):
    http = HttpSettings(
        max_outstanding_requests=most_outstanding, max_concurrent_requests=most_concurrent
    )
    made = Target(worker=SlowWorker(), front=FrontSettings(http=http))
    bindings = [Binding("req", "httpTrigger", "in"), Binding("$return", "http", "out")]
    function = FunctionMetadata("Slow", Path("/f"), Path("/f/x.py"), "", bindings)
    made.serve(Registry.of([function]))
    return made


async def test_one_too_many_is_refused_and_others_go_on(caplog):
    caplog.set_level("INFO")
    made = target(2)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = [group.create_task(made.send("GET", "/api/Slow")) for _ in range(2)]
        for _ in running:
            await made.worker.called.acquire()
        for path in ("/api/Slow", "/nowhere", "/runtime/webhooks/durabletask/instances"):
            refused = await made.send("GET", path)
            assert (refused.status_code, refused.content) == (429, b"")
            assert refused.headers["x-function-scaleout"] == "1"
        home = await made.send("GET", "/")
        assert (home.status_code, home.headers["x-function-scaleout"]) == (200, "1")
        assert (await made.send("GET", "/admin/host/status")).status_code == 200
        assert (await made.send("GET", "/admin/nope")).status_code == 404
        made.worker.may_end.set()
    assert [task.result().text for task in running] == ["served"] * 2
    assert "Http request queue limit of 2 has been exceeded." in caplog.text
    assert (await made.send("GET", "/api/Slow")).text == "served"


async def test_what_may_not_run_yet_waits():
    made = target(-1, 2)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        tasks = [group.create_task(made.send("GET", "/api/Slow")) for _ in range(5)]
        for _ in range(2):
            await made.worker.called.acquire()
        assert made.worker.running == 2
        made.worker.may_end.set()
    assert made.worker.most == 2
    assert [task.result().text for task in tasks] == ["served"] * 5


async def test_what_is_given_up_or_fails_makes_room():
    throttle = Throttle(1, 1)

    async def fail():
        raise ValueError

    async def answer():
        return "done"

    waiting = asyncio.ensure_future(throttle.run(asyncio.Event().wait()))
    await asyncio.sleep(0)
    assert await throttle.run(answer()) is None
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    with pytest.raises(ValueError):  # noqa: PT011 - the test's own
        await throttle.run(fail())
    assert await throttle.run(answer()) == "done"


def test_no_limit_no_throttle():
    assert Throttle.of(HttpSettings()) is None
