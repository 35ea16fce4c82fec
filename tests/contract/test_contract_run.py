"""`durahost contract run` as a user runs it: hosts of its own, reports, recordings, exit codes."""

import json
import xml.etree.ElementTree as ET

import pytest
from click.testing import CliRunner
from running_host import RunningHost

from durahost.cli.main import cli
from durahost.contract.errors import ContractError
from durahost.contract.target import own_host, read_master_key, write_app


def run(*arguments):
    return CliRunner().invoke(cli, ["contract", *map(str, arguments)])


def test_two_runs_are_the_same(tmp_path):
    files = ("--junit", tmp_path / "junit.xml", "--json", tmp_path / "results.json")
    found = run("run", "--select", "links/*", "--record", tmp_path / "a", *files)
    assert found.exit_code == 0, found.output
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["failed"] == 0
    assert results["passed"] == len(results["cases"]) > 10
    assert ET.parse(tmp_path / "junit.xml").getroot().find("testsuite").get("name") == "links"
    again = run("run", "--enable-auth", "--select", "links/*", "--record", tmp_path / "b")
    assert again.exit_code == 0, again.output
    compared = run("diff", tmp_path / "a", tmp_path / "b")
    assert (compared.exit_code, compared.output) == (0, "0 differences, 0 more are allowed\n")
    assert "AzFu" not in (tmp_path / "b").read_text()


def test_a_target_that_differs(tmp_path):
    write_app(tmp_path / "app")
    settings = json.loads((tmp_path / "app/host.json").read_text())
    settings["extensions"]["durableTask"]["hubName"] = "AnotherName"
    (tmp_path / "app/host.json").write_text(json.dumps(settings))
    with RunningHost(tmp_path / "app", "--no-reload", "--ephemeral") as host:
        found = run("run", "--target", host.base, "--select", "start/the check-status payload")
    assert found.exit_code == 1
    assert "FAILED start/the check-status payload" in found.output
    assert "taskHub=AnotherName" in found.output


def test_a_host_that_does_not_start():
    with (
        pytest.raises(ContractError, match="does not serve the contract app"),
        own_host("--python", "/nowhere/python"),
    ):
        pass


def test_an_app_whose_keys_cannot_be_had(tmp_path):
    with pytest.raises(ContractError, match="shows no _master key"):
        read_master_key(tmp_path / "nothing")
