"""Paths, queries and bodies as the extension and as functions read them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from durahost.http.errors import ApiArgumentError, ApiOverflow
from durahost.http.requests import (
    ApiQuery,
    BodyTooLarge,
    ClientGone,
    HttpRequest,
    decode_api_path,
    function_query,
    read_request,
    unless_gone,
)
from durahost.model.status import RuntimeStatus


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.feature("Functions host", "HTTP requests")
@pytest.mark.parametrize(
    ("raw", "decoded"),
    [
        ("/a%20b", "/a b"),
        ("/a+b", "/a b"),
        ("/a%2Bb", "/a+b"),
        ("/a%252Bb", "/a+b"),
        ("/a%2Fb", "/a/b"),
        ("/a%252Fb", "/a%2Fb"),
        ("/100%25", "/100%"),
        ("/%zz", "/%zz"),
        ("/%C3%A4", "/ä"),
    ],
)
def test_paths(raw, decoded):
    assert decode_api_path(raw) == decoded


@pytest.mark.feature("Management API", "Query parameters as .NET reads them")
@pytest.mark.parametrize(
    ("raw", "name", "value"),
    [
        ("a=1", "a", "1"),
        ("?A=1&b=2", "a", "1"),
        ("a=1&A=2", "a", "1,2"),
        ("a=x+y%20z%2B", "a", "x y z+"),
        ("a%20= 1 ", "a ", "1"),
        ("a=b=c", "a", "b=c"),
        ("a", "a", None),
        ("a", "", "a"),
        ("a=", "a", ""),
        ("", "a", None),
    ],
)
def test_api_query_values(raw, name, value):
    assert ApiQuery(raw).get(name) == value


@pytest.mark.feature("Management API", "Query parameters as .NET reads them")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("true", True), ("FALSE", False), ("%20True%20", True), ("1", None), ("yes", None),
        ("", None), ("true&a=true", None),
    ],
)  # fmt: skip
def test_booleans(value, expected):
    query = ApiQuery(f"a={value}")
    assert [query.boolean("a", default) for default in (True, False)] == (
        [True, False] if expected is None else [expected] * 2
    )


@pytest.mark.feature("Management API", "Query parameters as .NET reads them")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("5", 5),
        ("-5", -5),
        (" +5 ", 5),
        ("5.0", None),
        ("2147483648", None),
        ("", None),
        ("x", None),
    ],
)
def test_integers(value, expected):
    assert ApiQuery(f"a={value.replace('+', '%2B')}").integer("a") == expected


@pytest.mark.feature("Management API", "Query parameters as .NET reads them")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2", 2.0), ("0.5", 0.5), (".5", 0.5), ("1e1", 10.0), ("-3", -3.0), ("1,000", 1000.0),
        ("2&a=3", 23.0), ("x", None), ("", None), ("1 2", None),
    ],
)  # fmt: skip
def test_seconds(value, expected):
    found = ApiQuery(f"a={value}").seconds("a")
    assert found == (None if expected is None else timedelta(seconds=expected))


@pytest.mark.feature("Management API", "Query parameters as .NET reads them")
@pytest.mark.parametrize("value", ["1e15", "1e400", "Infinity", "-infinity"])
def test_seconds_beyond_a_timespan(value):
    with pytest.raises(ApiOverflow):
        ApiQuery(f"a={value}").seconds("a")


@pytest.mark.feature("Management API", "Query parameters as .NET reads them")
@pytest.mark.parametrize("value", ["NaN", "-nan"])
def test_seconds_that_are_no_number(value):
    with pytest.raises(ApiArgumentError, match="Not-a-Number"):
        ApiQuery(f"a={value}").seconds("a")


@pytest.mark.feature("Management API", "Query parameters as .NET reads them")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-05", utc(2026, 1, 5)),
        ("2026-01-05T10:00:00.1234567Z", utc(2026, 1, 5, 10, 0, 0, 123456)),
        ("2026-01-05T10:00:00%2B02:00", utc(2026, 1, 5, 8)),
        ("2026-01-05T10:00:00+02:00", None),
        ("12-01-2026", None),
        ("Jan-05-2026", utc(2026, 1, 5)),
        ("01/05", utc(2026, 1, 5)),
        ("1-01-01T00:00:00.000000Z", utc(1, 1, 1)),
        ("01/05/2026", utc(2026, 1, 5)),
        ("01/05/2026 10:00:00", utc(2026, 1, 5, 10)),
        ("Mon, 05 Jan 2026 10:00:00 GMT", utc(2026, 1, 5, 10)),
        ("soon", None),
        ("", None),
    ],
)  # fmt: skip
def test_moments(value, expected):
    found = ApiQuery(f"a={value}").moment("a", utc(2026, 7, 4))
    assert found == expected


@pytest.mark.feature("Management API", "Query parameters as .NET reads them")
@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", None),
        ("s=", None),
        ("s=running,nope", None),
        ("s=Running,nope", {RuntimeStatus.RUNNING}),
        ("s=Running&s=%20Failed", {RuntimeStatus.RUNNING, RuntimeStatus.FAILED}),
        ("s=0,7", {RuntimeStatus.RUNNING, RuntimeStatus.SUSPENDED}),
        ("s=99", set()),
        ("s=99999999999", None),
        ("s=%D9%A1", None),
    ],
)
def test_statuses(raw, expected):
    assert ApiQuery(raw).statuses("s") == expected


@pytest.mark.feature("Management API", "Query parameters as .NET reads them")
@pytest.mark.parametrize("value", ["Unknown", "-1"])
def test_the_unknown_status_is_refused(value):
    with pytest.raises(ApiArgumentError):
        ApiQuery(f"s={value}").statuses("s")


@pytest.mark.feature("Management API", "`DELETE /instances`")
@pytest.mark.parametrize(
    ("raw", "expected"),
    [("s=Unknown", None), ("s=Unknown,Failed", {RuntimeStatus.FAILED}), ("s=-1", set())],
)
def test_a_purge_knows_no_unknown_status(raw, expected):
    assert ApiQuery(raw).purge_statuses("s") == expected


@pytest.mark.feature("Functions host", "HTTP requests")
@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("name=a&name=b", {"name": "a,b"}),
        ("name=&other=1&flag", {"other": "1"}),
        ("Name=a&name=b", {"Name": "a,b"}),
        ("code=x%20y+z", {"code": "x y z"}),
        ("", {}),
    ],
)
def test_function_queries(raw, expected):
    assert function_query(raw) == expected


def scope(**values):
    return {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "raw_path": b"/a%20b",
        "query_string": b"x=1",
        "headers": [
            (b"host", b"LocalHost:80"),
            (b"x-a", b"1"),
            (b"x-a", b""),
            (b"transfer-encoding", b"chunked"),
            (b"x-a", b"2"),
        ],
        **values,
    }


def receiving(*messages):
    left = list(messages)

    async def receive():
        return left.pop(0)

    return receive


@pytest.mark.feature("Functions host", "HTTP requests")
async def test_a_request_is_read_whole():
    receive = receiving(
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.request", "body": b"b"},
    )
    request = await read_request(scope(), receive, limit=2)
    assert (request.method, request.body, request.has_length) == ("POST", b"ab", False)
    assert (request.headers["host"], request.headers["x-a"]) == ("LocalHost:80", "1,,2")
    assert request.origin == "http://localhost"
    assert request.url == "http://LocalHost:80/a%20b?x=1"


@pytest.mark.feature("Functions host", "HTTP requests")
async def test_a_body_over_the_limit():
    with pytest.raises(BodyTooLarge):
        await read_request(scope(), receiving({"type": "http.request", "body": b"abc"}), limit=2)


@pytest.mark.feature("Functions host", "HTTP requests")
async def test_a_client_that_leaves_while_sending():
    with pytest.raises(ClientGone):
        await read_request(scope(), receiving({"type": "http.disconnect"}), limit=2)


async def test_a_wait_ends_when_the_client_leaves():
    left = asyncio.Event()
    work_ended = asyncio.Event()

    async def work():
        left.set()
        try:
            await asyncio.Event().wait()
        finally:
            work_ended.set()

    request = HttpRequest(method="GET", raw_path="/", headers={}, disconnected=left.wait)
    async with asyncio.timeout(5):
        with pytest.raises(ClientGone):
            await unless_gone(request, work())
    assert work_ended.is_set()


async def test_a_wait_that_ends_first():
    async def work():
        return 7

    request = HttpRequest(method="GET", raw_path="/", headers={})
    async with asyncio.timeout(5):
        assert await unless_gone(request, work()) == 7
