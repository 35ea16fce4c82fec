"""The JSON protocol of azure-functions-durable 1.x: the context given, the state given back.

Sources: Azure/azure-functions-durable-extension: OrchestrationTriggerAttributeBindingProvider.cs
(OrchestrationContextToString), Listener/TaskOrchestrationShim.cs (ParseOOProcResult),
Listener/OutOfProcOrchestrationShim.cs (AsyncAction, OutOfProcOrchestratorState),
RetryOptionsConverter.cs;
Azure/azure-functions-durable-python: models/OrchestratorState.py.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from durahost.codec import durable_http, failures, history, listing
from durahost.codec.json_text import dump_plain, dumps
from durahost.codec.unicode import load_json
from durahost.model.actions import (
    Action,
    CallActivity,
    CallEntity,
    CallHttp,
    CallSubOrchestrator,
    ContinueAsNew,
    CreateTimer,
    Listed,
    OrchestratorFailure,
    OrchestratorState,
    RetryOptions,
    SignalEntity,
    Unsupported,
    WaitForExternalEvent,
    WhenAll,
    WhenAny,
)
from durahost.model.events import DECISIONS, HistoryEvent
from durahost.model.instances import InstanceState
from durahost.tolerant_json import JsonTextError, read_whole

NOT_JSON_TEXT = "Out of proc orchestrators must return a valid JSON schema"
NOT_OBJECT_TEXT = "The data returned by the out-of-process function execution was not valid json."
_ACTION_NAMES = (
    "CallActivity",
    "CallActivityWithRetry",
    "CallSubOrchestrator",
    "CallSubOrchestratorWithRetry",
    "ContinueAsNew",
    "CreateTimer",
    "WaitForExternalEvent",
    "CallEntity",
    "CallHttp",
    "SignalEntity",
    "ScheduledSignalEntity",
    "WhenAny",
    "WhenAll",
)
_SCHEMAS = ("Original", "V2", "V3")


class _Malformed(Exception):
    """The state is not the protocol's; the text is the extension's where it has one."""


def encode_context(
    state: InstanceState,
    past: Sequence[HistoryEvent],
    new: Sequence[HistoryEvent],
    *,
    http_sleep_ms: int,
    sends_timer_limits: bool,
) -> str:
    """The orchestration trigger's value: JSON text, properties in the extension's order.

    input is the stored text itself, never re-encoded; what only Newtonsoft reads (`{'a':1}`) goes
    in as it writes it, text that is not even that as a string.
    IsPlayed is true on messages of earlier episodes, and false on what episodes write themselves.
    """
    events = [*map(_shown, past), *(event.text for event in new)]
    parent = state.parent.instance_id if state.parent else None
    members = [
        f'"history":[{",".join(events)}]',
        f'"input":{_as_json(state.input)}',
        f'"instanceId":{json.dumps(state.instance_id)}',
        f'"isReplaying":{"true" if past else "false"}',
        f'"parentInstanceId":{json.dumps(parent)}',
        '"upperSchemaVersion":1',
        '"upperSchemaVersionNew":2',
    ]
    if sends_timer_limits:
        members.append('"longRunningTimerIntervalDuration":"3.00:00:00"')
        members.append('"maximumShortTimerDuration":"6.00:00:00"')
    members.append(f'"defaultHttpAsyncRequestSleepTimeMillseconds":{http_sleep_ms}')
    return "{" + ",".join(members) + "}"


def encode_events(past: Sequence[HistoryEvent], new: Sequence[HistoryEvent]) -> str:
    """The events of the context that an orchestrator which lives on has not seen, a JSON array."""
    events = [*map(_shown, past), *(event.text for event in new)]
    return f"[{','.join(events)}]"


def decode_returned(
    text: str | None,
    *,
    sites: Sequence[str | None] = (),
    kept: int = 0,
    earlier: Listed | None = None,
) -> OrchestratorState | OrchestratorFailure:
    """The state of an orchestrator that returned; `text` is the JSON it gave, None for nothing.

    sites, kept: of the state, which the worker tells beside it. earlier: the list of the answer
    before; one that begins with it is read as if the worker had left that out.
    """
    listed = None
    if text is not None and not kept:
        text, kept, listed = listing.leave_out(text, sites, earlier)
        sites = sites[kept:]
    return _decode(text, stack="", sites=sites, kept=kept, listed=listed)


def decode_raised(
    message: str, stack: str, *, sites: Sequence[str | None] = (), kept: int = 0
) -> OrchestratorState | OrchestratorFailure:
    """The state inside an exception, or, without one, the failure that the host makes of it.

    message: `{type}: {text}`, as the worker reports it. sites, kept: as of `decode_returned`.
    """
    whole = failures.rpc_exception(message, stack)
    _, found, state = failures.cut_exception(whole).partition(failures.STATE_MARKER)
    if not found:
        error = failures.aggregate(message, stack)
        return OrchestratorFailure(error, failures.orchestrator_details(error, stack))
    return _decode(state, stack=whole, sites=sites, kept=kept)


def _decode(
    text: str | None,
    *,
    stack: str,
    sites: Sequence[str | None],
    kept: int,
    listed: Listed | None = None,
) -> OrchestratorState | OrchestratorFailure:
    """Whatever is wrong with a state is its instance's failure, never ours."""
    try:
        return _decode_state(text, stack=stack, sites=sites, kept=kept, listed=listed)
    except _Malformed as malformed:
        return _failure(str(malformed))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        return _failure(f"{NOT_JSON_TEXT} ({type(error).__name__}: {error})")


def _shown(event: HistoryEvent) -> str:
    return event.text if event.kind in DECISIONS else history.mark_played(event.text)


def _as_json(text: str | None) -> str:
    if text is None:
        return "null"
    try:
        _STRICT.decode(text)
    except (ValueError, RecursionError):
        return _as_newtonsoft_reads(text)
    return text


def _refuse(constant: str) -> None:
    """NaN and infinities are no JSON; Newtonsoft writes them as strings."""
    raise ValueError(constant)


_STRICT = json.JSONDecoder(parse_constant=_refuse)


def _as_newtonsoft_reads(text: str) -> str:
    try:
        return dumps(read_whole(text))
    except JsonTextError:
        return json.dumps(text)


def _failure(error: str) -> OrchestratorFailure:
    return OrchestratorFailure(error, failures.orchestrator_details(error, ""))


def _decode_state(
    text: str | None,
    *,
    stack: str,
    sites: Sequence[str | None],
    kept: int,
    listed: Listed | None,
) -> OrchestratorState:
    if text is None:
        raise _Malformed(NOT_OBJECT_TEXT)
    try:
        state = load_json(text)
    except ValueError as error:
        raise _Malformed(NOT_JSON_TEXT) from error
    if not isinstance(state, dict):
        raise _Malformed(NOT_OBJECT_TEXT)
    schema = _enumerated(state.get("schemaVersion", 0), _SCHEMAS)
    custom_status = state.get("customStatus")
    output = state.get("output")
    return OrchestratorState(
        batches=_decode_batches(state.get("actions"), schema),
        is_done=state.get("isDone") is True,
        is_schema_v1=schema == "Original",
        checks_timer_length=schema != "V3",
        output=None if output is None else json.dumps(output),
        custom_status=None if custom_status is None else dump_plain(custom_status),
        error=str(state["error"]) if state.get("error") else None,
        stack=stack,
        sites=sites,
        kept=kept,
        listed=listed,
    )


def _decode_batches(actions: Any, schema: str) -> list[list[Action]]:
    if not isinstance(actions, list) or not all(isinstance(batch, list) for batch in actions):
        raise _Malformed(NOT_JSON_TEXT)
    if schema != "Original" and len(actions) != 1:
        raise _Malformed(
            f"With OOProc schema {schema}, expected actions array to be of length 1 in outer layer "
            f"but got size: {len(actions)}"
        )
    return [[_decode_action(action) for action in batch] for batch in actions]


def _decode_action(action: Any) -> Action:
    if not isinstance(action, dict):
        raise _Malformed(NOT_JSON_TEXT)
    kind = _enumerated(action.get("actionType", 0), _ACTION_NAMES)
    decode = _DECODERS.get(kind)
    return decode(action) if decode else Unsupported(kind)


def _decode_activity(action: dict[str, Any]) -> CallActivity:
    return CallActivity(_text(action, "functionName"), _input(action))


def _decode_retried_activity(action: dict[str, Any]) -> CallActivity:
    return replace(_decode_activity(action), retry=_decode_retry(action))


def _decode_sub_orchestrator(action: dict[str, Any]) -> CallSubOrchestrator:
    name = _text(action, "functionName")
    child, version = _optional_text(action, "instanceId"), _optional_text(action, "version")
    return CallSubOrchestrator(name, _input(action), child, version)


def _decode_retried_sub_orchestrator(action: dict[str, Any]) -> CallSubOrchestrator:
    return replace(_decode_sub_orchestrator(action), retry=_decode_retry(action))


def _decode_timer(action: dict[str, Any]) -> CreateTimer:
    return CreateTimer(_decode_time(action.get("fireAt")), action.get("isCanceled") is True)


def _decode_call_entity(action: dict[str, Any]) -> CallEntity:
    operation = str(action.get("operation") or "")
    return CallEntity(_text(action, "instanceId"), operation, _input(action))


def _decode_signal(action: dict[str, Any]) -> SignalEntity:
    operation = str(action.get("operation") or "")
    return SignalEntity(_text(action, "instanceId"), operation, _input(action))


def _decode_scheduled_signal(action: dict[str, Any]) -> SignalEntity:
    return replace(_decode_signal(action), fire_at=_decode_time(action.get("fireAt")))


def _decode_http(action: dict[str, Any]) -> CallHttp:
    """Polling only when asked for: the constructor's default is not applied when the member is
    absent.
    """
    request = action.get("httpRequest")
    if not isinstance(request, dict):
        raise _Malformed(NOT_JSON_TEXT)
    try:
        request = durable_http.normalize(request)
    except ValueError as error:
        raise _Malformed(str(error)) from error
    is_polled = request["asynchronousPatternEnabled"]
    return CallHttp(request, is_polled=is_polled, retry=durable_http.read_retry(request))


def _decode_children(action: dict[str, Any]) -> list[Action]:
    children = action.get("compoundActions")
    if not isinstance(children, list):
        raise _Malformed(NOT_JSON_TEXT)
    return [_decode_action(child) for child in children]


def _decode_retry(action: dict[str, Any]) -> RetryOptions:
    options = action.get("retryOptions") or {}
    if not isinstance(options, dict):
        raise _Malformed(NOT_JSON_TEXT)
    for required in ("firstRetryIntervalInMilliseconds", "maxNumberOfAttempts"):
        if options.get(required) is None:
            raise _Malformed(f"Invalid JSON. Must contain field {required} (Parameter 'reader')")
    timeout = options.get("retryTimeoutInMilliseconds")
    longest = options.get("maxRetryIntervalInMilliseconds")
    return RetryOptions(
        first_interval=timedelta(milliseconds=options["firstRetryIntervalInMilliseconds"]),
        max_attempts=int(options["maxNumberOfAttempts"]),
        backoff_coefficient=float(options.get("backoffCoefficient") or 1),
        max_interval=timedelta(days=6) if longest is None else timedelta(milliseconds=longest),
        timeout=None if timeout is None else timedelta(milliseconds=timeout),
    )


def _decode_time(text: Any) -> datetime:
    """A timer's time; the SDK writes the zone away, so a time without one is UTC."""
    try:
        when = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise _Malformed(f"A timer's fireAt is not a time: {text!r}") from error
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def _enumerated(value: Any, names: tuple[str, ...]) -> str:
    """The name of an enum member given by number or by name, any case; else the value as it
    stands.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
        return names[value]
    return next((name for name in names if name.lower() == str(value).lower()), str(value))


def _text(action: dict[str, Any], key: str) -> str:
    value = action.get(key)
    if not isinstance(value, str):
        raise _Malformed(NOT_JSON_TEXT)
    return value


def _optional_text(action: dict[str, Any], key: str) -> str | None:
    """Text, or a number as Newtonsoft reads it into a string."""
    value = action.get(key)
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _input(action: dict[str, Any]) -> str | None:
    value = action.get("input")
    return value if value is None or isinstance(value, str) else json.dumps(value)


_DECODERS: Mapping[str, Callable[[dict[str, Any]], Action]] = {
    "CallActivity": _decode_activity,
    "CallActivityWithRetry": _decode_retried_activity,
    "CallSubOrchestrator": _decode_sub_orchestrator,
    "CallSubOrchestratorWithRetry": _decode_retried_sub_orchestrator,
    "ContinueAsNew": lambda action: ContinueAsNew(_input(action)),
    "CreateTimer": _decode_timer,
    "WaitForExternalEvent": lambda action: WaitForExternalEvent(_text(action, "externalEventName")),
    "CallEntity": _decode_call_entity,
    "SignalEntity": _decode_signal,
    "ScheduledSignalEntity": _decode_scheduled_signal,
    "CallHttp": _decode_http,
    "WhenAny": lambda action: WhenAny(_decode_children(action)),
    "WhenAll": lambda action: WhenAll(_decode_children(action)),
}


def activity_input(stored: str | None) -> str | None:
    """The text an activity is given: the one element of the array that its message carries.

    A JSON string gives its text, a number or boolean .NET's text of it, anything else compact JSON.
    Source: Azure/azure-functions-durable-extension: DurableActivityContext.cs (GetInput).
    """
    value = json.loads(stored)[0] if stored is not None else None
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value)
    return json.dumps(value) if isinstance(value, int | float) else dump_plain(value)


def activity_result(text: str | None) -> str | None:
    """TaskCompleted.Result: the worker's JSON text as it is; null is no result."""
    return None if text is None or text.strip() == "null" else text
