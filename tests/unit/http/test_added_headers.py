"""customHeaders, hsts, and the page at `/`."""

from datetime import timedelta
from pathlib import Path

import pytest
from api_support import CallableWorker, Target

from durahost.config.settings import HstsSettings, HttpSettings
from durahost.http.body_budget import BodyBudget
from durahost.http.front_settings import FrontSettings, has_home_page
from durahost.model.functions import Binding, FunctionMetadata
from durahost.registry import Registry
from durahost.worker.base import HttpData, Raised, Returned, TypedData

CUSTOM = {"X-Frame-Options": "DENY", "X-Own": "of host.json"}
HSTS = HstsSettings(is_enabled=True, max_age=timedelta(days=10), preload=True)


def function(name):
    bindings = [Binding("req", "httpTrigger", "in"), Binding("$return", "http", "out")]
    return FunctionMetadata(name, Path("/f"), Path("/f/x.py"), "", bindings)


def target(http, **options):
    own = HttpData(status="200", headers={"x-own": "of the function"})
    worker = CallableWorker(
        Own=lambda: Returned(TypedData("http", own)), Fails=lambda: Raised("E", "m", "")
    )
    made = Target(worker=worker, front=FrontSettings(http=http, hold_s=0.01, **options))
    made.serve(Registry.of([function("Own"), function("Fails")]))
    return made


@pytest.mark.feature("Functions host", "`customHeaders`")
@pytest.mark.parametrize(
    ("path", "status", "own"),
    [
        ("/api/Own", 200, "of the function"),
        ("/api/Fails", 500, "of host.json"),
        ("/nowhere", 404, "of host.json"),
        ("/", 200, "of host.json"),
        ("/admin/host/status", 200, "of host.json"),
        ("/admin/nope", 404, "of host.json"),
        ("/runtime/webhooks/durabletask/instances/x", 404, "of host.json"),
    ],
)
async def test_custom_headers_are_added_where_they_are_missing(path, status, own):
    response = await target(HttpSettings(custom_headers=CUSTOM)).send("GET", path)
    assert response.status_code == status
    assert response.headers["x-frame-options"] == "DENY"
    assert response.headers.get_list("x-own") == [own]


@pytest.mark.feature("Functions host", "`customHeaders`")
@pytest.mark.parametrize(
    ("limits", "status"), [({"max_body_bytes": 3}, 413), ({"bodies": BodyBudget(3)}, 503)]
)
async def test_custom_headers_of_a_body_that_is_refused(limits, status):
    made = target(HttpSettings(custom_headers=CUSTOM), **limits)
    response = await made.send("POST", "/api/Own", content=b"four")
    assert (response.status_code, response.headers["x-own"]) == (status, "of host.json")


@pytest.mark.feature("Functions host", "`customHeaders`")
async def test_a_host_that_does_not_run_adds_none():
    made = target(HttpSettings(custom_headers=CUSTOM))
    made.state.fail(["boom"])
    response = await made.send("GET", "/api/Own")
    assert (response.status_code, "x-own" in response.headers) == (503, False)


@pytest.mark.feature("Functions host", "`hsts`")
@pytest.mark.parametrize(
    ("base", "hsts", "expected"),
    [
        ("https://h", HSTS, "max-age=864000; preload"),
        ("https://h:8443", HstsSettings(is_enabled=True, include_subdomains=True),
         "max-age=2592000; includeSubDomains"),
        ("http://h", HSTS, None),
        ("https://LOCALHOST:1", HSTS, None),
        ("https://[::1]:1", HSTS, None),
        ("https://h", HstsSettings(is_enabled=True, excluded_hosts=("H",)), None),
        ("https://h", HstsSettings(), None),
    ],
)  # fmt: skip
async def test_hsts_is_for_https_alone(base, hsts, expected):
    made = target(HttpSettings(hsts=hsts, custom_headers={"X": "y"}))
    response = await made.send("GET", "/api/Own", base=base)
    assert response.headers.get("strict-transport-security") == expected


@pytest.mark.feature("Functions host", "`AzureWebJobsDisableHomepage`")
async def test_the_page_at_the_root_can_be_off():
    assert has_home_page({}) is has_home_page({"AzureWebJobsDisableHomepage": "1"}) is True
    assert has_home_page({"azurewebjobsdisablehomepage": "True"}) is False
    for method in ("GET", "POST"):
        response = await target(HttpSettings(), has_home_page=False).send(method, "/")
        assert (response.status_code, response.content) == (204, b"")
        assert (await target(HttpSettings()).send(method, "/")).status_code == 200
