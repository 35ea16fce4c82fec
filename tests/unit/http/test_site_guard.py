"""Pages of a browser need the keys that Azure asks for; every other client is let in."""

from pathlib import Path

import pytest
from api_support import CallableWorker, Target

from durahost.http.cors import CorsPolicy
from durahost.http.site_guard import SiteGuard, is_loopback
from durahost.model.functions import Binding, FunctionMetadata
from durahost.registry import Registry
from durahost.worker.base import Returned, TypedData

pytestmark = pytest.mark.feature(
    "Functions host",
    "Web pages of other origins",
    "they need a key for what needs one on Azure, as no other client does without --enable-auth",
)

EVIL = "https://evil.example.com"
BASE = "http://localhost:7071"
INSTANCES = "/runtime/webhooks/durabletask/instances"
PLACES = [INSTANCES, "/admin/host/status", "/api/Keyed"]
CLICK = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def function(name, level):
    trigger = Binding("req", "httpTrigger", "in", {"authLevel": level})
    bindings = [trigger, Binding("$return", "http", "out")]
    return FunctionMetadata(name, Path("/f"), Path("/f/x.py"), "", bindings)


def target(cors=None, **options):
    policy = CorsPolicy.parse(cors, allows_credentials=False)
    served = Returned(TypedData("string", "served"))
    worker = CallableWorker(Open=lambda: served, Keyed=lambda: served)
    made = Target(worker=worker, guard=SiteGuard(policy, **options))
    made.serve(Registry.of([function("Open", "anonymous"), function("Keyed", "function")]))
    return made


async def statuses(made, base=BASE, **headers):
    answers = [await made.send("GET", path, base=base, headers=headers) for path in PLACES]
    open_one = await made.send("GET", "/api/Open", base=base, headers=headers)
    assert open_one.text == "served"
    return {answer.status_code for answer in answers}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": ""},
        {"Origin": BASE},
        {"Origin": "http://LOCALHOST:7071"},
        {"Origin": BASE, "Sec-Fetch-Site": "same-origin"},
        # A tunnel that puts its own name in place of the one that the browser sent.
        {"Origin": "https://x.tunnels.example.com", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none", **CLICK},
        {"Sec-Fetch-Site": "cross-site", **CLICK},
        {"Sec-Fetch-Mode": "cors"},
    ],
)
async def test_other_clients_and_the_app_s_own_pages_need_no_key(headers):
    assert await statuses(target(), **headers) == {200}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "cross-site", **CLICK, "Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Site": "same-site", "Referer": f"{EVIL}/x"},
    ],
)
async def test_foreign_pages_need_a_key(headers, caplog):
    assert await statuses(target(), **headers) == {401}
    assert "It came from a page of" in caplog.text


async def test_a_form_of_another_page_starts_nothing(caplog):
    made = target()
    path = "/runtime/webhooks/durabletask/orchestrators/Hello"
    headers = {"Origin": EVIL, "Sec-Fetch-Site": "cross-site", **CLICK}
    response = await made.send("POST", path, headers=headers, content=b"{}")
    assert (response.status_code, response.content) == (401, b"")
    assert f"POST {path}: 401. It came from a page of {EVIL}" in caplog.text
    listed = await made.send("GET", INSTANCES)
    assert listed.json() == []


async def test_a_foreign_page_with_the_key_is_served_as_on_azure():
    made = target()
    await made.keys.load()
    code = made.keys.extension_key
    for query, status in [(f"code={code}", 200), ("code=wrong", 401)]:
        response = await made.send("GET", f"{INSTANCES}?{query}", headers={"Origin": EVIL})
        assert response.status_code == status
    answer = await made.send("GET", f"/admin/host/status?code={code}", headers={"Origin": EVIL})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("cors", "page", "status"),
    [
        ("http://localhost:3000", {"Origin": "http://localhost:3000"}, 200),
        ("http://localhost:3000", {"Origin": "http://localhost:3001"}, 401),
        (EVIL, {"Referer": f"{EVIL}/page", "Sec-Fetch-Site": "cross-site"}, 200),
        ("*", {"Origin": "http://127.0.0.1:3000"}, 200),
        ("*", {"Origin": "http://[::1]:3000"}, 200),
        ("*", {"Origin": "http://app.localhost"}, 200),
        ("*", {"Origin": EVIL}, 401),
        ("*", {"Origin": "null"}, 401),
        ("*", {"Sec-Fetch-Site": "cross-site"}, 401),
    ],
)
async def test_pages_that_cors_lets_in(cors, page, status):
    assert await statuses(target(cors), **page) == {status}


@pytest.mark.parametrize(
    ("base", "status"),
    [
        ("http://127.0.0.1:7071", 200),
        ("http://[::1]:7071", 200),
        ("http://192.168.1.5", 200),
        ("http://functions:7071", 200),
        ("http://host.docker.internal:7071", 200),
        ("http://x.localhost.:7071", 200),
        ("http://App.Example.com:7071", 200),
        ("http://evil.example.com:7071", 401),
        ("http://localhost.example.com", 401),
        ("http://127.0.0.1.example.com", 401),
    ],
)
async def test_a_name_that_was_rebound_to_this_machine(base, status, caplog):
    made = target(names=frozenset({"app.example.com"}))
    assert await statuses(made, base=base) == {status}
    assert ("by the name" in caplog.text) is (status == 401)


async def test_on_a_network_any_name_will_do_but_no_foreign_page():
    made = target(names=None)
    assert await statuses(made, base="http://evil.example.com:7071") == {200}
    assert await statuses(made, base="http://evil.example.com:7071", Origin=EVIL) == {401}


@pytest.mark.parametrize(
    ("headers", "base", "status"),
    [
        ({}, "http://127.0.0.1:17071", 200),
        ({"Origin": EVIL}, "http://127.0.0.1:17071", 403),
        ({"Sec-Fetch-Site": "cross-site"}, "http://127.0.0.1:17071", 403),
        ({}, "http://evil.example.com:17071", 403),
    ],
)
async def test_the_rpc_endpoint_is_for_sdks(headers, base, status):
    made = target("*")
    path = "/durabletask/instances"
    response = await made.send("GET", path, app=made.rpc, base=base, headers=headers)
    assert response.status_code == status


@pytest.mark.parametrize(
    ("name", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_addresses_of_this_machine_alone(name, expected):
    assert is_loopback(name) is expected
