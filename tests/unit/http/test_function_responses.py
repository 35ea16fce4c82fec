"""What a client receives for what a Python function returned."""

from pathlib import Path

import pytest

from durahost.http.responses import UnsendableResponse, build_response, format_cookie
from durahost.http.sniffing import sniff
from durahost.model.functions import Binding, FunctionMetadata
from durahost.worker.base import HttpData, Returned, TypedData

TRIGGER = Binding("req", "httpTrigger", "in")


def function(*outputs: str) -> FunctionMetadata:
    bindings = [TRIGGER, *(Binding(name, "HTTP", "Out") for name in outputs)]
    return FunctionMetadata("F", Path("/f"), Path("/f/x.py"), "", bindings)


def http(status="200", body=b"", cookies=(), **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return TypedData("http", HttpData(status=status, body=body, headers=named, cookies=cookies))


@pytest.mark.feature("Functions host", "HTTP responses")
@pytest.mark.parametrize(
    ("outputs", "returned", "status", "body"),
    [
        (["$return"], Returned(http("201", b"\x00x")), 201, b"\x00x"),
        (["$return"], Returned(None), 204, b""),
        ([], Returned(None), 204, b""),
        (["out"], Returned(None, {"out": http("201", b"y")}), 201, b"y"),
        (["out"], Returned(None), 204, b""),
        (["$return"], Returned(TypedData("string", "hi")), 200, b"hi"),
        (["$return"], Returned(TypedData("bytes", b"b")), 200, b"b"),
        (["$return"], Returned(TypedData("int", 3)), 200, b"3"),
        (["$return"], Returned(http("nonsense")), 200, b""),
        (["$return"], Returned(http("2147483648")), 200, b""),
        (["$return"], Returned(http("9" * 5000)), 200, b""),
    ],
)
def test_which_output_is_the_response(outputs, returned, status, body):
    response = build_response(function(*outputs), returned)
    assert (response.status_code, response.body) == (status, body)


@pytest.mark.feature("Functions host", "HTTP responses")
def test_headers_and_length():
    returned = Returned(
        http("202", b"", Location="/x", Content_Type="a/b", Content_Length="9", Date="x")
    )
    headers = build_response(function("$return"), returned).headers
    assert dict(headers) == {"location": "/x", "content-type": "a/b", "content-length": "0"}


@pytest.mark.feature("Functions host", "HTTP responses")
@pytest.mark.parametrize(
    "returned",
    [
        http("204", b"x"),
        http("304", b"x"),
        http("99"),
        http("600"),
        http("200", b"", X="a\nb"),
        http("200", b"", X="é"),
        http("200", b"", **{"a b": "c"}),
        http("200", cookies=[{"name": "a", "path": "x\n"}]),
    ],
)
def test_what_http_does_not_allow(returned):
    with pytest.raises(UnsendableResponse):
        build_response(function("$return"), Returned(returned))


@pytest.mark.feature("Functions host", "Cookies")
@pytest.mark.parametrize(
    ("cookie", "text"),
    [
        ({"name": "foo", "value": "bar", "domain": "", "path": ""}, "foo=bar; domain=; path="),
        ({"name": "a", "value": "b c;", "domain": None}, "a=b%20c%3B"),
        (
            {
                "name": "n", "value": "v", "domain": "d", "path": "/", "max_age": 60.0,
                "expires": "2026-01-05T10:00:00Z", "secure": True, "http_only": True,
                "same_site": "Strict",
            },
            "n=v; expires=Mon, 05 Jan 2026 10:00:00 GMT; max-age=60; domain=d; path=/; secure; "
            "samesite=strict; httponly",
        ),
        ({"name": "n", "value": "v", "same_site": "ExplicitNone"}, "n=v; samesite=none"),
        ({"name": "n", "value": "v", "same_site": "None"}, "n=v"),
    ],
)  # fmt: skip
def test_cookies(cookie, text):
    assert format_cookie(cookie) == text


@pytest.mark.feature("Functions host", "Cookies")
def test_several_cookies_are_several_headers():
    cookies = [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]
    response = build_response(function("$return"), Returned(http(cookies=cookies)))
    assert response.headers.getlist("set-cookie") == ["a=1", "b=2"]


@pytest.mark.feature("Functions host", "Content types that are found by content")
@pytest.mark.parametrize(
    ("text", "status", "body"),
    [
        ('{"a": 1}', 200, '{\n  "a": 1\n}'),
        ('[1,{"b":[]}]', 200, '[\n  1,\n  {\n    "b": []\n  }\n]'),
        ("[]", 200, "[]"),
        ("{}", 200, "{}"),
        ('{"status":201,"body":"x"}', 201, "x"),
        ('{"BODY":{"a":1.10},"statusCode":"202","status":500}', 202, '{"a":1.1}'),
        ('{"body":null,"statusCode":"soon"}', 200, ""),
        ('{"body":true}', 200, "True"),
        ('{"body":4.0}', 200, "4"),
        ('{"body":[1]}', 200, "System.Collections.Generic.List`1[System.Object]"),
        ("null", 200, ""),
        ("undefined", 200, ""),
        ("  ", 200, ""),
        ("// hi", 200, ""),
        ("/* x */", 200, ""),
        ("true", 200, "True"),
        ("42", 200, "42"),
        ("4.0", 200, "4"),
        ('"x"', 200, "x"),
        ("'x'", 200, "x"),
        ('"2024-01-01T10:00:00.500Z"', 200, "01/01/2024 10:00:00"),
        ("007", 200, "7"),
        ("010", 200, "8"),
        ("0x10", 200, "16"),
        ("hello", 200, "hello"),
        ("true story", 200, "true story"),
        ("1 2", 200, "1 2"),
        ("12:30", 200, "12:30"),
        ("2024-01-01", 200, "2024-01-01"),
        ('["2024-01-01T10:00:00.500Z"]', 200, '[\n  "2024-01-01T10:00:00.5Z"\n]'),
        ('["2024-01-01T12:00:00+02:00"]', 200, '[\n  "2024-01-01T10:00:00+00:00"\n]'),
        ('["2024-01-01T12:00:00"]', 200, '[\n  "2024-01-01T12:00:00"\n]'),
        ('["2024-13-01T12:00:00"]', 200, '[\n  "2024-13-01T12:00:00"\n]'),
    ],
)
def test_returned_text_is_sniffed(text, status, body):
    found = sniff(text)
    assert (found.status, found.body) == (status, body)


@pytest.mark.feature("Functions host", "Content types that are found by content")
def test_headers_of_a_sniffed_response():
    value = TypedData("string", '{"body":"x","headers":{"Content-Type":"a/b","X":1}}')
    response = build_response(function("$return"), Returned(value))
    assert response.headers["content-type"] == "a/b"
    assert response.headers["x"] == "1"
    plain = build_response(function("$return"), Returned(TypedData("string", "x")))
    assert plain.headers["content-type"] == "text/plain; charset=utf-8"
