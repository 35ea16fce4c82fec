"""`durahost check`: an app full of mistakes, one of each kind, told at once."""

import json

import pytest
from mistakes import DF, EVERY, FINE, FOLDERS, FUNC, HTTP, MISTAKES, OUT, write, write_app
from running_host import RunningHost, durahost

from durahost.functions.traps import BY_RULE

CHECK = pytest.mark.feature("Functions host", "`durahost check`")
ONE_BAD = pytest.mark.feature("Functions host", "One bad function takes no other down")

TEXTS = {
    "Extra": "the following parameters are declared in Python but not in function.json: {'more'}.",
    "Less": "the following parameters are declared in function.json but not in Python: {'req'}.",
    "InOut": '"inout" bindings are not supported.',
    "ReturnDict": 'Python return annotation "dict" does not match binding type "http".',
    "Dict": 'type of req binding in function.json "httpTrigger" does not match its Python '
    'annotation "dict".',
}
"""What the worker says, after `cannot load the <name> function: `."""


def check(folder, *options, env=None):
    return durahost(folder, "check", *options, env=env)


@pytest.fixture(scope="module")
def full_of_mistakes(tmp_path_factory):
    return write_app(tmp_path_factory.mktemp("mistakes") / "app")


@pytest.fixture(scope="module")
def checked(full_of_mistakes):
    result = check(full_of_mistakes, "--format", "json")
    return result.returncode, json.loads(result.stdout), result.stderr


@CHECK
def test_every_mistake_is_found_and_nothing_else(checked, full_of_mistakes):
    code, document, errors = checked
    assert (code, document["root"]) == (1, str(full_of_mistakes.resolve()))
    assert sorted(one["function"] for one in document["findings"]) == sorted(EVERY)
    assert (document["errors"], document["warnings"], document["functions"]) == (
        len(EVERY),
        0,
        1,
    )
    assert "Traceback" not in errors
    assert not (full_of_mistakes / ".durahost").exists()


@CHECK
@ONE_BAD
@pytest.mark.parametrize("name", EVERY)
def test_a_mistake_has_its_rule_its_place_and_a_next_step(checked, name):
    *_, rule, file, line = {**MISTAKES, **FOLDERS}[name]
    (found,) = [one for one in checked[1]["findings"] if one["function"] == name]
    assert (found["rule"], found["severity"]) == (rule, "error")
    if file is not None:
        assert (found["file"], found["line"]) == (f"{name}/{file}", line)
    assert found["advice"]
    if name in TEXTS:
        start = f"FunctionLoadError: cannot load the {name} function: "
        assert found["message"] == start + TEXTS[name]


@CHECK
def test_frames_are_the_app_s_own(checked):
    (found,) = [one for one in checked[1]["findings"] if one["function"] == "Raises"]
    assert found["frames"].count("File ") == 2
    assert "durahost" not in found["frames"]
    assert "importlib" not in found["frames"]


@CHECK
@ONE_BAD
def test_a_start_tells_the_same_and_serves_the_rest(full_of_mistakes, checked):
    with RunningHost(full_of_mistakes, "--ephemeral") as host:
        assert host.client.get("/api/Fine").text == "fine"
        shown = "\n".join(host.lines)
    for one in checked[1]["findings"]:
        line = f"The '{one['function']}' function is in error: {one['message']}"
        if "<" not in line and "sys.path" not in line:  # an address, a path: they differ
            assert shown.count(line) == 1
        assert one["advice"].splitlines()[0] in shown


@CHECK
def test_sarif_for_a_code_scanner(full_of_mistakes):
    result = check(full_of_mistakes, "--format", "sarif")
    assert result.returncode == 1
    (run,) = json.loads(result.stdout)["runs"]
    assert len(run["results"]) == len(EVERY)
    assert {one["ruleId"] for one in run["results"]} <= set(BY_RULE)


DECORATED = FUNC + "app = func.FunctionApp()\n"
DECORATED_MISTAKES = {
    "app-missing": (FUNC, None),
    "app-several": (DECORATED + "again = app\n", None),
    "auth-level": (FUNC + "app = func.FunctionApp(http_auth_level='admin')\n", 2),
    "trigger-missing": (DECORATED + "@app.function_name('f')\ndef f(req): ...\n", 4),
    "function-duplicate": (
        DECORATED + "@app.route('a')\ndef f(req): ...\n@app.route('b')\ndef f(req): ...\n",
        6,
    ),
    "trigger-second": (
        DECORATED + "@app.route('a')\n@app.timer_trigger('t', '0 * * * * *')\ndef f(req, t): ...\n",
        3,
    ),
    "decorated-kind": (DECORATED + "\napp.route('a')(3)\n", 4),
    "import-relative": ("from . import x\n", 1),
    "syntax": ("x = (\n", 1),
    "annotation-mismatch": (DECORATED + "@app.route('a')\ndef f(req: dict): ...\n", 4),
    "context-annotation": (
        DF + "app = df.DFApp()\n@app.orchestration_trigger('ctx')\ndef f(ctx):\n    yield\n",
        4,
    ),
}


@CHECK
@pytest.mark.feature("Functions host", "Decorator model: discovery and indexing")
@pytest.mark.parametrize("rule", DECORATED_MISTAKES)
def test_a_mistake_in_a_decorated_app(tmp_path, rule):
    code, line = DECORATED_MISTAKES[rule]
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(code)
    result = check(tmp_path, "--format", "json")
    (found,) = json.loads(result.stdout)["findings"]
    assert (result.returncode, found["rule"]) == (1, rule)
    assert (found["file"], found["line"]) == ("function_app.py", line)
    assert found["advice"]


@CHECK
def test_all_faults_of_the_configuration_and_of_the_code_at_once(tmp_path):
    (tmp_path / "host.json").write_text('{"version": "3",\n"fileWatchingEnabled": "yes"}')
    (tmp_path / "local.settings.json").write_text('{"Values": {"A": "x"}}')
    write(tmp_path, "Syntax", [HTTP, OUT], "def main(req)\n")
    result = check(tmp_path, "--format", "json", env={"WEBSITE_HOSTNAME": "no host"})
    found = json.loads(result.stdout)["findings"]
    assert [one["rule"] for one in found] == [
        "settings-encrypted", "host-json-version", "host-json-value", "configuration", "syntax",
    ]  # fmt: skip
    assert [one["line"] for one in found] == [None, 1, 2, None, 1]


@CHECK
def test_warnings_alone_are_no_error(tmp_path):
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    write(tmp_path, "Off", [HTTP, OUT], FINE, disabled=True)
    result = check(tmp_path)
    assert result.returncode == 0
    assert result.stdout == (
        'Function Off: "disabled" in function.json is ignored.\n'
        "  in Off/function.json, line 15\n"
        "  Set the app setting AzureWebJobs.Off.Disabled to true instead; since version 2 of the "
        "platform it alone counts.\n\n"
        f"{tmp_path.resolve()}: 1 warning; 1 function without error.\n"
    )


@CHECK
@pytest.mark.parametrize("shape", ["text", "json", "sarif"])
def test_a_folder_that_is_no_app(tmp_path, shape):
    result = check(tmp_path, "--format", shape)
    assert result.returncode == 1
    assert f"No host.json in {tmp_path.resolve()} or any folder above it." in result.stdout
    assert result.stderr == ""


@CHECK
def test_what_the_code_prints_does_not_mix_with_the_findings(tmp_path):
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    write(tmp_path, "Loud", [HTTP, OUT], "print('I am loud')\n" + FINE)
    result = check(tmp_path, "--format", "json")
    assert json.loads(result.stdout)["findings"] == []
    assert "I am loud" in result.stderr
