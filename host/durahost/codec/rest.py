"""The JSON of the management API: status, history, and the URLs a client is given.

Property order is part of the contract. Payload texts are read here, at the last moment, and
stored texts are never changed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

from durahost.codec.json_text import dumps, parse_stored, quote
from durahost.model.events import EventKind, HistoryEvent
from durahost.model.instances import InstanceState
from durahost.model.status import RuntimeStatus
from durahost.model.values import dataclass

WEBHOOK_PATH = "/runtime/webhooks/durabletask"
"""Where the host mounts the extension.

Source: Azure/azure-functions-host: WebHooks/DefaultScriptWebHookProvider.cs (GetUrl).
"""

INSTANCE_PLACEHOLDER = "INSTANCEID"
"""What SDKs replace in the binding's URLs.

Source: Azure/azure-functions-durable-extension: Bindings/BindingHelper.cs.
"""

_WIRE_NAMES: Mapping[EventKind, str] = {
    EventKind.EXECUTION_STARTED: "ExecutionStarted",
    EventKind.EXECUTION_COMPLETED: "ExecutionCompleted",
    EventKind.EXECUTION_FAILED: "ExecutionFailed",
    EventKind.EXECUTION_TERMINATED: "ExecutionTerminated",
    EventKind.TASK_SCHEDULED: "TaskScheduled",
    EventKind.TASK_COMPLETED: "TaskCompleted",
    EventKind.TASK_FAILED: "TaskFailed",
    EventKind.SUB_ORCHESTRATION_CREATED: "SubOrchestrationInstanceCreated",
    EventKind.SUB_ORCHESTRATION_COMPLETED: "SubOrchestrationInstanceCompleted",
    EventKind.SUB_ORCHESTRATION_FAILED: "SubOrchestrationInstanceFailed",
    EventKind.TIMER_CREATED: "TimerCreated",
    EventKind.TIMER_FIRED: "TimerFired",
    EventKind.ORCHESTRATOR_STARTED: "OrchestratorStarted",
    EventKind.ORCHESTRATOR_COMPLETED: "OrchestratorCompleted",
    EventKind.EVENT_SENT: "EventSent",
    EventKind.EVENT_RAISED: "EventRaised",
    EventKind.CONTINUE_AS_NEW: "ContinueAsNew",
    EventKind.GENERIC_EVENT: "GenericEvent",
    EventKind.HISTORY_STATE: "HistoryState",
    EventKind.EXECUTION_SUSPENDED: "ExecutionSuspended",
    EventKind.EXECUTION_RESUMED: "ExecutionResumed",
    EventKind.EXECUTION_REWOUND: "ExecutionRewound",
}
_SCHEDULED_BY: Mapping[EventKind, EventKind] = {
    EventKind.TASK_COMPLETED: EventKind.TASK_SCHEDULED,
    EventKind.TASK_FAILED: EventKind.TASK_SCHEDULED,
    EventKind.SUB_ORCHESTRATION_COMPLETED: EventKind.SUB_ORCHESTRATION_CREATED,
    EventKind.SUB_ORCHESTRATION_FAILED: EventKind.SUB_ORCHESTRATION_CREATED,
}
_HAS_RESULT = frozenset(
    {
        EventKind.TASK_COMPLETED,
        EventKind.SUB_ORCHESTRATION_COMPLETED,
        EventKind.EXECUTION_COMPLETED,
    }
)
_NOT_SHOWN = frozenset({EventKind.ORCHESTRATOR_STARTED, EventKind.ORCHESTRATOR_COMPLETED})
_STATUS_NAMES = {status.number: status.value for status in RuntimeStatus}
_SHOWN_STATUS = {status: f'"{status.value}"' for status in RuntimeStatus}
_REMOVED: Mapping[EventKind, tuple[str, ...]] = {
    EventKind.EXECUTION_STARTED: ("OrchestrationInstance", "ParentInstance", "Version", "Tags"),
    EventKind.TASK_SCHEDULED: ("Version",),
    EventKind.SUB_ORCHESTRATION_CREATED: ("Version",),
    EventKind.TIMER_FIRED: ("TimerId",),
    **dict.fromkeys(_SCHEDULED_BY, ("TaskScheduledId",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What the URLs of one client are made of.

    origin: scheme and authority. key: value of `code`, None when there is none.
    """

    origin: str
    hub: str
    connection: str
    key: str | None = field(default=None, repr=False)

    @property
    def base_url(self) -> str:
        """The management API's address, without a trailing slash."""
        return self.origin + WEBHOOK_PATH

    @property
    def key_query(self) -> str:
        """The webhook URL's own query, without `?`; the key goes in unescaped."""
        return "" if self.key is None else f"code={self.key}"

    @property
    def query(self) -> str:
        """The query of every management URL."""
        return _management_query(self.hub, self.connection, self.key_query)


@lru_cache(maxsize=64)  # asked at each start, of the same few links
def _management_query(hub: str, connection: str, key_query: str) -> str:
    parts = [f"taskHub={url_encode(hub)}", f"connection={url_encode(connection)}"]
    return "&".join([*parts, key_query] if key_query else parts)


def url_encode(text: str) -> str:
    """Escape as .NET's WebUtility.UrlEncode.

    Letters, digits and `- _ . ! * ( )` stay, a blank becomes `+`.
    """
    return quote_plus(text, safe="!*()").replace("~", "%7E")


def status_text(
    state: InstanceState,
    *,
    show_input: bool = True,
    history: Sequence[Mapping[str, Any]] | None = None,
) -> str:
    """Write the status of one instance; `historyEvents` is there only when a history is given.

    Units: times are UTC, whole seconds, truncated.
    Source: Azure/azure-functions-durable-extension: HttpApiHandler.cs (ConvertFrom),
    StatusResponsePayload.cs.
    """
    events = "" if history is None else f',"historyEvents":{dumps(history)}'
    return (
        f'{{"name":{quote(state.name)}'
        f',"instanceId":{quote(state.instance_id)}'
        f',"runtimeStatus":{_SHOWN_STATUS[state.status]}'
        f',"input":{_shown(state.input if show_input else None)}'
        f',"customStatus":{_shown(state.custom_status)}'
        f',"output":{_shown(state.output)}'
        f',"createdTime":"{_format_seconds(state.created_at)}"'
        f',"lastUpdatedTime":"{_format_seconds(state.updated_at)}"{events}}}'
    )


def project_for_api(
    history: Sequence[HistoryEvent], *, show_input: bool, show_output: bool
) -> list[dict[str, Any]]:
    """Turn a stored history into `historyEvents`: answers take over what was scheduled for them.

    Source: Azure/azure-functions-durable-extension: ContextImplementations/DurableClient.cs
    (GetDurableOrchestrationStatusAsync, AddScheduledEventDataAndAggregate).
    """
    answered = {
        (_SCHEDULED_BY[event.kind], event.task_id)
        for event in history
        if event.kind in _SCHEDULED_BY
    }
    scheduled: dict[tuple[EventKind, int | None], dict[str, Any]] = {}
    shown: list[dict[str, Any]] = []
    for event in history:
        if event.kind in _NOT_SHOWN:
            continue
        members: dict[str, Any] = json.loads(event.text)
        place = (event.kind, event.task_id)
        if place in answered:
            scheduled[place] = members
            continue
        _project(event.kind, members, show_output)
        by = _SCHEDULED_BY.get(event.kind)
        if by is not None and (source := scheduled.get((by, event.task_id))) is not None:
            members["ScheduledTime"] = _as_local(source["Timestamp"])
            members["FunctionName"] = source["Name"]
            members["Input"] = source.get("Input")
        if not show_input:
            members.pop("Input", None)
        shown.append(members)
    return shown


def check_status_payload(links: Links, instance_id: str) -> dict[str, str]:
    """Build the body of a check-status response; `rewindPostUri` is not in it.

    Source: Azure/azure-functions-durable-extension: HttpApiHandler.cs
    (CreateCheckStatusResponseMessage).
    """
    payload = management_payload(links, instance_id)
    del payload["rewindPostUri"]
    return payload


def management_payload(links: Links, instance_id: str) -> dict[str, str]:
    """Build the URLs of one instance.

    Source: Azure/azure-functions-durable-extension: HttpApiHandler.cs (GetClientResponseLinks),
    HttpManagementPayload.cs.
    """
    instance = f"{links.base_url}/instances/{url_encode(instance_id)}"
    query, reason = links.query, "reason={text}"
    return {
        "id": instance_id,
        "statusQueryGetUri": f"{instance}?{query}",
        "sendEventPostUri": f"{instance}/raiseEvent/{{eventName}}?{query}",
        "terminatePostUri": f"{instance}/terminate?{reason}&{query}",
        "rewindPostUri": f"{instance}/rewind?{reason}&{query}",
        "purgeHistoryDeleteUri": f"{instance}?{query}",
        "restartPostUri": f"{instance}/restart?{query}",
        "suspendPostUri": f"{instance}/suspend?{reason}&{query}",
        "resumePostUri": f"{instance}/resume?{reason}&{query}",
    }


@lru_cache(maxsize=64)  # asked at each call of a function with a client, of the same few links
def durable_client_json(links: Links, rpc_base_url: str | None) -> str:
    """Build the value of a durableClient input binding.

    rpc_base_url: ends in a slash; None when the local RPC endpoint is off.
    Source: Azure/azure-functions-durable-extension: Bindings/BindingHelper.cs
    (DurableOrchestrationClientToString, OrchestrationClientInputData), HttpApiHandler.cs
    (GetInstanceCreationLinks).
    """
    create = links.base_url + "/orchestrators/{functionName}[/{instanceId}]"
    waiting = "timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}"
    return dumps(
        {
            "taskHubName": links.hub,
            "connectionName": None,
            "creationUrls": {
                "createNewInstancePostUri": f"{create}?{links.key_query}",
                "createAndWaitOnNewInstancePostUri": f"{create}?{waiting}&{links.key_query}",
            },
            "managementUrls": management_payload(links, INSTANCE_PLACEHOLDER),
            "baseUrl": links.base_url,
            "requiredQueryStringParameters": links.key_query,
            "rpcBaseUrl": rpc_base_url,
            "httpBaseUrl": None,
            "maxGrpcMessageSizeInBytes": None,
        }
    )


def _project(kind: EventKind, members: dict[str, Any], show_output: bool) -> None:
    members["EventType"] = _WIRE_NAMES[kind]
    for name in ("EventId", "IsPlayed", *_REMOVED.get(kind, ())):
        members.pop(name, None)
    if kind is EventKind.EXECUTION_STARTED:
        members["FunctionName"] = members.pop("Name")
    if kind is EventKind.EXECUTION_COMPLETED:
        number = members["OrchestrationStatus"]
        members["OrchestrationStatus"] = _STATUS_NAMES.get(number, number)
    if kind in _HAS_RESULT:
        if show_output:
            members["Result"] = parse_stored(members["Result"])
        else:
            members.pop("Result", None)


def _as_local(timestamp: str) -> str:
    """The form a UTC time takes after a detour through a server-local DateTime, in UTC."""
    return timestamp.removesuffix("Z") + "+00:00"


def _shown(text: str | None) -> str:
    return "null" if text is None else dumps(parse_stored(text))


def _format_seconds(when: datetime) -> str:
    # isoformat takes twice the time, most of it for the offset.
    date = f"{when.year:04}-{when.month:02}-{when.day:02}"
    return f"{date}T{when.hour:02}:{when.minute:02}:{when.second:02}Z"
