"""`durahost contract`: what it prints, and its exit codes."""

import json

import pytest
from click.testing import CliRunner

from durahost.cli.main import cli


def run(*arguments):
    return CliRunner().invoke(cli, ["contract", *map(str, arguments)])


def recording(path, status):
    answer = {"status": status, "headers": {}}
    path.write_text(json.dumps({"format": 1, "cases": {"a": [{"request": {}, "answer": answer}]}}))
    return path


def test_list():
    found = run("list", "--select", "rpc/a start*")
    assert found.exit_code == 0
    assert (
        found.output
        == "rpc/a start, with links of its own origin and the webhook's path  (needs rpc)\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--select", "no such case"],
        ["run", "--select", "no such case"],
        ["run", "--code", "x"],
        ["run", "--disposable"],
        ["run", "--target", "http://a", "--enable-auth"],
        ["diff", "nothing", "nothing"],
        ["app"],
        ["nonsense"],
    ],
)
def test_wrong_usage(arguments):
    assert run(*arguments).exit_code == 2


def test_app(tmp_path):
    found = run("app", tmp_path / "new")
    assert (found.exit_code, found.output) == (
        0,
        f"Wrote the contract app into {tmp_path / 'new'}\n",
    )
    found = run("app", tmp_path / "new")
    assert found.exit_code == 1
    assert "is not empty" in found.output


def test_a_target_that_does_not_answer():
    found = run("run", "--target", "http://127.0.0.1:1")
    assert found.exit_code == 1
    assert "No answer" in found.output


def test_diff(tmp_path):
    a, b = recording(tmp_path / "a", 200), recording(tmp_path / "b", 500)
    assert run("diff", a, a).exit_code == 0
    found = run("diff", a, b)
    assert found.exit_code == 1
    assert (
        found.output == "status -: 200 → 500 (1 case)\n    a\n1 differences, 0 more are allowed\n"
    )
    (tmp_path / "allow").write_text("status *")
    found = run("diff", a, b, "--allow", tmp_path / "allow")
    assert (found.exit_code, found.output) == (0, "0 differences, 1 more are allowed\n")
    (tmp_path / "a").write_text("{}")
    assert run("diff", a, b).exit_code == 1
