"""Running one function: its inputs, its log scope, its deadline, its outputs."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from durahost.clock import Clock
from durahost.codec import failures
from durahost.functions.expressions import (
    BindingData,
    BindingFault,
    expanded,
    json_members,
)
from durahost.model.errors import SessionLost, WorkerTimeout
from durahost.model.functions import Binding, FunctionMetadata
from durahost.model.ids import InvocationId
from durahost.model.values import dataclass
from durahost.worker.base import (
    Begun,
    Following,
    HttpData,
    HttpExchange,
    Invocation,
    Raised,
    Returned,
    SessionAsk,
    TypedData,
    Worker,
)
from durahost.worker.timeouts import exceeded_text

logger = logging.getLogger(__name__)

LONGEST_LOGGED = 2**16
"""Characters of a failure that the log shows; the instance keeps all of it."""

MANUAL_REASON = "This function was programmatically called via the host APIs."
"""Why a function runs that a client of the host's own endpoints has called; requests to functions
have the same one.
"""

EXECUTED = "Executed 'Functions.%s' (%s, Id=%s, Duration=%dms)"

InputSource = Callable[[Binding], TypedData | None]
"""Makes the value of a non-trigger input binding (durableClient) for one invocation."""

OutputSink = Callable[[FunctionMetadata, InvocationId, Returned], Awaitable[Raised | None]]
"""Does what the function returned through its output bindings; Raised when that fails."""


async def no_outputs(
    function: FunctionMetadata, invocation_id: InvocationId, returned: Returned
) -> None:
    """A sink for functions whose outputs bring nothing about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a trigger hands over: its value, its metadata, and the reason shown in the log.

    reason: a callable is asked at every try. details: shown in the log below the reason.
    retry_count, max_retry_count, retry_exception: of a repeated call, as of `Invocation`.
    session: of an orchestrator that may live on. exchange: as of `Invocation`. then: what is to
    follow at once. begun: the call, where it has begun by following another one.
    """

    trigger: TypedData | None
    metadata: Mapping[str, TypedData | None] = field(default_factory=dict)
    reason: str | Callable[[], str] = MANUAL_REASON
    details: Mapping[str, str] = field(default_factory=dict)
    trace_parent: str = ""
    trace_state: str = ""
    retry_count: int = 0
    max_retry_count: int = 0
    retry_exception: tuple[str, str] = ("", "")
    session: SessionAsk | None = None
    exchange: HttpExchange | None = None
    then: "Then | None" = None
    begun: Begun | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """A call that is to follow another one; pieces: of its trigger's text, as of `Following`."""

    function: FunctionMetadata
    pieces: Sequence[str]
    session: SessionAsk | None


class Invoker:
    """Invokes functions of any generation on that generation's worker."""

    def __init__(
        self,
        clock: Clock,
        inputs: InputSource,
        timeout_s: float,
        outputs: OutputSink = no_outputs,
    ) -> None:
        self._clock = clock
        self._inputs = inputs
        self._timeout_s = timeout_s
        self._outputs = outputs

    async def invoke(
        self, worker: Worker, function: FunctionMetadata, call: Call
    ) -> Returned | Raised:
        """Run the function once, and do what its outputs ask for.

        Errors: SessionLost, WorkerExited, WorkerTimeout; StoreError of an output. What user code
        raises is Raised, and so are an output that cannot be done and a binding expression without
        a value.
        Log lines: Azure/azure-webjobs-sdk: FunctionInstanceLogger.cs, as `func start` prints them.
        """
        begun = call.begun
        invocation_id = self._new_id() if begun is None else begun.invocation_id
        if function.has_expressions:
            try:
                # The host makes up no data of services that it does not listen to.
                is_whole = call.trigger is not None and call.trigger.kind == "http"
                function = expanded(function, self._binding_data(call), is_whole=is_whole)
            except BindingFault as fault:
                _log_start(function, invocation_id, call)
                _log_unbound(function, invocation_id, fault.parameter, str(fault))
                return Raised("System.InvalidOperationException", str(fault), "")
        _log_start(function, invocation_id, call)
        begun_s = self._clock.monotonic()
        try:
            if begun is None:
                invocation = self._invocation(function, invocation_id, call)
                result = await worker.invoke(invocation, deadline_s=self._timeout_s)
            else:
                result = await begun.answer()
            if isinstance(result, Returned):
                result = await self._outputs(function, invocation_id, result) or result
        except SessionLost:
            raise
        except BaseException as error:
            took_ms = round((self._clock.monotonic() - begun_s) * 1000)
            if isinstance(error, WorkerTimeout):
                text = exceeded_text(function.name, self._timeout_s)
                _log_timeout(function, invocation_id, [str(error), text], took_ms)
            else:
                _log_end(function, invocation_id, None, took_ms)
            raise
        took_ms = round((self._clock.monotonic() - begun_s) * 1000)
        _log_end(function, invocation_id, result, took_ms)
        return result

    def _new_id(self) -> InvocationId:
        return InvocationId(str(self._clock.new_guid()))

    def _invocation(
        self, function: FunctionMetadata, invocation_id: InvocationId, call: Call
    ) -> Invocation:
        return Invocation(
            invocation_id=invocation_id,
            function=function.name,
            inputs=self._inputs_of(function, call.trigger),
            trigger_metadata=call.metadata,
            trace_parent=call.trace_parent,
            trace_state=call.trace_state,
            retry_count=call.retry_count,
            max_retry_count=call.max_retry_count,
            retry_exception=call.retry_exception,
            session=call.session,
            exchange=call.exchange,
            then=None if call.then is None else self._following(call.then),
        )

    def _following(self, then: Then) -> Following:
        function = then.function
        call = Invocation(
            invocation_id=self._new_id(),
            function=function.name,
            inputs=self._inputs_of(function, None),
            session=then.session,
        )
        return Following(call=call, trigger=function.trigger.name, pieces=then.pieces)

    def _inputs_of(
        self, function: FunctionMetadata, trigger: TypedData | None
    ) -> dict[str, TypedData | None]:
        return {
            binding.name: trigger if binding is function.trigger else self._inputs(binding)
            for binding in function.bindings
            if not binding.is_output
        }

    def _binding_data(self, call: Call) -> BindingData:
        """What the call's expressions can name; later ones win over those before them.

        Source: Azure/azure-webjobs-sdk-extensions: HttpTriggerAttributeBindingProvider.cs.
        """
        values: dict[str, Any] = {
            name: data.value for name, data in call.metadata.items() if data is not None
        }
        given = None if call.trigger is None else call.trigger.value
        if isinstance(given, HttpData):
            query = {name: one for name, one in given.query.items() if name.lower() != "code"}
            values |= json_members(given.body) | query | dict(given.params)
            values |= {"query": query, "headers": dict(given.headers)}
        elif isinstance(given, str | bytes):
            values |= json_members(given)
        return BindingData(values, self._clock.now(), self._clock.new_guid)

    def refuse(self, function: FunctionMetadata, reason: str) -> None:
        """Log a run that a client asked for and that fails before the worker gets it, because what
        it asked with cannot be given to the trigger.

        reason: the binding's own text.
        Source of the texts: Azure/azure-webjobs-sdk: FunctionExecutor.cs,
        BindingExceptionValueProvider.cs.
        """
        invocation_id = self._new_id()
        _log_start(function, invocation_id, Call(trigger=None))
        _log_unbound(function, invocation_id, function.trigger.name, reason)


def _log_start(function: FunctionMetadata, invocation_id: str, call: Call) -> None:
    if not logger.isEnabledFor(logging.INFO):
        return
    scope = {"function": function.name, "invocation_id": invocation_id}
    reason = call.reason if isinstance(call.reason, str) else call.reason()
    text = "Executing 'Functions.%s' (Reason='%s', Id=%s)"
    logger.info(text, function.name, reason, invocation_id, extra=scope)
    if call.details:
        details = ", ".join(f"{name}: {value}" for name, value in call.details.items())
        logger.info("Trigger Details: %s", details, extra=scope)


def _log_unbound(
    function: FunctionMetadata, invocation_id: str, parameter: str, reason: str
) -> None:
    scope = {"function": function.name, "invocation_id": invocation_id}
    logger.error(EXECUTED, function.name, "Failed", invocation_id, 0, extra=scope)
    logger.error(
        "Exception while executing function: Functions.%s. Exception binding parameter '%s'. %s",
        function.name,
        parameter,
        reason,
        extra=scope,
    )


def _log_timeout(
    function: FunctionMetadata, invocation_id: str, texts: Sequence[str], took_ms: int
) -> None:
    """Say that it was cut off at its limit, and what becomes of its process.

    Source: Azure/azure-webjobs-sdk: FunctionExecutor.cs (OnFunctionTimeout);
    Azure/azure-functions-host: WebScriptHostExceptionHandler.cs (OnTimeoutExceptionAsync).
    """
    scope = {"function": function.name, "invocation_id": invocation_id}
    initiating, exceeded = texts
    logger.error("%s", initiating, extra=scope)
    logger.error(EXECUTED, function.name, "Failed", invocation_id, took_ms, extra=scope)
    logger.error("%s", exceeded, extra=scope)
    text = "A function timeout has occurred. Restarting worker process executing invocationId '%s'."
    logger.warning(text, invocation_id, extra=scope)


def _log_end(
    function: FunctionMetadata, invocation_id: str, result: Returned | Raised | None, took_ms: int
) -> None:
    """Say how it ended; a failure with what the host's exception says, but for an SDK's state."""
    scope = {"function": function.name, "invocation_id": invocation_id}
    match result:
        case Returned():
            logger.info(EXECUTED, function.name, "Succeeded", invocation_id, took_ms, extra=scope)
        case Raised():
            logger.error(EXECUTED, function.name, "Failed", invocation_id, took_ms, extra=scope)
            text = result.wire_message.partition(failures.STATE_MARKER)[0]
            text = text if len(text) <= LONGEST_LOGGED else f"{text[:LONGEST_LOGGED]}... (cut)"
            frames = failures.frames_of(result.stack_trace)
            logger.error("%s", failures.rpc_exception(text, frames), extra=scope)
        case None:
            text = "'Functions.%s' was cut off (Id=%s, Duration=%dms)"
            logger.warning(text, function.name, invocation_id, took_ms, extra=scope)
