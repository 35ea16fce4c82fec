"""The keys API: every verb, body and status."""

import json
import re
from pathlib import Path

import pytest
from api_support import JSON_TYPE, ORIGIN, Target

from durahost.model.functions import Binding, FunctionFailure, FunctionMetadata
from durahost.registry import Registry

pytestmark = pytest.mark.feature(
    "Functions host", "Keys API: `/admin/host/…keys`, `/admin/functions/…/keys`"
)

KEY = re.compile(r"[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{6}==")
RINGS = ["host/keys", "host/functionkeys", "host/systemkeys", "functions/Hello/keys"]


@pytest.fixture
async def target():
    target = Target()
    trigger = Binding("req", "httpTrigger", "in")
    hello = FunctionMetadata("Hello", Path("/app/Hello"), Path("/app/Hello/x.py"), "", [trigger])
    target.serve(Registry.of([hello], [FunctionFailure("Broken", "why")]))
    await target.keys.load()
    return target


async def ask(target, method, path, body=None, media_type="application/json"):
    content = None if body is None else body if isinstance(body, bytes) else json.dumps(body)
    headers = {} if body is None or media_type is None else {"content-type": media_type}
    return await target.send(method, f"/admin/{path}", content=content, headers=headers)


@pytest.mark.parametrize(
    ("ring", "name"),
    [
        ("host/keys", "default"),
        ("HOST/FunctionKeys", "default"),
        ("host/systemkeys", "durabletask_extension"),
        ("functions/Hello/keys", "default"),
        ("functions/broken/keys", "default"),
    ],
)
async def test_a_list_and_one_of_it(target, ring, name):
    response = await ask(target, "GET", ring)
    value = response.json()["keys"][0]["value"]
    assert KEY.fullmatch(value)
    link = f'"links":[{{"rel":"self","href":"{ORIGIN}/admin/{ring}'
    assert response.text == f'{{"keys":[{{"name":"{name}","value":"{value}"}}],{link}"}}]}}'
    assert response.headers["content-type"] == JSON_TYPE
    one = await ask(target, "GET", f"{ring}/{name}?code=x")
    assert one.text == f'{{"name":"{name}","value":"{value}",{link}/{name}"}}]}}'


async def test_both_names_of_the_host_ring_are_one(target):
    await ask(target, "PUT", "host/keys/k", {"value": "v"})
    assert (await ask(target, "GET", "host/functionkeys/k")).json()["value"] == "v"


@pytest.mark.parametrize("ring", RINGS)
async def test_post_makes_and_renews(target, ring):
    response = await ask(target, "POST", f"{ring}/fresh")
    assert response.status_code == 201
    address = f"{ORIGIN}/admin/{ring}/fresh"
    assert response.headers["location"] == address
    value = response.json()["value"]
    assert KEY.fullmatch(value)
    link = f'"links":[{{"rel":"self","href":"{address}"}}]'
    assert response.text == f'{{"name":"fresh","value":"{value}",{link}}}'
    renewed = await ask(target, "POST", f"{ring}/FRESH")
    assert renewed.status_code == 200
    assert "location" not in renewed.headers
    assert renewed.json()["name"] == "FRESH"
    assert renewed.json()["value"] != value
    assert (await ask(target, "GET", f"{ring}/fresh")).status_code == 404
    assert (await ask(target, "GET", f"{ring}/FRESH")).json() == renewed.json()


@pytest.mark.parametrize("ring", RINGS)
async def test_put_sets_and_the_name_in_the_url_counts(target, ring):
    body = {"name": "other", "value": "any text"}
    created = await ask(target, "PUT", f"{ring}/k", body)
    assert (created.status_code, created.json()["name"]) == (201, "k")
    assert created.json()["value"] == "any text"
    updated = await ask(target, "PUT", f"{ring}/k", {"Value": ""}, "text/json; charset=utf-8")
    assert (updated.status_code, updated.json()["value"]) == (200, "")
    assert (await ask(target, "GET", f"{ring}/other")).status_code == 404


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"{", b'{"value":null}', b'{"value":[1]}'])
async def test_put_without_a_value(target, body):
    for path in ("host/keys/k", "functions/nope/keys/k"):
        response = await ask(target, "PUT", path, body)
        assert (response.status_code, response.text) == (400, "Invalid key value")
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert (await ask(target, "GET", "host/keys/k")).status_code == 404


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded"])
async def test_put_of_what_is_not_called_json(target, media_type):
    response = await ask(target, "PUT", "host/keys/k", {"value": "v"}, media_type)
    assert (response.status_code, response.content) == (415, b"")


@pytest.mark.parametrize("ring", RINGS)
async def test_delete(target, ring):
    await ask(target, "PUT", f"{ring}/k", {"value": "v"})
    assert (await ask(target, "GET", f"{ring}/k")).status_code == 200
    for status in (204, 404):
        response = await ask(target, "DELETE", f"{ring}/K")
        assert (response.status_code, response.content) == (status, b"")


async def test_the_master_key(target):
    master = await target.keys.master_key()
    shown = await ask(target, "GET", "host/systemkeys/_master")
    assert shown.json()["value"] == master
    assert "_master" not in (await ask(target, "GET", "host/systemkeys")).text
    assert (await ask(target, "GET", "host/keys/_master")).status_code == 404
    for ring in ("host/keys", "host/systemkeys"):
        for _ in range(2):
            assert (await ask(target, "POST", f"{ring}/_MASTER")).status_code == 201
        assert await target.keys.master_key() != master
        assert (await ask(target, "PUT", f"{ring}/_master", {"value": "m"})).status_code == 200
        assert await target.keys.master_key() == "m"
    for ring in RINGS:
        response = await ask(target, "DELETE", f"{ring}/_master")
        assert (response.status_code, response.text) == (400, "Cannot delete System Key.")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "functions/nope/keys"),
        ("GET", "functions/nope/keys/default"),
        ("POST", "functions/nope/keys/k"),
        ("PUT", "functions/nope/keys/k"),
        ("DELETE", "functions/nope/keys/default"),
        ("GET", "host/keys/nope"),
        ("DELETE", "host/keys/nope"),
        ("POST", "host/keys"),
        ("PATCH", "host/keys/default"),
        ("GET", "host/keys/a/b"),
        ("GET", "host/otherkeys"),
    ],
)
async def test_what_is_not_there(target, method, path):
    response = await ask(target, method, path, {"value": "v"} if method == "PUT" else None)
    assert (response.status_code, response.content) == (404, b"")


async def test_before_the_app_is_loaded(target):
    early = Target(is_running=False)
    assert (await ask(early, "GET", "host/keys")).status_code == 200
    assert (await ask(early, "GET", "functions/Hello/keys")).status_code == 404


async def test_odd_names(target):
    response = await ask(target, "PUT", "host/keys/a%20%C3%A9", {"value": "v"})
    assert response.json()["name"] == "a é"
    assert response.json()["links"][0]["href"] == f"{ORIGIN}/admin/host/keys/a é"
    assert response.headers["location"] == f"{ORIGIN}/admin/host/keys/a%20%C3%A9"
