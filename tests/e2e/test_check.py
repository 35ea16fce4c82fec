"""`durahost check`: an app full of mistakes, one of each kind, told at once."""

import json
import os
import subprocess
import sys

import pytest
from running_host import RunningHost

from durahost.functions.traps import BY_RULE

CHECK = pytest.mark.feature("Functions host", "`durahost check`")
ONE_BAD = pytest.mark.feature("Functions host", "One bad function takes no other down")

HTTP = {"name": "req", "type": "httpTrigger", "direction": "in", "authLevel": "anonymous"}
OUT = {"name": "$return", "type": "http", "direction": "out"}
RES = {"name": "res", "type": "http", "direction": "out"}
TIMER = {"name": "timer", "type": "timerTrigger", "schedule": "0 * * * * *"}
CONTEXT = {"name": "context", "type": "orchestrationTrigger", "direction": "in"}
CLIENT = {"name": "starter", "type": "durableClient", "direction": "in"}
FINE = "def main(req):\n    return 'fine'\n"
FUNC = "import azure.functions as func\n"
DF = "import azure.durable_functions as df\n"
BLOB = {"name": "b", "type": "blob", "direction": "inout", "path": "x"}

# name: (bindings, code, further properties, rule, file, line)
MISTAKES = {
    "1st": ([HTTP, OUT], FINE, {}, "function-name", "function.json", None),
    "NoBindings": ([], FINE, {}, "bindings-missing", "function.json", 2),
    "Direction": ([{**HTTP, "direction": "up"}], FINE, {}, "binding-direction", "function.json", 3),
    "Source": (
        [HTTP, OUT], FINE, {"configurationSource": "x"}, "configuration-source", "function.json", 15
    ),
    "NoScript": ([HTTP], FINE, {"scriptFile": "no.py"}, "script-missing", "function.json", 10),
    "Retry": (
        [HTTP], FINE, {"retry": {"strategy": "fixedDelay"}}, "retry-incomplete", "function.json", 10
    ),
    "Hyphen": ([{**HTTP, "name": "my-req"}], FINE, {}, "binding-name", "function.json", 3),
    "ReturnIn": (
        [HTTP, {**OUT, "direction": "in"}], FINE, {}, "return-direction", "function.json", 2
    ),
    "NoType": ([{"name": "req"}], FINE, {}, "binding-type-missing", "function.json", 3),
    "SameName": ([HTTP, {**OUT, "name": "REQ"}], FINE, {}, "binding-duplicate", "function.json", 9),
    "TwoTriggers": ([HTTP, TIMER], FINE, {}, "trigger-several", "function.json", 2),
    "NoTrigger": ([OUT], FINE, {}, "trigger-missing", "function.json", 2),
    "UnknownType": (
        [HTTP, {**OUT, "type": "htp"}], FINE, {}, "binding-type-unknown", "function.json", 9
    ),
    "Taken": ([{**HTTP, "route": "FINE"}, OUT], FINE, {}, "route-conflict", "function.json", 8),
    "BadRoute": (
        [{**HTTP, "route": "a/{id"}, OUT], FINE, {}, "route-template", "function.json", 8
    ),
    "Admins": ([HTTP, OUT], FINE, {}, "route-reserved", "function.json", 2),
    "NoEntry": ([HTTP, OUT], "def run(req): ...\n", {}, "entry-point-missing", "__init__.py", None),
    "Syntax": ([HTTP, OUT], "\ndef main(req)\n", {}, "syntax", "__init__.py", 2),
    "Missing": ([HTTP, OUT], "import not_there\n" + FINE, {}, "module-missing", "__init__.py", 1),
    "Above": ([HTTP, OUT], "from ... import x\n" + FINE, {}, "import-relative", "__init__.py", 1),
    "Import": ([HTTP, OUT], "from json import x\n" + FINE, {}, "import-failed", "__init__.py", 1),
    "Exits": ([HTTP, OUT], "import sys\nsys.exit(3)\n" + FINE, {}, "import-exit", "__init__.py", 2),
    "Raises": (
        [HTTP, OUT], "def f():\n    1 / 0\n\nf()\n" + FINE, {}, "code-fails", "__init__.py", 2
    ),
    "Partial": (
        [HTTP, OUT], "import functools\nmain = functools.partial(print)\n", {}, "callable-kind",
        "__init__.py", None,
    ),
    "NoName": ([HTTP, OUT], "def main(req: 'Gone'): ...\n", {}, "annotation-unresolved",
               "__init__.py", 1),
    "InOut": ([HTTP, OUT, BLOB], "def main(req, b): ...\n", {}, "binding-inout", "__init__.py", 1),
    "Context": ([HTTP, OUT], "\ndef main(req, context: int): ...\n", {}, "context-annotation",
                "__init__.py", 2),
    "Extra": ([HTTP, OUT], "def main(req, more=1): ...\n", {}, "parameter-extra", "__init__.py", 1),
    "Less": ([HTTP, OUT], "def main(): ...\n", {}, "parameter-missing", "__init__.py", 1),
    "BareOut": ([HTTP, RES], FUNC + "def main(req, res: func.Out): ...\n", {}, "out-annotation",
                "__init__.py", 2),
    "Optional": ([HTTP, OUT], "import typing\ndef main(req: typing.Optional[str]): ...\n", {},
                 "annotation-kind", "__init__.py", 2),
    "NotOut": ([HTTP, RES], "def main(req, res: str): ...\n", {}, "out-direction",
               "__init__.py", 1),
    "NotIn": ([HTTP, OUT], FUNC + "def main(req: func.Out[str]): ...\n", {}, "in-direction",
              "__init__.py", 2),
    "Client": ([HTTP, OUT, CLIENT],
               DF + "def main(req, starter: df.DurableOrchestrationClient): ...\n", {},
               "client-annotation", "__init__.py", 2),
    "Flow": ([CONTEXT], DF + "def main(context: df.DurableOrchestrationContext): ...\n", {},
             "orchestration-annotation", "__init__.py", 2),
    "Dict": ([HTTP, OUT], "def main(req: dict): ...\n", {}, "annotation-mismatch",
             "__init__.py", 1),
    "ReturnOut": ([HTTP, OUT], FUNC + "def main(req) -> func.Out[str]: ...\n", {}, "return-out",
                  "__init__.py", 2),
    "ReturnList": ([HTTP, OUT], "def main(req) -> list[str]: ...\n", {}, "return-kind",
                   "__init__.py", 1),
    "ReturnDict": ([HTTP, OUT], "def main(req) -> dict: ...\n", {}, "return-mismatch",
                   "__init__.py", 1),
}  # fmt: skip
FOLDERS = {
    "NotJson": ({"function.json": '{\n"bindings" []}'}, "function-json-syntax", "function.json", 2),
    "Upper": (
        {"function.json": '{"Bindings": []}', "a.py": ""}, "bindings-missing", "function.json", 1
    ),
    "TwoScripts": (
        {"function.json": json.dumps({"bindings": [HTTP]}), "a.py": "", "b.py": ""},
        "script-unclear", "function.json", None,
    ),
    "ReadMe": (
        {"function.json": json.dumps({"bindings": [HTTP]}), "readme.md": "# Hello"},
        "script-not-python", "readme.md", None,
    ),
    "Outside": (
        {"function.json": json.dumps({"bindings": [HTTP], "scriptFile": "../../outside.py"})},
        "script-outside", None, None,
    ),
}  # fmt: skip
"""Mistakes in what a folder holds: its files, then rule, file, line."""
EVERY = [*MISTAKES, *FOLDERS]

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
    return subprocess.run(
        [sys.executable, "-m", "durahost", "check", *options],
        cwd=folder,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def write(folder, name, bindings, code, **properties):
    directory = folder / name
    directory.mkdir(parents=True)
    document = {"bindings": bindings, **properties}
    (directory / "function.json").write_text(json.dumps(document, indent=1))
    (directory / "__init__.py").write_text(code)


@pytest.fixture(scope="module")
def full_of_mistakes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mistakes") / "app"
    folder.mkdir()
    (folder / "host.json").write_text('{"version": "2.0"}')
    (folder.parent / "outside.py").write_text(FINE)
    for name, (files, *_) in FOLDERS.items():
        (folder / name).mkdir()
        for file, text in files.items():
            (folder / name / file).write_text(text)
    write(folder, "Fine", [HTTP, OUT], FINE)
    for name, (bindings, code, properties, *_) in MISTAKES.items():
        write(folder, name, bindings, code, **properties)
    return folder


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
