"""Bodies that stream both ways: an app with the FastAPI extension, in an environment of its own."""

import json
import re
import socket
import sys
from contextlib import contextmanager

import httpx
import pytest
from app_files import APPS, copy_test_app
from environments import environment
from running_host import RunningHost, eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.feature(
        "Functions host",
        "HTTP streaming (`azurefunctions-extensions-http-fastapi`)",
        "without `PYTHON_ENABLE_INIT_INDEXING` below Python 3.13 calls fail at once; on Azure "
        "they are never answered",
    ),
]

SCRIPT = APPS / "streaming" / "function_app.py"
LARGEST_MB = 24
HOST_JSON = {
    "version": "2.0",
    "extensions": {"http": {"customHeaders": {"X-Added": "here", "X-Own": "never"}}},
}


@pytest.fixture(scope="module")
def gates(tmp_path_factory):
    """Where the app waits for files, and makes some."""
    return tmp_path_factory.mktemp("gates")


@pytest.fixture(scope="module")
def host(tmp_path_factory, gates):
    root = copy_test_app("streaming", tmp_path_factory.mktemp("streaming"))
    (root / "host.json").write_text(json.dumps(HOST_JSON))
    python = environment(
        ".venv-apps", sys.executable, *(root / "requirements.txt").read_text().split()
    )
    env = {
        "GATES": str(gates),
        "PYTHON_ENABLE_INIT_INDEXING": "1",
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": str(LARGEST_MB * 2**20),
    }
    with RunningHost(root, "--ephemeral", "--python", python, env=env) as running:
        yield running
        assert running.stop() == 0


@pytest.fixture(autouse=True)
def closed_gates(gates):
    for gate in gates.iterdir():
        gate.unlink()


@contextmanager
def connected(host, head, *, buffer=None):
    """A client that has sent the head of a request, each line of it given without its end."""
    with socket.socket() as client:
        if buffer is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.settimeout(30)
        client.connect(("127.0.0.1", int(host.base.rpartition(":")[2])))
        client.sendall("\r\n".join([head[0], "Host: h", *head[1:], "", ""]).encode())
        yield client


def read_until(client, end):
    received = b""
    while end not in received:
        part = client.recv(65536)
        assert part, f"the connection ended after {received!r}"
        received += part
    return received


# What functions get and give ---------------------------------------------------------------------


def test_what_the_function_is_asked(host):
    head = [
        "POST /api/seen/a%20b?q=1&q=2&empty= HTTP/1.1",
        *["Content-Length: 4", "Connection: close", "TE: gzip", "X-Two: é", "X-Two: b"],
        *["Forwarded: for=x", "X-Forwarded-For: 1.2.3.4", "X-Ms-Invocation-Id: mine"],
    ]
    with connected(host, head) as client:
        client.sendall(b"data")
        answer = read_until(client, b"}").decode()
    asked = json.loads(answer.partition("\r\n\r\n")[2])
    assert (asked["method"], asked["body"], asked["path"]) == ("POST", "data", {"name": "a b"})
    assert asked["query"] == [["q", "1"], ["q", "2"], ["empty", ""]]
    # The request comes from the host, at the address of the worker's server.
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/api/seen/a b\?q=1&q=2&empty=", asked["url"])
    headers = asked["headers"]
    assert [value for name, value in headers if name == "x-two"] == ["\xc3\xa9", "b"]
    assert [one for one in headers if one[0].startswith("x-forwarded-")] == [
        ["x-forwarded-for", "127.0.0.1"],
        ["x-forwarded-host", "h"],
        ["x-forwarded-proto", "http"],
    ]
    assert ["x-ms-invocation-id", asked["invocation"]] in headers
    assert not {"forwarded", "te"} & {name for name, _ in headers}
    assert answer.startswith("HTTP/1.1 201 Created\r\n")
    assert "\r\nx-own: yes\r\n" in answer
    assert "\r\nx-added: here\r\n" in answer.lower()
    assert answer.lower().count("\r\ndate: ") == 1


@pytest.mark.parametrize(
    ("kind", "status", "content_type", "body"),
    [
        ("text", 200, "application/json", b'"text"'),
        ("number", 200, "application/json", b"5"),
        ("list", 200, "application/json", b'[1,{"a":null}]'),
        ("html", 200, "text/html; charset=utf-8", b"<p>"),
        ("plain", 200, "text/plain; charset=utf-8", b"plain"),
        ("moved", 307, None, b""),
        ("empty", 204, None, b""),
        (
            "file",
            200,
            "text/x-python; charset=utf-8",
            SCRIPT.read_bytes(),
        ),
        ("none", 500, "text/plain; charset=utf-8", b"Internal Server Error"),
        ("unknown", 500, "text/plain; charset=utf-8", b"Internal Server Error"),
        ("raises", 500, "text/plain; charset=utf-8", b"Internal Server Error"),
    ],
)
def test_answers(host, kind, status, content_type, body):
    response = host.client.get(f"/api/kinds/{kind}")
    assert (response.status_code, response.content) == (status, body)
    assert response.headers.get("content-type") == content_type
    result = "Failed" if status == 500 else "Succeeded"
    host.wait_for_line(rf"Executed 'Functions\.kinds' \({result}, ")


def test_cookies_and_redirects_are_the_server_s_own(host):
    assert host.client.get("/api/kinds/plain").headers["set-cookie"] == "a=b; Path=/"
    assert host.client.get("/api/kinds/moved").headers["location"] == "/api/kinds/text"
    head = host.client.head("/api/kinds/plain")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "5", b"")


def test_routes_are_the_host_s(host):
    assert host.client.get("/api/ticks/x").status_code == 404
    assert host.client.get("/api/upload").status_code == 404


def test_many_at_once(host, gates):
    limits = httpx.Limits(max_connections=None)
    with httpx.Client(base_url=host.client.base_url, limits=limits, timeout=30) as client:
        streams = [client.stream("GET", "/api/ticks/2") for _ in range(20)]
        parts = [stream.__enter__().iter_text() for stream in streams]
        assert [next(one) for one in parts] == ["tick 0\n"] * 20
        assert client.get("/api/slow?seconds=0").text == "awake"
        (gates / "tick0").touch()
        (gates / "tick1").touch()
        assert ["".join(one) for one in parts] == ["tick 1\n"] * 20
        for stream in streams:
            stream.__exit__(None, None, None)


# Streams -----------------------------------------------------------------------------------------


def test_an_answer_comes_as_it_is_produced(host, gates):
    with host.client.stream("GET", "/api/ticks/3") as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["x-added"] == "here"
        parts = response.iter_text()
        for tick in range(3):
            assert next(parts) == f"tick {tick}\n"
            host.wait_for_line(f"sent {tick}")
            (gates / f"tick{tick}").touch()
        assert list(parts) == []
    host.wait_for_line(r"Executed 'Functions\.ticks' \(Succeeded, ")


def test_a_body_arrives_as_it_is_sent(host, gates):
    head = ["POST /api/upload HTTP/1.1", "Transfer-Encoding: chunked", "Expect: 100-continue"]
    with connected(host, head) as client:
        read_until(client, b"HTTP/1.1 100 Continue\r\n\r\n")
        for part in ("one", "two", "three"):
            client.sendall(f"{len(part):x}\r\n{part}\r\n".encode())
            eventually((gates / f"got {part}").exists, bool)
        client.sendall(b"0\r\n\r\n")
        read_until(client, b"onetwothree")


def test_a_large_body_is_never_held(host):
    body = b"x" * (LARGEST_MB * 2**20)
    answer = host.client.post("/api/size", content=body).json()
    assert answer["size"] == len(body)
    assert answer["largest"] <= 2**20
    parts = (body[i : i + 2**16] for i in range(0, len(body), 2**16))
    assert host.client.post("/api/size", content=parts).json()["size"] == len(body)


def test_a_body_over_the_limit(host):
    body = b"x" * (LARGEST_MB * 2**20 + 1)
    assert host.client.post("/api/size", content=body).status_code == 413
    parts = (body[i : i + 2**16] for i in range(0, len(body), 2**16))
    assert host.client.post("/api/size", content=parts).status_code == 413


def test_a_function_need_not_read_the_body(host):
    body = b"x" * (8 * 2**20)
    assert host.client.post("/api/ignores", content=body).text == "not read"


def test_a_function_waits_for_a_client_that_reads_slowly(host, gates):
    parts = 64
    with connected(host, [f"GET /api/much?parts={parts} HTTP/1.1"], buffer=4096) as client:
        read_until(client, b"xxxx")

        def made():
            return int((gates / "made").read_text() or 0)

        seen = [made(), made()]
        # It stops once the buffers of two connections are full.
        eventually(lambda: seen.append(made()) or seen[-10:], lambda last: len({*last}) == 1)
        assert made() < parts - 1
        left = 0
        while part := client.recv(2**20):
            left += len(part)
            if part.endswith(b"0\r\n\r\n"):
                break
    assert left > (parts - 1) * 2**20
    assert made() == parts - 1


# Ends before their time --------------------------------------------------------------------------


def test_a_client_that_leaves_ends_the_stream(host, gates):
    with connected(host, ["GET /api/ticks/5 HTTP/1.1"]) as client:
        read_until(client, b"tick 0")
    eventually((gates / "closed").exists, bool)
    host.wait_for_line(r"Executed 'Functions\.ticks' \(")


def test_a_client_that_leaves_in_the_middle_of_its_body(host):
    head = ["POST /api/size HTTP/1.1", "Content-Length: 100"]
    with connected(host, head) as client:
        client.sendall(b"a part")
    line = host.wait_for_line(r"Executed 'Functions\.size' \(Failed, ")
    assert line
    host.wait_for_line("ClientDisconnect")


@pytest.mark.parametrize("how", ["fail", "die"])
def test_a_stream_that_breaks_is_no_whole_answer(host, gates, how):
    (gates / "tick0").touch()
    with host.client.stream("GET", f"/api/ticks/1?{how}") as response:
        assert response.status_code == 200
        parts = response.iter_text()
        assert next(parts) == "tick 0\n"
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            next(parts)
    host.wait_for_line("ValueError: in the middle" if how == "fail" else "exited with code 3")
    assert host.client.get("/api/kinds/plain").text == "plain"


def test_a_worker_that_dies_before_it_answers(host):
    response = host.client.get("/api/dies")
    assert (response.status_code, response.content) == (500, b"")
    assert response.headers["x-added"] == "here"
    assert host.client.get("/api/kinds/plain").text == "plain"


def test_a_reload_lets_streams_end(host, gates):
    with host.client.stream("GET", "/api/ticks/2") as response:
        parts = response.iter_text()
        assert next(parts) == "tick 0\n"
        script = host.root / "function_app.py"
        script.write_text(script.read_text().replace('"awake"', '"changed"'))
        host.wait_for_line("reloaded in")
        assert host.client.get("/api/slow?seconds=0").text == "changed"
        (gates / "tick0").touch()
        (gates / "tick1").touch()
        assert "".join(parts) == "tick 1\n"
