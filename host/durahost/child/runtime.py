"""The child between its pipe and user code: one event loop, two thread pools.

Async functions and loading run on the loop's thread, sync functions on a pool, orchestrator and
entity episodes on a pool of their own, so that blocked activities never delay them. Frames may come
from any thread, and answers go out on the thread that made them.

A BaseException of user code other than asyncio.CancelledError (SystemExit, KeyboardInterrupt) ends
the child, as it ends the real worker, after a log line that says so. CancelledError, which the real
worker never answers, is answered as raised.
"""

import asyncio
import contextlib
import contextvars
import functools
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from . import quick_dates, quick_tuples
from .invocation import Invocation, raised_frame
from .live import Live
from .loader import AppFailure, LoadedFunctions, add_paths, load_decorated, load_folders
from .logs import LogFrames, Scopes
from .sessions import Ask, SessionLost, Sessions
from .signature import Callee
from .sites import note_sites
from .threads import Threads
from .web import SETTING as SERVED
from .web import WebServer
from .wire import Frame, ProtocolError

logger = logging.getLogger("azure_functions_worker")
"""The real worker's logger: its records are the platform's, not the app's."""

THREADS_SETTING = "PYTHON_THREADPOOL_THREAD_COUNT"

DEFAULT_THREADS = 1000
"""What the host sets for its Python workers.

Source: Azure/azure-functions-host: DefaultWorkerProcessFactory.cs (ApplyWorkerConcurrencyLimits).
"""

NOT_FORWARDED = (
    "an HTTP function of an app with a web extension gets its requests through the extension's own"
    f" server, and this call came without one; the server runs where {SERVED} is 1"
)

CANCEL_LIMIT_S = 1.0
"""How long async functions may take to end when the child stops."""


class Runtime:
    """Answers the frames it is given.

    send: takes frames from any thread. end: ends the process (or what stands for it) with a code.
    finish_output: called in the invocation's scope when it is over.
    """

    def __init__(
        self,
        send: Callable[[Frame], None],
        end: Callable[[int], None],
        scopes: Scopes,
        handler: LogFrames,
        finish_output: Callable[[], None] = lambda: None,
    ) -> None:
        self._send = send
        self._end = end
        self._scopes = scopes
        self._handler = handler
        self._finish_output = finish_output
        self._loop = asyncio.new_event_loop()
        # The names are those of the real worker's executor.
        self._pool = Threads("ThreadPoolExecutor-0", thread_count(os.environ))
        self._episodes = Threads("ThreadPoolExecutor-1", thread_count(os.environ))
        self._tasks: set[asyncio.Task[None]] = set()
        self._loaded: LoadedFunctions | None = None
        self._sessions = Sessions(end=self._end_session)
        self._expiry: asyncio.TimerHandle | None = None

    def run(self) -> None:
        """Run the event loop on this thread until `stop`; what still runs there is cancelled."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        if self._tasks:
            for task in self._tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.wait(self._tasks, timeout=CANCEL_LIMIT_S))
        self._loop.close()

    def stop(self) -> None:
        """End `run`; what still runs is left to its threads. From any thread."""
        self._pool.stop()
        self._episodes.stop()
        self._on_loop(self._loop.stop)

    def receive(self, frame: Frame) -> None:
        """Take a frame; from any thread, never blocking."""
        if frame.kind == "load":
            self._on_loop(self._load, frame)
        elif frame.kind == "invoke":
            self._invoke(frame)
        else:
            text = f"unknown frame '{frame.kind}'; host and child are of different versions"
            self._send(Frame("error", {"id": frame.fields.get("id"), "message": text}))

    def _on_loop(self, callback: Callable[..., None], *args: Any) -> None:
        self._loop.call_soon_threadsafe(callback, *args)

    def _load(self, frame: Frame) -> None:
        fields, root = frame.fields, Path(frame.fields["root"])
        add_paths(root)
        self._handler.loading_thread = threading.get_ident()
        try:
            if fields["functions"] is None:
                loaded = load_decorated(root, fields["script_file"])
            else:
                loaded = load_folders(root, fields["functions"])
        except AppFailure as error:
            self._send(Frame("load_failed", {"id": fields["id"], **error.failure}))
            return
        finally:
            self._handler.loading_thread = None
            self._finish_output()
        quick_dates.install()
        quick_tuples.install()
        self._loaded = loaded
        if loaded.web is not None:
            self._start(loaded.web.run, self._scopes.adopt)
        answer = {
            "id": fields["id"],
            "web_address": loaded.web and loaded.web.address,
            "functions": list(loaded.callees),
            "metadata": loaded.metadata,
            "failures": loaded.failures,
        }
        self._send(Frame("loaded", answer))

    def _invoke(self, frame: Frame, *, is_here: bool = False) -> None:
        """Have the call made; is_here: on this thread, if it is for one."""
        loaded = self._loaded
        callee = loaded.callees.get(frame.fields["function"]) if loaded else None
        if loaded is None or callee is None:
            if loaded and loaded.web and "is_forwarded" in frame.fields:
                invocation_id = frame.fields["invocation_id"]
                self._on_loop(self._start, loaded.web.refuse, invocation_id, NOT_FORWARDED)
            self._send(raised_frame({"id": frame.fields["id"]}, self._not_loaded(frame.fields)))
            return
        call = Invocation(frame, callee, loaded.library, self._scopes.thread_local)
        if callee.web_parameter or call.is_forwarded:
            self._on_loop(self._start, self._run_on_loop, call, self._respond, loaded.web)
        elif callee.is_async:
            self._on_loop(self._start, self._run_on_loop, call, self._returned)
        elif is_here:
            self._run(call, callee)
        else:
            pool = self._episodes if callee.is_episode else self._pool
            try:
                pool.run(functools.partial(self._run, call, callee))
            except RuntimeError as error:
                # No thread can be started (a limit of the system): this call fails, others go on.
                text = f"the worker cannot start the call: {error}"
                self._send(Frame("error", {"id": frame.fields["id"], "message": text}))

    def _not_loaded(self, fields: Mapping[str, Any]) -> dict[str, str]:
        """A function that failed to load fails every call with that failure, as on Azure."""
        failures = self._loaded.failures if self._loaded else {}
        # The real worker asserts that the id is known.
        unknown = {"error_type": "AssertionError", "message": "", "stack_trace": ""}
        failure = failures.get(fields["function"], unknown)
        return {name: failure[name] for name in unknown}

    def _start(self, run: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
        task = self._loop.create_task(run(*arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _run(self, call: Invocation, callee: Callee) -> None:
        following = self._run_one(call, callee)
        if following is not None:
            self._invoke(following, is_here=True)

    def _run_one(self, call: Invocation, callee: Callee) -> Frame | None:
        """Answer the call; what is to follow it."""
        with self._scopes.enter(call.invocation_id, callee.name):
            try:
                run = self._run_episode if callee.is_episode else Invocation.run
                answer = call.returned(run(call))
            except SessionLost:
                answer = call.lost()
            except Exception as error:  # noqa: BLE001  # the user's failure is data
                answer = call.raised(error)
            except BaseException as error:  # noqa: BLE001  # ends the child, said aloud
                self._leave(error, callee)
                return None
            answer, following = call.join_following(answer)
            self._answer(call, answer)
            return following

    def _run_episode(self, call: Invocation) -> Any:
        with note_sites(call.sites):
            return call.run() if call.ask is None else self._go_on(call.ask, call)

    def _go_on(self, ask: Ask, call: Invocation) -> Any:
        """Have the orchestrator live on; one with extensions around each call, or more than its
        context, cannot.
        """
        arguments = call.arguments()
        if call.has_extensions or list(arguments) != ["context"]:
            if ask.follows is not None:
                raise SessionLost(ask.follows)
            return call.run()
        answer = self._sessions.run(ask, call.callee.call, arguments["context"], call.sites)
        if ask.is_alive and self._expiry is None:
            self._on_loop(self._expire)
        return answer

    def _expire(self) -> None:
        """End unused sessions, now and whenever the next one is due."""
        due_s = self._sessions.expire()
        self._expiry = None if due_s is None else self._loop.call_later(due_s, self._expire)

    def _end_session(self, live: Live) -> None:
        """Its code may still do something at its end: on a thread, and in nobody's name."""
        with contextlib.suppress(RuntimeError):  # no thread any more: the child stops
            self._episodes.run(functools.partial(self._close, live))

    def _close(self, live: Live) -> None:
        self._scopes.thread_local.invocation_id = None
        live.close()
        self._finish_output()

    async def _run_on_loop(
        self, call: Invocation, run: Callable[..., Awaitable[Frame]], *more: Any
    ) -> None:
        callee = call.callee
        with self._scopes.enter(call.invocation_id, callee.name):
            try:
                answer = await run(call, *more)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # as above
                answer = call.raised(error)
            except BaseException as error:  # noqa: BLE001  # as above
                self._leave(error, callee)
                return
            self._answer(call, answer)

    async def _returned(self, call: Invocation) -> Frame:
        return call.returned(await call.run_async())

    async def _respond(self, call: Invocation, web: "WebServer | None") -> Frame:
        """Let the web extension's server answer the client, and the host once that is done."""
        if web is None or not call.is_forwarded:
            raise RuntimeError(NOT_FORWARDED)
        meeting = await web.meet(call.invocation_id)
        try:
            answer, outcome = await self._outcome(call, web, meeting.request)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # as above
            answer, outcome = call.raised(error), error
        failure = await meeting.respond(outcome)
        return call.raised(failure) if failure and answer.kind == "returned" else answer

    async def _outcome(self, call: Invocation, web: WebServer, request: Any) -> tuple[Frame, Any]:
        """Run the function: what the host is answered, and what the server is to send."""
        web.set_route(request, call.route_parameters)
        call.request = request
        if call.callee.is_async:
            result = await call.run_async()
            return call.returned(result), result
        in_scope = contextvars.copy_context().run
        running = self._pool.submit(functools.partial(in_scope, self._run_here, call))
        return await asyncio.wrap_future(running)

    def _run_here(self, call: Invocation) -> tuple[Frame, Any]:
        try:
            result = call.run()
            return call.returned(result), result
        except Exception as error:  # noqa: BLE001  # as above
            return call.raised(error), error
        finally:
            self._finish_output()

    def _answer(self, call: Invocation, answer: Frame) -> None:
        self._finish_output()
        try:
            self._send(answer)
        except (ProtocolError, ValueError) as error:  # too large, or a number of too many digits
            self._send(call.raised(error))

    def _leave(self, error: BaseException, callee: Callee) -> None:
        name = type(error).__name__
        logger.error(
            "function '%s' raised %s(%s), which ends the worker process, as on Azure; return or"
            " raise an Exception instead",
            callee.name,
            name,
            error,
            exc_info=error,
        )
        self._finish_output()
        code = error.code if isinstance(error, SystemExit) else 1
        self._end(code if isinstance(code, int) else int(code is not None))


def thread_count(environ: Mapping[str, str]) -> int:
    """The size of a thread pool. Texts: Azure/azure-functions-python-worker: dispatcher.py."""
    written = environ.get(THREADS_SETTING)
    if written is None:
        return DEFAULT_THREADS
    try:
        count = int(written)
    except ValueError:
        logger.warning("%s must be an integer", THREADS_SETTING)
        return DEFAULT_THREADS
    if count < 1:
        logger.warning(
            "%s must be set to a value between 1 and sys.maxint. Reverting to default value for"
            " max_workers",
            THREADS_SETTING,
        )
        return DEFAULT_THREADS
    return count
