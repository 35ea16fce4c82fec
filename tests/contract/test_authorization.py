"""Who is let in: with `--enable-auth` by key, without it everybody as Admin."""

from pathlib import Path

import pytest
from api_support import CallableWorker, Target

from durahost.keys import HOST_RING, SYSTEM_RING, function_ring
from durahost.model.functions import Binding, FunctionMetadata
from durahost.registry import Registry
from durahost.worker.base import Returned, TypedData

AUTH = pytest.mark.feature("Functions host", "`--enable-auth`: who is let in with which key")
DISABLED = pytest.mark.feature("Functions host", "Disabled functions")

WEBHOOK = "/runtime/webhooks/durabletask/instances"
OTHER_WEBHOOK = "/runtime/webhooks/other/x"
CHALLENGE = "www-authenticate"


def http_function(name, level):
    trigger = {} if level is None else {"authLevel": level}
    bindings = [Binding("req", "httpTrigger", "in", trigger), Binding("$return", "http", "out")]
    return FunctionMetadata(name, Path("/app") / name, Path("/app") / name / "x.py", "", bindings)


FUNCTIONS = [
    http_function("Open", "Anonymous"),
    http_function("Keyed", "function"),
    http_function("Unset", None),
    http_function("Admins", "ADMIN"),
    http_function("Systems", "system"),
    http_function("Odd", "nonsense"),
]


def make_target(*, is_auth_enabled=True, disabled=()):
    worker = CallableWorker(
        **{one.name: lambda: Returned(TypedData("string", "ran")) for one in FUNCTIONS}
    )
    target = Target(worker=worker, is_auth_enabled=is_auth_enabled)
    target.serve(Registry.of(FUNCTIONS, disabled=frozenset(disabled)))
    return target


@pytest.fixture
async def keyed():
    """A host that asks for keys, and one key of each kind by name."""
    target = make_target()
    await target.keys.load()
    await target.keys.set_key(SYSTEM_RING, "other_extension", None)
    keys = {
        "none": None,
        "wrong": "wrong",
        "master": await target.keys.master_key(),
        "system": target.keys.extension_key,
        "other system": (await target.keys.keys_on(SYSTEM_RING))["other_extension"],
        "host": (await target.keys.keys_on(HOST_RING))["default"],
        "Keyed's": (await target.keys.keys_on(function_ring("Keyed")))["default"],
        "Open's": (await target.keys.keys_on(function_ring("Open")))["default"],
    }
    return target, keys


async def ask(keyed, key, path, method="GET"):
    target, keys = keyed
    headers = {} if keys[key] is None else {"x-functions-key": keys[key]}
    return await target.send(method, path, headers=headers)


@AUTH
@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("none", 401),
        ("wrong", 401),
        ("system", 200),
        ("master", 200),
        ("other system", 403),
        ("host", 403),
        ("Keyed's", 401),
    ],
)
async def test_the_durable_webhook(keyed, key, status):
    response = await ask(keyed, key, WEBHOOK)
    assert response.status_code == status
    if status != 200:
        assert response.content == b""
        assert response.headers.get(CHALLENGE) == ("Bearer" if status == 401 else None)


@AUTH
@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("none", 401),
        ("wrong", 401),
        ("system", 403),
        ("host", 403),
        ("other system", 404),
        ("master", 404),
    ],
)
async def test_authorisation_comes_before_whether_there_is_such_an_extension(keyed, key, status):
    response = await ask(keyed, key, OTHER_WEBHOOK)
    assert (response.status_code, response.content) == (status, b"")


@AUTH
@pytest.mark.parametrize("name", ["durabletask_extension", "DurableTask_Extension"])
async def test_the_system_key_is_found_by_name_without_case(keyed, name):
    target, _ = keyed
    await target.keys.set_key(SYSTEM_RING, name, "mine")
    response = await target.send("GET", f"{WEBHOOK}?code=mine")
    assert response.status_code == 200


@AUTH
@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        ("Open", {}),
        ("Keyed", {"none": 401, "wrong": 401, "system": 401, "other system": 401, "Open's": 401}),
        ("Unset", {"none": 401, "wrong": 401, "system": 401, "Keyed's": 401, "Open's": 401,
                   "other system": 401}),
        ("Admins", dict.fromkeys(
            ["none", "wrong", "system", "other system", "host", "Keyed's", "Open's"], 401)),
        ("Systems", dict.fromkeys(["none", "wrong", "host", "Keyed's", "Open's"], 401)),
        ("Odd", dict.fromkeys(
            ["none", "wrong", "system", "other system", "host", "Keyed's", "Open's"], 401)),
    ],
)  # fmt: skip
async def test_functions(keyed, path, statuses):
    for key in keyed[1]:
        response = await ask(keyed, key, f"/api/{path}")
        assert (key, response.status_code) == (key, statuses.get(key, 200))
        assert response.text == ("ran" if response.status_code == 200 else "")
        assert CHALLENGE not in response.headers


@AUTH
@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("none", 401),
        ("wrong", 401),
        ("Keyed's", 401),
        ("host", 403),
        ("system", 403),
        ("master", 200),
    ],
)
@pytest.mark.parametrize(
    "path",
    ["status", "keys", "/admin/functions", "/admin/functions/Keyed", "/admin/functions/Keyed/keys"],
)
async def test_admin_endpoints(keyed, path, key, status):
    response = await ask(keyed, key, path if path.startswith("/") else f"/admin/host/{path}")
    assert response.status_code == status
    if status != 200:
        assert response.content == b""
        assert response.headers.get(CHALLENGE) == ("Bearer" if status == 401 else None)


@AUTH
async def test_ping_and_the_home_page_are_open(keyed):
    assert (await ask(keyed, "none", "/admin/host/ping")).status_code == 200
    assert (await ask(keyed, "none", "/")).status_code == 200
    assert (await ask(keyed, "none", "/admin/nothing")).status_code == 404


@AUTH
@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ([], "code={master}", 200),
        ([], "CODE={master}", 200),
        ([], "code={master}&code=wrong", 200),
        ([], "code=wrong&code={master}", 401),
        ([], "code=", 401),
        ([("x-functions-key", "{master}")], "code=wrong", 200),
        ([("x-functions-key", "wrong")], "code={master}", 401),
        ([("x-functions-key", "")], "code={master}", 401),
        ([("X-Functions-Key", "{master}"), ("x-functions-key", "wrong")], "", 200),
        ([("x-functions-key", "wrong"), ("x-functions-key", "{master}")], "", 401),
    ],
)
async def test_where_the_key_is_looked_for(keyed, headers, query, status):
    target, keys = keyed
    master = keys["master"]
    sent = [(name, value.format(master=master)) for name, value in headers]
    response = await target.send("GET", f"{WEBHOOK}?{query.format(master=master)}", headers=sent)
    assert response.status_code == status


@AUTH
async def test_a_key_is_decoded_as_a_query_is(keyed):
    target, _ = keyed
    await target.keys.set_master_key("a b&c+é")
    assert (await target.send("GET", f"{WEBHOOK}?code=a+b%26c%2B%C3%A9")).status_code == 200


@AUTH
async def test_a_host_that_does_not_run_refuses_before_it_asks(keyed):
    target, _ = keyed
    target.state.fail(["boom"])
    assert (await target.send("GET", WEBHOOK)).status_code == 503
    assert (await target.send("GET", "/api/Keyed")).status_code == 503
    assert (await target.send("GET", "/admin/host/status")).status_code == 401


@AUTH
async def test_the_local_rpc_endpoint_asks_for_nothing(keyed):
    target, _ = keyed
    response = await target.send("GET", "/durabletask/instances/", app=target.rpc)
    assert response.status_code == 200


@pytest.mark.feature("Functions host", "Without `--enable-auth` everybody is Admin")
async def test_without_the_flag_nothing_is_asked_for():
    target = make_target(is_auth_enabled=False)
    for path in (WEBHOOK, "/api/Keyed", "/api/Admins", "/admin/host/keys", "/admin/host/status"):
        for query in ("", "?code=wrong"):
            assert (await target.send("GET", path + query)).status_code == 200
    assert (await target.send("GET", OTHER_WEBHOOK)).status_code == 404


@pytest.mark.feature("Functions host", "Keys API: `/admin/host/…keys`, `/admin/functions/…/keys`")
async def test_links_carry_the_key_as_it_is_now(keyed):
    target, keys = keyed
    headers = {"x-functions-key": keys["master"]}
    path = "/admin/host/systemkeys/durabletask_extension"
    for method in ("POST", "DELETE"):
        await target.send(method, path, headers=headers)
        started = await target.api_call("POST", "orchestrators/H", headers=headers)
        link = started.json()["statusQueryGetUri"]
        assert link.endswith(f"&code={target.keys.extension_key}")
        assert keys["system"] not in link
        assert (await target.send("GET", link)).status_code == 202
    assert (await target.send("GET", f"{WEBHOOK}?code={keys['system']}")).status_code == 401


@DISABLED
@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("Open", {}, 404),
        ("Open?code=any", {}, 200),
        ("Open", {"x-functions-key": "any"}, 200),
        ("Open", {"x-ms-client-principal": "any"}, 200),
        ("Keyed", {}, 200),
        ("Admins", {}, 200),
    ],
)
async def test_a_disabled_function_without_the_flag(path, headers, status):
    target = make_target(is_auth_enabled=False, disabled=["Open", "Keyed", "Admins"])
    response = await target.send("GET", f"/api/{path}", headers=headers)
    assert (response.status_code, response.text) == (status, "ran" if status == 200 else "")


@DISABLED
@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("Open", "none", 404),
        ("Open", "wrong", 404),
        ("Open", "Open's", 404),
        ("Open", "master", 200),
        ("Keyed", "none", 401),
        ("Keyed", "Keyed's", 404),
        ("Keyed", "host", 404),
        ("Keyed", "master", 200),
    ],
)
async def test_a_disabled_function_with_the_flag(keyed, path, key, status):
    keyed[0].serve(Registry.of(FUNCTIONS, disabled=frozenset({"Open", "Keyed"})))
    response = await ask(keyed, key, f"/api/{path}")
    assert (response.status_code, response.text) == (status, "ran" if status == 200 else "")


@DISABLED
async def test_a_disabled_function_is_listed_as_such():
    target = make_target(is_auth_enabled=False, disabled=["Keyed"])
    listed = (await target.send("GET", "/admin/functions")).json()
    assert [one["name"] for one in listed if one["isDisabled"]] == ["Keyed"]
