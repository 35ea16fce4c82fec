"""Clients that break the rules: each is refused or served, and the host serves others meanwhile."""

import contextlib
import re
import resource
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from app_files import copy_app, write_function
from running_host import RunningHost, eventually

MIB = 1024 * 1024
MAX_BODY = 100 * MIB
SLOW_CLIENTS = 1_000
PROMPT_S = 5.0
LONG_S = 300.0
"""For an answer that takes its time, all the more while coverage is measured."""

HTTP_BINDINGS = [
    {"name": "req", "type": "httpTrigger", "authLevel": "anonymous"},
    {"name": "$return", "type": "http", "direction": "out"},
]
LENGTH = "def main(req):\n    return str(len(req.get_body()))\n"
START = "/runtime/webhooks/durabletask/orchestrators/HelloSequence"
UNKNOWN = START.replace("HelloSequence", "Unknown")


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    app = copy_app(tmp_path_factory.mktemp("hostile") / "app")
    write_function(app / "function_app", "Length", HTTP_BINDINGS, LENGTH)
    # The soft limit of open files that most systems give; the host has to raise it by itself.
    few_files = ["sh", "-c", 'ulimit -S -n 1024; exec "$0" "$@"', sys.executable, "-m", "durahost"]
    with RunningHost(app, command=few_files) as running:
        yield running


@pytest.fixture(autouse=True)
def serves_others(host):
    """Whatever a test did: the same process answers promptly, and there is no traceback."""
    yield
    assert_serves(host)
    assert host.process.poll() is None
    assert not [line for line in host.lines if "Traceback" in line]


def assert_serves(host):
    begun = time.monotonic()
    response = host.client.post("/api/Length", content=b"12345")
    assert (response.status_code, response.text) == (200, "5")
    assert time.monotonic() - begun < PROMPT_S


def memory(host, name="VmRSS"):
    """Bytes of the host process; VmHWM is the most it ever had."""
    text = Path(f"/proc/{host.process.pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", text)[1]) * 1024


def address(host):
    return "127.0.0.1", int(host.base.rpartition(":")[2])


@contextlib.contextmanager
def connected(host):
    with socket.create_connection(address(host), timeout=10) as client:
        yield client


def read_all(client):
    """What comes until the host closes; a reset ends it too."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while chunk := client.recv(65536):
            received += chunk
    return received


def send_all(client, pieces):
    """Send until the host has had enough."""
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            client.sendall(piece)


def statuses(received):
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def exchange(host, *pieces):
    with connected(host) as client:
        send_all(client, pieces)
        return statuses(read_all(client))


def get(target="/", *headers, method="GET", version="HTTP/1.1", host="Host: localhost"):
    lines = [f"{method} {target} {version}", host, "Connection: close", *headers]
    return "\r\n".join(filter(None, lines)).encode("latin-1") + b"\r\n\r\n"


# Sizes ------------------------------------------------------------------------------------------


def test_the_largest_body_is_served_and_its_memory_given_back(host):
    before = memory(host)
    response = host.client.post("/api/Length", content=b"x" * MAX_BODY)
    assert (response.status_code, response.text) == (200, str(MAX_BODY))
    assert memory(host, "VmHWM") < before + 5 * MAX_BODY
    eventually(lambda: memory(host), lambda size: size < before + MAX_BODY, within_s=PROMPT_S)


@pytest.mark.parametrize("path", ["/api/Length", START, "/", "/nowhere"])
def test_a_body_just_over_is_refused_before_it_is_sent(host, path):
    head = get(path, f"Content-Length: {MAX_BODY + 1}", method="POST")
    with connected(host) as client:
        client.sendall(head)
        assert statuses(client.recv(65536)) == [413]


def test_a_chunked_body_just_over_is_refused(host):
    before = memory(host, "VmHWM")
    chunk = b"%x\r\n" % MIB + b"x" * MIB + b"\r\n"
    head = get("/api/Length", "Transfer-Encoding: chunked", method="POST")
    assert exchange(host, head, *([chunk] * 101), b"0\r\n\r\n") == [413]
    assert memory(host, "VmHWM") < before + 5 * MAX_BODY


def test_headers_of_64_kilobytes_are_refused(host):
    assert exchange(host, get("/", "X-Long: " + "x" * 65536)) in ([431], [])
    assert exchange(host, get("/", *[f"X-{n}: " + "x" * 650 for n in range(99)])) in ([431], [])
    assert exchange(host, get("/", *[f"X-{n}: 1" for n in range(200)])) == [431]


def test_a_head_without_end_costs_no_memory(host):
    before = memory(host)
    for endless in (b"GET /" + b"a" * MIB, get()[:-2] + b"X: " + b"x" * MIB, b"\r\n" * MIB):
        assert exchange(host, endless, *([b"x" * MIB] * 20)) in ([400], [414], [431], [])
    assert memory(host) < before + 16 * MIB


def test_trailers_without_end_cost_no_memory_and_become_no_headers(host):
    before = memory(host)
    head = get("/api/Length", "Transfer-Encoding: chunked", method="POST")
    assert exchange(host, head + b"0\r\nX: ", *([b"x" * MIB] * 20)) in ([431], [])
    assert memory(host) < before + 16 * MIB


@pytest.mark.parametrize(("length", "expected"), [(8_000, 404), (8_300, 414), (1_000_000, 414)])
def test_long_targets(host, length, expected):
    answer = exchange(host, get("/" + "a" * length))
    assert answer == [expected] or (length == 1_000_000 and answer == [])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (UNKNOWN, b"[" + b"1," * (2 * MIB) + b"1]"),
        (UNKNOWN, b"[" + b"'a'," * (MIB // 3) + b"1"),
        ("/runtime/webhooks/durabletask/entities/None/k?op=x", b"[" + b"{'a':1}," * (MIB // 7)),
    ],
)
def test_json_that_takes_long_to_read_holds_nobody_up(host, path, body):
    headers = {"Content-Type": "application/json"}
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(
            httpx.post, host.base + path, content=body, headers=headers, timeout=LONG_S
        )
        while not answer.done():
            assert_serves(host)
    assert answer.result().status_code in (202, 400)


# Slowness ---------------------------------------------------------------------------------------


def test_a_thousand_slow_connections(host):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * SLOW_CLIENTS), hard))
    before, files = memory(host), open_files(host)
    body = get("/api/Length", "Content-Length: 9", method="POST") + b"x"
    halves = (b"", b"POST /api/Le", get()[:-2], body)
    with contextlib.ExitStack() as clients:
        for n in range(SLOW_CLIENTS):
            client = clients.enter_context(connected(host))
            client.sendall(halves[n % len(halves)])
        eventually(lambda: open_files(host), lambda now: now >= files + SLOW_CLIENTS)
        assert_serves(host)
        assert memory(host) < before + 64 * MIB
    eventually(lambda: open_files(host), lambda now: now < files + 20)


def open_files(host):
    return sum(1 for _ in Path(f"/proc/{host.process.pid}/fd").iterdir())


def test_clients_that_leave_in_the_middle(host):
    request = get("/api/Length", "Content-Length: 100000", method="POST")
    for sent in (b"G", request[:20], request, request + b"x" * 70_000, get()):
        with connected(host) as client:
            client.sendall(sent)


def test_half_closed_sockets(host):
    for request in (get(), get("/", "Content-Length: 5", method="POST") + b"12"):
        with connected(host) as client:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            assert statuses(read_all(client)) in ([], [200])


# Order ------------------------------------------------------------------------------------------


def test_pipelined_requests_are_answered_in_their_order(host):
    request = "POST /api/Length HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{}"
    many = "".join(request.format(n, "x" * n) for n in range(50)).encode()
    with connected(host) as client:
        client.sendall(many + get("/nowhere"))
        received = read_all(client)
    assert statuses(received) == [200] * 50 + [404]
    bodies = re.findall(rb"content-length: \d+.*?\r\n\r\n(\d+)", received, re.DOTALL)
    assert [int(body) for body in bodies] == list(range(50))


def test_a_broken_request_behind_another_is_not_its_answer(host):
    first = b"POST /api/Length HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
    assert exchange(host, first + b"nonsense\r\n\r\n") in ([200, 400], [])


def test_forwarded_headers_are_not_believed(host):
    headers = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil",
        "X-Forwarded-For": "1.2.3.4",
    }
    links = host.client.post(START, headers=headers).json()
    assert links["statusQueryGetUri"].startswith(str(host.client.base_url))


# Syntax -----------------------------------------------------------------------------------------

SERVED_OR_REFUSED = {
    "invalid UTF-8 in the path": (get("/api/\xff\xfe"), [400, 404]),
    "invalid UTF-8 in the query": (get("/?a=\xff"), [200, 400]),
    "invalid UTF-8 in a header": (get("/", "X: \xff\xfe"), [200]),
    "escaped invalid UTF-8": (get("/runtime/webhooks/durabletask/instances/%ff%fe"), [404]),
    "escaped invalid UTF-8 in a query": (get(f"{START}?a=%ff", method="POST"), [202]),
    "broken escapes": (get("/runtime/webhooks/durabletask/instances/%zz%1%"), [404]),
    "an escaped zero": (get("/runtime/webhooks/durabletask/instances/%00"), [404]),
    "a zero": (get("/a\0b"), [400]),
    "a path that climbs": (get("/../../../../etc/passwd"), [404]),
    "a path that climbs, escaped": (get("/%2e%2e/%2e%2e/etc/passwd"), [404]),
    "a negative length": (get("/", "Content-Length: -1", method="POST"), [400]),
    "a length that is no number": (get("/", "Content-Length: ten", method="POST"), [400]),
    "a length past 64 bits": (get("/", f"Content-Length: {1 << 65}", method="POST"), [400]),
    "a signed length": (get("/", "Content-Length: +5", method="POST") + b"12345", [400]),
    "two lengths": (get("/", "Content-Length: 1", "Content-Length: 2", method="POST"), [400]),
    "a list of lengths": (get("/", "Content-Length: 5, 5", method="POST") + b"12345", [400]),
    "length and chunks": (
        get("/", "Content-Length: 5", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n",
        [400],
    ),
    "an unknown encoding": (get("/", "Transfer-Encoding: gzip", method="POST"), [400, 501]),
    "chunked twice removed": (get("/", "Transfer-Encoding: chunked, gzip", method="POST"), [400]),
    "chunked in disguise": (get("/", "Transfer-Encoding: xchunked", method="POST"), [400, 501]),
    "a blank before the colon": (get("/", "Transfer-Encoding : chunked", method="POST"), [400]),
    "a bad chunk size": (
        get("/api/Length", "Transfer-Encoding: chunked", method="POST") + b"zz\r\n",
        [400],
    ),
    "a chunk size past 64 bits": (
        get("/api/Length", "Transfer-Encoding: chunked", method="POST") + b"f" * 20 + b"\r\n",
        [400],
    ),
    "a folded header": (get("/", "X: a\r\n b"), [200, 400]),
    "a bare line feed": (b"GET / HTTP/1.1\nHost: h\n\n", [200, 400]),
    "a header without a name": (get("/", ": x"), [400]),
    "an absolute target": (get("http://localhost/"), [200]),
    "an absolute target of another host": (get("http://other/"), [400]),
    "an absolute target without a host": (get("http:///x"), [400]),
    "no host": (get(host=""), [400]),
    "two hosts": (get("/", "Host: other"), [400]),
    "HTTP/1.0 without a host": (get(version="HTTP/1.0", host=""), [200]),
    "HTTP/1.0 that keeps the connection": (
        get(version="HTTP/1.0").replace(b"close", b"keep-alive"),
        [200],
    ),
    "HTTP/0.9": (b"GET /\r\n\r\n", [400]),
    "HTTP/2 without asking": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
    "HTTP/9.9": (get(version="HTTP/9.9"), [400, 505]),
    "a tunnel": (get("localhost:80", method="CONNECT"), [400]),
    "every option": (get("*", method="OPTIONS"), [400]),
    "an unknown method": (get("/", method="BREW"), [400, 404]),
    "a change to WebSocket": (
        get("/", "Upgrade: websocket", "Sec-WebSocket-Key: a").replace(b"close", b"Upgrade"),
        [200],
    ),
    "a change to HTTP/2": (get("/", "Upgrade: h2c").replace(b"close", b"Upgrade"), [200]),
    "TLS": (bytes.fromhex("16030100a5010000a10303") + bytes(100), [400]),
    "an expectation nobody knows": (get("/", "Expect: 200-ok"), [200, 417]),
}


@pytest.mark.parametrize("name", SERVED_OR_REFUSED)
def test_syntax(host, name):
    request, expected = SERVED_OR_REFUSED[name]
    answer = exchange(host, request)
    assert len(answer) == 1
    assert answer[0] in expected
