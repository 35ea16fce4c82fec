"""The host's half of the conversation with one child, whatever carries the frames.

Every request is answered once, or failed by `fail`; after that the channel takes no more.
"""

import asyncio
import itertools
import math
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from durahost.child.following import GAP
from durahost.child.wire import Frame, ProtocolError, Value, pack, unpack
from durahost.codec.unicode import replace_surrogates
from durahost.model.errors import (
    AppLoadError,
    SessionLost,
    WorkerError,
    WorkerExited,
    WorkerTimeout,
)
from durahost.model.functions import Binding, FunctionFailure, FunctionMetadata, RetryPolicy
from durahost.model.ids import InvocationId
from durahost.worker.base import (
    AppSource,
    Begun,
    Following,
    HttpData,
    Invocation,
    LoadedApp,
    LogSink,
    Raised,
    Returned,
    SessionState,
    TypedData,
    WorkerLog,
)
from durahost.worker.timeouts import timeout_text

_NAMES = itertools.count(1)

LONGEST_INTERVAL_S = 2**31 - 1
"""Of a retry policy that gives no maximum. Source: as child/loader.py (_retry)."""


class _Open(NamedTuple):
    """A request that is not answered yet; `answer` is done when its caller has left.

    due: the loop's time by which a call must have ended, `deadline_s` after it began.
    """

    answer: asyncio.Future[Frame]
    call: Invocation | None = None
    deadline_s: float = 0.0
    due: float = math.inf


class Channel:
    """Pairs requests with answers, and hands log frames to the sink.

    end: ends the worker for a reason, so that `fail` comes; for a call that takes too long.
    """

    def __init__(
        self, send: Callable[[Frame], None], end: Callable[[str], None], sink: LogSink
    ) -> None:
        self.name = f"child {next(_NAMES)}"
        self._send = send
        self._end = end
        self._sink = sink
        self._ids = itertools.count(1)
        self._waiting: dict[int, _Open] = {}
        self._failure: WorkerExited | None = None
        self._idle: asyncio.Event | None = None
        self._web_address: str | None = None
        self._forwarding: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = math.inf
        self._overdue: tuple[_Open, str] | None = None

    @property
    def running(self) -> int:
        """Requests not answered yet, those that nobody waits for any more included, and exchanges
        that have not ended.
        """
        return len(self._waiting) + len(self._forwarding)

    async def idle(self) -> None:
        """Return when nothing runs."""
        if self.running:
            self._idle = self._idle or asyncio.Event()
            await self._idle.wait()

    async def load(self, app: AppSource) -> LoadedApp:
        """Have the child load the app. Errors: AppLoadError, WorkerExited."""
        functions = None if app.functions is None else [_written(one) for one in app.functions]
        fields = {"root": str(app.root), "functions": functions, "script_file": app.script_file}
        answer = await self._request("load", fields)
        if answer.kind == "load_failed":
            failure = answer.fields
            raise AppLoadError(
                _failure_text(failure),
                file=failure["file"],
                advice=failure["advice"],
                frames=failure["frames"],
            )
        self._web_address = answer.fields["web_address"]
        return _loaded(app, answer.fields)

    async def invoke(self, call: Invocation, deadline_s: float) -> Returned | Raised:
        """Have the child run the function, and end the worker unless the answer comes in time.

        A caller that leaves takes neither the call nor its deadline along.
        Errors: SessionLost; WorkerTimeout; WorkerExited for another reason.
        """
        loop = asyncio.get_running_loop()
        waiting = _Open(loop.create_future(), call, deadline_s, loop.time() + deadline_s)
        parts: list[bytes] = []
        fields = _written_call(call, parts)
        address, exchange = self._web_address, call.exchange
        if address is not None and exchange is not None:
            fields["is_forwarded"] = True
        if "then" in fields:
            fields["then"]["id"] = next(self._ids)
        try:
            answering = self._request("invoke", fields, parts, waiting)
        except ProtocolError as error:  # the call is too large, today and at every other try
            return Raised(type(error).__name__, str(error), "")
        if waiting.due < self._timer_due:
            self._set_timer(waiting.due)
        if address is not None and exchange is not None:
            forwarding = self._track(exchange.forward(address, call.invocation_id))
            return self._result(call, await _both(answering, forwarding))
        return self._result(call, await answering)

    def _result(self, call: Invocation, answer: Frame) -> Returned | Raised:
        kind, fields, parts = answer
        if kind == "session_lost":
            raise SessionLost(f"{self.name} does not keep the orchestrator of '{call.function}'")
        sites, told = fields.get("sites", ()), fields.get("session")
        session = told and SessionState(self.name, told["is_alive"], told["kept"])
        if kind == "raised":
            names = ("error_type", "message", "stack_trace")
            error_type, message, stack = (_text(fields[name], parts) for name in names)
            return Raised(error_type, message, stack, sites, session)
        outputs = {
            name: data
            for name, one in fields["outputs"].items()
            if (data := _typed(unpack(one, parts))) is not None
        }
        value = _typed(unpack(fields["value"], parts))
        return Returned(value, outputs, sites, session, self._begun(call, fields))

    def _begun(self, call: Invocation, fields: Mapping[str, Any]) -> Begun | None:
        if call.then is None or "then" not in fields:
            return None
        told, following = fields["then"], call.then.call
        answer = told["answer"]

        async def result() -> Returned | Raised:
            return self._result(following, await answer)

        return Begun(following.invocation_id, told["at"], result)

    def _track(self, forwarding: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(forwarding, name="forward")
        self._forwarding.add(task)

        def end(_: asyncio.Task[None]) -> None:
            self._forwarding.discard(task)
            self._note_idle()

        task.add_done_callback(end)
        return task

    def receive(self, frame: Frame) -> None:
        """Take a frame of the child."""
        if frame.kind == "log":
            self._sink(_log(frame.fields))
            return
        ended = self._waiting.get(frame.fields["id"])
        if ended is not None and "then" in frame.fields:
            # Before it is taken out: whoever waits is told if the frame cannot be understood.
            self._wait_for_following(ended, frame.fields["then"])
        self._waiting.pop(frame.fields["id"], None)
        if self._idle is not None:
            self._note_idle()
        if ended is None or ended.answer.done():
            return
        if frame.kind == "error":
            ended.answer.set_exception(WorkerError(frame.fields["message"]))
        else:
            ended.answer.set_result(frame)

    def _wait_for_following(self, ended: _Open, told: dict[str, Any]) -> None:
        """It has begun with its own time to run, whether or not anybody asks for its answer, which
        stands beside what the child told of it.
        """
        if ended.call is None or ended.call.then is None:
            raise ProtocolError("a call follows one that nothing was to follow")
        loop = asyncio.get_running_loop()
        due = loop.time() + ended.deadline_s
        answer: asyncio.Future[Frame] = loop.create_future()
        answer.add_done_callback(_note_failure)
        told["answer"] = answer
        self._waiting[told["id"]] = _Open(answer, ended.call.then.call, ended.deadline_s, due)
        if due < self._timer_due:
            self._set_timer(due)

    def fail(self, failure: WorkerExited) -> None:
        """Fail what runs and all that comes; the first failure stays."""
        self._failure = self._failure or failure
        waiting, self._waiting = self._waiting, {}
        if self._timer is not None:
            self._timer.cancel()
        self._note_idle()
        for failed in waiting.values():
            if failed.answer.done():
                continue
            if self._overdue == (failed, str(failure)):
                failed.answer.set_exception(WorkerTimeout(str(failure)))
            else:
                failed.answer.set_exception(WorkerExited(str(failure), failure.stderr))

    def _request(
        self,
        kind: str,
        fields: dict[str, Any],
        parts: Sequence[bytes] = (),
        waiting: _Open | None = None,
    ) -> asyncio.Future[Frame]:
        if self._failure is not None:
            raise WorkerExited(str(self._failure), self._failure.stderr)
        waiting = waiting or _Open(asyncio.get_running_loop().create_future())
        number = fields["id"] = next(self._ids)
        self._send(Frame(kind, fields, parts))
        self._waiting[number] = waiting
        return waiting.answer

    def _set_timer(self, due: float) -> None:
        """One for all calls, since hardly any comes to its deadline: it looks whose has passed."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = asyncio.get_running_loop().call_at(due, self._look_at_time)

    def _look_at_time(self) -> None:
        self._timer, self._timer_due = None, math.inf
        now = asyncio.get_running_loop().time()
        due = math.inf
        for waiting in self._waiting.values():
            if waiting.due <= now and waiting.call is not None:
                text = timeout_text(waiting.call, waiting.deadline_s)
                self._overdue = waiting, text
                self._end(text)
                return
            due = min(due, waiting.due)
        if due < math.inf:
            self._set_timer(due)

    def _note_idle(self) -> None:
        if self._idle is not None and not self.running:
            self._idle.set()
            self._idle = None


async def _both(answering: asyncio.Future[Frame], forwarding: asyncio.Task[None]) -> Frame:
    """The child's answer, once the exchange has ended, too."""
    try:
        answer = await answering
        await forwarding
        return answer
    finally:
        if not forwarding.done():
            forwarding.cancel()
            await asyncio.wait([forwarding])


def _written(function: FunctionMetadata) -> dict[str, Any]:
    return {
        "name": function.name,
        "directory": str(function.directory),
        "script_file": str(function.script_file),
        "entry_point": function.entry_point,
        "bindings": [
            {
                "name": binding.name,
                "type": binding.type,
                "direction": binding.direction,
                "dataType": binding.get("dataType"),
            }
            for binding in function.bindings
        ],
    }


def _written_call(call: Invocation, parts: list[bytes]) -> dict[str, Any]:
    """Without what most calls do not have."""
    fields: dict[str, Any] = {
        "invocation_id": call.invocation_id,
        "function": call.function,
        "inputs": _packed(call.inputs, parts),
    }
    if call.trigger_metadata:
        fields["metadata"] = _packed(call.trigger_metadata, parts)
    if call.trace_parent or call.trace_state:
        fields["trace"] = call.trace_parent, call.trace_state
    if call.retry_count or call.max_retry_count:
        message, stack_trace = call.retry_exception
        fields["retry"] = {
            "count": call.retry_count,
            "max_count": call.max_retry_count,
            "exception": {"message": message, "stack_trace": stack_trace},
        }
    if call.session is not None:
        ask = call.session
        fields["session"] = {
            "key": ask.key,
            "follows": ask.follows,
            "replaces": ask.replaces,
            "idle_s": ask.idle_s,
        }
    if call.then is not None:
        fields["then"] = _written_following(call.then, parts)
    return fields


def _written_following(following: Following, parts: list[bytes]) -> dict[str, Any]:
    value = TypedData("string", GAP.join(following.pieces))
    fields = _written_call(following.call, parts)
    fields["part"] = len(parts)
    fields["inputs"][following.trigger] = pack(value, parts)
    return fields


def _note_failure(answer: asyncio.Future[Frame]) -> None:
    """Nobody need ask for it, so asyncio shall not report that nobody did."""
    if not answer.cancelled():
        answer.exception()


def _text(described: Mapping[str, Any], parts: Sequence[bytes]) -> str:
    value = unpack(described, parts)
    return replace_surrogates(str(value[1])) if value else ""


def _loaded(app: AppSource, fields: Mapping[str, Any]) -> LoadedApp:
    failures = [
        FunctionFailure(name, _failure_text(one), one["file"], one["advice"], one["frames"])
        for name, one in fields["failures"].items()
    ]
    if app.functions is None:
        functions = [_indexed(app, one) for one in fields["metadata"]]
        return LoadedApp(functions, failures, fields["web_address"] is not None)
    standing = set(fields["functions"])
    return LoadedApp([one for one in app.functions if one.name in standing], failures)


def _indexed(app: AppSource, written: Mapping[str, Any]) -> FunctionMetadata:
    """Shape as the worker answers it: loader.py (process_indexed_function)."""
    return FunctionMetadata(
        name=written["name"],
        directory=app.root,
        script_file=app.root / app.script_file,
        entry_point=written["name"],
        bindings=[
            Binding(one["name"], one["type"], one["direction"], one) for one in written["bindings"]
        ],
        retry=_retry(written["retry"]),
    )


def _retry(written: Mapping[str, Any] | None) -> RetryPolicy | None:
    if written is None:
        return None
    is_fixed = written["is_fixed"]
    least, most = ("delay_interval",) * 2 if is_fixed else ("minimum_interval", "maximum_interval")
    return RetryPolicy(
        written["max_retry_count"],
        timedelta(seconds=written.get(least, 0)),
        timedelta(seconds=written.get(most, LONGEST_INTERVAL_S)),
        is_fixed=is_fixed,
    )


def _failure_text(failure: Mapping[str, Any]) -> str:
    """As RpcException.message has it."""
    return Raised(failure["error_type"], failure["message"], "").wire_message


def _packed(
    values: Mapping[str, TypedData | None], parts: list[bytes]
) -> dict[str, Mapping[str, Any] | None]:
    return {
        name: pack(_request(data.value) if data and data.kind == "http" else data, parts)
        for name, data in values.items()
    }


def _request(request: HttpData) -> Value:
    return "http", {
        "method": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "query": dict(request.query),
        "params": dict(request.params),
        "body": request.body,
    }


def _typed(value: Value | None) -> TypedData | None:
    if value is None:
        return None
    kind, content = value
    return TypedData(kind, HttpData(**content) if kind == "http" else content)  # type: ignore[arg-type]  # the child sends no other kind


def _log(fields: Mapping[str, Any]) -> WorkerLog:
    invocation_id = fields["invocation_id"]
    return WorkerLog(
        level=fields["level"],
        category=fields["category"],
        message=fields["message"],
        invocation_id=InvocationId(invocation_id) if invocation_id else None,
        function=fields["function"],
        is_system=fields["is_system"],
    )
