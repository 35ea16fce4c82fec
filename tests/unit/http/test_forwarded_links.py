"""`useForwardedHost`: links behind a proxy."""

import pytest
from api_support import ORIGIN, Target

pytestmark = pytest.mark.feature("Settings", "`httpSettings.useForwardedHost`")


PROXY = {"x-forwarded-host": "Example.com, inner", "x-forwarded-proto": "https"}


@pytest.mark.parametrize(
    ("is_on", "base", "headers", "origin"),
    [
        (True, ORIGIN, PROXY, "https://example.com:7071"),
        (True, "http://inner", PROXY, "https://example.com:80"),
        (True, "https://inner", PROXY, "https://example.com"),
        (True, ORIGIN, {"x-forwarded-host": "example.com"}, ORIGIN),
        (False, ORIGIN, PROXY, ORIGIN),
    ],
)
async def test_origins(is_on, base, headers, origin):
    target = Target(uses_forwarded_host=is_on)
    response = await target.api_call("POST", "orchestrators/H/a", base=base, headers=headers)
    assert response.headers["location"].startswith(f"{origin}/runtime/webhooks/")
    status = await target.api_call("GET", "instances/a", base=base, headers=headers)
    assert status.headers["location"].startswith(f"{base}/runtime/webhooks/")


async def test_a_forwarded_port_breaks_the_answer_but_not_the_start():
    target = Target(uses_forwarded_host=True)
    headers = {**PROXY, "x-forwarded-host": "example.com:8080"}
    response = await target.api_call("POST", "orchestrators/H/a", headers=headers)
    assert response.status_code == 500
    assert response.json()["ExceptionType"] == "System.UriFormatException"
    assert (await target.api_call("GET", "instances/a")).status_code == 202
