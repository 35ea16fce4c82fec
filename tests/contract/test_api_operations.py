"""Operations on one instance: the table of states, texts, and what reaches the instance."""

import pytest
from api_support import JSON_TYPE, Target

from durahost.codec import history
from durahost.config.settings import DurableSettings
from durahost.model.functions import Binding, FunctionMetadata
from durahost.model.ids import InstanceId
from durahost.model.status import RuntimeStatus
from durahost.registry import Registry

S = RuntimeStatus
JSON = {"content-type": "application/json"}
STATES = [None, S.PENDING, S.RUNNING, S.SUSPENDED, S.COMPLETED, S.FAILED, S.TERMINATED]
SAME_ID = "restart?restartWithNewInstanceId=false"
LIVE_THEN_GONE = [404, 202, 202, 202, 410, 410, 410]
TABLE = {
    "GET instances/abc": [404, 202, 202, 202, 200, 200, 200],
    "POST instances/abc/raiseEvent/Go": LIVE_THEN_GONE,
    "POST instances/abc/terminate": LIVE_THEN_GONE,
    "POST instances/abc/suspend": [404, 202, 202, 500, 410, 410, 410],
    "POST instances/abc/resume": [404, 500, 500, 202, 410, 410, 410],
    "POST instances/abc/rewind": [404, 412, 412, 412, 412, 202, 412],
    "POST instances/abc/restart": [400, 202, 202, 202, 202, 202, 202],
    f"POST instances/abc/{SAME_ID}": [400, 409, 409, 409, 202, 202, 202],
    "POST orchestrators/Hello/abc": [202, 409, 409, 409, 202, 202, 202],
    "DELETE instances/abc": [404, 412, 412, 412, 200, 200, 200],
}  # fmt: skip


def route_mark(route):
    """The row of docs/compatibility.md for a request as this file writes it."""
    method, path = route.partition("?")[0].split()
    names = {"abc": "{instanceId}", "@e@k": "{instanceId}", "Go": "{eventName}"}
    names["Hello"] = "{functionName}"
    path = "/".join(names.get(part, part) for part in path.split("/"))
    return pytest.mark.feature("Management API", f"`{method} /{path}`")


def with_routes(cases):
    return [pytest.param(*case, marks=route_mark(f"{case[0]} {case[1]}")) for case in cases]


@pytest.mark.parametrize(
    ("route", "status", "code"),
    [
        pytest.param(route, *pair, marks=route_mark(route))
        for route, row in TABLE.items()
        for pair in zip(STATES, row, strict=True)
    ],
)
async def test_what_each_route_says_of_a_state(target, route, status, code):
    if status is not None:
        await target.put(status)
    method, path = route.split()
    response = await target.api_call(method, path, content=b"1", headers=JSON)
    assert response.status_code == code
    if code in {404, 410} and "rewind" not in route:
        assert response.content == b""
        assert "content-type" not in response.headers


@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/resume`")
@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/suspend`")
@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/terminate`")
@pytest.mark.parametrize(
    ("operation", "kind", "text"),
    [
        ("terminate", "EXECUTION_TERMINATED", '"Input":"too late"'),
        ("suspend", "EXECUTION_SUSPENDED", '"Reason":"too late"'),
        ("RESUME", "EXECUTION_RESUMED", '"Reason":"too late"'),
    ],
)
async def test_the_reason_reaches_the_instance(target, operation, kind, text):
    await target.put(S.SUSPENDED if operation == "RESUME" else S.RUNNING)
    response = await target.api_call("POST", f"instances/abc/{operation}?reason=too+late")
    assert (response.status_code, response.content) == (202, b"")
    assert "content-type" not in response.headers
    (event,) = await target.inbox()
    assert event.kind.name == kind
    assert text in event.text


@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/terminate`")
async def test_a_missing_reason_is_null(target):
    await target.put(S.RUNNING)
    await target.api_call("POST", "instances/abc/terminate")
    assert '"Input":null' in (await target.inbox())[0].text


@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/raiseEvent/{eventName}`")
@pytest.mark.parametrize(
    ("body", "stored"),
    [
        (b'{"a": 1.50}', '"{\\"a\\":1.5}"'),
        (b"true trailing", '"true"'),
        (b'"{\\"a\\": 1}"', '"\\"{\\\\\\"a\\\\\\": 1}\\""'),
        (b"'it''s", '"\\"it\\""'),
        (b"null", '"null"'),
    ],
)
async def test_the_first_value_of_the_body_is_the_event(target, body, stored):
    await target.put(S.RUNNING)
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    response = await target.api_call(
        "POST", "instances/abc/RaiseEvent/My%20Event", content=body, headers=headers
    )
    assert (response.status_code, response.content) == (202, b"")
    (event,) = await target.inbox()
    assert event.name == "My Event"
    assert f'"Name":"My Event","Input":{stored},' in event.text


@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/raiseEvent/{eventName}`")
@pytest.mark.parametrize("headers", [{}, {"content-type": "text/plain"}])
async def test_an_event_must_be_json_by_name(target, headers):
    await target.put(S.RUNNING)
    response = await target.api_call(
        "POST", "instances/abc/raiseEvent/Go", content=b"1", headers=headers
    )
    assert response.status_code == 400
    assert response.text == '{"Message":"Only application/json request content is supported"}'


@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/raiseEvent/{eventName}`")
@pytest.mark.parametrize("body", [b"", b"nope", b"{", b"[1"])
async def test_an_event_must_be_json_in_fact(target, body):
    await target.put(S.RUNNING)
    response = await target.api_call(
        "POST", "instances/abc/raiseEvent/Go", content=body, headers=JSON
    )
    assert response.status_code == 400
    assert response.json()["Message"] == "Invalid JSON content"
    assert response.json()["ExceptionType"] == "Newtonsoft.Json.JsonReaderException"
    assert await target.inbox() == []


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "text"),
    with_routes([
        ("DELETE", "instances/abc", S.RUNNING, 412,
         '"Only orchestrations in a terminal state can be purged, but the orchestration with '
         'instance ID abc has status Running"'),
        ("DELETE", "instances/abc", S.COMPLETED, 200, '{"instancesDeleted":1}'),
        ("DELETE", "instances/@e@k", None, 200, '{"instancesDeleted":0}'),
        ("POST", "instances/abc/suspend", S.SUSPENDED, 500,
         '{"Message":"Something went wrong while processing your request","ExceptionMessage":'
         '"Cannot suspend the orchestration instance abc because instance is in the Suspended '
         'state.","ExceptionType":"System.InvalidOperationException","StackTrace":null}'),
        ("POST", "instances/abc/resume", S.PENDING, 500,
         '{"Message":"Something went wrong while processing your request","ExceptionMessage":'
         '"Cannot resume the orchestration instance abc because instance is in the Pending '
         'state.","ExceptionType":"System.InvalidOperationException","StackTrace":null}'),
        ("POST", "instances/abc/rewind", None, 404,
         '"No orchestration with instance ID \\"$abc\\" found."'),
        ("POST", "instances/abc/rewind", S.PENDING, 412,
         '"This orchestration has status Pending, but only orchestrations in the \\"Failed\\" '
         'state can be rewound."'),
        ("POST", "instances/abc/restart", None, 400,
         '{"Message":"InstanceId does not match a valid orchestration instance.",'
         '"ExceptionMessage":"An orchestrastion with the instanceId abc was not found.",'
         '"ExceptionType":"System.ArgumentException","StackTrace":null}'),
        ("POST", "instances/abc/restart?timeout=1&pollingInterval=2", S.COMPLETED, 400,
         '{"Message":"InstanceId does not match a valid orchestration instance.",'
         '"ExceptionMessage":"Total timeout 1 should be bigger than retry timeout 2",'
         '"ExceptionType":"System.ArgumentException","StackTrace":null}'),
    ]),
)  # fmt: skip
async def test_texts(target, method, path, status, code, text):
    if status is not None:
        await target.put(status)
    response = await target.api_call(method, path)
    assert (response.status_code, response.text) == (code, text)
    assert response.headers["content-type"] == JSON_TYPE


@pytest.mark.feature("Management API", "`POST /makeprimary`")
@pytest.mark.feature("Settings", "`useAppLease`")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_a_host_with_app_leases_is_primary(target, method):
    response = await target.api_call(method, "makeprimary")
    assert (response.status_code, response.content) == (200, b"")
    assert "content-type" not in response.headers


@pytest.mark.feature("Management API", "`POST /makeprimary`")
@pytest.mark.feature("Settings", "`useAppLease`")
async def test_without_app_leases_nothing_becomes_primary():
    target = Target(DurableSettings(uses_app_lease=False, provider_type="mssql"))
    response = await target.api_call("POST", "makeprimary?connection=NoSuchConnection")
    assert response.status_code == 400
    assert response.text == (
        '{"Message":"Cannot make current app primary. This app is not using the AppLease feature."}'
    )


@pytest.mark.feature("Management API", "`POST /makeprimary`")
async def test_a_provider_without_app_leases_says_so():
    target = Target(DurableSettings(provider_type="mssql"))
    response = await target.api_call("POST", "makeprimary")
    assert response.status_code == 500
    assert response.json() == {
        "Message": "Something went wrong while processing your request",
        "ExceptionMessage": (
            "The method MakeCurrentAppPrimaryAsync is not supported by the mssql storage provider."
        ),
        "ExceptionType": "System.NotImplementedException",
        "StackTrace": None,
    }


@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/rewind`")
async def test_a_rewound_instance_is_pending_with_its_old_output(target):
    ended = history.execution_completed(0, S.FAILED, "boom", target.clock.now())
    await target.put(S.FAILED, events=[ended], output="boom", input='"in"')
    response = await target.api_call("POST", "instances/abc/rewind?reason=try+again")
    assert (response.status_code, response.content) == (202, b"")
    assert "content-type" not in response.headers
    status = await target.api_call("GET", "instances/abc?showHistory=true")
    assert status.status_code == 202
    assert status.json()["runtimeStatus"] == "Pending"
    assert (status.json()["output"], status.json()["input"]) == ("boom", "in")
    assert "historyEvents" not in status.json()
    again = await target.api_call("POST", "instances/abc/rewind")
    assert again.status_code == 412
    assert again.text == (
        '"This orchestration has status Pending, but only orchestrations in the \\"Failed\\" '
        'state can be rewound."'
    )


@pytest.mark.feature("Settings", "`overridableExistingInstanceStates`")
@pytest.mark.parametrize("status", [S.PENDING, S.RUNNING, S.SUSPENDED, S.FAILED])
@pytest.mark.parametrize("path", [SAME_ID, None])
async def test_any_state_lets_a_start_replace_what_lives(status, path):
    target = Target(DurableSettings(replaceable=frozenset(RuntimeStatus)))
    before = await target.put(status)
    path = "orchestrators/Hello/abc" if path is None else f"instances/abc/{path}"
    response = await target.api_call("POST", path)
    assert response.status_code == 202
    after = await target.hubs().status(InstanceId("abc"))
    assert after.execution_id != before.execution_id
    assert (after.status, after.output, after.custom_status) == (S.PENDING, None, None)
    assert await target.hubs().history(InstanceId("abc")) == []


@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/restart`")
async def test_restart_with_the_same_id_refused(target):
    await target.put(S.RUNNING)
    response = await target.api_call("POST", "instances/abc/restart?restartWithNewInstanceId=False")
    assert response.status_code == 409
    body = response.json()
    assert body["Message"] == "A non-terminal instance with this instance ID already exists."
    assert list(body) == ["Message", "ExceptionMessage", "ExceptionType", "StackTrace"]


@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/restart`")
async def test_restart_starts_the_same_function_with_the_same_input(target):
    await target.put(S.FAILED, input='{"a": 1}', output="boom")
    response = await target.api_call("POST", "instances/abc/restart")
    state = await target.hubs().status(InstanceId(response.json()["id"]))
    assert response.headers["location"] == response.json()["statusQueryGetUri"]
    assert state.instance_id != "abc"
    assert (state.name, state.input, state.status) == ("Hello", '{"a": 1}', S.PENDING)
    again = await target.api_call("POST", "instances/abc/restart?restartWithNewInstanceId=false")
    assert again.json()["id"] == "abc"
    assert (await target.hubs().status(InstanceId("abc"))).output is None


@pytest.mark.feature("Management API", "`DELETE /instances/{instanceId}`")
async def test_anything_whose_id_begins_with_at_can_be_purged(target):
    await target.put(S.RUNNING, "@e@k")
    response = await target.api_call("DELETE", "instances/@e@k")
    assert response.text == '{"instancesDeleted":1}'


@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/restart`")
async def test_restart_needs_the_function(registered):
    await registered.put(S.COMPLETED)
    response = await registered.api_call("POST", "instances/abc/restart")
    assert response.status_code == 400
    assert response.json()["ExceptionMessage"].endswith("orchestrator functions: 'Other'.")


@pytest.fixture
def registered(tmp_path):
    trigger = Binding("context", "orchestrationTrigger", "in", {})
    other = FunctionMetadata("Other", tmp_path, tmp_path / "x.py", "", [trigger])
    return Target(registry=Registry.of([other]))
