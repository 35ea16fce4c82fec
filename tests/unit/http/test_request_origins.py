"""Where a request says it was sent, and never the address that means any."""

import pytest
from api_support import ORIGIN, Target

from durahost.http.requests import HttpRequest

pytestmark = pytest.mark.feature("Functions host", "`WEBSITE_HOSTNAME`, `--public-url`")


def request_to(host, scheme="http"):
    headers = {} if host is None else {"host": host}
    return HttpRequest(
        method="GET", scheme=scheme, raw_path="/a%20b", raw_query="c", headers=headers
    )


@pytest.mark.parametrize(
    ("host", "origin", "url"),
    [
        ("localhost:7071", "http://localhost:7071", "http://localhost:7071/a%20b?c"),
        ("Example.com:80", "http://example.com", "http://Example.com:80/a%20b?c"),
        ("[::1]:7071", "http://[::1]:7071", "http://[::1]:7071/a%20b?c"),
        ("[::1]", "http://[::1]", "http://[::1]/a%20b?c"),
        ("0.0.0.0:7071", None, "http://localhost:7071/a%20b?c"),
        ("0.0.0.0", None, "http://localhost/a%20b?c"),
        ("[::]:7071", None, "http://localhost:7071/a%20b?c"),
        ("[::]", None, "http://localhost/a%20b?c"),
        (None, None, "http://localhost/a%20b?c"),
    ],
)
def test_origin_and_url(host, origin, url):
    request = request_to(host)
    assert (request.origin, request.url) == (origin, url)


def test_the_default_port_is_the_schemes():
    assert request_to("h:443", "https").origin == "https://h"
    assert request_to("h:80", "https").origin == "https://h:80"


@pytest.mark.parametrize("base", ["http://0.0.0.0:7071", "http://[::]:7071"])
async def test_links_of_such_a_request_are_the_hosts_own(base):
    target = Target()
    started = await target.api_call("POST", "orchestrators/H/a", base=base)
    status = await target.api_call("GET", "instances/a", base=base)
    keys = await target.send("POST", "/admin/host/keys/k", base=base)
    for response in (started, status, keys):
        assert response.headers["location"].startswith(ORIGIN)
        assert "//0.0.0.0" not in response.text
        assert "//[::]" not in response.text
