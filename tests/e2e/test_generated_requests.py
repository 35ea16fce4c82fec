"""Requests generated from the description of the management API, against a running host.

Each answer must be one that the description names, every 500 one that the reference names; what the
host said it took is there afterwards, and after a restart. DURAHOST_GENERATED_REQUESTS is their
number, with new ones in each run; by default a few, always the same.
"""

import os
import re
from importlib.resources import files

import pytest
import requests
import schemathesis
import yaml
from app_files import ENTITY, copy_app, write_function
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running_host import RunningHost
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

ASKED = os.environ.get("DURAHOST_GENERATED_REQUESTS")
COUNT = int(ASKED or "300")
WEBHOOK = "/runtime/webhooks/durabletask"
LIMIT_S = 10
LONGEST_WAIT_S = 0.2
LONG_AGO = "2020-01-01T00:00:00Z"

DESCRIPTION = yaml.safe_load((files("durahost.http") / "management_api.yaml").read_text("utf-8"))
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION)
OPERATIONS = {one.ok().label: one.ok() for one in SCHEMA.get_all_operations()}
PURGES = [label for label in OPERATIONS if label.startswith("DELETE /instances")]
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NAMED_500 = re.compile(
    r"Unable to resolve the Azure Storage connection named '.*'\."
    r"|Cannot (suspend|resume) the orchestration instance .* because instance is in the \w+ state\."
    r"|TimeSpan overflowed because the duration is too long\."
    r"|Unexpected end .*",
    re.DOTALL,
)
KNOWN = {
    "functionName": ["HelloSequence", "hellosequence", "Approval"],
    "instanceId": ["live", "ended", "@counter@k", "again"],
    "entityName": ["Counter", "counter"],
    "entityKey": ["k", "$"],
    "eventName": ["Approval"],
}
COUNTER = """\
import azure.durable_functions as df

main = df.Entity.create(lambda context: context.set_state([context.operation_name]))
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    root = copy_app(tmp_path_factory.mktemp("generated") / "app")
    write_function(root / "function_app", "Counter", ENTITY, COUNTER)
    return root


@pytest.fixture(scope="module")
def host(app):
    with RunningHost(app) as running:
        for name, instance_id in (("Approval", "live"), ("HelloSequence", "ended")):
            started = running.client.post(f"{WEBHOOK}/orchestrators/{name}/{instance_id}")
            assert started.status_code == 202
        running.client.post(f"{WEBHOOK}/entities/Counter/k?op=make")
        yield running


@pytest.fixture(scope="module")
def session():
    with requests.Session() as one:
        yield one


@pytest.fixture(scope="module")
def accepted():
    """The ids of the app's own hub that a start or restart answered with."""
    return set()


def cases(operation):
    """Well-formed and malformed cases, half of them about something that exists."""
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    kinds = st.one_of([operation.as_strategy(mode) for mode in modes])
    return st.tuples(kinds, st.none() | st.integers(0, 11)).map(lambda pair: tamed(*pair))


def tamed(case, pick):
    """Keep a case on its own route, and its waits short; with a pick, let it meet something."""
    for name, value in (case.path_parameters or {}).items():
        known = KNOWN[name]
        text = str(value)
        leaves = re.fullmatch(r"\.*", text) or re.search(r"[/\\?#]|%2f|%5c", text, re.IGNORECASE)
        if pick is not None or leaves:
            case.path_parameters[name] = known[(pick or 0) % len(known)]
    if isinstance(case.query, dict):
        if pick is not None:
            case.query.pop("connection", None)
            case.query.pop("taskHub", None)
            case.query |= {name: LONG_AGO for name in case.query if name == "createdTimeFrom"}
        for name in {"timeout", "pollingInterval"} & case.query.keys():
            if isinstance(case.query[name], int | float) and case.query[name] > LONGEST_WAIT_S:
                case.query[name] = LONGEST_WAIT_S
    return case


def check(host, session, case, accepted):
    response = case.call(base_url=host.base + WEBHOOK, session=session, timeout=LIMIT_S)
    case.validate_response(response, checks=CHECKS)
    if response.status_code == 500 and "ExceptionMessage" in response.json():
        assert NAMED_500.fullmatch(response.json()["ExceptionMessage"]), response.text
    is_own = not (case.query or {}).get("taskHub")
    if response.status_code == 202 and is_own and response.headers.get("Retry-After") == "10":
        accepted.add(response.json()["id"])


def run(host, session, label, accepted):
    @settings(
        max_examples=max(1, COUNT // len(OPERATIONS)),
        deadline=None,
        derandomize=ASKED is None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(OPERATIONS[label]))
    def with_cases(case):
        check(host, session, case, accepted)

    with_cases()
    assert host.client.get("/").status_code == 200
    assert not [line for line in host.lines if "Traceback" in line]


@pytest.mark.feature("Management API", "Generated requests: only the described answers")
@pytest.mark.parametrize("label", [label for label in OPERATIONS if label not in PURGES])
def test_an_operation(host, session, accepted, label):
    run(host, session, label, accepted)


def test_nothing_accepted_is_lost(host, accepted):
    assert accepted - every_id(host.client) == set()


@pytest.mark.parametrize("label", PURGES)
def test_a_purge(host, session, accepted, label):
    run(host, session, label, accepted)


def test_a_restart_finds_the_same_instances(host, app):
    before = every_id(host.client)
    assert host.stop() == 0
    with RunningHost(app) as again:
        assert every_id(again.client) == before


def every_id(client):
    found, headers = set(), {}
    while True:
        page = client.get(f"{WEBHOOK}/instances?top=1000", headers=headers)
        found |= {one["instanceId"] for one in page.json()}
        headers = {"x-ms-continuation-token": page.headers["x-ms-continuation-token"]}
        if not headers["x-ms-continuation-token"]:
            return found
