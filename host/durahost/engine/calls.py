"""What each action does: the call APIs of the extension's orchestration context, with their checks.

A check inside a call that is awaited is swallowed out of process, like a failure of the task: the
action
schedules nothing, takes no id and counts as finished. Signals and malformed actions throw.
Source: Azure/azure-functions-durable-extension:
ContextImplementations/DurableOrchestrationContext.cs
(CallDurableTaskFunctionAsync, CreateTimer, CallHttpAsync, IncrementActionsOrThrowException).
"""

from collections.abc import Callable, Set
from dataclasses import field
from datetime import datetime, timedelta
from json.encoder import encode_basestring
from typing import assert_never

from durahost.codec import durable_http, entity_messages, history
from durahost.engine import naming
from durahost.engine.execution import Execution
from durahost.engine.tasks import NextAsk, PolledCall, RetriedCall, Task, finished
from durahost.model.actions import (
    Call,
    CallActivity,
    CallEntity,
    CallHttp,
    CallSubOrchestrator,
    ContinueAsNew,
    CreateTimer,
    Hint,
    RetryOptions,
    SignalEntity,
    Unsupported,
    WaitForExternalEvent,
)
from durahost.model.entities import EntityRequest
from durahost.model.events import HistoryEvent
from durahost.model.ids import EntityId, ExecutionId, InstanceId
from durahost.model.values import dataclass

TIMER_LIMIT = timedelta(days=6)
"""Source: Azure/azure-functions-durable-extension: AzureStorageDurabilityProvider.cs
(MaximumDelayTime).
"""

TIMER_LIMIT_TEXT = (
    "The Azure Storage provider supports a maximum of 6 days for time-based delays"
    " (Parameter 'fireAt')"
)


UNEXPECTED_ACTION = "Received an unexpected action type from the out-of-proc function: '${}'."
"""The dollar sign is really sent. Source: OutOfProcOrchestrationShim.cs (InvokeAPIFromAction)."""

TOO_MANY_ACTIONS = (
    "Maximum amount of orchestration actions ({}) has been reached. "
    "This value can be configured in host.json file as MaxOrchestrationActions."
)
"""Source: Azure/azure-functions-durable-extension: DurableOrchestrationContext.cs
(IncrementActionsOrThrowException)."""

_OVER_LIMIT = "it is one action more than maxOrchestrationActions of host.json allows"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFunctions:
    """Lower-cased durable names of the app; None means that nothing is checked.

    unknown_entity: what is said of an entity name that is not among them.
    """

    orchestrators: Set[str] | None = None
    activities: Set[str] | None = None
    entities: Set[str] | None = None
    unknown_entity: Callable[[str], str] = str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRules:
    """What the checks inside the call APIs need to know."""

    instance_id: InstanceId
    execution_id: ExecutionId
    parent_id: InstanceId | None = None
    known: KnownFunctions = field(default_factory=KnownFunctions)
    max_actions: int = 100_000
    has_timer_limit: bool = True
    version: str = ""
    http_sleep: timedelta = timedelta(seconds=30)


class ActionFailed(Exception):
    """An action that throws synchronously: the instance fails with this text behind the usual
    prefix.
    """


class Calls:
    """Carries out single actions on one execution."""

    def __init__(
        self, execution: Execution, rules: CallRules, *, checks_timer_length: bool
    ) -> None:
        self.hints: list[Hint] = []
        self._execution = execution
        self._rules = rules
        self._checks_timer_length = checks_timer_length and rules.has_timer_limit
        self._actions = 0

    def invoke(self, action: Call) -> Task:
        """Begin the action. Errors: ActionFailed."""
        match action:
            case CallActivity():
                return self._call_activity(action)
            case CallSubOrchestrator():
                return self._call_sub_orchestrator(action)
            case CreateTimer():
                return self._create_timer(action)
            case WaitForExternalEvent():
                return self._execution.wait_for_event(action.name)
            case CallEntity():
                return self._call_entity(action)
            case SignalEntity():
                return self._signal_entity(action)
            case CallHttp():
                return self._call_http(action)
            case ContinueAsNew():
                self._execution.continue_as_new(_as_json_string(action.input))
                return finished()
            case Unsupported():
                raise ActionFailed(UNEXPECTED_ACTION.format(action.name))
            case _:
                assert_never(action)

    def _call_activity(self, action: CallActivity) -> Task:
        known = self._rules.known.activities
        if known is not None and action.name.lower() not in known:
            return self._ignored(f"no activity function is named '{action.name}'")
        if not self._counts():
            return self._ignored(
                f"it is action number {self._actions}, over maxOrchestrationActions"
            )
        payload = f"[{_as_json_string(action.input) or 'null'}]"
        return self._call(action.retry, lambda: self._execution.schedule_task(action.name, payload))

    def _call_sub_orchestrator(self, action: CallSubOrchestrator) -> Task:
        known = self._rules.known.orchestrators
        if known is not None and action.name.lower() not in known:
            return self._ignored(f"no orchestrator function is named '{action.name}'")
        if reason := self._bad_child_id(action.instance_id):
            return self._ignored(reason)
        if not self._counts():
            return self._ignored(
                f"it is action number {self._actions}, over maxOrchestrationActions"
            )
        version = self._rules.version if action.version is None else action.version
        return self._call(
            action.retry,
            lambda: self._execution.create_sub_orchestration(
                action.name, _as_json_string(action.input), action.instance_id, version
            ),
        )

    def _call_entity(self, action: CallEntity) -> Task:
        name = self._entity_name(action.instance_id)
        known = self._rules.known.entities
        if known is not None and name not in known:
            return self._ignored(f"no entity function is named '{name}'")
        if not self._counts():
            return self._ignored(_OVER_LIMIT)
        request_id = self._send_request(action, None, is_signal=False)
        what = naming.message(action.instance_id, action.operation, is_signal=False)
        return self._execution.wait_for_event(request_id, what)

    def _signal_entity(self, action: SignalEntity) -> Task:
        """Signals are checked synchronously: what is wrong with one fails the instance."""
        name = self._entity_name(action.instance_id)
        known = self._rules.known.entities
        if known is not None and name not in known:
            raise ActionFailed(self._rules.known.unknown_entity(name))
        if not self._counts():
            raise ActionFailed(TOO_MANY_ACTIONS.format(self._rules.max_actions))
        self._send_request(action, action.fire_at, is_signal=True)
        return finished()

    def _entity_name(self, instance_id: str) -> str:
        entity = EntityId.parse(instance_id)
        if entity is None:
            raise ActionFailed(f"Invalid entity ID '{instance_id}'; it has the form @name@key.")
        return entity.name

    def _send_request(
        self, action: CallEntity | SignalEntity, due: datetime | None, *, is_signal: bool
    ) -> str:
        execution, rules = self._execution, self._rules
        request = EntityRequest(
            request_id=str(execution.new_guid()),
            operation=action.operation,
            is_signal=is_signal,
            input=_as_json_string(action.input),
            parent=rules.instance_id,
            parent_execution=rules.execution_id,
            due=due,
            sent_at=execution.now,
        )
        name, text = entity_messages.request_name(due), entity_messages.encode_request(request)
        execution.send_event(InstanceId(action.instance_id), name, text, due)
        return request.request_id

    def _call_http(self, action: CallHttp) -> Task:
        if not self._counts():
            return self._ignored(_OVER_LIMIT)
        execution = self._execution
        request = durable_http.encode_request(action.request)
        first = self._call(action.retry, lambda: self._schedule_http(request))
        if not action.is_polled:
            return first
        return PolledCall(
            first,
            ask=self._poll,
            timer=execution.start_timer,
            next_ask=lambda answer: self._next_ask(action, answer),
        ).task

    def _schedule_http(self, request: str) -> Task:
        return self._execution.schedule_task(durable_http.ACTIVITY_NAME, request)

    def _poll(self, request: str) -> Task:
        return self._schedule_http(request) if self._counts() else self._ignored(_OVER_LIMIT)

    def _next_ask(self, action: CallHttp, answer: HistoryEvent) -> NextAsk | None:
        result = history.read_result(answer)
        following = durable_http.next_poll(action.request, result, self._rules.http_sleep)
        if following is None:
            return None
        if following.flaw and not self._execution.is_replaying:
            self.hints.append(Hint(self._bad_poll(action, following.flaw)))
        if following.pause is None:
            return NextAsk(None, None)
        if not self._counts():
            self._ignored(_OVER_LIMIT)
            return NextAsk(None, None)
        return NextAsk(self._execution.now + following.pause, following.request)

    def _bad_poll(self, action: CallHttp, flaw: str) -> str:
        return (
            f"Instance '{self._rules.instance_id}' polls '{action.request['uri']}', and the 202 it "
            f"was answered cannot be followed: {flaw}. As on Azure the call ends here, and the "
            "instance may wait for ever; let the service answer with a Location that is an "
            "absolute URL and a Retry-After in seconds."
        )

    def _create_timer(self, action: CreateTimer) -> Task:
        is_long = action.fire_at - self._execution.now > TIMER_LIMIT
        if is_long and self._checks_timer_length:
            raise ActionFailed(TIMER_LIMIT_TEXT)
        if not self._counts():
            return self._ignored(
                f"it is action number {self._actions}, over maxOrchestrationActions"
            )
        return self._execution.start_timer(action.fire_at, is_canceled=action.is_canceled)

    def _call(self, retry: RetryOptions | None, attempt: Callable[[], Task]) -> Task:
        if retry is None:
            return attempt()
        execution = self._execution
        timer, now = execution.start_timer, lambda: execution.now
        return RetriedCall(retry, attempt=attempt, timer=timer, now=now).task

    def _bad_child_id(self, child: str | None) -> str | None:
        """Why a given id is refused; the extension's texts are swallowed, so the words are ours."""
        if not child:
            return None
        forbidden = {self._rules.instance_id.lower(), (self._rules.parent_id or "").lower()}
        if child.lower() in forbidden:
            return f"its instance ID '{child}' is this orchestration's or its parent's own"
        if child.startswith("@"):
            return f"its instance ID '{child}' starts with @"
        return None

    def _counts(self) -> bool:
        self._actions += 1
        return self._actions <= self._rules.max_actions

    def _ignored(self, why: str) -> Task:
        """A check that the real extension swallows: nothing is scheduled, and the instance waits
        for ever.
        """
        if self._execution.is_replaying:
            return finished(failed=True)
        self.hints.append(
            Hint(
                f"Instance '{self._rules.instance_id}' asked for a call that never runs: {why}. "
                "As on Azure it now waits for ever; fix the call, then terminate or purge it."
            )
        )
        return finished(failed=True)


def _as_json_string(text: str | None) -> str | None:
    return None if text is None else encode_basestring(text)
