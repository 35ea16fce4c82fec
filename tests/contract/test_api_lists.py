"""GET and DELETE instances: filters, paging, purge by filter."""

from datetime import timedelta

import pytest

from durahost.model.status import RuntimeStatus

S = RuntimeStatus


@pytest.fixture
async def filled(target):
    """Four instances, a minute apart, in ordinal order of their ids."""
    states = {"@e@k": S.RUNNING, "B": S.COMPLETED, "a1": S.FAILED, "a2": S.PENDING}
    for name, status in states.items():
        await target.put(status, name, input="1")
        target.clock.advance(timedelta(minutes=1))
    return target


async def ids(target, query="", **options):
    response = await target.api_call("GET", f"instances{query}", **options)
    assert response.status_code == 200
    return [one["instanceId"] for one in response.json()]


@pytest.mark.feature("Management API", "`GET /instances`")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["@e@k", "B", "a1", "a2"]),
        ("/", ["@e@k", "B", "a1", "a2"]),
        ("?instanceIdPrefix=a", ["a1", "a2"]),
        ("?INSTANCEIDPREFIX=A", []),
        ("?instanceIdPrefix=", ["@e@k", "B", "a1", "a2"]),
        ("?runtimeStatus=Running,%20Failed", ["@e@k", "a1"]),
        ("?runtimeStatus=Running&runtimeStatus=6", ["@e@k", "a2"]),
        ("?runtimeStatus=running", ["@e@k", "B", "a1", "a2"]),
        ("?runtimeStatus=99", []),
        ("?createdTimeFrom=2026-01-05T10:01:00Z", ["B", "a1", "a2"]),
        ("?createdTimeTo=2026-01-05T10:01:30", ["@e@k", "B"]),
        ("?createdTimeFrom=2026-01-05T12:02:00%2B02:00", ["a1", "a2"]),
        ("?createdTimeFrom=2026-01-05T12:02:00+02:00", ["@e@k", "B", "a1", "a2"]),
        ("?top=2", ["@e@k", "B"]),
        ("?top=x", ["@e@k", "B", "a1", "a2"]),
        ("?showHistory=true&returnInternalServerErrorOnFailure=true&runtimeStatus=3", ["a1"]),
    ],
)
async def test_filters(filled, query, expected):
    assert await ids(filled, query) == expected


@pytest.mark.feature("Management API", "`GET /instances`")
async def test_an_empty_list_and_its_headers(target):
    response = await target.api_call("GET", "instances")
    assert response.text == "[]"
    assert response.headers["x-ms-continuation-token"] == ""
    assert "location" not in response.headers


@pytest.mark.feature(
    "Management API", "Paging by continuation token", "the token's text is durahost's own"
)
@pytest.mark.feature("Management API", "`GET /instances`")
async def test_pages_follow_each_other(filled):
    seen, token = [], ""
    while True:
        response = await filled.api_call(
            "GET", "instances?top=3", headers={"x-ms-continuation-token": token}
        )
        seen.append(len(response.json()))
        token = response.headers["x-ms-continuation-token"]
        if not token:
            break
    assert seen == [3, 1]


@pytest.mark.feature("Management API", "`DELETE /instances`")
@pytest.mark.feature("Management API", "`GET /instances`")
@pytest.mark.parametrize(
    ("query", "headers"),
    [("?runtimeStatus=Unknown", {}), ("", {"x-ms-continuation-token": "%%%"})],
)
async def test_what_the_store_refuses_is_a_bad_argument(target, query, headers):
    response = await target.api_call("GET", f"instances{query}", headers=headers)
    assert response.status_code == 400
    message = "One or more of the arguments submitted is incorrect"
    assert response.json()["Message"] == message
    assert response.json()["ExceptionType"] == "System.ArgumentException"


@pytest.mark.feature("Management API", "`GET /instances`")
@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("?showInput=false", 1),
        ("?showInput=false&top=5", 1),
        ("?showInput=false&runtimeStatus=3", None),
    ],
)
async def test_inputs_are_hidden_only_with_another_filter(filled, query, shown):
    response = await filled.api_call("GET", f"instances{query}")
    assert {one["input"] for one in response.json()} == {shown}


@pytest.mark.feature("Management API", "`DELETE /instances`")
@pytest.mark.parametrize(
    ("query", "deleted", "left"),
    [
        ("createdTimeFrom=2026-01-05", 4, []),
        ("createdTimeFrom=2026-01-05&runtimeStatus=Running", 4, []),
        ("createdTimeFrom=2026-01-05&runtimeStatus=Running,Failed", 1, ["@e@k", "B", "a2"]),
        ("createdTimeFrom=01/05/2026&createdTimeTo=2026-01-05T10:00:30Z", 1, ["B", "a1", "a2"]),
        ("createdTimeFrom=26-01-05", 4, []),
    ],
)
async def test_purge_by_filter(filled, query, deleted, left):
    response = await filled.api_call("DELETE", f"instances/?{query}")
    assert response.text == f'{{"instancesDeleted":{deleted}}}'
    assert await ids(filled) == left


@pytest.mark.feature(
    "Management API",
    "Purge by filter without a terminal status",
    "deletes live instances as Azure Storage does, and warns in the log",
)
@pytest.mark.feature("Management API", "`DELETE /instances`")
async def test_purging_live_instances_is_warned_of(filled, caplog):
    await filled.api_call("DELETE", "instances?createdTimeFrom=2026-01-05")
    assert "deleted 2 live instance(s)" in caplog.text


@pytest.mark.feature("Management API", "`DELETE /instances`")
@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("", 400, "\"Please provide value for 'createdTimeFrom' parameter.\""),
        ("?createdTimeFrom=soon", 400, "\"Please provide value for 'createdTimeFrom' parameter.\""),
        ("?createdTimeFrom=2030-01-01", 404, ""),
    ],
)
async def test_purge_by_filter_refused(filled, query, status, text):
    response = await filled.api_call("DELETE", f"instances{query}")
    assert (response.status_code, response.text) == (status, text)
