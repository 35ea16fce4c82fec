"""`{name}` in a binding's properties: what it may name, and the platform's texts when it cannot."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from durahost.functions.expressions import (
    BindingData,
    BindingFault,
    ExpressionFault,
    expand,
    expanded,
    json_members,
)
from durahost.model.functions import Binding, FunctionMetadata

pytestmark = pytest.mark.feature("Functions host", "Binding expressions `{name}`")

GUID = UUID("12345678-1234-5678-1234-567812345678")
DATA = BindingData(
    {
        "Id": "7", "flag": True, "n": 1.5, "nothing": None, "order": {"Lines": {"a": [1, "é"]}},
        "query": {"q": "x"}, "headers": {"x-one": "1"},
    },
    datetime(2026, 1, 5, 10, 2, 3, tzinfo=UTC),
    lambda: GUID,
)  # fmt: skip


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("", ""),
        ("out/{id}.txt", "out/7.txt"),
        ("{ID}{id}", "77"),
        ("{{id}}-{id}", "{id}-7"),
        ("{flag} {n} [{nothing}]", "True 1.5 []"),
        ("{order.lines}", '{"a":[1,"é"]}'),
        ("{order.lines.a}", '[1,"é"]'),
        ("{query.q}{headers.x-one}", "x1"),
        ("{rand-guid}", str(GUID)),
        ("{rand-guid:N}", GUID.hex),
        ("{sys.randguid:B}{rand-guid:P}", f"{{{GUID}}}({GUID})"),
        ("{datetime}", "2026-01-05T10-02-03Z"),
        ("{sys.utcnow}", "2026-01-05T10-02-03Z"),
    ],
)
def test_templates(template, text):
    assert expand(template, DATA) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("a{other}", "No value for named parameter 'other'."),
        ("a{other.x}", "No value for named parameter 'other'."),
        ("a{}", "Invalid template 'a{}'. The parameter name at position 2 is empty."),
        ("a{id", "Invalid template 'a{id'. Missing closing bracket at position 2."),
        ("id}", "Invalid template 'id}'. Missing opening bracket at position 3."),
        ("{order.no}", "Error while accessing 'no': property doesn't exist."),
        ("{id.no}", "Error while accessing 'no': property doesn't exist."),
        ("{1}", "Invalid template expression '1"),
        ("{a-b}", "Invalid template expression 'a-b"),
        ("{id:N}", "The format 'N' of 'id' is not supported here."),
        ("{datetime:yyyy}", "The format 'yyyy' of 'datetime' is not supported here."),
        ("{rand-guid:X}", "The format 'X' of 'rand-guid' is not supported here."),
    ],
)
def test_faults(template, text):
    with pytest.raises(ExpressionFault) as caught:
        expand(template, DATA)
    assert str(caught.value) == text


def function(**properties):
    trigger = Binding("req", "httpTrigger", "in", {"route": "items/{id}"})
    output = Binding("o", "blob", "out", properties)
    return FunctionMetadata("F", Path("/f"), Path("/f/x.py"), "", [trigger, output])


def test_a_route_is_a_pattern_and_stays():
    plain = function(path="a", number=1)
    assert not plain.has_expressions
    assert expanded(plain, DATA) == plain
    assert function(path="a/{id}").has_expressions
    trigger, output = expanded(function(path="a/{id}", other=["{id}"]), DATA).bindings
    assert trigger.get("route") == "items/{id}"
    assert output.properties == {"path": "a/7", "other": ["{id}"]}


def test_a_fault_names_the_binding():
    with pytest.raises(BindingFault) as caught:
        expanded(function(path="{other}"), DATA)
    assert (caught.value.parameter, str(caught.value)) == (
        "o",
        "No value for named parameter 'other'.",
    )


def test_without_whole_data_what_has_no_value_stays():
    written = function(path="{other}", also="{id}")
    assert expanded(written, DATA, is_whole=False) == written


@pytest.mark.parametrize(
    ("payload", "members"),
    [
        (b'{"a": 1, "list": [1], "b": {"c": 2}}', {"a": 1, "b": {"c": 2}}),
        ("[1]", {}),
        ("no json", {}),
        (b"\xff", {}),
        (None, {}),
    ],
)
def test_members_of_a_payload(payload, members):
    assert json_members(payload) == members
