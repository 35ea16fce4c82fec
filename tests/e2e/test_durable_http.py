"""`context.call_http` of the real SDK, through a real host, against a real server."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from app_files import ORCHESTRATION
from running_host import RunningHost, eventually

CALL_HTTP = """
import azure.durable_functions as df

def flow(context):
    call = context.get_input()
    token = call.pop("token", None)
    if token:
        call["token_source"] = df.ManagedIdentityTokenSource(token)
    try:
        answer = yield context.call_http(**call)
    except Exception as error:
        return {"failed": str(error)}
    return answer

main = df.Orchestrator.create(flow)
"""

POLLING = """
import json

def main(context):
    # What the JavaScript SDK sends for a polled call, ended once the answer is there.
    body = json.loads(context.body)
    results = [e for e in body["history"] if e["EventType"] == 5]
    call = body["input"] if isinstance(body["input"], dict) else json.loads(body["input"])
    request = {**call, "asynchronousPatternEnabled": True}
    last = json.loads(results[-1]["Result"]) if results else None
    is_done = last is not None and last["statusCode"] != 202
    state = {
        "isDone": is_done,
        "schemaVersion": 2,
        "actions": [[{"actionType": 8, "httpRequest": request}]],
        "output": last if is_done else None,
    }
    return json.dumps(state)
"""


class Service(ThreadingHTTPServer):
    """`/echo` says what it was sent, `/job` answers 202 until the third look, `/slow` when told."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server_port}"
        self.seen = []
        self.go = threading.Event()

    def handle_error(self, *_):
        """A client that was killed has nobody to answer to."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        seen, service = (self.command, self.path), self.server
        service.seen.append(seen)
        if self.path == "/slow" and not service.go.wait(30):
            return
        if self.path.startswith("/job"):
            is_done = len([path for _, path in service.seen if path.startswith("/job")]) > 2
            headers = {"Location": f"{service.base}/job/status", "Retry-After": "0"}
            self.reply(200 if is_done else 202, {} if is_done else headers, "done")
            return
        headers = {"X-Echo": self.headers.get("X-Echo", ""), "Content-Language": "de"}
        content_type = self.headers.get("Content-Type")
        text = json.dumps({"seen": seen, "type": content_type, "body": body}, ensure_ascii=False)
        self.reply(200, headers, text)

    do_GET = do_POST = do_PUT = answer  # noqa: N815

    def reply(self, status, headers, text):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        raw = text.encode()
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_):
        """Stay silent."""


@pytest.fixture
def service():
    service = Service()
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield service
    service.go.set()
    service.shutdown()
    thread.join(10)
    service.server_close()


@pytest.fixture
def app(default_app, write_function):
    functions = default_app / "function_app"
    write_function(functions, "CallHttp", ORCHESTRATION, CALL_HTTP)
    write_function(functions, "Polling", ORCHESTRATION, POLLING)
    return default_app


def outcome(host, name, call):
    instance_id = host.start(name, call)
    return instance_id, host.wait_for_status(instance_id, "Completed")["output"]


def recorded(host, instance_id, kind):
    payload = host.status(instance_id, showHistory="true", showHistoryOutput="true").json()
    return [event for event in payload["historyEvents"] if event["EventType"] == kind]


@pytest.mark.feature("Durable HTTP", "Requests: method, headers, content")
def test_call_http_of_the_sdk(app, service):
    with RunningHost(app) as host:
        call = {
            "method": "POST",
            "uri": f"{service.base}/echo?q=1",
            "content": {"name": "Zoë"},
            "headers": {"X-Echo": "again"},
        }
        instance_id, answer = outcome(host, "CallHttp", call)
        assert answer["statusCode"] == 200
        assert answer["headers"]["X-Echo"] == "again"
        assert not {"Content-Length", "Content-Language"} & set(answer["headers"])
        assert json.loads(answer["content"]) == {
            "seen": ["POST", "/echo?q=1"],
            "type": "text/plain",
            "body": json.dumps({"name": "Zoë"}),
        }
        (completed,) = recorded(host, instance_id, "TaskCompleted")
        assert completed["Result"] == answer

        _, answer = outcome(host, "CallHttp", {"method": "GET", "uri": f"{service.base}/job"})
        assert answer["statusCode"] == 202

        instance_id, answer = outcome(host, "CallHttp", {**call, "uri": "http://127.0.0.1:1/"})
        assert answer["failed"].startswith("Connection refused (127.0.0.1:1)")

        _, answer = outcome(host, "CallHttp", {**call, "token": "https://graph.microsoft.com"})
        assert "'https://graph.microsoft.com'" in answer["failed"]
        assert "there is no managed identity outside Azure" in answer["failed"]
        assert "Traceback" not in "\n".join(host.lines)


@pytest.mark.feature("Durable HTTP", "202 polling when asked for")
def test_a_polled_call_follows_202_answers(app, service):
    with RunningHost(app) as host:
        call = {"method": "POST", "uri": f"{service.base}/job"}
        instance_id, answer = outcome(host, "Polling", call)
        assert (answer["statusCode"], answer["content"]) == (200, "done")
        assert service.seen == [("POST", "/job"), ("GET", "/job/status"), ("GET", "/job/status")]
        assert len(recorded(host, instance_id, "TimerCreated")) == 2
        assert len(recorded(host, instance_id, "TaskCompleted")) == 3


@pytest.mark.feature("Exactly once", "`kill -9` of host or child")
def test_a_host_killed_between_request_and_answer_asks_again_and_records_once(app, service):
    call = {"method": "GET", "uri": f"{service.base}/slow"}
    with RunningHost(app) as host:
        instance_id = host.start("CallHttp", call)
        eventually(lambda: len(service.seen), lambda count: count == 1)
        host.kill()
    with RunningHost(app) as host:
        eventually(lambda: len(service.seen), lambda count: count == 2)
        service.go.set()
        answer = host.wait_for_status(instance_id, "Completed")["output"]
        assert answer["statusCode"] == 200
        assert len(recorded(host, instance_id, "TaskCompleted")) == 1
    assert service.seen == [("GET", "/slow")] * 2
