"""Entries of an entity listing."""

from datetime import UTC, datetime

import pytest

from durahost.codec.entity_rest import entity_payload
from durahost.codec.json_text import dumps
from durahost.model.ids import EntityId

pytestmark = pytest.mark.feature("Management API", "`GET /entities`")


WHEN = datetime(2026, 1, 5, 10, 0, 0, 123450, tzinfo=UTC)


def test_property_order_and_full_precision():
    payload = entity_payload(EntityId("counter", "K"), WHEN, None)
    assert dumps(payload) == (
        '{"entityId":{"name":"counter","key":"K"},'
        '"lastOperationTime":"2026-01-05T10:00:00.12345Z","state":null}'
    )


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("5", "5"),
        ('{"a": [1, "x"]}', '{"a":[1,"x"]}'),
        ("null", "null"),
        ("no JSON", '"no JSON"'),
        ('"2020-01-01T00:00:00.000Z"', '"2020-01-01T00:00:00Z"'),
        ('["2020-01-01T00:00:00.1230Z"]', '["2020-01-01T00:00:00.123Z"]'),
        ('{"a":"2020-01-01T02:00:00+02:00"}', '{"a":"2020-01-01T00:00:00+00:00"}'),
        ('"2020-01-01T00:00:00"', '"2020-01-01T00:00:00"'),
        ('"2020-13-01T00:00:00Z"', '"2020-13-01T00:00:00Z"'),
        ('"2020-01-01"', '"2020-01-01"'),
        ('"0001-01-01T00:00:00+02:00"', '"0001-01-01T00:00:00+02:00"'),
    ],
)
def test_state(state, shown):
    assert dumps(entity_payload(EntityId("e", ""), WHEN, state)["state"]) == shown
