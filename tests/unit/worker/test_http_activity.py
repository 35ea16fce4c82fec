"""The built-in HTTP activity against a real server on loopback: what goes out, what comes back."""

import asyncio
import json
import socket
import ssl
from datetime import timedelta

import pytest
from aiohttp import web

from durahost.codec import dotnet_http
from durahost.codec.body_text import BAD_CHARSET
from durahost.worker import http_activity, http_client
from durahost.worker.base import Raised, Returned
from durahost.worker.http_activity import HttpActivity


class Site:
    """Answers with what the test set for the path, and remembers what it was asked."""

    def __init__(self):
        self.requests = []
        self.answers = {}
        self.base = ""

    async def handle(self, request):
        request_headers = [(k.decode(), v.decode()) for k, v in request.raw_headers]
        body = await request.read()
        self.requests.append((request.method, request.path_qs, request_headers, body))
        answer = self.answers.get(request.path, web.Response(text="hello"))
        return await answer(request) if callable(answer) else answer

    def sent(self, name):
        """The values of one header of the last request."""
        return [v for k, v in self.requests[-1][2] if k.lower() == name.lower()]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def site():
    site = Site()
    app = web.Application(client_max_size=2**28)
    app.router.add_route("*", "/{tail:.*}", site.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    host, port = runner.addresses[0][:2]
    site.base = f"http://{host}:{port}"
    yield site
    await runner.cleanup()


@pytest.fixture
async def activity():
    async with HttpActivity() as activity:
        yield activity


@pytest.fixture
async def raw_server():
    """Serves connections with a coroutine of the test; returns its port."""
    servers = []

    async def serve(talk):
        async def connected(reader, writer):
            await talk(reader, writer)
            writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        servers.append(server)
        return server.sockets[0].getsockname()[1]

    yield serve
    for server in servers:
        server.close()


async def ask(activity, uri, method="GET", **members):
    result = await activity.run(json.dumps([{"method": method, "uri": uri, **members}]))
    assert isinstance(result, Returned), result
    assert result.value.kind == "json"
    return json.loads(result.value.value)


async def fail(activity, uri, method="GET", **members):
    result = await activity.run(json.dumps([{"method": method, "uri": uri, **members}]))
    assert isinstance(result, Raised), result
    return result.error_type, result.message


# What goes out ------------------------------------------------------------------------------------


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "post"])
async def test_methods_and_the_query_reach_the_server(site, activity, method):
    answer = await ask(activity, f"{site.base}/a%20b/c?x=1&y=%2F", method)
    assert (answer["statusCode"], answer["content"]) == (200, "hello")
    assert site.requests[0][:2] == (method.upper(), "/a%20b/c?x=1&y=%2F")
    assert site.requests[0][3] == b""


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
async def test_head_has_no_content(site, activity):
    answer = await ask(activity, f"{site.base}/", "HEAD")
    assert (answer["statusCode"], answer["content"]) == (200, "")


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
async def test_a_missing_method_is_get(site, activity):
    await activity.run(json.dumps([{"uri": f"{site.base}/"}]))
    assert site.requests[0][0] == "GET"


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
async def test_no_header_is_invented_but_the_extension_s_user_agent(site, activity):
    await ask(activity, f"{site.base}/")
    assert site.requests[0][2] == [
        ("Host", site.base.removeprefix("http://")),
        ("User-Agent", "Microsoft.Azure.WebJobs.Extensions.DurableTask/3.0.0"),
    ]


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
async def test_headers_are_copied_and_several_values_are_joined(site, activity):
    headers = {
        "Authorization": "Bearer abc",
        "User-Agent": ["one/1", "two/2"],
        "X-Many": ["1", "2"],
        "x-empty": "",
        "Accept": "application/json",
    }
    await ask(activity, f"{site.base}/", headers=headers)
    assert site.sent("authorization") == ["Bearer abc"]
    assert site.sent("user-agent") == ["one/1 two/2"]
    assert site.sent("x-many") == ["1, 2"]
    assert site.sent("x-empty") == [""]
    assert site.sent("accept") == ["application/json"]
    assert site.sent("accept-encoding") == []


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
async def test_a_body_without_content_type_is_text_plain_without_charset(site, activity):
    await ask(activity, f"{site.base}/", "POST", content='{"name": "Zoë 😀"}')
    assert site.sent("content-type") == ["text/plain"]
    assert site.sent("content-length") == [str(len('{"name": "Zoë 😀"}'.encode()))]
    assert site.requests[0][3].decode() == '{"name": "Zoë 😀"}'


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("application/json", "application/json"),
        (["text/html", "text/css"], "text/css"),
        ("", "text/plain"),
        (
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=utf-8",
        ),
    ],
)
async def test_content_types(site, activity, given, sent):
    headers = {"content-type": given}
    await ask(activity, f"{site.base}/", "POST", content="a=b", headers=headers)
    assert site.sent("content-type") == [sent]


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
async def test_a_content_type_without_content_is_not_sent(site, activity):
    headers = {"Content-Type": "application/json; charset=utf-8"}
    await ask(activity, f"{site.base}/", headers=headers)
    assert site.sent("content-type") == []


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
async def test_a_get_may_have_a_body(site, activity):
    await ask(activity, f"{site.base}/", content="q")
    assert site.requests[0][3] == b"q"


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
async def test_a_chunked_request_is_sent_chunked(site, activity):
    headers = {"Transfer-Encoding": "chunked"}
    await ask(activity, f"{site.base}/", "POST", content="abc", headers=headers)
    assert site.sent("transfer-encoding") == ["chunked"]
    assert site.sent("content-length") == []
    assert site.requests[0][3] == b"abc"


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
async def test_user_and_fragment_of_the_url_are_not_sent(site, activity):
    url = site.base.replace("http://", "http://me:secret@")
    await ask(activity, f"{url}/p#part")
    assert site.requests[0][1] == "/p"
    assert site.sent("authorization") == []


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
@pytest.mark.parametrize(
    ("members", "error"),
    [
        (
            {"headers": {"Content-Type": "application/json; charset=utf-8"}, "content": "{}"},
            "The format of value 'application/json; charset=utf-8' is invalid.",
        ),
        (
            {"headers": {"Content-Type": "multipart/form-data"}},
            "Multipart content is not supported with CallHttpAsync.",
        ),
        ({"headers": {"Content-Length": "3"}}, dotnet_http.MISUSED.format("Content-Length")),
        ({"headers": {"Location": "/"}}, dotnet_http.MISUSED.format("Location")),
        ({"headers": {"a b": "3"}}, "The header name 'a b' has an invalid format."),
        ({"headers": {"X": "a\r\nY: b"}}, dotnet_http.NEW_LINES),
        ({"headers": {"X": "é"}}, "Request headers must contain only ASCII characters."),
        ({"headers": {"Transfer-Encoding": "chunked"}}, dotnet_http.CHUNKED_NOTHING),
        ({"method": "NO WAY"}, "The format of the HTTP method is invalid."),
        ({"uri": "/relative"}, dotnet_http.NOT_ABSOLUTE),
        ({"uri": ""}, dotnet_http.NOT_ABSOLUTE),
        ({"uri": "ftp://example.test/"}, "The 'ftp' scheme is not supported."),
        ({"uri": "http://"}, dotnet_http.BAD_HOST),
        ({"uri": "http://[::1"}, dotnet_http.BAD_HOST),
        ({"uri": "http://a:99999/"}, dotnet_http.BAD_HOST),
        ({"uri": "http://a b/"}, dotnet_http.BAD_HOST),
        ({"uri": "http://[::1]x/"}, dotnet_http.BAD_HOST),
    ],
)
async def test_what_net_would_not_send_fails_with_its_text(site, activity, members, error):
    request = {"uri": f"{site.base}/", "method": "POST", **members}
    _, message = await fail(activity, **request)
    assert message == error
    assert site.requests == []


@pytest.mark.feature("Durable HTTP", "Token source", "refused with a text that says what to do")
async def test_a_token_source_is_refused_with_what_to_do(site, activity):
    token = {"resource": "https://management.core.windows.net", "kind": "AzureManagedIdentity"}
    _, message = await fail(activity, f"{site.base}/x", tokenSource=token)
    assert message == (
        f"The durable HTTP call to '{site.base}/x' asks for a token of a managed identity for the "
        "resource 'https://management.core.windows.net', and there is no managed identity outside "
        "Azure. Get a token in an activity and send it as the call's Authorization header, or "
        "leave the token source out when running locally."
    )
    assert site.requests == []


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "[1]"])
async def test_an_input_that_is_no_request_fails(activity, text):
    assert isinstance(await activity.run(text), Raised)


# What comes back ----------------------------------------------------------------------------------


@pytest.mark.feature("Durable HTTP", "Responses: status, headers, content")
async def test_the_result_is_compact_json_without_content_headers(site, activity):
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Content-Language": "de",
        "Content-Security-Policy": "none",
        "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT",
        "Expires": "0",
        "Allow": "GET",
        "Date": "Mon, 01 Jan 2024 00:00:00 GMT",
        "server": "Kestrel/1 (Linux x64) more",
        "vary": "A, B",
        "x-powered-by": "me",
        "x-Own": "é, ü",
        "Cache-Control": "no-cache, no-store",
    }
    site.answers["/"] = web.Response(body='{"ü": "😀"}'.encode(), headers=headers, status=201)
    result = await activity.run(json.dumps([{"uri": f"{site.base}/"}]))
    assert result.value.value == (
        '{"statusCode":201,"headers":{"Content-Security-Policy":"none",'
        '"Date":"Mon, 01 Jan 2024 00:00:00 GMT","Server":["Kestrel/1","(Linux x64)","more"],'
        '"Vary":["A","B"],"X-Powered-By":"me","x-Own":"Ã©, Ã¼",'
        '"Cache-Control":"no-cache, no-store"},"content":"{\\"ü\\": \\"😀\\"}"}'
    )


@pytest.mark.feature("Durable HTTP", "Responses: status, headers, content")
async def test_repeated_headers_are_a_list(site, activity):
    response = web.Response(
        text="x", headers=[("X-A", "1"), ("x-a", "2, 3"), ("Set-Cookie", "a=b")]
    )
    response.headers.add("Set-Cookie", "c=d, e")
    site.answers["/"] = response
    headers = (await ask(activity, f"{site.base}/"))["headers"]
    assert headers["X-A"] == ["1", "2, 3"]
    assert headers["Set-Cookie"] == ["a=b", "c=d, e"]


@pytest.mark.feature("Durable HTTP", "Responses: status, headers, content")
@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
async def test_a_chunked_answer_shows_its_transfer_encoding(site, activity):
    async def stream(request):
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(b"one ")
        await response.write(b"two")
        return response

    site.answers["/"] = stream
    answer = await ask(activity, f"{site.base}/")
    assert answer["content"] == "one two"
    assert answer["headers"]["Transfer-Encoding"] == "chunked"


@pytest.mark.feature("Durable HTTP", "Responses: status, headers, content")
async def test_any_status_is_an_answer(site, activity):
    site.answers["/"] = web.Response(status=503, text="busy")
    answer = await ask(activity, f"{site.base}/")
    assert (answer["statusCode"], answer["content"]) == (503, "busy")


@pytest.mark.feature("Durable HTTP", "Responses: status, headers, content")
@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("ü".encode("latin-1"), "text/plain; charset=iso-8859-1", "ü"),
        ("ü".encode(), 'text/plain; charset="UTF-8"', "ü"),
        (b"\xef\xbb\xbf\xc3\xbc", "text/plain", "ü"),
        ("ü".encode("utf-16"), "text/plain", "ü"),
        (b"\xfe\xff\x00\xfc", "text/plain", "ü"),
        (b"\xff\xfe\x00\x00\xfc\x00\x00\x00", "text/plain", "ü"),
        (b"a\xffb", "application/octet-stream", "a\ufffdb"),
        (b"", "text/plain", ""),
    ],
)
async def test_the_charset_decides_and_bad_bytes_are_replaced(
    site, activity, body, content_type, text
):
    site.answers["/"] = web.Response(body=body, headers={"Content-Type": content_type})
    assert (await ask(activity, f"{site.base}/"))["content"] == text


@pytest.mark.parametrize("charset", ["martian", "hex"])
async def test_an_unknown_charset_fails(site, activity, charset):
    headers = {"Content-Type": f"text/plain; charset={charset}"}
    site.answers["/"] = web.Response(body=b"1", headers=headers)
    assert (await fail(activity, f"{site.base}/"))[1] == BAD_CHARSET


@pytest.mark.feature("Durable HTTP", "Responses: status, headers, content")
async def test_a_compressed_answer_is_not_unpacked(site, activity):
    site.answers["/"] = web.Response(body=b"raw", headers={"Content-Encoding": "gzip"})
    assert (await ask(activity, f"{site.base}/"))["content"] == "raw"


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
async def test_big_bodies_go_out_and_come_back(site, activity):
    async def echo(request):
        return web.Response(body=await request.read())

    site.answers["/"] = echo
    big = "ü" * 5_000_000
    assert (await ask(activity, f"{site.base}/", "POST", content=big))["content"] == big


async def test_a_body_over_the_limit_fails(site, activity, monkeypatch):
    monkeypatch.setattr(http_client, "MAX_BODY_BYTES", 1000)
    site.answers["/"] = web.Response(body=b"x" * 1001)
    assert await fail(activity, f"{site.base}/") == (
        "System.Net.Http.HttpRequestException",
        "Cannot write more bytes to the buffer than the configured maximum buffer size: 1000.",
    )


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
async def test_cookies_are_kept_and_their_number_is_limited(site, activity, monkeypatch):
    site.answers["/in"] = web.Response(headers={"Set-Cookie": "who=me"})
    await ask(activity, f"{site.base}/in")
    await ask(activity, f"{site.base}/")
    assert site.sent("cookie") == ["who=me"]
    monkeypatch.setattr(http_client, "MAX_COOKIES", 0)
    await ask(activity, f"{site.base}/")
    assert site.sent("cookie") == []


async def test_many_calls_share_connections(site, activity):
    peers = set()

    async def remember(request):
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response()

    site.answers["/"] = remember
    for _ in range(3):
        await ask(activity, f"{site.base}/")
    assert len(peers) == 1


async def test_a_proxy_of_the_environment_is_used(site, activity, monkeypatch):
    monkeypatch.setenv("http_proxy", site.base)
    monkeypatch.setenv("no_proxy", "elsewhere.test")
    answer = await ask(activity, "http://service.test/x")
    assert answer["content"] == "hello"
    assert site.sent("host") == ["service.test"]


# Redirects ----------------------------------------------------------------------------------------


def moved(status, to):
    return web.Response(status=status, headers={"Location": to})


@pytest.mark.feature("Durable HTTP", "Redirects")
@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (300, "POST", "GET"),
        (302, "PUT", "PUT"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (308, "PATCH", "PATCH"),
    ],
)
async def test_redirects_are_followed_with_the_method_net_uses(
    site, activity, status, method, then
):
    site.answers["/a"] = moved(status, "/b?x=1")
    headers = {"Authorization": "secret", "X-Kept": "1", "Content-Type": "application/json"}
    await ask(activity, f"{site.base}/a", method, content="{}", headers=headers)
    (first, second) = site.requests
    assert (first[0], second[0], second[1]) == (method, then, "/b?x=1")
    assert site.sent("authorization") == []
    assert site.sent("x-kept") == ["1"]
    keeps_body = method == then
    assert second[3] == (b"{}" if keeps_body else b"")
    assert site.sent("content-type") == (["application/json"] if keeps_body else [])


@pytest.mark.feature("Durable HTTP", "Redirects")
async def test_a_redirect_without_location_or_of_another_kind_is_the_answer(site, activity):
    site.answers["/a"] = web.Response(status=302)
    site.answers["/b"] = moved(304, "/a")
    assert (await ask(activity, f"{site.base}/a"))["statusCode"] == 302
    assert (await ask(activity, f"{site.base}/b"))["statusCode"] == 304


@pytest.mark.feature("Durable HTTP", "Redirects")
async def test_after_fifty_redirects_the_redirect_is_the_answer(site, activity):
    async def again(_):
        return moved(302, "/a")

    site.answers["/a"] = again
    assert (await ask(activity, f"{site.base}/a"))["statusCode"] == 302
    assert len(site.requests) == 51


@pytest.mark.feature("Durable HTTP", "Redirects")
async def test_a_redirect_to_another_scheme_fails(site, activity):
    site.answers["/a"] = moved(302, "ftp://example.test/")
    assert (await fail(activity, f"{site.base}/a"))[1] == "The 'ftp' scheme is not supported."


@pytest.mark.feature("Durable HTTP", "Redirects")
def test_https_is_never_left_for_http():
    sent = dotnet_http.prepare("GET", "HTTPS://a.test/x", {}, None)
    assert dotnet_http.redirected(sent, 302, "http://a.test/") is None
    assert dotnet_http.redirected(sent, 302, "/y").url == "https://a.test/y"


@pytest.mark.feature("Durable HTTP", "Redirects")
async def test_a_location_is_shown_as_a_net_uri(site, activity):
    site.answers["/"] = web.Response(status=201, headers={"location": "http://a.test"})
    assert (await ask(activity, f"{site.base}/"))["headers"]["Location"] == "http://a.test/"


# Failures -----------------------------------------------------------------------------------------


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.mark.feature("Durable HTTP", "Failures of the connection")
async def test_a_refused_connection_fails_with_the_bare_message(activity):
    port = free_port()
    assert await fail(activity, f"http://127.0.0.1:{port}/") == (
        "System.Net.Http.HttpRequestException",
        f"Connection refused (127.0.0.1:{port})",
    )


@pytest.mark.feature("Durable HTTP", "Failures of the connection")
async def test_an_unknown_host_fails(activity):
    _, message = await fail(activity, "http://no-such-host.invalid/")
    assert message == "Name or service not known (no-such-host.invalid:80)"


@pytest.mark.feature("Durable HTTP", "Failures of the connection")
async def test_a_connection_closed_without_an_answer_fails(activity, raw_server):
    async def hang_up(reader, writer):
        await reader.readuntil(b"\r\n\r\n")

    port = await raw_server(hang_up)
    _, message = await fail(activity, f"http://127.0.0.1:{port}/", "POST")
    assert message == "An error occurred while sending the request."


@pytest.mark.feature("Durable HTTP", "Failures of the connection")
async def test_an_answer_that_is_no_http_fails(activity, raw_server):
    async def chatter(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-x\r\n\r\n")

    port = await raw_server(chatter)
    _, message = await fail(activity, f"http://127.0.0.1:{port}/", "POST")
    assert message == "An error occurred while sending the request."


@pytest.mark.feature("Durable HTTP", "Failures of the connection")
async def test_an_answer_cut_short_fails(activity, raw_server):
    async def cut(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")

    port = await raw_server(cut)
    _, message = await fail(activity, f"http://127.0.0.1:{port}/")
    assert message == "Error while copying content to a stream."


@pytest.mark.feature("Durable HTTP", "Failures of the connection")
async def test_tls_that_is_none_fails(activity, raw_server):
    async def plain(reader, writer):
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 no\r\n\r\n")

    port = await raw_server(plain)
    _, message = await fail(activity, f"https://127.0.0.1:{port}/")
    assert message == "The SSL connection could not be established, see inner exception."


@pytest.mark.feature("Durable HTTP", "Failures of the connection")
async def test_an_os_error_beside_the_connection_is_a_send_failure(activity, monkeypatch):
    """An ssl or socket error that aiohttp lets through."""

    def broken(*_, **__):
        raise ssl.SSLError("bad")

    async with http_client.open_client() as client:
        monkeypatch.setattr(http_client, "_proxy", broken)
        outgoing = dotnet_http.prepare("GET", "https://a.test/", {}, None)
        with pytest.raises(dotnet_http.DotnetError, match="SSL connection"):
            await client.send(outgoing)


@pytest.mark.feature("Durable HTTP", "Timeouts")
async def test_the_request_s_timeout_fails_the_call_with_both_texts(activity, raw_server):
    async def silence(reader, writer):
        await reader.read()

    port = await raw_server(silence)
    assert await fail(activity, f"http://127.0.0.1:{port}/", timeout="00:00:00.0500000") == (
        "System.TimeoutException",
        "The operation was canceled. Reached user specified timeout: 00:00:00.0500000.",
    )


@pytest.mark.feature("Durable HTTP", "Timeouts")
async def test_the_client_s_timeout_stands_without_one_and_over_a_longer_one(raw_server):
    async def silence(reader, writer):
        await reader.read()

    port = await raw_server(silence)
    url = f"http://127.0.0.1:{port}/"
    async with HttpActivity(timedelta(milliseconds=50)) as activity:
        text = http_activity.CLIENT_TIMED_OUT
        assert await fail(activity, url) == ("System.Threading.Tasks.TaskCanceledException", text)
        _, message = await fail(activity, url, timeout="1.02:03:04")
        assert message == f"{text} Reached user specified timeout: 1.02:03:04."


@pytest.mark.feature("Durable HTTP", "Redirects")
@pytest.mark.feature("Durable HTTP", "Timeouts")
async def test_the_time_counts_over_redirects_and_the_body(site, activity):

    finished = asyncio.Event()

    async def stuck(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x")
        await finished.wait()
        return response

    site.answers["/a"] = moved(302, "/b")
    site.answers["/b"] = stuck
    error_type, _ = await fail(activity, f"{site.base}/a", timeout="00:00:00.3")
    assert error_type == "System.TimeoutException"
    assert len(site.requests) == 2
    finished.set()


# Retry options ------------------------------------------------------------------------------------


@pytest.mark.feature("Durable HTTP", "Retry options")
@pytest.mark.parametrize(
    ("codes", "status", "message"),
    [
        ([], 500, "Response status code does not indicate success: 500 (Internal Server Error)."),
        (None, 404, "Response status code does not indicate success: 404 (Not Found)."),
        (
            [429, "ServiceUnavailable"],
            503,
            "Status code ServiceUnavailable received, retry requested.",
        ),
        (["429"], 429, "Status code TooManyRequests received, retry requested."),
        ([599], 599, "Status code 599 received, retry requested."),
    ],
)
async def test_retry_options_fail_the_statuses_they_name(site, activity, codes, status, message):
    site.answers["/"] = web.Response(status=status)
    options = {"FirstRetryInterval": "00:00:05", "StatusCodesToRetry": codes}
    assert await fail(activity, f"{site.base}/", retryOptions=options) == (
        "System.Net.Http.HttpRequestException",
        message,
    )


@pytest.mark.feature("Durable HTTP", "Responses: status, headers, content")
@pytest.mark.parametrize(("codes", "status"), [([], 204), ([500], 404)])
async def test_other_statuses_are_answers(site, activity, codes, status):
    site.answers["/"] = web.Response(status=status)
    options = {"firstRetryInterval": "00:00:05", "statusCodesToRetry": codes}
    assert (await ask(activity, f"{site.base}/", retryOptions=options))["statusCode"] == status


def test_a_reason_that_is_missing_is_left_out():
    with pytest.raises(dotnet_http.DotnetError, match=r"success: 500\.$"):
        dotnet_http.check_success(500, "", [])


@pytest.mark.parametrize("given", ["Often", -1, None, 1.5])
def test_a_status_that_is_none_is_refused(given):
    with pytest.raises(ValueError, match="HttpStatusCode"):
        dotnet_http.status_code(given)
