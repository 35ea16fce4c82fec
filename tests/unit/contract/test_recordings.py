"""Recordings: the same for every run, with the forms of what is masked; and their comparison."""

import json
from types import SimpleNamespace

import pytest

from durahost.contract.cases import load_cases
from durahost.contract.diff import compare, group, read_allowed, without
from durahost.contract.errors import ContractError
from durahost.contract.exchange import Answer, Request
from durahost.contract.recorder import Recorder, build_mask, read_recording
from durahost.contract.report import format_groups
from durahost.contract.runner import Exchange, Outcome, Result

CASE = load_cases("links/the status link is the status")[0]
TARGET = SimpleNamespace(variables={"origin": "https://a.example", "rpc": "", "code": "given"})


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("at 2026-01-02T03:04:05Z", "at <time>"),
        ("2026-01-02T03:04:05.123Z", "<moment>"),
        ("2026-01-02T03:04:05.123+00:00", "<local-moment>"),
        ("2026-01-02T03:04:05+02:00", "<local-moment>"),
        ("/x?taskHub=A&code=ab_c-D==", "/x?taskHub=A&code=<key>"),
        ("http://127.0.0.1:17071/durabletask/", "http://<host>/durabletask/"),
        ("https://a.example:80/x", "https://a.example:<port>/x"),
        ("/instances/0123456789abcdef0123456789abcdef?", "/instances/<guid>?"),
        ("0f8fad5b-d9cb-469f-a165-70867728950e", "<uuid>"),
        ('{"m":"Stack: at \\"x\\"\\n","n":1}', '{"m":"Stack: <text>","n":1}'),
        ("one-2 and one", "<id2> and <id>"),
    ],
)
def test_masks_keep_the_form(text, masked):
    assert build_mask({"one": "<id>", "one-2": "<id2>"})(text) == masked


def recorded(tmp_path, body=b"", name="a", status=200, is_open=False, **headers):
    request = Request(
        method="POST",
        url="https://a.example/instances/abc",
        headers={"x-functions-key": "secret", "X-MS-Continuation-Token": "t"},
        body=b"abc",
    )
    found = Answer(status=status, headers=headers, body=body)
    result = Result(
        case=CASE,
        outcome=Outcome.PASSED,
        exchanges=[Exchange(request=request, answer=found, is_open=is_open)],
        variables={"id": "abc"},
    )
    recorder = Recorder(TARGET)
    recorder.add(result)
    recorder.write(tmp_path / name)
    return read_recording(tmp_path / name)


def test_what_is_recorded(tmp_path):
    body = b'{"b":"abc","a":[1.0,"2026-01-02T03:04:05Z"]}'
    ((exchange,),) = recorded(tmp_path, body, date="now", location="https://a.example/abc").values()
    assert exchange["request"] == {
        "method": "POST",
        "url": "<origin>/instances/<id>",
        "headers": {"x-ms-continuation-token": "<token>"},
        "body": "<id>",
    }
    assert json.dumps(exchange["answer"]) == json.dumps(
        {
            "status": 200,
            "headers": {"location": "<origin>/<id>"},
            "json": {"b": "<id>", "a": [1.0, "<time>"]},
        }
    )


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"", {}),
        (b"<p>abc", {"text": "<p><id>"}),
        (b'"%s"' % (b"a" * 44 + b"AzFu" + b"b" * 6 + b"=="), {"json": "<key>"}),
        (
            b'{"keys":[{"name":"k","value":"old"}]}',
            {"json": {"keys": [{"name": "k", "value": "<key>"}]}},
        ),
        (b'["the given one"]', {"json": ["the <key> one"]}),
        (
            b'{"Message":"Invalid JSON content","ExceptionMessage":"Line 1","StackTrace":"at x"}',
            {
                "json": {
                    "Message": "Invalid JSON content",
                    "ExceptionMessage": "<text>",
                    "StackTrace": "<any>",
                }
            },
        ),
        (
            b'{"Message":"Could not parse JSON content: Line 1"}',
            {"json": {"Message": "Could not parse JSON content: <text>"}},
        ),
        (b'{"Message":"Other"}', {"json": {"Message": "Other"}}),
    ],
)
def test_what_the_contract_leaves_open_is_masked(tmp_path, body, kept):
    ((exchange,),) = recorded(tmp_path, body).values()
    assert {k: v for k, v in exchange["answer"].items() if k in {"json", "text"}} == kept


def test_an_open_body_is_not_recorded(tmp_path):
    ((exchange,),) = recorded(tmp_path, b'["of others"]', is_open=True).values()
    assert exchange["answer"]["json"] == "<any>"


def test_a_skipped_case_is_not_recorded(tmp_path):
    recorder = Recorder(TARGET)
    recorder.add(Result(case=CASE, outcome=Outcome.SKIPPED, variables={}))
    recorder.write(tmp_path / "a")
    assert read_recording(tmp_path / "a") == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2, "cases": {}}', "\ud800"])
def test_a_file_that_is_no_recording(tmp_path, text):
    (tmp_path / "a").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ContractError, match="is no recording of format 1"):
        read_recording(tmp_path / "a")


def differences(tmp_path, old, new):
    before, after = recorded(tmp_path, **old), recorded(tmp_path, **new)
    return [(one.kind, one.place, one.detail) for one in compare(before, after)]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"body": b'{"a":"abc"}'}, {"body": b'{"a":"abc"}'}, []),
        ({}, {"status": 500}, [("status", "-", "200 → 500")]),
        ({"x": "1"}, {}, [("header-missing", "x", "1")]),
        ({}, {"x": "1"}, [("header-added", "x", "1")]),
        ({"x": "1"}, {"x": "2"}, [("header", "x", '"1" → "2"')]),
        ({}, {"body": b"1"}, [("body", "-", "no body → json")]),
        ({"body": b"a"}, {"body": b"b"}, [("value", "$", '"a" → "b"')]),
        ({"body": b'{"a":1}'}, {"body": b"{}"}, [("property-missing", "$.a", "was 1")]),
        ({"body": b"{}"}, {"body": b'{"a":1}'}, [("property-added", "$.a", "is 1")]),
        (
            {"body": b'{"a":1,"b":2}'},
            {"body": b'{"b":2,"a":1}'},
            [("property-order", "$", "a, b → b, a")],
        ),
        ({"body": b"[1]"}, {"body": b"[1.0]"}, [("type", "$[]", "integer → number")]),
        ({"body": b"[null]"}, {"body": b"[true]"}, [("type", "$[]", "null → boolean")]),
        ({"body": b"[1]"}, {"body": b"[1,2]"}, [("length", "$[]", "1 → 2")]),
        ({"body": b"[1]"}, {"body": b"[2]"}, [("value", "$[]", "1 → 2")]),
        (
            {"body": b'["2026-01-02T03:04:05Z"]'},
            {"body": b'["2026-01-02T03:04:05.1Z"]'},
            [("format", "$[]", '"<time>" → "<moment>"')],
        ),
        ({"body": b'["x"]'}, {"body": b'["y"]'}, [("value", "$[]", '"x" → "y"')]),
    ],
)
def test_what_differs_in_meaning(tmp_path, old, new, found):
    assert differences(tmp_path, old, new) == found


def exchange(url="u"):
    return {"request": {"url": url}, "answer": {"status": 200, "headers": {}}}


def test_cases_and_exchanges_that_are_not_in_both():
    before = {"gone": [], "same": [exchange()], "other": [exchange()], "more": [exchange()]}
    after = {"same": [exchange()], "other": [exchange("v")], "more": [exchange()] * 2, "new": []}
    assert [(one.kind, one.case) for one in compare(before, after)] == [
        ("case-missing", "gone"),
        ("request", "other"),
        ("exchanges", "more"),
        ("case-added", "new"),
    ]


def test_the_allow_list(tmp_path):
    before = {
        name: [{"request": {}, "answer": {"status": 200, "headers": {"x": "1"}}}] for name in "ab"
    }
    after = {
        name: [{"request": {}, "answer": {"status": 201, "headers": {"x": "2"}}}] for name in "ab"
    }
    found = compare(before, after)
    assert len(found) == 4
    (tmp_path / "allow").write_text("# known\n\nstatus *\nheader x [b]\n")
    left = without(found, read_allowed(tmp_path / "allow"))
    assert [one.line for one in left] == ["header x [a]"]
    with pytest.raises(ContractError, match="allow-list"):
        read_allowed(tmp_path / "nothing")


def test_an_allow_list_names_places_in_arrays():
    before = {"a": [{"request": {}, "answer": {"status": 200, "headers": {}, "json": [1]}}]}
    after = {"a": [{"request": {}, "answer": {"status": 200, "headers": {}, "json": [2]}}]}
    assert without(compare(before, after), ["value $[] [a]"]) == []
    assert without(compare(before, after), ["value $[] [b]"]) != []


def test_the_same_difference_is_told_once():
    answers = [
        {"request": {}, "answer": {"status": status, "headers": {}}} for status in (200, 500)
    ]
    before, after = ({name: [one] for name in "abcde"} for one in answers)
    (one,) = group(compare(before, after))
    assert format_groups([one]) == "\n".join(
        ["status -: 200 → 500 (5 cases)", "    a", "    b", "    c", "    and 2 more"]
    )
