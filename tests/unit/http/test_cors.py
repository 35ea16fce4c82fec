"""Cross-origin requests: preflights, the headers of answers, and no CORS by default."""

import httpx
import pytest
from api_support import CallableWorker, Target
from starlette.responses import Response

from durahost.http.cors import Cors, CorsPolicy
from durahost.model.errors import ConfigError

pytestmark = pytest.mark.feature("Functions host", "CORS: `--cors`, `Host.CORS`")

PAGE = "http://localhost:3000"
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Method": "PUT"}


def policy(text, *, credentials=False):
    return CorsPolicy.parse(text, allows_credentials=credentials)


def cors_headers(response):
    names = [name for name in response.headers if name.startswith("access-control-")]
    return {name.removeprefix("access-control-allow-"): response.headers[name] for name in names}


async def ask(app, method="GET", **headers):
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:7071") as client:
        return await client.request(method, "/x", headers=headers)


def answering(status=200, **headers):
    return Response(b"body", status, headers=headers)


async def test_without_origins_there_is_none():
    assert policy(None) is policy("") is None
    response = await Target(worker=CallableWorker()).send("OPTIONS", "/api/x", headers=PREFLIGHT)
    assert (response.status_code, cors_headers(response)) == (404, {})


@pytest.mark.parametrize(
    ("text", "credentials", "origin", "expected", "vary"),
    [
        (PAGE, False, PAGE, {"origin": PAGE}, None),
        (PAGE.upper(), True, PAGE, {"origin": PAGE, "credentials": "true"}, None),
        (f"http://a,,{PAGE}", False, PAGE, {"origin": PAGE}, "Origin"),
        ("*", False, PAGE, {"origin": "*"}, None),
        ("*", False, "null", {"origin": "*"}, None),
        ("*,http://a", False, PAGE, {}, None),
        ("http://a", False, PAGE, {}, None),
        (f"http://a, {PAGE}", False, PAGE, {}, None),
        (f"{PAGE}/", False, PAGE, {}, None),
        (PAGE, False, PAGE.upper(), {}, None),
    ],
)
async def test_headers_of_an_answer(text, credentials, origin, expected, vary):
    app = Cors(answering(404), policy(text, credentials=credentials))
    response = await ask(app, Origin=origin)
    assert (response.status_code, response.content) == (404, b"body")
    assert (cors_headers(response), response.headers.get("vary")) == (expected, vary)


async def test_what_the_function_allows_gives_way_only_to_an_allowed_origin():
    own = {"Access-Control-Allow-Origin": "http://own", "Vary": "Accept"}
    app = Cors(answering(**own), policy(f"http://a,{PAGE}"))
    allowed, other, same = (
        await ask(app, Origin=PAGE), await ask(app, Origin="http://b"), await ask(app)
    )  # fmt: skip
    assert cors_headers(allowed) == {"origin": PAGE}
    assert allowed.headers.get_list("vary") == ["Accept", "Origin"]
    assert cors_headers(other) == cors_headers(same) == {"origin": "http://own"}


@pytest.mark.parametrize(
    ("origin", "asked", "expected"),
    [
        (PAGE, {}, {"origin": PAGE, "methods": "PUT"}),
        (
            PAGE,
            {"Access-Control-Request-Headers": "content-type, x-a ,,x-b"},
            {"origin": PAGE, "methods": "PUT", "headers": "content-type,x-a,x-b"},
        ),
        ("http://evil", {"Access-Control-Request-Headers": "x-a"}, {}),
    ],
)
async def test_a_preflight_never_reaches_the_app(origin, asked, expected):
    app = Cors(None, policy(PAGE))
    response = await ask(app, "OPTIONS", **{**PREFLIGHT, "Origin": origin, **asked})
    assert (response.status_code, response.content) == (204, b"")
    assert cors_headers(response) == expected
    assert "content-length" not in response.headers


async def test_other_options_requests_reach_the_app():
    app = Cors(answering(), policy(PAGE))
    with_origin = await ask(app, "OPTIONS", Origin=PAGE)
    without = await ask(app, "OPTIONS", **{"Access-Control-Request-Method": "PUT"})
    assert (with_origin.status_code, cors_headers(with_origin)) == (200, {"origin": PAGE})
    assert (without.status_code, cors_headers(without)) == (200, {})


async def test_other_connections_pass():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    await Cors(app, policy(PAGE))({"type": "lifespan"}, None, None)
    assert seen == ["lifespan"]


def test_any_origin_with_credentials_is_refused():
    with pytest.raises(ConfigError, match="does not allow specifying a wildcard") as caught:
        policy("*", credentials=True)
    assert caught.value.advice


@pytest.mark.parametrize(
    ("text", "useless"),
    [
        ("*", []),
        (f"{PAGE},null", []),
        ("*,http://a", ["*"]),
        (f"{PAGE}/,http://a, http://b,localhost:3000,http://c ",
         [f"{PAGE}/", " http://b", "localhost:3000", "http://c "]),
    ],
)  # fmt: skip
def test_origins_that_no_browser_sends(text, useless):
    assert policy(text).find_useless() == useless
