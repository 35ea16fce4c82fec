"""Running cases against a small server of the test's own, on a real socket."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from durahost.contract.cases import Body, Case, Expectation, Step
from durahost.contract.errors import ContractError
from durahost.contract.exchange import Request, connections
from durahost.contract.report import format_failure, format_table, to_json, to_junit
from durahost.contract.runner import Outcome, run_case
from durahost.contract.target import HttpTarget, open_target, write_app


class Server(ThreadingHTTPServer):
    """Answers with what the test put there, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self):
        self.seen, self.answers = [], []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def respond(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if "chunked" in self.headers.get("transfer-encoding", ""):
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        self.server.seen.append((self.command, self.path, dict(self.headers.items()), body))
        answers = self.server.answers
        status, text, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)
        self.close_connection = headers.get("X-Close") == "silently"

    do_GET = do_POST = do_DELETE = respond  # noqa: N815 - the base class wants these names

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


@pytest.fixture
def origin(server):
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def target(origin):
    with connections() as opened:
        yield HttpTarget(
            origin=origin,
            code="secret",
            capabilities=frozenset({"open"}),
            variables={"origin": origin, "code": "secret"},
            limit_s=0.2,
            connections=opened,
        )


def step(request, expect=200, **more):
    method, url = request.split(" ")
    return Step(method=method, url=url, expect=Expectation(statuses=(expect,)), **more)


def case(*steps, **more):
    return Case(name="group/name", source="somewhere", steps=steps, **more)


def test_what_is_sent(server, target):
    server.answers = [(200, b"", {})]
    steps = [
        step("GET instances/<id>?x=%2f+y"),
        step("POST /api/a", key="none", body="é<id>"),
        step("GET <origin>/b", key="<code>!", headers={"X-A": "<id2>"}),
        step("POST c", headers={"Transfer-Encoding": "chunked"}, body="abc"),
    ]
    result = run_case(case(*steps, query="taskHub=Other"), target)
    assert result.outcome is Outcome.PASSED
    fresh = result.variables["id"]
    webhook = "/runtime/webhooks/durabletask"
    assert [one[:2] for one in server.seen] == [
        ("GET", f"{webhook}/instances/{fresh}?x=%2f+y&taskHub=Other"),
        ("POST", "/api/a"),
        ("GET", "/b"),
        ("POST", f"{webhook}/c?taskHub=Other"),
    ]
    assert [one[2].get("x-functions-key") for one in server.seen] == [
        "secret",
        None,
        "secret!",
        "secret",
    ]
    assert [one[3] for one in server.seen] == [b"", f"é{fresh}".encode(), b"", b"abc"]
    assert server.seen[2][2]["X-A"] == f"{fresh}-2"
    assert run_case(case(*steps), target).variables["id"] != fresh


def test_a_polled_step_waits_for_its_answer(server, target):
    server.answers = [(202, b"", {}), (202, b"", {}), (200, b"", {})]
    result = run_case(case(step("GET x", is_polled=True)), target)
    assert (result.outcome, len(server.seen), len(result.exchanges)) == (Outcome.PASSED, 3, 1)


def test_a_polled_step_ends(server, target):
    server.answers = [(202, b"still", {})]
    result = run_case(case(step("GET x", is_polled=True), step("GET y")), target)
    assert result.outcome is Outcome.FAILED
    request, problem, shown = result.problems
    assert request == "GET x"
    assert problem == "status: expected 200, got 202"
    assert shown == "the answer (after 0.2 s) was 202 still"
    assert "    source: somewhere" in format_failure(result)


def test_what_is_saved_is_used(server, target):
    server.answers = [(200, b'{"a":[{"b":"found"}]}', {"X-Token": "t"}), (200, b"", {})]
    save = {"new": "a.0.b", "token": "header X-Token"}
    result = run_case(case(step("GET x", save=save), step("GET /<new>/<token>")), target)
    assert (result.outcome, server.seen[1][1]) == (Outcome.PASSED, "/found/t")


@pytest.mark.parametrize("place", ["b", "a.0", "a.x", "header nope"])
def test_what_cannot_be_saved_is_a_failure(server, target, place):
    server.answers = [(200, b'{"a":1}', {})]
    result = run_case(case(step("GET x", save={"new": place})), target)
    assert f"nothing to save at '{place}'" in result.problems[1]


def test_a_target_that_lacks_something_skips_the_case(target):
    result = run_case(case(step("GET x"), needs=("auth", "open", "rpc")), target)
    assert result.outcome is Outcome.SKIPPED
    assert result.problems == [
        "needs a target that asks for keys",
        "needs a target that has its local RPC endpoint on this machine",
    ]


def test_a_kept_connection_that_was_closed_is_opened_again(server, target):
    server.answers = [(200, b"", {"X-Close": "silently"}), (200, b"", {})]
    result = run_case(case(step("GET x"), step("GET y"), step("GET z")), target)
    assert (result.outcome, len(server.seen)) == (Outcome.PASSED, 3)


def test_a_connection_that_the_target_says_it_closes(server, target):
    server.answers = [(200, b"", {"Connection": "close"}), (200, b"", {})]
    result = run_case(case(step("GET x"), step("GET y")), target)
    assert result.outcome is Outcome.PASSED


def test_no_answer_is_a_failure_of_the_case(server, target):
    server.shutdown()
    server.server_close()
    result = run_case(case(step("GET x")), target)
    assert (result.outcome, result.problems[0]) == (Outcome.FAILED, "GET x")
    assert "No answer to GET" in result.problems[1]


@pytest.mark.parametrize("url", ["localhost", "ftp://a", "http://"])
def test_what_is_no_address(url):
    with connections() as opened, pytest.raises(ContractError, match="no address"):
        opened.send(Request(method="GET", url=url))


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (401, b"", "refuses the key"),
        (404, b"", "does not run the contract app"),
        (503, b"starting", "does not run the contract app"),
    ],
)
def test_a_target_that_cannot_be_used(server, origin, status, body, message):
    server.answers = [(status, body, {})]
    with pytest.raises(ContractError, match=message), open_target(origin, "code", limit_s=0.0):
        pass


def test_what_a_target_can_do_is_asked(server, origin):
    binding = b'{"rpcBaseUrl":"http://127.0.0.1:1/durabletask/"}'
    keys = b'{"keys":[]}'
    server.answers = [(200, one, {}) for one in (b'"ready"', b"", b"[]", keys, binding)]
    server.answers[1] = (401, b"", {})
    with open_target(f"{origin}/", "k", is_disposable=True, limit_s=1.0) as target:
        assert target.capabilities == {
            "auth",
            "another-hub",
            "keys",
            "functions",
            "rpc",
            "direct",
            "disposable",
        }
        assert target.variables["rpc-origin"] == "http://127.0.0.1:1"
    assert [one[2].get("x-functions-key") for one in server.seen] == ["k", None, "k", "k", "k"]


def test_a_target_that_can_do_little(server, origin):
    server.answers = [(200, b'"ready"', {}), (200, b"[]", {}), (500, b"", {}), (401, b"", {})]
    with open_target(origin, limit_s=1.0) as target:
        assert target.capabilities == {"open", "direct"}


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("GET instances/<id>", 'got "see ?code=<key>&a=b, <key> and <code>"'),
        ("GET /admin/host/keys", "$: expected null, got (a key may be in it)"),
    ],
)
def test_no_key_is_told(server, target, path, shown):
    made = "a" * 44 + "AzFu" + "b" * 6 + "=="
    text = f'"see ?code=x_y-z==&a=b, {made} and secret"'.encode()
    server.answers = [(200, text, {"Content-Type": "application/json; charset=utf-8"})]
    expected = Expectation(statuses=(200,), kind=Body.JSON, body=None)
    method, url = path.split()
    result = run_case(case(Step(method=method, url=url, expect=expected)), target)
    told = format_failure(result)
    assert shown in told
    assert not any(key in told for key in ("x_y-z", made, "secret"))


def test_the_app_is_written_once(tmp_path):
    write_app(tmp_path / "new")
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert {"host.json", "requirements.txt", "local.settings.json", "Wait", "Box"} <= names
    assert not list((tmp_path / "new").rglob("__pycache__"))
    with pytest.raises(ContractError, match="is not empty"):
        write_app(tmp_path / "new")


@pytest.fixture
def results(server, target):
    server.answers = [(200, b"\x00", {})]
    return [
        run_case(case(step("GET x")), target),
        run_case(case(step("GET x", 404)), target),
        run_case(case(step("GET x"), needs=("auth",)), target),
    ]


def test_the_table(results):
    lines = format_table(results).splitlines()
    assert lines[0].split() == ["cases", "passed", "failed", "skipped", "seconds"]
    assert lines[1].split()[:4] == ["group", "1", "1", "1"]
    assert lines[2].split()[:4] == ["all", "1", "1", "1"]
    assert lines[4:] == ["Skipped, needs a target that asks for keys:", "  group/name"]


def test_the_reports_for_programs(results):
    import json
    import xml.etree.ElementTree as ET

    document = json.loads(to_json(results, "http://a"))
    assert [document[key] for key in ("target", "passed", "failed", "skipped")] == [
        "http://a",
        1,
        1,
        1,
    ]
    assert [one["outcome"] for one in document["cases"]] == ["passed", "failed", "skipped"]
    (suite,) = ET.fromstring(to_junit(results))
    assert [suite.get(key) for key in ("name", "tests", "failures", "skipped")] == [
        "group",
        "3",
        "1",
        "1",
    ]
    assert [[child.tag for child in one] for one in suite] == [[], ["failure"], ["skipped"]]
