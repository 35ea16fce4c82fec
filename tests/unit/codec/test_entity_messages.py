"""Messages and scheduler state of entities: the bytes, and back again."""

import json
from datetime import UTC, datetime

import pytest

from durahost.codec import entity_messages as messages
from durahost.model.entities import EntityRequest, EntityStatus, OperationResult, SchedulerState
from durahost.model.ids import EntityId

ID = "13494c17-4084-56a3-916c-4be4be397b56"
WHEN = datetime(2026, 1, 5, 10, 0, 1, 120000, tzinfo=UTC)
LOCK = EntityRequest(
    request_id=ID,
    parent="o",
    parent_execution="e",
    lock_set=[EntityId("a", "K"), EntityId("b", "")],
    position=1,
)
CALL = EntityRequest(
    request_id=ID, operation="add", input='"5"', parent="o", parent_execution="e", sent_at=WHEN
)
SIGNAL = EntityRequest(request_id=ID, operation="", is_signal=True, due=WHEN)


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (
            CALL,
            f'{{"op":"add","input":"\\"5\\"","id":"{ID}","parent":"o","parentExecution":"e",'
            '"Timestamp":"2026-01-05T10:00:01.12Z","Predecessor":"0001-01-01T00:00:00"}',
        ),
        (
            SIGNAL,
            f'{{"op":"","signal":true,"id":"{ID}","due":"2026-01-05T10:00:01.12Z",'
            '"Timestamp":"0001-01-01T00:00:00","Predecessor":"0001-01-01T00:00:00"}',
        ),
        (
            LOCK,
            f'{{"op":null,"id":"{ID}","parent":"o","parentExecution":"e",'
            '"Timestamp":"0001-01-01T00:00:00","Predecessor":"0001-01-01T00:00:00",'
            '"lockset":[{"name":"a","key":"K"},{"name":"b","key":""}],"pos":1}',
        ),
    ],
)
def test_requests(request_, text):
    assert messages.encode_request(request_) == text
    assert messages.decode_request(text) == request_


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "nope", "5", "{}", "[]"),
        *('{"id":"x"}', '{"id":5}', f'{{"id":"{ID}","op":5}}', f'{{"id":"{ID}","lockset":[1]}}'),
    ],
)
def test_what_is_no_request(text):
    assert messages.decode_request(text) is None


def test_a_time_without_zone_is_utc():
    text = f'{{"id":"{ID.upper()}","due":"2026-01-05T10:00:01.1200000"}}'
    request = messages.decode_request(text)
    assert (request.request_id, request.due) == (ID, WHEN)


def test_event_names():
    assert messages.request_name(None) == "op"
    assert messages.request_name(WHEN) == "op@2026-01-05T10:00:01.1200000Z"


def test_responses():
    assert messages.encode_response(OperationResult("5")) == '{"result":"5"}'
    assert messages.encode_response(OperationResult(None)) == '{"result":null}'
    failed = OperationResult('"no"', is_error=True)
    assert messages.encode_response(failed) == '{"result":"\\"no\\"","exceptionType":"Error"}'


def test_releases():
    text = messages.encode_release("o", "l")
    assert text == '{"parent":"o","id":"l"}'
    assert messages.decode_release(text) == "o"
    for other in (None, "nope", "5", "{}", '{"parent":5}'):
        assert messages.decode_release(other) is None


def test_a_new_scheduler():
    assert messages.decode_scheduler(None) == SchedulerState()
    assert messages.encode_scheduler(SchedulerState()) == '{"sorter":{}}'
    assert messages.encode_status(SchedulerState()) == "{}"


def test_a_full_scheduler():
    state = SchedulerState(
        exists=True,
        state='{"a": 1 }',
        queue=[CALL, SIGNAL, LOCK],
        locked_by="o",
        is_suspended=True,
        sorter={"ReceiveHorizon": "2026-01-05T10:00:00Z"},
    )
    text = messages.encode_scheduler(state)
    assert list(json.loads(text)) == ["exists", "state", "queue", "lockedBy", "suspended", "sorter"]
    assert messages.decode_scheduler(text) == state
    status = messages.encode_status(state)
    assert status == '{"entityExists":true,"queueSize":3,"lockedBy":"o"}'
    assert messages.decode_status(status) == EntityStatus(exists=True, queue_size=3, locked_by="o")
    assert messages.decode_status(None) == EntityStatus()


@pytest.mark.parametrize("text", ["nope", "[]", '{"queue":5}', '{"queue":[{}]}'])
def test_what_is_no_scheduler(text):
    with pytest.raises(ValueError, match="Purge the instance"):
        messages.decode_scheduler(text)


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("@counter@k", EntityId("counter", "k")),
        ("@Counter@K@2", EntityId("counter", "K@2")),
        ("@counter@", EntityId("counter", "")),
        ("counter@k", None),
        ("@counter", None),
        ("@@k", None),
        ("", None),
    ],
)
def test_entity_ids(text, entity):
    assert EntityId.parse(text) == entity
    assert entity is None or EntityId.parse(entity.instance_id) == entity
