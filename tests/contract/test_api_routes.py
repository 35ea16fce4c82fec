"""Which paths and verbs reach which operation, on the webhook path and on the RPC endpoint."""

import pytest
from api_support import ORIGIN

from durahost.model.status import RuntimeStatus

BASE = "/runtime/webhooks/durabletask"
NOT_ROUTED = [
    ("GET", f"{BASE}"),
    ("GET", f"{BASE}/"),
    ("GET", f"{BASE}/orchestrators"),
    ("GET", f"{BASE}/orchestrators/Hello"),
    ("POST", f"{BASE}/orchestrators/Hello/abc/more"),
    ("POST", f"{BASE}/orchestrators//Hello"),
    ("POST", f"{BASE}/instances"),
    ("POST", f"{BASE}/instances/abc"),
    ("POST", f"{BASE}/instances/abc/unknown"),
    ("GET", f"{BASE}/instances/abc/terminate"),
    ("PUT", f"{BASE}/instances/abc"),
    ("GET", f"{BASE}/instances/abc/raiseEvent/Go"),
    ("POST", f"{BASE}/instances/abc/raiseEvent"),
    ("POST", f"{BASE}/instances/abc/raiseEvent/a%2Fb"),
    ("PUT", f"{BASE}/entities/Counter/k"),
    ("OPTIONS", f"{BASE}/instances/abc"),
    ("PATCH", f"{BASE}/instances/abc"),
    ("HEAD", f"{BASE}/instances/abc"),
    ("GET", f"{BASE}x/instances/abc"),
    ("GET", "/runtime/webhooks/other/instances/abc"),
    ("GET", "/runtime/webhooks/"),
]


@pytest.mark.feature("Management API", "Paths, ids and what is not routed")
@pytest.mark.parametrize(("method", "path"), NOT_ROUTED)
async def test_everything_else_is_an_empty_404(target, method, path):
    await target.put(RuntimeStatus.RUNNING)
    response = await target.send(method, path)
    assert (response.status_code, response.content) == (404, b"")
    assert "content-type" not in response.headers
    assert response.headers["content-length"] == "0"


@pytest.mark.feature("Management API", "Paths, ids and what is not routed")
@pytest.mark.parametrize(
    ("instance_id", "path"),
    [
        ("a b", "INSTANCES/a%20b"),
        ("a b", "Instances/a+b/"),
        ("a+b", "instances/a%252Bb"),
        ("ä", "instances/%C3%A4"),
        ("a?b#c", "instances/a%3Fb%23c"),
        ("@e@k", "instances/@e@k"),
    ],
)
async def test_ids_are_decoded_and_literals_ignore_case(target, instance_id, path):
    await target.put(RuntimeStatus.COMPLETED, instance_id)
    response = await target.send("GET", f"/Runtime/WebHooks/DurableTask/{path}")
    assert response.status_code == 200
    assert response.json()["instanceId"] == instance_id


@pytest.mark.feature("Management API", "Paths, ids and what is not routed")
async def test_ids_are_case_sensitive(target):
    await target.put(RuntimeStatus.COMPLETED, "abc")
    assert (await target.api_call("GET", "instances/ABC")).status_code == 404


@pytest.mark.feature("Management API", "Paths, ids and what is not routed")
async def test_links_escape_the_id(target):
    response = await target.api_call("POST", "orchestrators/Hello/a%20b~%C3%A9!")
    location = response.headers["location"]
    assert location.startswith(f"{ORIGIN}{BASE}/instances/a+b%7E%C3%A9!?taskHub=")
    assert (await target.send("GET", location)).status_code == 202


async def rpc(target, method, path, **options):
    return await target.send(method, path, app=target.rpc, base="http://127.0.0.1:17071", **options)


@pytest.mark.feature("Functions host", "Local RPC endpoint")
async def test_the_rpc_endpoint_serves_the_same_routes(target):
    response = await rpc(target, "POST", "/durabletask/orchestrators/Hello/abc")
    assert response.status_code == 202
    prefix = f"http://127.0.0.1:17071{BASE}/instances/abc?"
    assert response.headers["location"].startswith(prefix)
    for path in ("/durabletask/instances/abc", "/anything123/instances/abc"):
        response = await rpc(target, "GET", path)
        assert response.status_code == 202
        assert response.headers["location"] == f"http://127.0.0.1:17071{path}"
    assert (await rpc(target, "GET", "/durabletask/instances/")).json()[0]["instanceId"] == "abc"


@pytest.mark.feature("Management API", "Paths, ids and what is not routed")
async def test_a_path_shorter_than_the_base_is_a_bad_argument(target):
    response = await rpc(target, "GET", "/durabletask")
    assert response.status_code == 400
    assert response.json()["Message"] == "One or more of the arguments submitted is incorrect"
    assert response.json()["ExceptionType"] == "System.ArgumentOutOfRangeException"
