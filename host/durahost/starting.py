"""`durahost start`: the child is started first, the rest of the host is imported meanwhile.

Importing the host takes about as long as the child's importing of the SDK and the app; on two cores
both happen in the time of one. So this module imports what the child needs and no more, which
tests/unit/test_start_imports.py holds it to.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path

from durahost.clock import RealClock
from durahost.opening import StartOptions, open_app
from durahost.reports import Configured, Reporter


def run(options: StartOptions, *, cwd: Path, environ: Mapping[str, str], report: Reporter) -> None:
    """Serve until SIGINT or SIGTERM. Errors: HostError when the host cannot start."""

    async def until_signal() -> None:
        stopping = asyncio.Event()
        with _stop_signals(stopping):
            await _serve(options, cwd, environ, report, stopping)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(until_signal())
    if options.is_in_process:
        # Threads that still run the app's code would hold the interpreter's own exit up.
        logging.shutdown()
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(0)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's, which takes less of a core per request; asyncio's own where there is none."""
    try:
        import uvloop
    except ImportError:  # Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _serve(
    options: StartOptions,
    cwd: Path,
    environ: Mapping[str, str],
    report: Reporter,
    stopping: asyncio.Event,
) -> None:
    opened = open_app(options, cwd=cwd, environ=environ, clock=RealClock())
    report(Configured(opened.app.host.log_levels))
    async with AsyncExitStack() as stack:
        if not options.is_in_process:
            await stack.enter_async_context(opened.loader.ahead())
        # On a thread, for it is the loop that starts the child.
        serve = await asyncio.to_thread(_import_host)
        await serve(opened, report=report, stopping=stopping)


def _import_host() -> Callable[..., Coroutine[None, None, None]]:
    from durahost.app import serve

    return serve


@contextmanager
def _stop_signals(stopping: asyncio.Event) -> Iterator[None]:
    """The first signal stops gracefully, the second at once: children end as their pipe closes."""

    def stop() -> None:
        if stopping.is_set():
            logging.shutdown()
            os._exit(1)
        stopping.set()

    loop = asyncio.get_running_loop()
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        yield
    except NotImplementedError:  # Windows: no handlers in the loop
        signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(stop))
        yield
    finally:
        if os.name == "posix":
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
