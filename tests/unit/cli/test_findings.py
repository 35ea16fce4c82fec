"""Findings as text, JSON and SARIF."""

import json

import pytest

from durahost.checking import Examined
from durahost.cli import findings
from durahost.cli.finding_text import show_finding
from durahost.model.findings import Finding, Severity

pytestmark = pytest.mark.feature("Functions host", "`durahost check`")

FULL = Finding(
    rule="code-fails",
    severity=Severity.ERROR,
    message="ValueError: why.",
    function="F",
    file="F x/__init__.py",
    line=3,
    advice="Mend it.",
    frames='  File "x", line 3\n',
)
BARE = Finding(rule="proxies", severity=Severity.WARNING, message="Not supported.")
ELSEWHERE = Finding(
    rule="setting-skipped", severity=Severity.NOTE, message="Skipping.", file="/elsewhere/a.py"
)


@pytest.fixture
def examined(tmp_path):
    return Examined(str(tmp_path), 2, [ELSEWHERE, BARE, FULL])


def test_text(examined, capsys):
    findings.as_text(examined)
    assert capsys.readouterr().out == (
        "The 'F' function is in error: ValueError: why.\n"
        "  in F x/__init__.py, line 3\n"
        '    File "x", line 3\n'
        "  Mend it.\n"
        "\n"
        "Not supported.\n"
        "\n"
        "Skipping.\n"
        "  in /elsewhere/a.py\n"
        f"{examined.root}: 1 error, 1 warning, 1 note; 2 functions without error.\n"
    )


def test_text_without_a_finding(capsys):
    findings.as_text(Examined("/app", 1, []))
    assert capsys.readouterr().out == "/app: no problems; 1 function without error.\n"


def test_a_warning_names_its_function(capsys):
    show_finding(Finding(rule="proxies", severity=Severity.WARNING, message="Odd.", function="F"))
    assert capsys.readouterr().out == "Function F: Odd.\n"


def test_errors_can_go_to_stderr(capsys):
    show_finding(FULL, is_error_output=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Mend it." in shown.err


def test_json(examined):
    document = json.loads(findings.as_json(examined))
    assert list(document) == [
        "version", "root", "functions", "errors", "warnings", "notes", "findings",
    ]  # fmt: skip
    assert document["version"] == 1
    assert [document[name] for name in ("errors", "warnings", "notes", "functions")] == [1, 1, 1, 2]
    assert document["findings"][2] == {
        "rule": "code-fails",
        "severity": "error",
        "message": "ValueError: why.",
        "function": "F",
        "file": "F x/__init__.py",
        "line": 3,
        "advice": "Mend it.",
        "frames": '  File "x", line 3\n',
    }
    assert set(document["findings"][1]) == set(document["findings"][2])


def test_sarif(examined, tmp_path):
    """What the schema of SARIF 2.1.0 asks of such a log."""
    log = json.loads(findings.as_sarif(examined))
    assert (log["version"], log["$schema"].endswith("sarif-2.1.0.json")) == ("2.1.0", True)
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "durahost"
    assert [rule["id"] for rule in driver["rules"]] == ["code-fails", "proxies", "setting-skipped"]
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    levels = [rule["defaultConfiguration"]["level"] for rule in driver["rules"]]
    assert levels == ["error", "warning", "note"]
    assert run["originalUriBaseIds"] == {"APPROOT": {"uri": f"{tmp_path.as_uri()}/"}}
    elsewhere, bare, full = run["results"]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
    (place,) = full["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "F%20x/__init__.py", "uriBaseId": "APPROOT"},
        "region": {"startLine": 3},
    }
    assert place["logicalLocations"] == [{"name": "F", "kind": "function"}]
    assert full["message"]["text"] == 'ValueError: why.\nMend it.\n  File "x", line 3'
    assert bare["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "host.json", "uriBaseId": "APPROOT"}
    }
    assert elsewhere["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "file:///elsewhere/a.py"
    }
