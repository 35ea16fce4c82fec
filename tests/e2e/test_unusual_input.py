"""Payloads, names and answers that no sample has, against a real host: each ends in its own clear
way, and nothing else is disturbed.
"""

import json
import os
from http.client import HTTPConnection
from urllib.parse import quote

import pytest
from app_files import (
    ENTITY,
    ORCHESTRATION,
    copy_app,
    orchestrator,
    set_durable_option,
    write_function,
)
from running_host import RunningHost, eventually

MANAGEMENT = "/runtime/webhooks/durabletask"
ACTIVITY = [{"name": "value", "type": "activityTrigger", "direction": "in"}]
LARGE = int(os.environ.get("DURAHOST_TEST_PAYLOAD_MB", "1")) * 2**20
LIMIT_S = 30 + 2 * LARGE / 2**20


FUNCTIONS = {
    "Length": (ORCHESTRATION, orchestrator("return len(context.get_input())")),
    "Wait": (
        ORCHESTRATION,
        orchestrator("return (yield context.wait_for_external_event(context.get_input()))"),
    ),
    "Given": (
        ORCHESTRATION,
        "import json\n\ndef main(context):\n    members = json.loads(context.body)\n"
        "    return json.dumps({'isDone': True, 'actions': [], 'output':"
        " json.dumps(members['input'])})\n",
    ),
    "Answer": (
        ORCHESTRATION,
        "import json\n\ndef main(context):\n    members = json.loads(context.body)\n"
        "    answers = json.loads(members['input'])\n"
        "    episodes = [e for e in members['history'] if e['EventType'] == 12]\n"
        "    return answers[min(len(episodes), len(answers)) - 1]\n",
    ),
    "ThroughActivity": (
        ORCHESTRATION,
        orchestrator(
            """
text = yield context.call_activity("Make", context.get_input())
length = yield context.call_activity("Measure", text)
return [length, text]
"""
        ),
    ),
    "FailLarge": (
        ORCHESTRATION,
        orchestrator(
            """
size = context.get_input()
yield context.call_activity("Measure", "x" * size)
raise ValueError("y" * size)
"""
        ),
    ),
    "Odd": (
        ORCHESTRATION,
        orchestrator(
            """
try:
    return (yield context.call_activity("Odd" + context.get_input(), None))
except Exception as error:
    return f"caught {error}"
"""
        ),
    ),
    "ThroughEntity": (
        ORCHESTRATION,
        orchestrator(
            """
store = df.EntityId("Store", context.instance_id)
yield context.call_entity(store, "set", context.get_input())
return len((yield context.call_entity(store, "get")))
"""
        ),
    ),
    "Store": (
        ENTITY,
        """
import azure.durable_functions as df

def entity(context):
    if context.operation_name == "set":
        context.set_state("y" * context.get_input())
    context.set_result(context.get_state() if context.operation_name == "get" else None)

main = df.Entity.create(entity)
""",
    ),
    "Make": (ACTIVITY, "def main(value):\n    return 'x' * int(value)\n"),
    "Measure": (ACTIVITY, "def main(value):\n    return len(value)\n"),
    "OddNumber": (ACTIVITY, "def main(value):\n    return 10 ** 5000\n"),
    "OddText": (ACTIVITY, "def main(value):\n    return '\\ud800'\n"),
    "OddKind": (ACTIVITY, "def main(value):\n    return object()\n"),
    "OddNan": (ACTIVITY, "def main(value):\n    return float('nan')\n"),
    "OddRaise": (ACTIVITY, "def main(value):\n    raise ValueError('z' * 1_000_000)\n"),
    "OddPrint": (
        ACTIVITY,
        "import logging\n\ndef main(value):\n    print('p' * 2**21)\n"
        "    logging.warning('w' * 2**21)\n    return 'fine'\n",
    ),
}


def _dump(value):
    return json.dumps(value, ensure_ascii=False)


class Client:
    """Sends paths as they stand: no library normalises them."""

    def __init__(self, host):
        self._host = host
        self._port = host.client.base_url.port

    def send(self, method, path, body=None):
        connection = HTTPConnection("127.0.0.1", self._port, timeout=LIMIT_S)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def start(self, name, body, instance_id=None):
        """Start with this body; the check-status payload."""
        place = "" if instance_id is None else f"/{quote(instance_id, safe='')}"
        status, answer = self.send("POST", f"{MANAGEMENT}/orchestrators/{name}{place}", body)
        assert status == 202, answer
        return json.loads(answer)

    def start_as_sdk(self, name, value, instance_id=None):
        return self.start(name, _dump(_dump(value)).encode(), instance_id)

    def follow(self, link):
        return link[link.index(MANAGEMENT) :]

    def ended(self, payload):
        """The status once it has ended."""
        path = self.follow(payload["statusQueryGetUri"]) + "&showInput=false"
        return eventually(
            lambda: json.loads(self.send("GET", path)[1]),
            lambda status: status["runtimeStatus"] not in ("Pending", "Running"),
            LIMIT_S,
        )

    def raise_event(self, payload, name, body):
        link = self.follow(payload["sendEventPostUri"]).replace("{eventName}", quote(name, safe=""))
        return self.send("POST", link, body)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    root = copy_app(tmp_path_factory.mktemp("unusual") / "app")
    set_durable_option(root, "maxOrchestrationActions", 1000)
    for name, (bindings, code) in FUNCTIONS.items():
        write_function(root / "function_app", name, bindings, code)
    with RunningHost(root) as running:
        yield Client(running)
        # Whatever was sent, the worker that started first still serves.
        assert not [line for line in running.lines if "exited with code" in line], running.lines


# Names -------------------------------------------------------------------------------------------


@pytest.mark.feature("Unusual input", "Instance ids of any characters and length")
@pytest.mark.parametrize(
    "instance_id",
    [
        "日本-ü-😀",
        "with blanks in it",
        'it\'s "quoted"',
        "100% of it",
        "q?#\\",
        "@looks@likeanentity",
        "tab\t",
        "x" * 256,
        "é" * 256,
        "longer than Azure stores" * 100,
    ],
)
def test_an_instance_id_is_kept_and_reached_through_its_links(client, instance_id):
    payload = client.start_as_sdk("Wait", "Go", instance_id)
    assert payload["id"] == instance_id
    status, body = client.send("GET", client.follow(payload["statusQueryGetUri"]))
    assert status == 202
    assert json.loads(body)["instanceId"] == instance_id
    assert client.raise_event(payload, "Go", b"1")[0] == 202
    assert client.ended(payload)["output"] == 1


@pytest.mark.feature("Unusual input", "Instance ids of any characters and length")
def test_a_plus_is_a_blank_and_percent_signs_are_decoded_twice(client):
    path = f"{MANAGEMENT}/orchestrators/Wait/"
    for sent, kept in [("p+q", "p q"), ("p%252Bq", "p+q"), ("%2541", "A")]:
        assert json.loads(client.send("POST", path + sent, b'"1"')[1])["id"] == kept


@pytest.mark.feature("Unusual input", "Event names of any characters")
@pytest.mark.parametrize("name", ["日本-ü-😀", "a b", 'it\'s "q"', "50%", "e" * 300])
def test_an_event_name_is_kept(client, name):
    payload = client.start_as_sdk("Wait", name)
    assert client.raise_event(payload, name, b'"heard"')[0] == 202
    assert client.ended(payload)["output"] == "heard"


# Payloads ----------------------------------------------------------------------------------------


@pytest.mark.feature("Unusual input", "Large payloads")
def test_a_large_input_is_stored_and_shown(client):
    payload = client.start_as_sdk("Length", "é" * (LARGE // 2))
    assert client.ended(payload)["output"] == LARGE // 2
    _, body = client.send("GET", client.follow(payload["statusQueryGetUri"]))
    assert json.loads(json.loads(body)["input"]) == "é" * (LARGE // 2)


@pytest.mark.feature("Unusual input", "Large payloads")
def test_a_large_input_of_the_sdks_client_is_stored(client):
    body = json.dumps("x" * LARGE).encode()
    status, answer = client.send("POST", "/api/orchestrators/Length", body)
    assert status == 202
    assert client.ended(json.loads(answer))["output"] == LARGE


@pytest.mark.feature("Unusual input", "Large payloads")
def test_a_large_object_is_stored_and_shown(client):
    value = [{"number": n, "ratio": n / 7, "text": "日本"} for n in range(LARGE // 100)]
    body = json.dumps(value).encode()
    payload = client.start("Given", body)
    assert json.loads(client.ended(payload)["output"]) == value
    _, body = client.send("GET", client.follow(payload["statusQueryGetUri"]))
    assert json.loads(body)["input"] == value


@pytest.mark.feature("Unusual input", "Large payloads")
def test_large_data_goes_through_an_event_an_activity_and_an_entity(client):
    payload = client.start_as_sdk("Wait", "Go")
    assert client.raise_event(payload, "Go", json.dumps("x" * LARGE).encode())[0] == 202
    assert client.ended(payload)["output"] == "x" * LARGE
    assert client.ended(client.start_as_sdk("ThroughActivity", LARGE))["output"] == [
        LARGE,
        "x" * LARGE,
    ]
    assert client.ended(client.start_as_sdk("ThroughEntity", LARGE))["output"] == LARGE


@pytest.mark.feature("Unusual input", "Large payloads")
def test_a_body_over_the_limit_is_refused_and_the_host_goes_on(client):
    connection = HTTPConnection("127.0.0.1", client._port, timeout=LIMIT_S)
    path = f"{MANAGEMENT}/orchestrators/Length"
    connection.putrequest("POST", path)
    connection.putheader("content-length", str(104_857_601))
    connection.endheaders()
    try:
        for _ in range(101):
            connection.send(b"1" * 2**20)
    except ConnectionError:
        pass  # refused before the end
    else:
        assert connection.getresponse().status == 413
    connection.close()
    assert client.ended(client.start_as_sdk("Length", "abc"))["output"] == 3


@pytest.mark.feature(
    "Unusual input", "Numbers, invalid UTF-8, lone surrogates, text that only Newtonsoft reads"
)
@pytest.mark.parametrize(
    ("body", "shown", "given"),
    [
        (b"12345678901234567890123", 12345678901234567890123, "12345678901234567890123"),
        (b"9" * 380, int("9" * 380), "9" * 380),
        (b"1.50", 1.5, "1.5"),
        (b"1e2", 100.0, "100.0"),
        (b"1e400", "Infinity", "Infinity"),
        (b"NaN", "NaN", '"NaN"'),
        (b"{a:'x',b:[1,],c:0x10}", {"a": "x", "b": [1], "c": 16}, '{"a": "x", "b": [1], "c": 16}'),
        (b'"a\0b"', "a\0b", '"a\\u0000b"'),
        (b'"\\ud800!"', "\ufffd!", '"\\ud800!"'),
        (b'"\\ud83d\\ude00"', "😀", '"\\ud83d\\ude00"'),
        (b'"\xff\xfe"', "\ufffd\ufffd", '"\\ufffd\\ufffd"'),
        (b'\xef\xbb\xbf"bom"', "bom", '"bom"'),
        (b"[" * 64 + b"]" * 64, json.loads("[" * 64 + "]" * 64), "[" * 64 + "]" * 64),
    ],
)
def test_a_body_shows_and_arrives_as_newtonsoft_reads_it(client, body, shown, given):
    payload = client.start("Given", body)
    output = client.ended(payload)["output"]
    assert output == given
    _, status = client.send("GET", client.follow(payload["statusQueryGetUri"]))
    assert json.loads(status)["input"] == shown


@pytest.mark.feature("Unusual input", "Bodies that are not JSON")
@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"hello", "Unexpected character encountered while parsing value: h."),
        (b"9" * 381, f"JSON integer {'9' * 381} is too large to parse."),
        (b"[" * 65 + b"]" * 65, "The reader's MaxDepth of 64 has been exceeded."),
        (b'\xff"x"', "Unexpected character encountered while parsing value: \ufffd."),
    ],
)
def test_a_body_that_is_not_json_is_refused_by_start_and_event(client, body, text):
    waiting = client.start_as_sdk("Wait", "Go")
    for status, answer in (
        client.send("POST", f"{MANAGEMENT}/orchestrators/Given", body),
        client.raise_event(waiting, "Go", body),
    ):
        assert status == 400
        assert json.loads(answer)["Message"] == "Invalid JSON content"
        assert json.loads(answer)["ExceptionMessage"].startswith(text)
    assert client.raise_event(waiting, "Go", b"7")[0] == 202
    assert client.ended(waiting)["output"] == 7


@pytest.mark.feature("Unusual input", "Bodies in other encodings")
def test_a_body_in_utf_16_is_read_by_its_mark(client):
    waiting = client.start_as_sdk("Wait", "Go")
    assert client.raise_event(waiting, "Go", '"x"'.encode("utf-16"))[0] == 202
    assert client.ended(waiting)["output"] == "x"


# Answers of workers ------------------------------------------------------------------------------

NO_STATE = "Orchestrator function 'Answer' failed: "
CALL = {"actionType": 0, "functionName": "Measure", "input": '"x"'}


def state(*actions, **more):
    return json.dumps({"isDone": False, "schemaVersion": 2, "actions": [list(actions)], **more})


@pytest.mark.feature("Unusual input", "Answers of workers that are not the protocol's")
@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("nonsense", "Out of proc orchestrators must return a valid JSON schema"),
        ("[]", "The data returned by the out-of-process function execution was not valid json."),
        ("{}", "Out of proc orchestrators must return a valid JSON schema"),
        ('{"actions": {}}', "Out of proc orchestrators must return a valid JSON schema"),
        (json.dumps({"schemaVersion": 2, "actions": [[], []]}), "With OOProc schema V3, expected"),
        (state(5), "Out of proc orchestrators must return a valid JSON schema"),
        (state({}), "Out of proc orchestrators must return a valid JSON schema"),
        (state({"actionType": 99}), "Received an unexpected action type from"),
        (state({"actionType": 0}), "Out of proc orchestrators must return a valid JSON schema"),
        (state({"actionType": 5, "fireAt": "soon"}), "A timer's fireAt is not a time: 'soon'"),
        (state({"actionType": 1, "functionName": "Measure"}), "Invalid JSON. Must contain field"),
        ("[" * 99_999, "Out of proc orchestrators must return a valid JSON schema"),
        (
            state(*[{"actionType": 9, "instanceId": "@store@k", "operation": "o"}] * 1_001),
            "Maximum amount of orchestration actions (1000) has been reached.",
        ),
    ],
    ids=lambda value: value[:30],
)
def test_an_answer_that_is_not_the_protocols_fails_its_instance(client, answer, text):
    beside = client.start_as_sdk("Wait", "Go")
    ended = client.ended(client.start_as_sdk("Answer", [answer]))
    assert ended["runtimeStatus"] == "Failed"
    assert ended["output"].startswith(NO_STATE + text)
    assert client.raise_event(beside, "Go", b"1")[0] == 202
    assert client.ended(beside)["output"] == 1


@pytest.mark.feature("Unusual input", "Answers of workers that are not the protocol's")
def test_behind_recorded_steps_the_log_has_the_reason_that_azures_output_hides(client):
    ended = client.ended(client.start_as_sdk("Answer", [state(CALL), "nonsense"]))
    assert ended["output"].startswith("Non-Deterministic workflow detected: ")
    line = client._host.wait_for_line("gave no list of actions")
    assert "Out of proc orchestrators must return a valid JSON schema" in line


@pytest.mark.feature("Unusual input", "Answers of workers that are not the protocol's")
def test_a_huge_retry_interval_does_not_stop_the_engine(client):
    for number in (1e308, float("nan"), float("inf"), -1e308):
        options = {
            "firstRetryIntervalInMilliseconds": 1,
            "maxNumberOfAttempts": 9,
            "backoffCoefficient": number,
            "maxRetryIntervalInMilliseconds": 1,
        }
        call = {**CALL, "actionType": 1, "functionName": "OddKind", "retryOptions": options}
        payload = client.start_as_sdk("Answer", [state(call, isDone=True, output=1)])
        assert client.ended(payload)["runtimeStatus"] == "Completed"


@pytest.mark.feature("Unusual input", "Results of activities that are not JSON")
@pytest.mark.parametrize(
    ("kind", "output"),
    [
        ("Number", "caught 'Activity function 'OddNumber' failed:  ValueError: Exceeds the limit"),
        ("Text", "\ufffd"),
        ("Kind", "caught 'Activity function 'OddKind' failed:  "),
        ("Raise", "caught 'Activity function 'OddRaise' failed:  ValueError: zzz"),
        ("Print", "fine"),
    ],
)
def test_odd_results_of_activities_are_theirs_alone(client, kind, output):
    shown = client.ended(client.start_as_sdk("Odd", kind))["output"]
    assert shown.replace("caught Activity", "caught 'Activity").startswith(output), shown[:300]


@pytest.mark.feature("Unusual input", "Large payloads")
def test_a_large_failure_arrives(client):
    """The state, actions and all, travels in the exception's message."""
    ended = client.ended(client.start_as_sdk("FailLarge", LARGE))
    assert ended["runtimeStatus"] == "Failed"
    assert ended["output"].startswith("Orchestrator function 'FailLarge' failed: yyy")
