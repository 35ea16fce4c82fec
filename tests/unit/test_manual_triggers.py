"""What a payload becomes for each trigger, as the app's own converters read it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from durahost.child.conversion import Library, Port
from durahost.child.wire import pack, unpack
from durahost.manual_triggers import UnbindablePayload, build_trigger
from durahost.model.functions import Binding, FunctionMetadata

pytestmark = pytest.mark.feature(
    "Functions host",
    "Triggers of other services",
    "not listened to; `POST /admin/functions/{name}` runs them",
)

NOW = datetime(2026, 1, 5, 10, 0, 0, 123456, tzinfo=UTC)
ID = "11111111-2222-3333-4444-555555555555"


def build(kind, payload, **properties):
    trigger = Binding("t", kind, "in", properties)
    folder = Path("/app/F")
    function = FunctionMetadata("F", folder, folder / "x.py", "", [trigger])
    return build_trigger(function, payload, NOW, ID)


def crossed(data):
    """The value as it comes out of the pipe to the child."""
    parts = []
    value = None if data is None else (data.kind, data.value)
    return unpack(pack(value, parts), parts)


def given(kind, payload, pytype=None, **properties):
    """What the function's parameter is."""
    built = build(kind, payload, **properties)
    metadata = {name: crossed(data) for name, data in built.metadata.items()}
    return Library().decode(Port(kind, pytype), crossed(built.value), metadata)


def test_a_queue_message():
    message = given("queueTrigger", '{"a": 1}')
    assert message.get_body() == b'{"a": 1}'
    assert message.get_json() == {"a": 1}
    assert (message.id, message.pop_receipt, message.dequeue_count) == (None, None, 0)
    assert message.insertion_time == NOW
    assert message.expiration_time.year == message.time_next_visible.year == 9999
    assert given("queueTrigger", None).get_body() == b""
    assert build("queueTrigger", "x", dataType="Binary").value.value == b"x"


def test_a_blob():
    blob = given("blobTrigger", "é", path="samples/{name}.{ext}")
    assert (blob.name, blob.length, blob.read()) == ("samples/name.ext", 2, "é".encode())
    assert blob.uri.endswith("/samples/name.ext")
    assert blob.metadata == {}
    assert build("blobTrigger", "x", path="c/{name}").metadata["name"].value == "name"
    assert build("blobTrigger", "x", dataType="string").value.value == "x"


def test_an_event():
    event = given("eventHubTrigger", "hi")
    assert (event.get_body(), event.sequence_number, event.offset) == (b"hi", 0, "0")
    assert event.enqueued_time == NOW
    assert event.iothub_metadata == {}


@pytest.mark.parametrize("data_type", ["string", "binary"])
def test_a_batch_of_events(data_type):
    (event,) = given("eventHubTrigger", "hi", cardinality="Many", dataType=data_type)
    assert (event.get_body(), event.sequence_number) == (b"hi", 0)
    assert event.enqueued_time == NOW


def test_a_message():
    message = given("serviceBusTrigger", "hi")
    assert (message.get_body(), message.message_id, message.delivery_count) == (b"hi", ID, 1)
    assert message.enqueued_time_utc == NOW
    assert message.user_properties == message.application_properties == {}


def test_a_batch_of_messages():
    (message,) = given("serviceBusTrigger", "hi", cardinality="many")
    assert (message.get_body(), message.message_id, message.delivery_count) == (b"hi", ID, 1)


def test_a_kafka_event():
    event = given("kafkaTrigger", "hi", topic="T")
    assert (event.get_body(), event.topic, event.offset, event.partition) == (b"hi", "T", 0, 0)


def test_a_batch_of_kafka_events():
    (event,) = given("kafkaTrigger", "hi", topic="T", cardinality="many")
    assert (event.get_body(), event.topic, event.offset, event.key) == (b"hi", "T", 0, None)


def test_documents():
    described = {
        "id": "1",
        "data": {"a": 1},
        "topic": "t",
        "subject": "s",
        "eventType": "e",
        "eventTime": "2026-01-01T00:00:00Z",
        "dataVersion": "1",
    }
    event = given("eventGridTrigger", json.dumps(described))
    assert (event.id, event.get_json()) == ("1", {"a": 1})
    (document,) = given("cosmosDBTrigger", "[{'id': 1}]")
    assert document["id"] == 1
    with pytest.raises(UnbindablePayload, match="Unexpected character"):
        build("cosmosDBTrigger", "nope")


def test_a_warm_up_and_what_has_no_converter():
    assert type(given("warmupTrigger", None)).__name__ == "WarmUpContext"
    assert given("sqlTrigger", "[]") == "[]"
    assert given("daprTopicTrigger", "x", dataType="binary") == b"x"


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ('"Tokyo"', "Tokyo"),
        ("5", "5"),
        ("true", "True"),
        ("{'a': [1]}", '{"a":[1]}'),
        ("null", None),
    ],
)
def test_an_activity_gets_what_an_orchestrator_would_give(payload, text):
    value = build("activityTrigger", payload).value
    assert (None if value is None else value.value) == text


@pytest.mark.parametrize(
    ("kind", "payload", "text"),
    [
        ("httpTrigger", "x", "An HttpRequest is required"),
        ("orchestrationTrigger", "x", "Don't know how to bind to String. (Parameter 'value')"),
        ("entityTrigger", None, "Don't know how to bind to null. (Parameter 'value')"),
        ("activityTrigger", None, "Cannot execute an Activity Trigger without"),
        ("activityTrigger", "1, 2", "expected to be an object array with one element"),
        ("activityTrigger", "bare words", "Unexpected character encountered"),
    ],
)
def test_what_no_payload_can_run(kind, payload, text):
    with pytest.raises(UnbindablePayload) as caught:
        build(kind, payload)
    assert text in str(caught.value)
