"""URLs and the durableClient binding."""

import json

import pytest

from durahost.codec.rest import Links, durable_client_json, management_payload, url_encode

LINKS = Links(origin="http://localhost:7071", hub="My Hub", connection="Storage", key="k==")
BASE = "http://localhost:7071/runtime/webhooks/durabletask"
QUERY = "taskHub=My+Hub&connection=Storage&code=k=="


@pytest.mark.feature("Management API", "Management URLs in payloads and the client binding")
@pytest.mark.parametrize(
    ("text", "escaped"),
    [("aZ9-_.!*()", "aZ9-_.!*()"), ("a b", "a+b"), ("~'@+/é", "%7E%27%40%2B%2F%C3%A9")],
)
def test_escapes(text, escaped):
    assert url_encode(text) == escaped


@pytest.mark.feature("Management API", "Management URLs in payloads and the client binding")
def test_management_urls_in_order():
    one = f"{BASE}/instances/a+b"
    assert list(management_payload(LINKS, "a b").items()) == [
        ("id", "a b"),
        ("statusQueryGetUri", f"{one}?{QUERY}"),
        ("sendEventPostUri", f"{one}/raiseEvent/{{eventName}}?{QUERY}"),
        ("terminatePostUri", f"{one}/terminate?reason={{text}}&{QUERY}"),
        ("rewindPostUri", f"{one}/rewind?reason={{text}}&{QUERY}"),
        ("purgeHistoryDeleteUri", f"{one}?{QUERY}"),
        ("restartPostUri", f"{one}/restart?{QUERY}"),
        ("suspendPostUri", f"{one}/suspend?reason={{text}}&{QUERY}"),
        ("resumePostUri", f"{one}/resume?reason={{text}}&{QUERY}"),
    ]


@pytest.mark.feature("Management API", "Management URLs in payloads and the client binding")
def test_the_binding():
    text = durable_client_json(LINKS, "http://127.0.0.1:17071/durabletask/")
    value = json.loads(text)
    urls = json.dumps(management_payload(LINKS, "INSTANCEID"), separators=(",", ":"))
    create = f"{BASE}/orchestrators/{{functionName}}[/{{instanceId}}]"
    assert text == (
        '{"taskHubName":"My Hub","connectionName":null,"creationUrls":{'
        f'"createNewInstancePostUri":"{create}?code=k==",'
        f'"createAndWaitOnNewInstancePostUri":"{create}?timeout={{timeoutInSeconds}}'
        '&pollingInterval={intervalInSeconds}&code=k=="},'
        f'"managementUrls":{urls},"baseUrl":"{BASE}",'
        '"requiredQueryStringParameters":"code=k==",'
        '"rpcBaseUrl":"http://127.0.0.1:17071/durabletask/","httpBaseUrl":null,'
        '"maxGrpcMessageSizeInBytes":null}'
    )
    assert text.count("INSTANCEID") == 1 + len(value["managementUrls"]) - 1


@pytest.mark.feature("Management API", "Management URLs in payloads and the client binding")
def test_without_a_key_and_an_endpoint():
    links = Links(origin="http://h", hub="H", connection="Storage")
    value = json.loads(durable_client_json(links, None))
    assert value["rpcBaseUrl"] is None
    assert value["requiredQueryStringParameters"] == ""
    assert value["creationUrls"]["createNewInstancePostUri"].endswith("]?")
    assert value["creationUrls"]["createAndWaitOnNewInstancePostUri"].endswith("Seconds}&")
    assert links.query == "taskHub=H&connection=Storage"
