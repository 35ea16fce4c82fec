"""A worker that is a child process, in a process group of its own, over its stdin and stdout.

Whatever ends it (a crash, a deadline, a cancelled task, the drain), the whole group is killed and
the process reaped, and every call that still runs fails with WorkerExited. When the host itself is
killed, the child ends because its pipe closes.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from durahost.model.errors import AppLoadError, WorkerExited, WorkerTimeout
from durahost.worker.base import AppSource, Invocation, Invoking, LoadedApp, LogSink
from durahost.worker.child_process import ChildProcess

logger = logging.getLogger(__name__)

BOOTSTRAP = Path(__file__).parent.parent / "child" / "bootstrap.py"

LOAD_LIMIT_S = 120.0
"""Source: Azure/azure-functions-python-worker: worker.config.json (initializationTimeout)."""

EXIT_LIMIT_S = 4.0
"""How long a child told to stop may take: its own limit for exit functions is 2 s."""

REAP_LIMIT_S = 5.0
"""How long the system may take to report the end of a killed process."""


class ProcessWorker:
    """Runs the app in a child of the given interpreter; the process starts with `load`.

    environ: the child's whole environment.
    """

    def __init__(
        self,
        interpreter: str,
        environ: Mapping[str, str],
        sink: LogSink,
        *,
        load_limit_s: float = LOAD_LIMIT_S,
    ) -> None:
        self._interpreter = interpreter
        self._environ = environ
        self._load_limit_s = load_limit_s
        self._child = ChildProcess(interpreter, sink)

    @property
    def pid(self) -> int | None:
        """The process id; None before `load`."""
        return self._child.pid

    @property
    def name(self) -> str:
        """What its sessions say of where they are."""
        return self._child.channel.name

    @property
    def running(self) -> int:
        """How many requests it has not answered yet."""
        return self._child.channel.running

    @property
    def is_standing(self) -> bool:
        """Whether it takes calls."""
        return self._child.is_standing

    async def wait_exited(self) -> WorkerExited:
        """Return why it ended, once it has."""
        await self._child.ended.wait()
        return self._child.reason

    async def load(self, app: AppSource) -> LoadedApp:
        """Start the process and index the app; a failure ends the process.

        Errors: AppLoadError, WorkerExited, WorkerTimeout after the load limit.
        """
        try:
            await self._start(app.root)
            async with asyncio.timeout(self._load_limit_s):
                return await self._child.channel.load(app)
        except WorkerExited as error:
            # It died on its own while it was spoken to: what it said last is the reason.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REAP_LIMIT_S):
                    await self._child.ended.wait()
            await self._end()
            raise self._start_failure() from error
        except TimeoutError:
            await self._end()
            raise WorkerTimeout(
                f"the app in {app.root} did not load within {self._load_limit_s:g} s; look for a"
                " module that waits for something while it is imported"
            ) from None
        except BaseException:
            await self._end()
            raise

    def invoke(self, call: Invocation, *, deadline_s: float) -> Invoking:
        """Run one invocation.

        Errors: WorkerExited; WorkerTimeout after `deadline_s`, which kills the process, and with it
        every other call that runs there.
        """
        return self._child.channel.invoke(call, deadline_s)

    async def drain(self, grace: timedelta) -> None:
        """Wait for what runs, then tell the child to stop; kill what is left, reap it always."""
        try:
            async with asyncio.timeout(grace.total_seconds()):
                await self._child.channel.idle()
        except TimeoutError:
            await self._end()
        except BaseException:
            await self._end()
            raise
        else:
            self._child.stop()
            try:
                async with asyncio.timeout(EXIT_LIMIT_S):
                    await self._child.ended.wait()
            except TimeoutError:
                pass
            finally:
                await self._end()

    def _start_failure(self) -> WorkerExited:
        reason = self._child.reason
        said = f"; it said:\n{reason.stderr}" if reason.stderr else ""
        return WorkerExited(f"{self._interpreter} could not load the app: {reason}{said}")

    async def _start(self, root: Path) -> None:
        try:
            await asyncio.get_running_loop().subprocess_exec(
                lambda: self._child,
                self._interpreter,
                str(BOOTSTRAP),
                cwd=root,
                env=dict(self._environ),
                start_new_session=True,
            )
        except OSError as error:
            raise AppLoadError(
                f"cannot start the Python interpreter '{self._interpreter}' in {root}:"
                f" {error.strerror}",
                file=self._interpreter,
                advice="check --python, VIRTUAL_ENV and the app root",
            ) from error

    async def _end(self) -> None:
        self._child.kill("the worker process was stopped")
        try:
            async with asyncio.timeout(REAP_LIMIT_S):
                await self._child.ended.wait()
        except TimeoutError:
            logger.error("process %s does not end", self.pid)
