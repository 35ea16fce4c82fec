"""The entity routes: read, signal, delete, list; and entities among the instances."""

from datetime import timedelta

import pytest
from api_support import JSON_TYPE, NOW, Target
from entity_support import put_entity, run_batches

from durahost.engine.entity import plan_batch
from durahost.model.functions import Binding, FunctionMetadata
from durahost.model.ids import EntityId
from durahost.registry import Registry

NO_NAME = (
    '{"Message":"Invalid entity id: entity name must not be a null or empty string. '
    "(Parameter 'entityName')\"}"
)
BAD_KEY = (
    '{"Message":"entityKey (Parameter \'Entity keys must not contain /, \\\\, #, ?, or control '
    "characters.')\"}"
)


def function(tmp_path, name, kind):
    trigger = Binding("context", kind, "in", {})
    return FunctionMetadata(name, tmp_path, tmp_path / "x.py", "", [trigger])


@pytest.fixture
def registered(tmp_path):
    """An app with two entities and an orchestrator."""
    names = {"Counter": "entityTrigger", "Box": "entityTrigger", "Flow": "orchestrationTrigger"}
    return Target(registry=Registry.of([function(tmp_path, *one) for one in names.items()]))


# Read ---------------------------------------------------------------------------------------------


@pytest.mark.feature("Management API", "`GET /entities/{entityName}/{entityKey}`")
async def test_read_gives_the_state_and_only_it(target):
    state = '{"a": [1.0, "2020-01-01T00:00:00.000Z", "ü"]}'
    await put_entity(target, "Counter", "K@1", state)
    response = await target.api_call("GET", "entities/cOUNTER/K@1")
    assert response.status_code == 200
    assert response.headers["content-type"] == JSON_TYPE
    assert response.text == '{"a":[1.0,"2020-01-01T00:00:00.000Z","ü"]}'
    assert (await target.api_call("GET", "entities/counter/k@1")).status_code == 404


@pytest.mark.feature("Management API", "`GET /entities/{entityName}/{entityKey}`")
async def test_read_of_what_is_not_there(target):
    await put_entity(target, "counter", "gone", "null", exists=False)
    for key in ("gone", "never"):
        response = await target.api_call("GET", f"entities/counter/{key}")
        assert (response.status_code, response.content) == (404, b"")
        assert "content-type" not in response.headers


@pytest.mark.feature("Management API", "`GET /entities/{entityName}/{entityKey}`")
async def test_read_waits_for_nothing(target):
    assert (await target.api_call("POST", "entities/counter/k?op=add")).status_code == 202
    assert (await target.api_call("GET", "entities/counter/k")).status_code == 404


@pytest.mark.feature("Management API", "`GET /entities/{entityName}/{entityKey}`")
async def test_a_dollar_is_the_empty_key_for_reads_only(target):
    await put_entity(target, "counter", "", "1")
    await put_entity(target, "counter", "$", "2")
    assert (await target.api_call("GET", "entities/counter/$")).text == "1"
    await target.api_call("POST", "entities/counter/$?op=a")
    await target.api_call("POST", "entities/counter?op=b")
    ran = await run_batches(target)
    assert {key: [one.operation for one in ops] for key, ops in ran.items()} == {
        "@counter@$": ["a"],
        "@counter@": ["b"],
    }


# Signal -------------------------------------------------------------------------------------------


@pytest.mark.feature("Management API", "`POST /entities/{entityName}/{entityKey}`")
@pytest.mark.parametrize(
    ("method", "path", "content", "content_type", "expected"),
    [
        ("POST", "counter/k?op=add", b"5", "application/json", ("add", "5")),
        ("POST", "counter/k?OP=add", b'"5"', "Application/JSON; charset=utf-8", ("add", '"5"')),
        ("POST", "counter/k?op=add", b'{"a" : 1} 2', "application/json", ("add", '{"a":1}')),
        ("POST", "counter/k?op=add", b"null", "application/json", ("add", "null")),
        ("POST", "counter/k?op=add", b"5", "text/plain", ("add", '"5"')),
        ("POST", "counter/k?op=add", b'{"a":1}', None, ("add", '"{\\"a\\":1}"')),
        ("POST", "counter/k?op=add", b"", "application/json", ("add", None)),
        ("POST", "counter/k", b"", None, ("", None)),
        ("POST", "Counter/k?op=add&op=sub", b"", None, ("add,sub", None)),
        ("DELETE", "counter/k?op=add", b"", None, ("delete", None)),
        ("DELETE", "counter/k", b"1", "application/json", ("delete", "1")),
    ],
)
async def test_signals(target, method, path, content, content_type, expected):
    headers = {"content-length": "0"} if not content else {}
    headers |= {"content-type": content_type} if content_type else {}
    options = {"content": content, "headers": headers}
    response = await target.api_call(method, f"entities/{path}", **options)
    assert (response.status_code, response.content) == (202, b"")
    ((request,),) = (await run_batches(target)).values()
    assert (request.operation, request.input) == expected
    assert (request.is_signal, request.parent, request.due) == (True, None, None)


@pytest.mark.feature("Management API", "`POST /entities/{entityName}/{entityKey}`")
@pytest.mark.parametrize(
    ("method", "path", "text"),
    [
        ("POST", "entities", NO_NAME),
        ("DELETE", "entities/", NO_NAME),
        ("POST", "entities/counter/a%5Cb", BAD_KEY),
        ("POST", "entities/counter/a%23b", BAD_KEY),
        ("DELETE", "entities/counter/a%3Fb", BAD_KEY),
        ("POST", "entities/counter/a%07b", BAD_KEY),
        ("POST", "entities/counter/a%C2%85b", BAD_KEY),
        (
            "POST",
            "entities/Nope/k",
            "{\"Message\":\"The function 'nope' doesn't exist, is disabled, or is not an entity "
            "function. Additional info: The following are the known entity functions: 'Box', "
            "'Counter'.\"}",
        ),
    ],
)
async def test_refused_signals(registered, method, path, text):
    response = await registered.api_call(method, path)
    assert (response.status_code, response.text) == (400, text)
    assert response.headers["content-type"] == JSON_TYPE


@pytest.mark.feature("Management API", "`POST /entities/{entityName}/{entityKey}`")
@pytest.mark.parametrize("content", [b"{nope", b" "])
async def test_content_that_is_no_json(target, content):
    headers = {"content-type": "application/json"}
    response = await target.api_call("POST", "entities/counter/k", content=content, headers=headers)
    assert response.status_code == 400
    assert list(response.json()) == ["Message"]
    assert response.json()["Message"].startswith("Could not parse JSON content: ")


@pytest.mark.feature("Management API", "`POST /entities/{entityName}/{entityKey}`")
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("activityTrigger", "No entity functions are currently registered!"),
        ("orchestrationTrigger", "The following are the known entity functions: ''."),
    ],
)
async def test_the_text_without_entities_looks_at_the_orchestrators(tmp_path, kind, words):
    target = Target(registry=Registry.of([function(tmp_path, "Other", kind)]))
    response = await target.api_call("POST", "entities/counter/k")
    assert response.json()["Message"].endswith(f"Additional info: {words}")


@pytest.mark.feature("Management API", "`POST /entities/{entityName}/{entityKey}`")
async def test_entities_of_another_hub_need_no_function(registered):
    response = await registered.api_call("POST", "entities/nope/k?op=x&taskHub=Other")
    assert response.status_code == 202
    entity = EntityId("nope", "k").instance_id
    assert await registered.hubs("other").status(entity) is not None
    assert (await registered.api_call("POST", "entities/counter/k?op=x")).status_code == 202


@pytest.mark.feature("Management API", "`POST /entities/{entityName}/{entityKey}`")
async def test_a_terminated_entity_takes_signals_and_does_nothing(target):
    await put_entity(target, "counter", "k")
    assert (await target.api_call("POST", "instances/@counter@k/terminate")).status_code == 202
    hub = target.store.open_hub("TestHubName")
    (locked,) = await hub.lock_episodes("test", timedelta(seconds=30), 1)
    await hub.commit_episode(locked.lease, plan_batch(locked, NOW, 1))
    assert (await target.api_call("POST", "entities/counter/k?op=x")).status_code == 202
    assert await target.inbox() == []


# List ---------------------------------------------------------------------------------------------


@pytest.fixture
async def filled(target):
    """Entities a minute apart, one of them deleted, and an orchestration."""
    await target.start("flow")
    for name, key in [("Counter", "a"), ("Counter", "b"), ("Counters", "a"), ("Box", "@")]:
        await put_entity(target, name, key, '"2020-01-01T02:00:00.50+02:00"')
        target.clock.advance(timedelta(minutes=1))
    await put_entity(target, "counter", "gone", "null", exists=False)
    return target


async def ids(target, path, **options):
    response = await target.api_call("GET", path, **options)
    assert response.status_code == 200
    return [EntityId(**one["entityId"]).instance_id for one in response.json()]


@pytest.mark.feature("Management API", "`GET /entities`")
async def test_the_listing_s_bytes(filled):
    response = await filled.api_call("GET", "entities/Box")
    assert response.headers["content-type"] == JSON_TYPE
    assert response.headers["x-ms-continuation-token"] == ""
    start = (
        '[{"entityId":{"name":"box","key":"@"},"lastOperationTime":"2026-01-05T10:03:00.123456Z"'
    )
    assert response.text == start + ',"state":null}]'
    response = await filled.api_call("GET", "entities/box?fetchState=True")
    assert response.text == start + ',"state":"2020-01-01T00:00:00.5+00:00"}]'


@pytest.mark.feature("Management API", "`GET /entities`")
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("entities", "@box@@ @counter@a @counter@b @counters@a"),
        ("entities/", "@box@@ @counter@a @counter@b @counters@a"),
        ("entities/COUNTER", "@counter@a @counter@b"),
        ("entities/nope", ""),
        ("entities?top=0", "@box@@ @counter@a @counter@b @counters@a"),
        ("entities?lastOperationTimeFrom=2026-01-05T10:01:00Z", "@box@@ @counter@b @counters@a"),
        ("entities/counter?lastOperationTimeTo=2026-01-05T10:01:00Z", "@counter@a"),
        ("entities?lastOperationTimeTo=never", "@box@@ @counter@a @counter@b @counters@a"),
    ],
)
async def test_filters_of_the_listing(filled, path, expected):
    assert " ".join(await ids(filled, path)) == expected


@pytest.mark.feature("Management API", "`GET /entities`")
async def test_paging(filled):
    found, token, pages = [], "", 0
    while pages == 0 or token:
        headers = {"x-ms-continuation-token": token} if token else {}
        response = await filled.api_call("GET", "entities?top=1", headers=headers)
        found += [one["entityId"]["key"] for one in response.json()]
        token, pages = response.headers["x-ms-continuation-token"], pages + 1
    assert found == ["@", "a", "b", "a"]
    assert pages == 4  # the page that holds only the deleted entity is passed over


@pytest.mark.feature("Management API", "`GET /entities`")
async def test_a_token_that_is_none(target):
    headers = {"x-ms-continuation-token": "%"}
    response = await target.api_call("GET", "entities", headers=headers)
    assert (response.status_code, list(response.json())) == (400, ["Message"])


# Among the instances ------------------------------------------------------------------------------


@pytest.mark.feature("Entities", "An entity is an instance")
@pytest.mark.feature("Management API", "`GET /instances/{instanceId}`")
async def test_an_entity_is_a_running_instance(filled):
    response = await filled.api_call("GET", "instances/@counter@a")
    assert response.status_code == 202
    assert response.json() == {
        "name": "@counter@a",
        "instanceId": "@counter@a",
        "runtimeStatus": "Running",
        "input": {"exists": True, "state": '"2020-01-01T02:00:00.50+02:00"', "sorter": {}},
        "customStatus": {"entityExists": True},
        "output": None,
        "createdTime": "2026-01-05T10:00:00Z",
        "lastUpdatedTime": "2026-01-05T10:00:00Z",
    }
    response = await filled.api_call("GET", "instances?instanceIdPrefix=@counter@")
    names = [one["name"] for one in response.json()]
    assert names == ["@counter@a", "@counter@b", "@counter@gone"]


@pytest.mark.feature("Management API", "`DELETE /instances/{instanceId}`")
async def test_purge_removes_an_entity(filled):
    response = await filled.api_call("DELETE", "instances/@counter@a")
    assert (response.status_code, response.text) == (200, '{"instancesDeleted":1}')
    response = await filled.api_call("DELETE", "instances/@counter@a")
    assert (response.status_code, response.text) == (200, '{"instancesDeleted":0}')
    assert (await filled.api_call("GET", "entities/counter/a")).status_code == 404


@pytest.mark.feature("Management API", "`POST /instances/{instanceId}/raiseEvent/{eventName}`")
async def test_events_for_an_unknown_entity_are_refused(target):
    response = await target.api_call("POST", "instances/@counter@k/raiseEvent/op", json=1)
    assert response.status_code == 404
    assert await target.hubs().status("@counter@k") is None


@pytest.mark.feature("Management API", "`POST /entities/{entityName}/{entityKey}`")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_other_methods(target, method):
    assert (await target.api_call(method, "entities/counter/k")).status_code == 404
