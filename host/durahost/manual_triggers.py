"""The trigger value and metadata of a run that a client asks for by hand, made of a test payload.

What the worker is given is what the platform's bindings give it for that text; the parts of a
message that only its service knows (ids, times, counts) are made up.
Sources, beside those at each function: Azure/azure-functions-host: FunctionsController.cs
(Invoke), GrpcMessageConversionExtensions.cs (ToRpc); MicrosoftDocs/azure-docs:
functions-manually-run-non-http.md.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from durahost.codec.json_text import dumps
from durahost.codec.sdk1 import activity_input
from durahost.model.functions import Binding, FunctionMetadata
from durahost.tolerant_json import JsonTextError, read_whole
from durahost.worker.base import TypedData

_MOST = "9999-12-31T23:59:59.9999999+00:00"
"""DateTimeOffset.MaxValue as it is serialised."""

_PLACEHOLDER = re.compile(r"\{(?P<name>[^{}]*)\}")
_BLOB_SERVICE = "http://127.0.0.1:10000/devstoreaccount1"
"""Where a local storage emulator would have the blob."""


class UnbindablePayload(ValueError):
    """The payload cannot become the trigger's value; the text is the binding's own."""


@dataclass(frozen=True, slots=True)
class ManualTrigger:
    """What the worker gets: the trigger's value, and the metadata that comes with it."""

    value: TypedData | None
    metadata: Mapping[str, TypedData | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Test:
    """One payload for one trigger; now, new_id: for what a service would have said."""

    trigger: Binding
    payload: str | None
    now: datetime
    new_id: str

    @property
    def text(self) -> str:
        return self.payload or ""

    @property
    def data(self) -> TypedData:
        """Text, or bytes where the binding asks for them."""
        if _says(self.trigger, "dataType", "binary"):
            return TypedData("bytes", self.text.encode("utf-8", "surrogatepass"))
        return TypedData("string", self.text)

    @property
    def moment(self) -> str:
        return self.now.isoformat()


def build_trigger(
    function: FunctionMetadata, payload: str | None, now: datetime, new_id: str
) -> ManualTrigger:
    """Make a function's trigger of a payload; None is a payload that was not given.

    Errors: UnbindablePayload.
    """
    trigger = function.trigger
    build = _BUILDERS.get(trigger.type.lower(), _plain)
    return build(_Test(trigger, payload, now, new_id))


def _plain(test: _Test) -> ManualTrigger:
    return ManualTrigger(test.data)


def _http(test: _Test) -> ManualTrigger:
    # Azure/azure-webjobs-sdk-extensions: HttpTriggerAttributeBindingProvider.cs (BindAsync).
    raise UnbindablePayload("An HttpRequest is required")


def _orchestrator(test: _Test) -> ManualTrigger:
    # Azure/azure-functions-durable-extension: OrchestrationTriggerAttributeBindingProvider.cs,
    # EntityTriggerAttributeBindingProvider.cs (BindAsync).
    kind = "null" if test.payload is None else "String"
    raise UnbindablePayload(f"Don't know how to bind to {kind}. (Parameter 'value')")


def _activity(test: _Test) -> ManualTrigger:
    """The payload is JSON, as an orchestrator's input is.

    Source: Azure/azure-functions-durable-extension: ActivityTriggerAttributeBindingProvider.cs
    (BindAsync), DurableActivityContext.cs (GetInputAsJson).
    """
    if test.payload is None:
        raise UnbindablePayload(
            "Cannot execute an Activity Trigger without a DurableActivityContext or a String that "
            "represents the serialized input."
        )
    values = _read(f"[{test.payload}]")
    if len(values) != 1:
        raise UnbindablePayload(
            "The serialized input is expected to be an object array with one element."
        )
    text = activity_input(dumps(values))
    return ManualTrigger(None if text is None else TypedData("string", text))


def _queue(test: _Test) -> ManualTrigger:
    # Azure/azure-sdk-for-net: WebJobs.Extensions.Storage.Queues: QueueTriggerBinding.cs
    # (CreateBindingData), StringToStorageQueueMessageConverter.cs: a message never enqueued.
    metadata = {
        "QueueTrigger": TypedData("string", test.text),
        "DequeueCount": _json(0),
        "ExpirationTime": _json(_MOST),
        "Id": None,
        "InsertionTime": _json(test.moment),
        "NextVisibleTime": _json(_MOST),
        "PopReceipt": None,
    }
    return ManualTrigger(test.data, metadata)


def _blob(test: _Test) -> ManualTrigger:
    """The payload is the blob's content; its path is the binding's, `{name}` become `name`.

    On Azure the payload is the path of a blob that is there; here there are none.
    """
    path = str(test.trigger.get("path") or "container/blob")
    names = {found["name"]: TypedData("string", found["name"])
             for found in _PLACEHOLDER.finditer(path)}  # fmt: skip
    path = _PLACEHOLDER.sub(r"\g<name>", path)
    content = test.text.encode("utf-8", "surrogatepass")
    is_text = _says(test.trigger, "dataType", "string")
    metadata = {
        **names,
        "BlobTrigger": TypedData("string", path),
        "Uri": _json(f"{_BLOB_SERVICE}/{path}"),
        "Properties": _json({"ContentLength": len(content), "LastModified": test.moment}),
        "Metadata": _json({}),
    }
    return ManualTrigger(test.data if is_text else TypedData("bytes", content), metadata)


def _event_hub(test: _Test) -> ManualTrigger:
    # Names: Azure/azure-sdk-for-net: WebJobs.Extensions.EventHubs: EventHubTriggerInput
    # strategies (AddBindingData); Azure/azure-functions-python-library: eventhub.py.
    system = {"SequenceNumber": 0, "Offset": 0, "EnqueuedTimeUtc": test.moment}
    if _is_many(test.trigger):
        metadata = {"PropertiesArray": _json([{}]), "SystemPropertiesArray": _json([system])}
        return ManualTrigger(_several(test.data), metadata)
    metadata = {
        "EnqueuedTimeUtc": _json(test.moment),
        "Offset": TypedData("string", "0"),
        "Properties": _json({}),
        "SequenceNumber": _json(0),
        "SystemProperties": _json(system),
    }
    return ManualTrigger(test.data, metadata)


def _service_bus(test: _Test) -> ManualTrigger:
    # Names: Azure/azure-sdk-for-net: WebJobs.Extensions.ServiceBus:
    # ServiceBusTriggerBindingStrategy.cs; Azure/azure-functions-python-library: servicebus.py.
    fields: dict[str, Any] = {
        "ApplicationProperties": {},
        "DeliveryCount": 1,
        "EnqueuedTimeUtc": test.moment,
        "MessageId": test.new_id,
        "SequenceNumber": 0,
        "UserProperties": {},
    }
    if _is_many(test.trigger):
        metadata = {f"{name}Array": _json([value]) for name, value in fields.items()}
        return ManualTrigger(_several(test.data), metadata)
    return ManualTrigger(test.data, {name: _json(value) for name, value in fields.items()})


def _kafka(test: _Test) -> ManualTrigger:
    # Names: Azure/azure-functions-python-library: kafka.py.
    topic = str(test.trigger.get("topic") or "")
    if _is_many(test.trigger):
        metadata = {
            "HeadersArray": _json([[]]),
            "KeyArray": _json([None]),
            "OffsetArray": TypedData("collection_sint64", [0]),
            "PartitionArray": _json([0]),
            "TimestampArray": _json([test.moment]),
            "TopicArray": TypedData("collection_string", [topic]),
        }
        return ManualTrigger(_several(test.data), metadata)
    metadata = {
        "Headers": _json([]),
        "Offset": _json(0),
        "Partition": _json(0),
        "Timestamp": _json(test.moment),
        "Topic": TypedData("string", topic),
    }
    return ManualTrigger(test.data, metadata)


def _document(test: _Test) -> ManualTrigger:
    """The payload is JSON and stays it."""
    return ManualTrigger(_json(_read(test.text)))


def _warm_up(test: _Test) -> ManualTrigger:
    return ManualTrigger(_json({}))


_BUILDERS: Mapping[str, Callable[[_Test], ManualTrigger]] = {
    "httptrigger": _http,
    "orchestrationtrigger": _orchestrator,
    "entitytrigger": _orchestrator,
    "activitytrigger": _activity,
    "queuetrigger": _queue,
    "blobtrigger": _blob,
    "eventhubtrigger": _event_hub,
    "servicebustrigger": _service_bus,
    "kafkatrigger": _kafka,
    "eventgridtrigger": _document,
    "cosmosdbtrigger": _document,
    "warmuptrigger": _warm_up,
}


def _read(text: str) -> Any:
    try:
        return read_whole(text)
    except JsonTextError as error:
        raise UnbindablePayload(str(error)) from error


def _json(value: Any) -> TypedData:
    return TypedData("json", dumps(value))


def _several(data: TypedData) -> TypedData:
    """One value as the only one of a batch."""
    is_binary = data.kind == "bytes"
    return TypedData("collection_bytes" if is_binary else "collection_string", [data.value])


def _is_many(trigger: Binding) -> bool:
    return _says(trigger, "cardinality", "many")


def _says(trigger: Binding, key: str, value: str) -> bool:
    return str(trigger.get(key, "")).lower() == value
