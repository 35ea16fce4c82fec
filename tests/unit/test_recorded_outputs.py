"""Recorded outputs: what is kept of them, and how much."""

from datetime import UTC, datetime

from durahost.model.functions import Binding
from durahost.model.ids import InvocationId
from durahost.recorded_outputs import LONGEST_VALUE, RecordedOutputs
from durahost.worker.base import TypedData

NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
BINDING = Binding("out", "blob", "out", {"name": "out", "type": "blob", "path": "c/{name}"})


def add(records, value, kind="string"):
    return records.add(NOW, "F", InvocationId("run"), BINDING, TypedData(kind, value))


def values(records):
    return [one.value for one in records]


def test_the_oldest_go_when_there_are_too_many():
    records = RecordedOutputs(max_records=2)
    for value in "abc":
        add(records, value)
    assert (values(records), records.dropped) == (["b", "c"], 1)
    records.clear()
    assert (values(records), records.dropped) == ([], 0)
    add(records, "d")
    assert values(records) == ["d"]


def test_the_oldest_go_when_they_are_too_large_together():
    records = RecordedOutputs(max_bytes=10)
    for value in (b"12345678", b"12", b"123"):
        add(records, value, "bytes")
    assert (values(records), records.dropped) == ([b"12", b"123"], 1)
    add(records, "12345678901")
    assert (values(records), records.dropped) == ([], 4)


def test_a_long_value_is_cut_and_says_so():
    records = RecordedOutputs()
    long, whole = add(records, "é" * (LONGEST_VALUE + 1)), add(records, "é" * LONGEST_VALUE)
    assert (long.value, whole.value) == (whole.value, "é" * LONGEST_VALUE)
    assert (long.is_cut, whole.is_cut) == (True, False)
    assert long.size == 2 * LONGEST_VALUE + 2


def test_numbers_and_lone_surrogates_have_a_size():
    records = RecordedOutputs()
    assert add(records, 125, "int").size == 3
    assert add(records, "\ud800").size == 3
