"""A worker on a thread of the calling process, the child's own code behind the same Protocol.

For tests and `--in-process` debugging. What only a process can give is missing: a deadline ends the
worker, not the thread that runs over it; print and the working directory are the caller's; modules
and `sys.path` are shared (`surroundings.py`).
"""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from durahost.child.logs import LogFrames, Scopes
from durahost.child.runtime import Runtime
from durahost.child.wire import Frame
from durahost.model.errors import WorkerExited
from durahost.worker.base import AppSource, Invocation, Invoking, LoadedApp, LogSink
from durahost.worker.channel import Channel
from durahost.worker.surroundings import Surroundings

_T = TypeVar("_T")

JOIN_LIMIT_S = 2.0


class InProcessWorker:
    """Runs the app in this process; the thread starts with `load`.

    surroundings: one for all workers of the process, when several stand at a time.
    """

    def __init__(self, sink: LogSink, surroundings: Surroundings | None = None) -> None:
        self._channel = Channel(self._to_child, self._end, sink)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runtime: Runtime | None = None
        self._surroundings = surroundings or Surroundings()
        self._handler: LogFrames | None = None
        self._thread: threading.Thread | None = None
        # Not the context of the invocation that speaks: its log records would come round again.
        self._context = contextvars.copy_context()
        self._ended = asyncio.Event()
        self._reason = WorkerExited("the worker was never started")

    @property
    def name(self) -> str:
        """What its sessions say of where they are."""
        return self._channel.name

    @property
    def running(self) -> int:
        """How many requests it has not answered yet."""
        return self._channel.running

    @property
    def is_standing(self) -> bool:
        """Whether it takes calls."""
        return self._runtime is not None and not self._ended.is_set()

    async def wait_exited(self) -> WorkerExited:
        """Return why it ended, once it has."""
        await self._ended.wait()
        return self._reason

    async def load(self, app: AppSource) -> LoadedApp:
        """Start the thread and index the app. Errors: AppLoadError, WorkerExited."""
        self._loop = asyncio.get_running_loop()
        scopes = Scopes()
        self._handler = LogFrames(self._to_host, scopes, is_guest=True)
        self._surroundings.enter(app.root, self._handler)
        self._runtime = Runtime(self._to_host, self._leave, scopes, self._handler)
        self._thread = threading.Thread(target=self._runtime.run, name="worker", daemon=True)
        self._thread.start()
        try:
            return await self._channel.load(app)
        except BaseException:
            self._end("the app did not load")
            raise

    def invoke(self, call: Invocation, *, deadline_s: float) -> Invoking:
        """Run one invocation. Errors: WorkerExited; WorkerTimeout, which ends the worker."""
        return self._channel.invoke(call, deadline_s)

    async def drain(self, grace: timedelta) -> None:
        """Wait for what runs, then stop; threads that go on are left to themselves."""
        try:
            async with asyncio.timeout(grace.total_seconds()):
                await self._channel.idle()
        except TimeoutError:
            pass
        finally:
            self._end("the worker was stopped")
            if self._thread is not None:
                await asyncio.to_thread(self._thread.join, JOIN_LIMIT_S)

    def _to_child(self, frame: Frame) -> None:
        if self._runtime is None or not self.is_standing:
            raise WorkerExited("the worker takes no more calls")
        self._runtime.receive(frame)

    def _to_host(self, frame: Frame) -> None:
        self._on_loop(self._receive, frame)

    def _receive(self, frame: Frame) -> None:
        if not self._ended.is_set():
            self._channel.receive(frame)

    def _leave(self, code: int) -> None:
        self._on_loop(self._end, f"user code ended the worker with code {code}")

    def _on_loop(self, callback: Callable[[_T], None], argument: _T) -> None:
        # The caller's loop may have been closed over a thread that goes on.
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(callback, argument, context=self._context)

    def _end(self, why: str) -> None:
        if self._ended.is_set():
            return
        self._ended.set()
        self._reason = WorkerExited(why)
        self._channel.fail(self._reason)
        if self._runtime is not None:
            self._runtime.stop()
        if self._handler is not None:
            self._surroundings.leave(self._handler)
