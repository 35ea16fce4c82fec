"""`useForwardedHost`: links behind a proxy."""

import pytest
from api_support import ORIGIN, Target

pytestmark = pytest.mark.feature("Settings", "`httpSettings.useForwardedHost`")


PROXY = {"x-forwarded-host": "Example.com", "x-forwarded-proto": "HTTPS"}
TWO_LINES = [*PROXY.items(), ("x-forwarded-host", "inner"), ("x-forwarded-proto", "http")]


@pytest.mark.parametrize(
    ("is_on", "base", "headers", "origin"),
    [
        (True, ORIGIN, PROXY, "https://example.com:7071"),
        (True, "http://inner", PROXY, "https://example.com:80"),
        (True, "https://inner", PROXY, "https://example.com"),
        (True, ORIGIN, {"x-forwarded-host": "example.com"}, ORIGIN),
        (True, ORIGIN, TWO_LINES, "https://example.com:7071"),
        (True, ORIGIN, {**PROXY, "x-forwarded-host": "::1"}, "https://[::1]:7071"),
        (True, "http://[::1]:7071", PROXY, "https://example.com:7071"),
        (False, ORIGIN, PROXY, ORIGIN),
    ],
)
async def test_origins(is_on, base, headers, origin):
    target = Target(uses_forwarded_host=is_on)
    response = await target.api_call("POST", "orchestrators/H/a", base=base, headers=headers)
    assert response.headers["location"].startswith(f"{origin}/runtime/webhooks/")
    status = await target.api_call("GET", "instances/a", base=base, headers=headers)
    assert status.headers["location"].startswith(f"{base}/runtime/webhooks/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", "example.com:8080"), ("host", "a.example, b.example"), ("host", ""),
        ("host", "[::1]:80"), ("host", "[::x]"), ("host", "-"), ("proto", ""),
    ],
)  # fmt: skip
async def test_what_is_no_host_breaks_the_answer_but_not_the_start(name, value):
    target = Target(uses_forwarded_host=True)
    headers = {**PROXY, f"x-forwarded-{name}": value}
    response = await target.api_call("POST", "orchestrators/H/a", headers=headers)
    assert response.status_code == 500
    assert response.json()["ExceptionType"] == "System.UriFormatException"
    assert (await target.api_call("GET", "instances/a")).status_code == 202


async def test_what_is_no_scheme_is_a_bad_argument_after_the_start():
    target = Target(uses_forwarded_host=True)
    headers = {**PROXY, "x-forwarded-proto": "https, http"}
    response = await target.api_call("POST", "orchestrators/H/a", headers=headers)
    assert response.status_code == 400
    assert response.json() == {
        "Message": "Invalid URI: The URI scheme is not valid. (Parameter 'value')"
    }
    assert (await target.api_call("GET", "instances/a")).status_code == 202


async def test_links_that_cannot_be_made_end_a_wait_before_it_begins():
    target = Target(uses_forwarded_host=True)
    headers = {**PROXY, "x-forwarded-host": "example.com:8080"}
    path = "orchestrators/H/a?timeout=3600&pollingInterval=1"
    response = await target.api_call("POST", path, headers=headers)
    assert response.status_code == 500
