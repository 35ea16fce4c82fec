"""Comparing answers with what is expected of them."""

import json

import pytest

from durahost.contract.cases import Body, Expectation
from durahost.contract.exchange import Answer
from durahost.contract.matching import JSON_TYPE, check, compare


def answer(body=b"", status=200, **headers):
    return Answer(status=status, headers=headers, body=body)


def expected(kind=Body.ANY, body=None, statuses=(200,), **headers):
    return Expectation(statuses=statuses, kind=kind, body=body, headers=headers)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"a": 1, "b": [None, True]}, {"a": 1, "b": [None, True]}),
        ("<any>", None),
        ("<string>", ""),
        ("<integer>", 3),
        ("<number>", 1.5),
        ("<bool>", False),
        ("<object>", {}),
        ("<array>", [1]),
        ("<guid>", "0123456789abcdef0123456789abcdef"),
        ("at <time>", "at 2026-01-02T03:04:05Z"),
        ("<moment>", "2026-01-02T03:04:05.1234567Z"),
        ("<local-moment>", "2026-01-02T03:04:05.12+00:00"),
        ("code=<key>", "code=ab-_9=="),
        ("a<text>b", "a\n.*b"),
        ("a.b(", "a.b("),
    ],
)
def test_what_matches(wanted, found):
    assert compare(wanted, found, "$") == []


@pytest.mark.parametrize(
    ("wanted", "found", "problem"),
    [
        (1, 1.0, "$: expected 1, got 1.0"),
        (1, True, "$: expected 1, got true"),
        (None, False, "$: expected null, got false"),
        ("<integer>", True, "$: expected <integer>, got true"),
        ("<integer>", 1.5, '$: expected "<integer>", got 1.5'),
        ("<time>", "2026-01-02T03:04:05.1Z", '$: expected "<time>", got "2026-01-02T03:04:05.1Z"'),
        ("a.b", "axb", '$: expected "a.b", got "axb"'),
        ({"a": 1}, {}, "$.a: missing"),
        ({}, {"a": 1}, "$.a: not expected, is 1"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "$: expected the order a, b, got b, a"),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, "$.a[0].b: expected 1, got 2"),
        ([1], [1, 2], "$: expected 1 items, got 2: [1, 2]"),
        ({}, [], "$: expected {}, got []"),
        ({"a": "<absent>"}, {"a": 1}, "$.a: expected none"),
    ],
)
def test_what_does_not(wanted, found, problem):
    assert problem in compare(wanted, found, "$")


def test_an_open_object_may_have_more():
    assert compare({"a": {"c": 1}}, {"z": 0, "a": {"b": 1, "c": 1}}, "$", is_open=True) == []
    assert compare({"a": "<absent>"}, {"b": 1}, "$", is_open=True) == []


def test_status_and_headers():
    found = answer(status=404, **{"x-a": "1", "x-b": "2"})
    wanted = expected(
        statuses=(200, 202), **{"x-a": "absent", "x-b": "present", "x-c": "3", "x-d": ""}
    )
    assert check(wanted, found, is_api=False) == [
        "status: expected 200 or 202, got 404",
        "header x-a: expected none, got '1'",
        "header x-c: missing",
        "header x-d: missing",
    ]
    assert check(expected(**{"x-b": "3"}), answer(**{"x-b": "2"}), is_api=False) == [
        "header x-b: expected '3', got '2'"
    ]


def test_an_empty_body_has_no_type():
    assert check(expected(Body.EMPTY), answer(), is_api=True) == []
    (problem,) = check(expected(Body.EMPTY), answer(b"x"), is_api=True)
    assert "expected none" in problem
    (problem,) = check(expected(Body.EMPTY), answer(**{"content-type": "a"}), is_api=True)
    assert "content-type of no body" in problem


def test_texts_are_compared_to_the_byte():
    assert check(expected(Body.TEXT, '{"a":<text>}'), answer(b'{"a":1.0}'), is_api=True) == []
    assert check(expected(Body.TEXT, "a"), answer(b"a "), is_api=True) == [
        "body: expected 'a', got 'a '"
    ]


def test_bodies_of_the_api_are_compact_and_typed():
    spaced = answer(json.dumps({"a": "b c"}).encode())
    assert check(expected(Body.JSON, {"a": "b c"}), spaced, is_api=False) == []
    problems = check(expected(Body.JSON, {"a": "b c"}), spaced, is_api=True)
    assert problems == ["header content-type: missing", "body: there are blanks between its tokens"]
    compact = answer(b'{"a":"b c"}', **{"content-type": JSON_TYPE})
    assert check(expected(Body.HAS, {}), compact, is_api=True) == []


def test_a_body_that_is_no_json():
    assert check(expected(Body.JSON, 1), answer(b"<p>"), is_api=False) == [
        'body: expected JSON, got "<p>"'
    ]
