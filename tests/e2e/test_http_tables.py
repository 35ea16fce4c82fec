"""What a Python function receives of a request, and what a client receives of what it returns.

Row by row, through a running host. Sources: Azure/azure-functions-host:
GrpcMessageConversionExtensions.cs (ToRpcHttp), HttpBinding.cs, RawScriptResult.cs;
Azure/azure-functions-python-library: http.py, _http.py; Azure/azure-functions-python-worker:
dispatcher.py, datumdef.py, tests/unittests/test_http_functions.py.
"""

import json
import re
import socket

import pytest
from app_files import copy_test_app
from running_host import RunningHost

REQUESTS = pytest.mark.feature("Functions host", "HTTP requests")
RESPONSES = pytest.mark.feature("Functions host", "HTTP responses")
COOKIES = pytest.mark.feature("Functions host", "Cookies")
TEXT = "text/plain; charset=utf-8"
CONVERTER = "<class 'azure.functions.http.HttpResponseConverter'>"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    root = copy_test_app("tables", tmp_path_factory.mktemp("tables"))
    with RunningHost(root, "--no-reload", "--ephemeral", env={"TZ": "UTC"}) as running:
        yield running


# What the function receives ----------------------------------------------------------------------


def asked(host, target, *headers, method="POST", body=b""):
    """What the function sees of a request that is sent as it stands here."""
    lines = [f"{method} /api/asked/{target} HTTP/1.1", *headers, "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", int(host.base.rpartition(":")[2])), 30) as client:
        client.sendall("\r\n".join(lines).encode("latin-1") + body)
        received = b""
        while part := client.recv(65536):
            received += part
    return json.loads(received.partition(b"\r\n\r\n")[2])


HOST = "Host: h:80"


@REQUESTS
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"])
def test_the_method(host, method):
    assert asked(host, "a", HOST, method=method)["method"] == method


@REQUESTS
@pytest.mark.parametrize(
    ("target", "headers", "url"),
    [
        ("a", [HOST], "http://h:80/api/asked/a"),
        ("a%20b%2Fc/%7E", ["Host: ExAmple"], "http://ExAmple/api/asked/a%20b%2Fc/~"),
        ("a?x=%41+b&&y", [HOST], "http://h:80/api/asked/a?x=%41+b&&y"),
        ("a?", [HOST], "http://h:80/api/asked/a"),
        # Nothing reads what a proxy would say.
        (
            "a",
            [HOST, "X-Forwarded-Host: other", "X-Forwarded-Proto: https", "DISGUISED-HOST: other"],
            "http://h:80/api/asked/a",
        ),
    ],
)
def test_the_url(host, target, headers, url):
    assert asked(host, target, *headers)["url"] == url


@REQUESTS
@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        (["X-One: a"], "a"),
        (["x-one: a", "X-ONE: b", "X-One: c, d"], "a,b,c, d"),
        (["X-One:"], ""),
        ([], None),
    ],
)
def test_headers(host, headers, seen):
    told = asked(host, "a", HOST, *headers)
    assert (told["headers"].get("x-one"), told["any case"]) == (seen, seen)
    assert all(name == name.lower() for name in told["headers"])


@REQUESTS
@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("name=a&name=b&NAME=c", {"name": "a,b,c"}),
        ("name=&other=x", {"other": "x"}),
        ("name", {}),
        ("a=%20+%2B&b=%C3%A4", {"a": "  +", "b": "ä"}),
        ("code=key", {"code": "key"}),
    ],
)
def test_query_parameters(host, query, seen):
    assert asked(host, f"a?{query}", HOST)["params"] == seen


@REQUESTS
@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("a", {"name": "a"}),
        ("a/b", {"name": "a", "kind": "b"}),
        ("a%20b/%C3%A4", {"name": "a b", "kind": "ä"}),
        ("5", {"name": "5"}),
    ],
)
def test_route_parameters(host, path, seen):
    assert asked(host, path, HOST)["route"] == seen


@REQUESTS
@pytest.mark.parametrize(
    ("headers", "body", "seen"),
    [
        (["Content-Length: 4"], b"\x00\xff\r\n", b"\x00\xff\r\n"),
        (["Content-Length: 0"], b"", b""),
        ([], b"", b""),
        (["Transfer-Encoding: chunked"], b"4\r\ndata\r\n0\r\n\r\n", b""),
    ],
)
def test_the_body(host, headers, body, seen):
    assert asked(host, "a", HOST, *headers, body=body)["body"] == seen.hex()


@REQUESTS
@pytest.mark.parametrize(
    ("body", "content_type", "seen"),
    [
        (b'{"a": [1, null]}', "text/plain", "{'a': [1, None]}"),
        (b"\xc3\xa4", "application/json", "ValueError"),
        (b'"\xc3\xa4"', "application/octet-stream", "'ä'"),
        (b"", "application/json", "ValueError"),
        (b"{'a': 1}", "application/json", "ValueError"),
    ],
)
def test_get_json(host, body, content_type, seen):
    headers = {"Content-Type": content_type}
    assert host.client.post("/api/json", content=body, headers=headers).text == seen


@REQUESTS
def test_forms_and_files(host):
    form = host.client.post("/api/form", data={"a": "1 &", "b": "ä"})
    assert form.json() == [{"a": "1 &", "b": "ä"}, {}]
    parts = host.client.post("/api/form", data={"a": "1"}, files={"f": ("n.txt", b"data")})
    assert parts.json() == [{"a": "1"}, {"f": ["n.txt", "data"]}]
    assert host.client.post("/api/form", content=b"a=1").json() == [{}, {}]


# What the client receives ------------------------------------------------------------------------


def returned(host, path, expression):
    response = host.client.post(f"/api/{path}", content=expression.encode())
    return response.status_code, response.headers.get("content-type"), response.text


@RESPONSES
@pytest.mark.parametrize(
    ("expression", "status", "content_type", "body"),
    [
        ("func.HttpResponse()", 200, TEXT, ""),
        ("func.HttpResponse('ä')", 200, TEXT, "ä"),
        ("func.HttpResponse('{\"body\": 1}')", 200, TEXT, '{"body": 1}'),
        (
            "func.HttpResponse('ä', status_code=201, mimetype='text/html', charset='latin-1')",
            201,
            "text/html; charset=latin-1",
            "ä",
        ),
        ("func.HttpResponse(b'{}', mimetype='application/json')", 200, "application/json", "{}"),
        ("func.HttpResponse('x', headers={'Content-Type': 'a/b'})", 200, "a/b", "x"),
        ("func.HttpResponse('bye', status_code=404)", 404, TEXT, "bye"),
        ("func.HttpResponse(status_code=302, headers={'Location': '/x'})", 302, TEXT, ""),
        ("'text'", 200, TEXT, "text"),
        ("func.HttpResponse(status_code=204)", 204, TEXT, ""),
        ("func.HttpResponse('x', status_code=204)", 500, None, ""),
        ("func.HttpResponse('x', status_code=304)", 500, None, ""),
    ],
)
def test_a_return_value(host, expression, status, content_type, body):
    assert returned(host, "returns", expression) == (status, content_type, body)


@RESPONSES
@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("b'text'", "bytes"),
        ("{}", "dict"),
        ("5", "int"),
        ("[1]", "list"),
        ("True", "bool"),
        ("None", "NoneType"),
    ],
)
def test_a_return_value_of_no_use(host, expression, kind):
    assert returned(host, "returns", expression) == (500, None, "")
    text = f'unsupported type "{CONVERTER}" for Python type "{kind}"'
    host.wait_for_line(re.escape(f"TypeError: unable to encode outgoing TypedData: {text}"))


@RESPONSES
def test_a_function_that_raises(host):
    assert returned(host, "returns", "1 / 0") == (500, None, "")
    host.wait_for_line("Exception: ZeroDivisionError: division by zero")


@RESPONSES
@pytest.mark.parametrize(
    ("path", "expression", "status", "body"),
    [
        ("silent", "None", 204, ""),
        ("named", "(func.HttpResponse('x', status_code=201), None)", 201, "x"),
        ("named", "('text', None)", 200, "text"),
        ("named", '(\'{"status": 201, "body": "x"}\', None)', 201, "x"),
        ("named", "(None, None)", 204, ""),
    ],
)
def test_other_outputs(host, path, expression, status, body):
    assert returned(host, path, expression) == (status, TEXT if status != 204 else None, body)


@RESPONSES
@pytest.mark.parametrize(
    ("path", "expression"),
    [
        ("silent", "'x'"),
        ("silent", "func.HttpResponse('x')"),
        ("named", "(None, 'x')"),
        ("named", "(func.HttpResponse('y'), 'x')"),
    ],
)
def test_a_value_that_no_output_takes(host, path, expression):
    assert returned(host, path, expression) == (500, None, "")
    host.wait_for_line(
        f"RuntimeError: function '{path}' without a \\$return bindingreturned a non-None value"
    )


@RESPONSES
@pytest.mark.parametrize(
    ("text", "body"),
    [
        ('{"a": 1}', '{\n  "a": 1\n}'),
        ("[1,2]", "[\n  1,\n  2\n]"),
        ("[]", "[]"),
        ("{}", "{}"),
        ('{"status": 201}', '{\n  "status": 201\n}'),
        ('{"body": "x"}', "x"),
        ('{"BODY": {"a": 1.10}}', '{"a":1.1}'),
        ('{"body": null}', ""),
        ('{"body": true}', "True"),
        ('{"body": 1e2}', "100"),
        ('{"body": [1]}', "System.Collections.Generic.List`1[System.Object]"),
        *[(text, "") for text in ("null", "undefined", "", "  \n", "// hi", "/* x */")],
        ("true", "True"),
        ("42", "42"),
        ("4.0", "4"),
        ('"x"', "x"),
        ("'x'", "x"),
        ('"2024-01-01T10:00:00.500Z"', "01/01/2024 10:00:00"),
        ("007", "7"),
        ("010", "8"),
        ("0x10", "16"),
        *[(text, text) for text in ("hello", "true story", "1 2", "12:30", "2024-01-01")],
        ("{a: 'b', /* c */ d: 1.10, e: 1e2,}", '{\n  "a": "b",\n  "d": 1.1,\n  "e": 100.0\n}'),
        (
            '["2024-01-01T10:00:00.500Z", "2024-01-01T10:00:00+02:00", "2024-01-01"]',
            '[\n  "2024-01-01T10:00:00.5Z",\n  "2024-01-01T08:00:00+00:00",\n  "2024-01-01"\n]',
        ),
    ],
)
def test_text_that_may_be_json(host, text, body):
    assert returned(host, "returns", repr(text)) == (200, TEXT, body)


@RESPONSES
@pytest.mark.parametrize(
    ("members", "status", "content_type"),
    [
        ({"statusCode": 201, "status": 202}, 201, TEXT),
        ({"status": 202}, 202, TEXT),
        ({"Status": "203"}, 203, TEXT),
        ({"status": "abc"}, 200, TEXT),
        ({"headers": {"content-type": "a/b"}}, 200, "a/b"),
    ],
)
def test_members_beside_the_body(host, members, status, content_type):
    text = json.dumps({"body": "x", **members})
    assert returned(host, "returns", repr(text)) == (status, content_type, "x")


def added(host, *headers):
    return host.client.post("/api/adds", content=repr(headers).encode())


@RESPONSES
def test_the_last_header_of_a_name(host):
    response = added(host, ("X-A", "1"), ("X-B", "b"), ("x-a", "2"))
    assert response.headers.get_list("x-a") == ["2"]
    assert response.headers.get_list("x-b") == ["b"]


@COOKIES
@pytest.mark.parametrize(
    ("cookies", "received"),
    [
        (["foo=bar"], ["foo=bar; domain=; path="]),
        (
            ["a=1; Path=/", "b=2; Domain=x.example"],
            ["a=1; domain=; path=/", "b=2; domain=x.example; path="],
        ),
        (
            ["s=v; Domain=d; Expires=Thu, 12-Jan-2017 13:55:08 GMT; Path=/; Max-Age=10; Secure; "
             "HttpOnly; SameSite=Strict"],
            ["s=v; expires=Thu, 12 Jan 2017 13:55:08 GMT; max-age=10; domain=d; path=/; secure; "
             "samesite=strict; httponly"],
        ),
        (["a=1; SameSite=Lax"], ["a=1; domain=; path=; samesite=lax"]),
        (["a=1; SameSite=None"], ["a=1; domain=; path=; samesite=none"]),
        ([""], []),
        (["a=1; Path=/; SecureFalse; HttpOnly"], []),
        (["a=1; Max-Age=Dummy"], []),
    ],
)  # fmt: skip
def test_cookies(host, cookies, received):
    response = added(host, *[("Set-Cookie", cookie) for cookie in cookies])
    assert (response.status_code, response.text) == (200, "added")
    assert response.headers.get_list("set-cookie") == received


@COOKIES
def test_a_cookie_with_a_date_that_is_none(host):
    response = added(host, ("Set-Cookie", "a=1; Expires=Dummy"))
    assert (response.status_code, response.content) == (500, b"")
