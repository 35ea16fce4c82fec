"""Values are those of the standard library's dataclasses, but for what the type checker sees to."""

import dataclasses

import pytest

from durahost.model.values import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0


@dataclass(frozen=True, eq=False)
class Place:
    x: int


@dataclass
class Count:
    n: int


def test_equal_values_are_one_key():
    assert {Point(1): "a"}[Point(1, 0)] == "a"
    assert Point(1) != Point(2)


def test_a_copy_differs_where_it_is_told_to():
    assert dataclasses.replace(Point(1), y=2) == Point(1, 2)


def test_what_compares_by_identity_has_its_hash():
    place = Place(1)
    assert place != Place(1)
    assert hash(place) == object.__hash__(place)


def test_what_may_change_is_no_key():
    with pytest.raises(TypeError, match="unhashable"):
        hash(Count(1))
