"""The counter sample through a real host: an entity signalled, called, read, listed and deleted."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from running_host import RunningHost, eventually

SAMPLE = Path(__file__).parent.parent.parent / "samples" / "counter"
MANAGEMENT = "/runtime/webhooks/durabletask"
JSON = {"content-type": "application/json"}


def copy_sample(target):
    ignored = shutil.ignore_patterns("__pycache__", ".durahost")
    return Path(shutil.copytree(SAMPLE, target, ignore=ignored))


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with RunningHost(copy_sample(tmp_path_factory.mktemp("counter") / "app")) as running:
        yield running
        assert running.stop() == 0


def tally(host, key, amounts):
    started = host.client.post(f"/api/counters/{key}/tally", json=amounts)
    assert started.status_code == 202
    return started.json()["id"]


def value_of(host, key):
    response = host.client.get(f"/api/counters/{key}")
    return response.json() if response.status_code == 200 else response.status_code


def wait_for_value(host, key, value):
    return eventually(lambda: value_of(host, key), lambda seen: seen == value)


@pytest.mark.feature("Entities", "Signals")
@pytest.mark.feature("Entities", "Calls")
def test_an_orchestration_signals_and_calls_in_order(host):
    payload = host.wait_for_status(tally(host, "sum", [1, 2, 3]), "Completed")
    assert payload["output"] == 6
    assert value_of(host, "sum") == 6


@pytest.mark.feature("Entities", "Reads and listing")
@pytest.mark.feature("Entities", "Signals")
def test_a_client_signals_and_reads(host):
    assert value_of(host, "signalled") == 404
    for amount in (5, -2):
        assert host.client.post(f"/api/counters/signalled/add/{amount}").status_code == 202
    wait_for_value(host, "signalled", 3)


@pytest.mark.feature("Entities", "Order per sender, one operation at a time")
def test_signals_of_many_clients_are_all_applied(host):
    with ThreadPoolExecutor(8) as pool:
        paths = ["/api/counters/many/add/1"] * 100
        responses = list(pool.map(host.client.post, paths))
    assert {response.status_code for response in responses} == {202}
    wait_for_value(host, "many", 100)


@pytest.mark.feature("Entities", "Calls")
def test_orchestrations_share_an_entity(host):
    ids = [tally(host, "shared", [1, 1]) for _ in range(10)]
    outputs = [host.wait_for_status(one, "Completed")["output"] for one in ids]
    assert max(outputs) == 20
    assert value_of(host, "shared") == 20


@pytest.mark.feature("Entities", "Deletion and cleaning")
@pytest.mark.feature("Entities", "Reads and listing")
def test_the_management_api_reads_lists_and_deletes(host):
    entity = f"{MANAGEMENT}/entities/Counter/Deleted"
    signal = {"params": {"op": "add"}, "content": '"4"', "headers": JSON}
    assert host.client.post(entity, **signal).status_code == 202
    eventually(lambda: host.client.get(entity), lambda r: r.text == "4")

    listed = host.client.get(f"{MANAGEMENT}/entities/counter", params={"fetchState": "true"})
    (entry,) = [one for one in listed.json() if one["entityId"]["key"] == "Deleted"]
    assert (entry["entityId"]["name"], entry["state"]) == ("counter", 4)

    row = host.status("@counter@Deleted").json()
    assert (row["runtimeStatus"], row["customStatus"]) == ("Running", {"entityExists": True})

    assert host.client.delete(entity).status_code == 202
    eventually(lambda: host.client.get(entity), lambda r: r.status_code == 404)
    assert host.status("@counter@Deleted").json()["customStatus"] == {}
    purged = host.client.delete(f"{MANAGEMENT}/instances/@counter@Deleted")
    assert purged.json() == {"instancesDeleted": 1}
    assert host.status("@counter@Deleted").status_code == 404


@pytest.mark.feature("Entities", "Failures of operations")
def test_a_failing_operation_is_logged_and_hurts_nobody(host):
    entity = f"{MANAGEMENT}/entities/counter/failing"
    host.client.post(entity, params={"op": "add"}, content="5", headers=JSON)
    host.wait_for_line("Entity '@counter@failing': operation 'add' failed: .* not int")
    host.client.post(entity, params={"op": "add"}, content='"5"', headers=JSON)
    eventually(lambda: host.client.get(entity), lambda r: r.text == "5")


@pytest.mark.feature("Entities", "Entities that are not there")
def test_an_unknown_entity_is_refused(host):
    response = host.client.post(f"{MANAGEMENT}/entities/Nope/k", params={"op": "x"})
    assert response.status_code == 400
    assert response.json()["Message"].endswith("known entity functions: 'Counter'.")


@pytest.mark.feature("Entities", "State and outgoing signals in one commit")
@pytest.mark.feature("Exactly once", "`kill -9` of host or child")
def test_nothing_is_lost_or_doubled_by_kill_9(tmp_path):
    root = copy_sample(tmp_path / "app")
    ids = []
    for _ in range(3):
        with RunningHost(root) as host:
            ids += [tally(host, "killed", [1, 1, 1]) for _ in range(5)]
            host.kill()
    with RunningHost(root) as host:
        for one in ids:
            host.wait_for_status(one, "Completed")
        assert value_of(host, "killed") == 45
        assert host.stop() == 0
    with sqlite3.connect(root / ".durahost" / "hub.db") as database:
        sql = "SELECT count(*) FROM history JOIN instance USING (instance_row) WHERE id LIKE '@%'"
        assert database.execute(sql).fetchone() == (3,)
    database.close()
