"""The public port as clients see it: routes, methods, answers, settings, pages, slow readers."""

import contextlib
import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from app_files import APPS, copy_test_app
from running_host import RunningHost, eventually

PAGE = "http://localhost:3000"
ROUTES = pytest.mark.feature("Functions host", "Routes: templates, constraints, order")
RESPONSES = pytest.mark.feature("Functions host", "HTTP responses")
REQUESTS = pytest.mark.feature("Functions host", "HTTP requests")
CORS = pytest.mark.feature("Functions host", "CORS: `--cors`, `Host.CORS`")
HTTP = {
    "routePrefix": "",
    "maxOutstandingRequests": 2,
    "customHeaders": {"X-Content-Type-Options": "nosniff"},
    "hsts": {"isEnabled": True},
}


def copied(tmp_path_factory, **http):
    root = copy_test_app("http", tmp_path_factory.mktemp("http"))
    if http:
        document = {"version": "2.0", "extensions": {"http": http}}
        (root / "host.json").write_text(json.dumps(document))
        local = {
            "IsEncrypted": False,
            "Host": {"CORS": f"http://a,{PAGE}", "CORSCredentials": True},
        }
        (root / "local.settings.json").write_text(json.dumps(local))
    return root


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with RunningHost(copied(tmp_path_factory), "--no-reload", "--verbose") as running:
        yield running


@pytest.fixture(scope="module")
def configured(tmp_path_factory):
    """With an empty prefix, limits, added headers, and CORS."""
    with RunningHost(copied(tmp_path_factory, **HTTP), "--no-reload") as running:
        yield running


def connect(host, *, buffer=None):
    client = socket.socket()
    if buffer is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.settimeout(30)
    client.connect(("127.0.0.1", int(host.base.rpartition(":")[2])))
    return client


def exchange(host, head, body=b""):
    """The head and the body of the answer, as sent; the host closes."""
    with connect(host) as client:
        client.sendall(head.replace("\n", "\r\n").encode() + body)
        received = b""
        while chunk := client.recv(65536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    return head.decode("latin-1").split("\r\n"), body


# Routes and methods -----------------------------------------------------------------------------


@ROUTES
@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/seen/12", {"number": "12"}),
        ("/API/Seen/-7/a%20b/", {"number": "-7", "rest": "a b"}),
        ("/api/seen/a.b.txt", {"name": "a.b", "kind": "txt"}),
        ("/api/files", {}),
        ("/api/files/a/B%2Fc/d", {"path": "a/B%2Fc/d"}),
        ("/api/seen/12/x/y", None),
        ("/api/seen/twelve", None),
        ("/api/seen/a.7z", None),
        ("/api/seen", None),
        ("/seen/12", None),
    ],
)
def test_routes(host, path, route):
    response = host.client.get(path)
    found = response.json()["route"] if response.status_code == 200 else None
    assert found == route
    if route is None:
        assert (response.status_code, response.content) == (404, b"")
        assert response.headers["content-length"] == "0"


@ROUTES
@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/api/products/list", 200, "details of list"),
        ("POST", "/api/products/list", 200, "the list"),
        ("HEAD", "/api/products/list", 200, ""),
        ("HEAD", "/api/products/1", 404, ""),
        ("PUT", "/api/products/list", 404, ""),
        ("OPTIONS", "/api/products/1", 404, ""),
        ("OPTIONS", "/api/keyed", 200, "keyed"),
    ],
)
def test_methods(host, method, path, status, body):
    response = host.client.request(method, path)
    assert (response.status_code, response.text) == (status, body)
    assert not [name for name in response.headers if name.startswith("access-control")]
    assert "allow" not in response.headers


@pytest.mark.feature(
    "Functions host", "A route that is no template", "the function alone is in error, not the host"
)
def test_a_bad_route_takes_out_its_function_alone(host):
    assert host.client.get("/api/bad/1").status_code == 404
    (error,) = host.client.get("/admin/functions/bad/status").json()["errors"]
    start = "An error occurred while creating the route with name 'bad' and template 'api/bad/{id'."
    assert error.startswith(start)
    lines = (APPS / "http" / "function_app.py").read_text().splitlines()
    line = lines.index("def bad(req: func.HttpRequest) -> str:") + 1
    assert f"  in function_app.py, line {line}" in host.lines


@ROUTES
def test_without_a_prefix_a_route_is_the_whole_path(configured):
    assert configured.client.get("/files/a").json()["route"] == {"path": "a"}
    assert configured.client.get("/api/files/a").status_code == 404
    assert configured.client.get("/").status_code == 200


# Requests ---------------------------------------------------------------------------------------


@REQUESTS
def test_a_chunked_body_arrives_empty(host):
    head = "POST /api/files HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\nConnection: close\n\n"
    _, body = exchange(host, head, b"4\r\ndata\r\n0\r\n\r\n")
    assert json.loads(body)["body"] == ""
    host.wait_for_line("gets an empty body, as on Azure")


# Answers ----------------------------------------------------------------------------------------


def answered(host, **asked):
    return host.client.post("/api/answer", json=asked)


@RESPONSES
@pytest.mark.parametrize(
    ("asked", "status", "content_type", "body"),
    [
        ({}, 200, "text/plain; charset=utf-8", b""),
        ({"body": "ä"}, 200, "text/plain; charset=utf-8", "ä".encode()),
        ({"body": "ä", "charset": "latin-1"}, 200, "text/plain; charset=latin-1", b"\xe4"),
        ({"body": "<p>", "mimetype": "text/html"}, 200, "text/html; charset=utf-8", b"<p>"),
        ({"body": "{}", "mimetype": "application/json"}, 200, "application/json", b"{}"),
        ({"body": "x", "headers": {"Content-Type": "a/b"}}, 200, "a/b", b"x"),
        ({"body": "x", "status": 418}, 418, "text/plain; charset=utf-8", b"x"),
        ({"status": 302, "headers": {"Location": "/x"}}, 302, "text/plain; charset=utf-8", b""),
        ({"status": 99}, 500, None, b""),
        ({"status": 600}, 500, None, b""),
        ({"status": 204, "body": "x"}, 500, None, b""),
        ({"headers": {"X": "a\nb"}}, 500, None, b""),
    ],
)
def test_answers(host, asked, status, content_type, body):
    response = answered(host, **asked)
    assert (response.status_code, response.content) == (status, body)
    assert response.headers.get("content-type") == content_type


# Settings ---------------------------------------------------------------------------------------


@pytest.mark.feature("Functions host", "`maxOutstandingRequests`, `maxConcurrentRequests`")
def test_one_request_too_many(configured):
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(configured.client.get, "/wait?seconds=1") for _ in range(4)]
        answers = sorted(one.result().status_code for one in asked)
    assert answers == [200, 200, 429, 429]
    rejected = [one.result() for one in asked if one.result().status_code == 429]
    for one in rejected:
        assert (one.content, one.headers["x-function-scaleout"]) == (b"", "1")
        assert "x-content-type-options" not in one.headers
    assert configured.client.get("/wait?seconds=0").text == "waited"


@pytest.mark.feature("Functions host", "`customHeaders`")
@pytest.mark.feature("Functions host", "`hsts`")
@pytest.mark.parametrize("path", ["/wait?seconds=0", "/nowhere/at/all", "/admin/host/status"])
def test_added_headers(configured, path):
    headers = configured.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in headers


@CORS
def test_cors_of_local_settings(configured):
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "PUT"}
    preflight = configured.client.options("/keyed", headers=asked)
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert preflight.headers["access-control-allow-origin"] == PAGE
    assert preflight.headers["access-control-allow-methods"] == "PUT"
    answer = configured.client.put("/keyed", headers={"Origin": PAGE})
    assert (answer.text, answer.headers["access-control-allow-credentials"]) == ("keyed", "true")
    assert answer.headers["vary"] == "Origin"
    other = configured.client.get("/answer", headers={"Origin": "http://b"})
    assert "access-control-allow-origin" not in other.headers


@CORS
def test_the_option_wins_over_local_settings(tmp_path_factory):
    root = copied(tmp_path_factory, routePrefix="")
    local = {"IsEncrypted": False, "Host": {"CORS": "http://a"}}
    (root / "local.settings.json").write_text(json.dumps(local))
    with RunningHost(root, "--no-reload", "--cors", f"{PAGE},http://b/") as running:
        assert any("'http://b/' is no origin" in line for line in running.lines)
        for origin, allowed in [(PAGE, PAGE), ("http://a", None)]:
            answer = running.client.get("/files", headers={"Origin": origin})
            assert answer.headers.get("access-control-allow-origin") == allowed


@CORS
def test_any_origin_with_credentials_does_not_start(tmp_path_factory):
    root = copied(tmp_path_factory)
    running = RunningHost(root, "--cors", "*", "--cors-credentials").launch()
    assert running.process.wait(30) == 1
    running.wait_for_line("does not allow specifying a wildcard")
    running.__exit__()


# Pages and slow readers -------------------------------------------------------------------------


@pytest.mark.feature(
    "Functions host",
    "Web pages of other origins",
    "they need a key for what needs one on Azure, as no other client does without --enable-auth",
)
def test_a_page_of_another_origin_needs_the_key_that_azure_asks_for(host):
    evil = {"Origin": "https://evil.example.com", "Sec-Fetch-Site": "cross-site"}
    for path in ("/api/keyed", "/runtime/webhooks/durabletask/instances", "/admin/functions"):
        assert host.client.get(path).status_code == 200
        assert host.client.get(path, headers=evil).status_code == 401
        assert host.client.get(path, headers={"Host": "evil.example.com"}).status_code == 401
    assert host.client.get("/api/products/1", headers=evil).text == "details of 1"
    host.wait_for_line(r"GET /api/keyed: 401\. It came from a page of https://evil\.example\.com")


@pytest.mark.feature("Functions host", "Limits of the web server")
def test_a_client_that_does_not_read_loses_its_answer(host):
    size = 32 * 1024 * 1024
    with connect(host, buffer=4096) as client:
        client.sendall(f"GET /api/large?size={size} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        host.wait_for_line("took its answer too slowly")
        received = 0
        with contextlib.suppress(ConnectionError):
            while chunk := client.recv(1 << 20):
                received += len(chunk)
    assert received < size
    eventually(lambda: memory(host), lambda bytes_: bytes_ < 3 * size + 64 * 1024 * 1024)
    assert len(host.client.get(f"/api/large?size={size}").content) == size


def memory(host):
    text = Path(f"/proc/{host.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) * 1024
