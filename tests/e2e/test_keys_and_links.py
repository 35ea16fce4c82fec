"""Keys, public addresses and client outputs through a real host."""

import json
import re

import pytest
from running_host import RunningHost, durahost

HTTP = [
    {"name": "req", "type": "httpTrigger", "direction": "in", "authLevel": "function"},
    {"name": "$return", "type": "http", "direction": "out"},
]
STARTER = {"name": "starter", "type": "durableClient", "direction": "out"}
CLIENT = {"name": "client", "type": "durableClient", "direction": "in"}

LINKS = """
import azure.functions as func

def main(req: func.HttpRequest, client: str) -> str:
    return func.HttpResponse(client + req.url)
"""
START = """
import json
import azure.functions as func

def main(req: func.HttpRequest, starter: func.Out[str]) -> func.HttpResponse:
    starter.set(req.get_body().decode())
    return func.HttpResponse("started")
"""
RETURN = """
import azure.functions as func

def main(req: func.HttpRequest):
    return req.get_json()
"""


def read_keys(folder):
    """What `durahost keys` shows, by scope and name."""
    result = durahost(folder, "keys")
    assert result.returncode == 0, result.stderr
    rows = [re.split(r" {2,}", line) for line in result.stdout.splitlines()]
    assert rows[0] == ["OPENS", "NAME", "VALUE"]
    return {(scope, name): value for scope, name, value in rows[1:]}


@pytest.mark.feature("Functions host", "`--enable-auth`: who is let in with which key")
@pytest.mark.feature("Functions host", "Keys: made on first use, kept in the database")
@pytest.mark.parametrize("flag", ["--enable-auth", "--enableAuth"])
def test_a_host_that_asks_for_keys(default_app, flag):
    with RunningHost(default_app, flag, "--verbose") as host:
        assert any("durahost keys --script-root" in line for line in host.lines)
        keys = read_keys(default_app)
        start = "/api/orchestrators/HelloSequence"
        empty = {"content-length": "0"}
        assert host.client.post(start, headers=empty).status_code == 401
        code = {"code": keys["all functions", "default"]}
        started = host.client.post(start, params=code, headers=empty)
        assert started.status_code == 202
        link = started.json()["statusQueryGetUri"]
        assert link.endswith(f"code={keys['webhooks', 'durabletask_extension']}")
        assert host.client.get(link).status_code in (200, 202)
        assert host.client.get(link.partition("&code=")[0]).status_code == 401
        master = {"x-functions-key": keys["all", "_master"]}
        own = host.client.post("/admin/functions/HttpStart/keys/default", headers=master)
        assert own.status_code == 201
        fresh = own.json()["value"]
        assert read_keys(default_app)["httpstart", "default"] == fresh
        assert host.client.post(start, headers={"x-functions-key": fresh}).status_code == 202
        assert host.stop() == 0
    output = "\n".join(host.lines)
    for value in {*keys.values(), fresh}:
        assert value not in output
    assert read_keys(default_app)["all", "_master"] == keys["all", "_master"]


@pytest.mark.feature("Functions host", "Keys: made on first use, kept in the database")
def test_keys_of_an_app_that_never_ran(default_app):
    result = durahost(default_app, "keys")
    assert result.returncode == 1
    assert "There is no key in" in result.stderr
    assert "The first start makes them." in result.stderr
    assert not (default_app / ".durahost").exists()


@pytest.mark.feature("Functions host", "`--enable-auth`: who is let in with which key")
def test_keys_in_memory_are_for_links_only(default_app):
    with RunningHost(default_app, "--enable-auth", "--ephemeral") as host:
        assert any("made in memory, for links only" in line for line in host.lines)
        assert host.client.get("/admin/host/status").status_code == 401


@pytest.mark.feature("Functions host", "`WEBSITE_HOSTNAME`, `--public-url`")
@pytest.mark.parametrize(
    ("options", "host_name", "origin"),
    [
        ((), None, None),
        (("--public-url", "http://Tunnel.example:8080/"), "app.example", "http://tunnel.example:8080"),
        ((), "app.example", "https://app.example"),
    ],
)  # fmt: skip
def test_no_address_that_means_any(default_app, write_function, options, host_name, origin):
    write_function(default_app / "function_app", "Links", [*HTTP, CLIENT], LINKS)
    env = {} if host_name is None else {"WEBSITE_HOSTNAME": host_name}
    with RunningHost(default_app, "--address", "0.0.0.0", *options, env=env) as host:
        port = host.base.rpartition(":")[2]
        named = {"host": f"0.0.0.0:{port}"}
        answers = [
            host.client.get("/api/Links", headers=named).text,
            host.client.post("/api/orchestrators/HelloSequence", headers=named).text,
            host.client.get("/admin/functions", headers=named).text,
            host.client.get("/admin/functions/Links", headers=named).text,
            *host.lines,
        ]
        value, _ = json.JSONDecoder().raw_decode(answers[0])
        assert value["baseUrl"].startswith(origin or f"http://localhost:{port}")
        assert value["managementUrls"]["statusQueryGetUri"].startswith(value["baseUrl"])
        assert answers[0].endswith(f"http://localhost:{port}/api/Links")
        assert not [answer for answer in answers if "0.0.0.0" in answer]


@pytest.mark.feature("Functions host", "`WEBSITE_HOSTNAME`, `--public-url`")
@pytest.mark.parametrize("url", ["app.example", "http://0.0.0.0"])
def test_a_public_url_that_is_none_is_wrong_usage(default_app, url):
    result = durahost(default_app, "start", "--public-url", url)
    assert result.returncode == 2
    assert "--public-url" in result.stderr


@pytest.mark.feature("Functions host", "Output binding `durableClient`")
def test_client_outputs_start_orchestrations(default_app, write_function):
    functions = default_app / "function_app"
    write_function(functions, "Start", [*HTTP, STARTER], START)
    returning = [HTTP[0], {**STARTER, "name": "$return"}]
    write_function(functions, "Return", returning, RETURN)
    with RunningHost(default_app) as host:
        one = {"FunctionName": "HelloSequence", "InstanceId": "one", "Input": None}
        response = host.client.post("/api/Start", json=one)
        assert (response.status_code, response.text) == (200, "started")
        many = [{"FunctionName": "HelloSequence", "InstanceId": name} for name in ("two", "three")]
        assert host.client.post("/api/Return", json=many).status_code == 204
        for name in ("one", "two", "three"):
            payload = host.wait_for_status(name, "Completed")
            assert payload["output"][0] == "Hello Tokyo!"
        response = host.client.post("/api/Start", content=b"HelloSequence")
        assert (response.status_code, response.content) == (500, b"")
        host.wait_for_line(r"Output 'starter' of function 'Start': It is no JSON")


@pytest.mark.feature("Functions host", "Disabled functions")
def test_a_disabled_orchestrator_and_a_disabled_activity(default_app):
    env = {"AzureWebJobs_Approval_Disabled": "1", "AzureWebJobs_SayHello_Disabled": "true"}
    with RunningHost(default_app, env=env) as host:
        failed = host.wait_for_status(host.start("Approval"), "Failed")
        assert (
            "'Approval' doesn't exist, is disabled, or is not an orchestrator" in failed["output"]
        )
        failed = host.wait_for_status(host.start("HelloSequence"), "Failed")
        assert "SayHello" in failed["output"]
