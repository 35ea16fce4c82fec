"""The host's half of the conversation with one child, whatever carries the frames.

Every request is answered once, or failed by `fail`; after that the channel takes no more.
"""

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, NamedTuple

from durahost.child.wire import Frame, ProtocolError, Value, pack, unpack
from durahost.codec.unicode import replace_surrogates
from durahost.model.errors import AppLoadError, SessionLost, WorkerError, WorkerExited
from durahost.model.functions import Binding, FunctionFailure, FunctionMetadata, RetryPolicy
from durahost.model.ids import InvocationId
from durahost.worker.base import (
    AppSource,
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

OnSent = Callable[[], Callable[[], None]]
"""Called once a request is on its way; what it returns is called when the answer has come, or
cannot come any more, also when nobody waits for it by then.
"""

_NAMES = itertools.count(1)

LONGEST_INTERVAL_S = 2**31 - 1
"""Of a retry policy that gives no maximum. Source: as child/loader.py (_retry)."""


class _Open(NamedTuple):
    """A request that is not answered yet; `answer` is done when its caller has left."""

    answer: asyncio.Future[Frame]
    on_end: Callable[[], None]


def _unwatched() -> Callable[[], None]:
    return lambda: None


class Channel:
    """Pairs requests with answers, and hands log frames to the sink."""

    def __init__(self, send: Callable[[Frame], None], sink: LogSink) -> None:
        self.name = f"child {next(_NAMES)}"
        self._send = send
        self._sink = sink
        self._ids = itertools.count(1)
        self._waiting: dict[int, _Open] = {}
        self._failure: WorkerExited | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._web_address: str | None = None
        self._forwarding: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        """Requests not answered yet, those that nobody waits for any more included, and exchanges
        that have not ended.
        """
        return len(self._waiting) + len(self._forwarding)

    async def idle(self) -> None:
        """Return when nothing runs."""
        await self._idle.wait()

    async def load(self, app: AppSource) -> LoadedApp:
        """Have the child load the app. Errors: AppLoadError, WorkerExited."""
        functions = None if app.functions is None else [_written(one) for one in app.functions]
        answer = await self._request(
            "load",
            {"root": str(app.root), "functions": functions, "script_file": app.script_file},
        )
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

    async def invoke(self, call: Invocation, on_sent: OnSent = _unwatched) -> Returned | Raised:
        """Have the child run the function. Errors: SessionLost, WorkerExited."""
        try:
            answer = await self._ask(call, on_sent)
        except ProtocolError as error:  # the call is too large, today and at every other try
            return Raised(type(error).__name__, str(error), "")
        fields = answer.fields
        sites = fields.get("sites", ())
        if answer.kind == "session_lost":
            raise SessionLost(f"{self.name} does not keep the orchestrator of '{call.function}'")
        session = self._session(fields)
        if answer.kind == "raised":
            names = ("error_type", "message", "stack_trace")
            error_type, message, stack = (_text(fields[name], answer.parts) for name in names)
            return Raised(error_type, message, stack, sites, session)
        outputs = {
            name: data
            for name, one in fields["outputs"].items()
            if (data := _typed(unpack(one, answer.parts))) is not None
        }
        return Returned(_typed(unpack(fields["value"], answer.parts)), outputs, sites, session)

    async def _ask(self, call: Invocation, on_sent: OnSent) -> Frame:
        """The child's answer; with an exchange, once that has ended, too."""
        parts: list[bytes] = []
        request = _written_call(call, parts)
        address, exchange = self._web_address, call.exchange
        if address is None or exchange is None:
            return await self._request("invoke", request, parts, on_sent)
        request["is_forwarded"] = True
        forwarding: asyncio.Task[None] | None = None

        def begin() -> Callable[[], None]:
            nonlocal forwarding
            forwarding = self._track(exchange.forward(address, call.invocation_id))
            return on_sent()

        try:
            answer = await self._request("invoke", request, parts, begin)
            if forwarding is not None:
                await forwarding
            return answer
        finally:
            if forwarding is not None and not forwarding.done():
                forwarding.cancel()
                await asyncio.wait([forwarding])

    def _track(self, forwarding: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(forwarding, name="forward")
        self._forwarding.add(task)
        self._idle.clear()

        def end(_: asyncio.Task[None]) -> None:
            self._forwarding.discard(task)
            self._note_idle()

        task.add_done_callback(end)
        return task

    def _session(self, fields: Mapping[str, Any]) -> SessionState | None:
        told = fields.get("session")
        return told and SessionState(self.name, told["is_alive"], told["kept"])

    def receive(self, frame: Frame) -> None:
        """Take a frame of the child."""
        if frame.kind == "log":
            self._sink(_log(frame.fields))
            return
        ended = self._waiting.pop(frame.fields["id"], None)
        self._note_idle()
        if ended is None:
            return
        ended.on_end()
        if ended.answer.done():
            return
        if frame.kind == "error":
            ended.answer.set_exception(WorkerError(frame.fields["message"]))
        else:
            ended.answer.set_result(frame)

    def fail(self, failure: WorkerExited) -> None:
        """Fail what runs and all that comes; the first failure stays."""
        self._failure = self._failure or failure
        waiting, self._waiting = self._waiting, {}
        self._note_idle()
        for failed in waiting.values():
            failed.on_end()
            if not failed.answer.done():
                failed.answer.set_exception(WorkerExited(str(failure), failure.stderr))

    async def _request(
        self,
        kind: str,
        fields: Mapping[str, Any],
        parts: Sequence[bytes] = (),
        on_sent: OnSent = _unwatched,
    ) -> Frame:
        if self._failure is not None:
            raise WorkerExited(str(self._failure), self._failure.stderr)
        number = next(self._ids)
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._send(Frame(kind, {"id": number, **fields}, parts))
        self._waiting[number] = _Open(answer, on_sent())
        self._idle.clear()
        return await answer

    def _note_idle(self) -> None:
        if not self.running:
            self._idle.set()


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
    return {
        "invocation_id": call.invocation_id,
        "function": call.function,
        "inputs": _packed(call.inputs, parts),
        "metadata": _packed(call.trigger_metadata, parts),
        "trace_parent": call.trace_parent,
        "trace_state": call.trace_state,
        "retry_count": call.retry_count,
        "max_retry_count": call.max_retry_count,
        "retry_exception": dict(zip(("message", "stack_trace"), call.retry_exception, strict=True)),
        "session": None if call.session is None else asdict(call.session),
        "is_forwarded": False,
    }


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
    return {name: pack(_untyped(data), parts) for name, data in values.items()}


def _untyped(data: TypedData | None) -> Value | None:
    if data is None:
        return None
    if not isinstance(data.value, HttpData):
        return data.kind, data.value
    request = data.value
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
    if kind == "http":
        return TypedData("http", HttpData(**content))
    return TypedData(kind, content)  # type: ignore[arg-type]  # the child sends no other kind


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
