"""The worker Protocol, and the values that cross it.

They hold only what the Functions worker protocol (FunctionRpc.proto: InvocationRequest,
InvocationResponse,
RpcFunctionMetadata, RpcLog) can carry, so that an official gRPC worker can stand behind the same
Protocol.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from durahost.model.functions import FunctionFailure, FunctionMetadata
from durahost.model.ids import InvocationId
from durahost.model.values import dataclass

DataKind = Literal[
    "string",
    "json",
    "bytes",
    "http",
    "int",
    "double",
    "collection_string",
    "collection_bytes",
    "collection_sint64",
]


class TypedData(NamedTuple):
    """A value and the field of TypedData it travels in.

    string, json: str (json is JSON text). bytes: bytes. http: HttpData. int, double: a number.
    collection_*: a sequence of str, bytes or int.
    """

    kind: DataKind
    value: Any


@dataclass(frozen=True, slots=True)
class HttpData:
    """RpcHttp, request or response.

    Request: method, url, headers (lower-case names), query, params (route values), body.
    Response: status, headers, cookies (one mapping per cookie, RpcHttpCookie's fields), body.
    """

    method: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    status: str = ""
    cookies: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class AppSource:
    """What to load: the app root, and its functions when the host read them from function.json.

    functions None: the worker indexes the app itself (decorator model), `script_file` names the
    module.
    """

    root: Path
    functions: Sequence[FunctionMetadata] | None = None
    script_file: str = "function_app.py"


@dataclass(frozen=True, slots=True)
class LoadedApp:
    """Functions that stand, and those that do not with the reason; failing ones do not take others
    down.

    has_web_server: its HTTP functions get their requests through a server of the worker's own
    (capability HttpUri), so their calls need an exchange.
    """

    functions: Sequence[FunctionMetadata]
    failures: Sequence[FunctionFailure] = ()
    has_web_server: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAsk:
    """Have the orchestrator of a call live on; a worker that cannot just makes the call.

    key: its name from this call on. follows: the name it has, where the trigger's value is what it
    has not seen. child: who has it. replaces: one that is of no use any more. idle_s: how long it
    may stay unused.
    """

    key: str
    follows: str | None = None
    child: str | None = None
    replaces: str | None = None
    idle_s: float = 30.0


@dataclass(frozen=True, slots=True)
class SessionState:
    """Whether the orchestrator lives on, where, and how many actions its answer leaves out."""

    child: str
    is_alive: bool
    kept: int = 0


class HttpExchange(Protocol):
    """A client's request that is passed on to a worker's web server, and the answer to it."""

    async def forward(self, address: str, invocation_id: InvocationId) -> None:
        """Pass on both, as they come; how that ends is for the exchange to remember.

        address: `http://host:port`. Cancelled when the worker has ended.
        """
        ...


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of one function; `inputs` by binding name, the trigger included.

    retry_exception: what the call before this one failed with, message and stack.
    exchange: of an HTTP function, when the app has a web server; the value returned is None then.
    then: what is to be called at once when this one has returned; a worker need not do it.
    """

    invocation_id: InvocationId
    function: str
    inputs: Mapping[str, TypedData | None]
    trigger_metadata: Mapping[str, TypedData | None] = field(default_factory=dict)
    trace_parent: str = ""
    trace_state: str = ""
    retry_count: int = 0
    max_retry_count: int = 0
    retry_exception: tuple[str, str] = ("", "")
    session: SessionAsk | None = None
    exchange: HttpExchange | None = None
    then: "Following | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """A call that follows another one, whose answer it needs, without anybody asking for it first.

    call: without its trigger's value. trigger: the binding. pieces: of that value, a text; between
    them stand when the other call returned (as `Begun.at`), what it returned (a JSON string with
    the text, or null), and once more when.
    """

    call: Invocation
    trigger: str
    pieces: Sequence[str]


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that has begun by following another one.

    at: when the other one returned, UTC, as Newtonsoft writes it. answer: waits for what the call
    gives, as `Worker.invoke` does; it may be left unasked.
    """

    invocation_id: InvocationId
    at: str
    answer: Callable[[], Awaitable["Returned | Raised"]]


@dataclass(frozen=True, slots=True)
class Returned:
    """The function returned; `outputs` by binding name, left out when never set.

    sites: of an orchestrator, where each of its actions was asked for (`file:line`, None when not
    known), one per batch under replay schema V1; empty from a worker that cannot tell.
    then: the call that has begun by following this one.
    """

    value: TypedData | None = None
    outputs: Mapping[str, TypedData] = field(default_factory=dict)
    sites: Sequence[str | None] = ()
    session: SessionState | None = None
    then: Begun | None = None


@dataclass(frozen=True, slots=True)
class Raised:
    """The function, or the worker on its behalf, raised; nothing of ours failed.

    message: without the type; on the wire it is `{error_type}: {message}` (RpcException.message).
    error_type: empty when the exception could not be made text; the message stands alone then.
    sites: as of Returned, for an orchestrator's state travels in what it raises.
    """

    error_type: str
    message: str
    stack_trace: str
    sites: Sequence[str | None] = ()
    session: SessionState | None = None

    @property
    def wire_message(self) -> str:
        """RpcException.message."""
        return f"{self.error_type}: {self.message}" if self.error_type else self.message


@dataclass(frozen=True, slots=True)
class WorkerLog:
    """One log record or output line of user code.

    level: a `logging` level number. category: logger name; "" for stdout and stderr.
    invocation_id: None outside an invocation (import time, foreign threads).
    """

    level: int
    category: str
    message: str
    invocation_id: InvocationId | None = None
    function: str | None = None
    is_system: bool = False


LogSink = Callable[[WorkerLog], None]

Invoking = Coroutine[Any, Any, Returned | Raised]
"""A call of `Worker.invoke`; who has nothing to add to another's gives that."""


class Worker(Protocol):
    """Where user code runs. Implementations: child process, in process (tests), official gRPC
    worker (later).
    """

    async def load(self, app: AppSource) -> LoadedApp:
        """Index the app; a function that does not load is listed with its error, the others stand.

        Errors: AppLoadError when nothing of it can be loaded (a decorator app that does not
        import);
        WorkerExited when the process died meanwhile.
        """
        ...

    async def invoke(self, call: Invocation, *, deadline_s: float) -> Returned | Raised:
        """Run one invocation. User exceptions are Raised; WorkerExited only when the process died.

        Errors: SessionLost when there is no session to follow, and nothing was run; WorkerTimeout
        after `deadline_s` real seconds; the process that runs it is then replaced.
        """
        ...

    async def drain(self, grace: timedelta) -> None:
        """Let what runs end within the grace, then end the worker; what still runs then is
        WorkerExited.
        """
        ...
