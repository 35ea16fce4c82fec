"""What loads and then does otherwise than it seems: one test for each such trap."""

import json

import pytest

from durahost import problems
from durahost.config.known_settings import NOT_NEEDED
from durahost.functions.app_checks import check_folders, check_functions
from durahost.functions.discovery import discover
from durahost.functions.scripts import Script
from durahost.functions.traps import BY_RULE, TRAPS
from durahost.model.findings import Severity
from durahost.model.functions import Binding, FunctionFailure, FunctionMetadata

pytestmark = pytest.mark.feature("Functions host", "Hints for known mistakes")

HTTP = {"type": "httpTrigger", "name": "req", "direction": "in"}
OUT = {"type": "http", "name": "$return", "direction": "out"}
ORCHESTRATION = {"type": "orchestrationTrigger", "name": "context", "direction": "in"}
TIMER = {"type": "timerTrigger", "name": "timer", "direction": "in", "schedule": "0 * * * *"}
QUEUE = {"type": "queueTrigger", "name": "item", "queueName": "q"}
FINE = "def main(req):\n    return 'x'\n"
SUBJECTS = {}
"""Which rules have a test here; filled by `for_rule`."""


def for_rule(*rules):
    def mark(test):
        SUBJECTS.update(dict.fromkeys(rules, test))
        return test

    return mark


def find(folder, **environ):
    """Every finding of an app whose functions all load."""
    app = folder.load(**{"AzureWebJobsStorage": "x", **environ})
    functions = discover(app).functions
    return [*problems.of_settings(app), *problems.of_app(app, functions, ())]


def rules(found):
    return [one.rule for one in found]


def function(folder, name, *bindings, code=FINE, **properties):
    folder.function(name, *(bindings or (HTTP, OUT)), **properties).write_text(code)


def only(folder, **environ):
    (finding,) = find(folder, **environ)
    assert finding.severity is BY_RULE[finding.rule].severity
    assert finding.advice
    return finding


def test_an_app_without_a_mistake_has_no_finding(folder):
    function(folder, "Fine")
    function(folder, "Timer", {**TIMER, "schedule": "00:05:00"}, code="def main(timer): pass\n")
    create = "import x\ndef o(context):\n    yield 1\nmain = x.Orchestrator.create(o)\n"
    function(folder, "Flow", ORCHESTRATION, code=create)
    function(folder, "Raises", code="def main(req):\n    raise ValueError\n")
    function(
        folder, "Nested", code="def main(req):\n    def f():\n        return 1\n    return f()\n"
    )
    function(folder, "Broken", code="def main(req:\n")
    function(folder, "Elsewhere", code="from x import main\n")
    assert find(folder) == []


@for_rule("disabled-in-file")
def test_disabled_in_the_file(folder):
    function(folder, "Off", disabled=True)
    function(folder, "On", disabled=False)
    finding = only(folder)
    assert (finding.rule, finding.function) == ("disabled-in-file", "Off")
    assert (finding.file, finding.line) == ("Off/function.json", 1)
    assert "AzureWebJobs.Off.Disabled" in finding.advice


@for_rule("http-annotation")
@pytest.mark.parametrize("kind", ["str", "bytes"])
def test_a_request_annotated_as_text(folder, kind):
    function(folder, "F", code=f"\ndef main(req: {kind}):\n    return 'x'\n")
    finding = only(folder)
    assert (finding.rule, finding.file, finding.line) == ("http-annotation", "F/__init__.py", 2)


@for_rule("positional-only")
def test_positional_only_parameters(folder):
    function(folder, "F", code="def main(req, /):\n    return 'x'\n")
    function(folder, "T", TIMER, code="def main(timer, /):\n    pass\n")
    assert rules(find(folder)) == ["positional-only", "positional-only"]


@for_rule("http-output-missing")
def test_a_value_without_an_output(folder):
    function(folder, "F", HTTP)
    function(folder, "Named", HTTP, {**OUT, "name": "res"}, code="def main(req, res): pass\n")
    function(folder, "Nothing", HTTP, code="def main(req):\n    return None\n")
    finding = only(folder)
    assert (finding.rule, finding.function, finding.line) == ("http-output-missing", "F", 2)
    assert '{"type": "http", "direction": "out", "name": "$return"}' in finding.advice


@for_rule("http-returns-nothing")
@pytest.mark.parametrize("body", ["pass", "return", "return None", "print(lambda: 1)"])
def test_an_answer_that_never_comes(folder, body):
    function(folder, "F", code=f"def main(req):\n    {body}\n")
    assert only(folder).rule == "http-returns-nothing"


@for_rule("orchestrator-plain")
def test_an_orchestrator_that_nothing_drives(folder):
    function(folder, "F", ORCHESTRATION, code="def main(context):\n    yield 1\n")
    finding = only(folder)
    assert finding.rule == "orchestrator-plain"
    assert "main = df.Orchestrator.create(main_function)" in finding.advice


@for_rule("orchestrator-async")
def test_an_async_orchestrator(folder):
    code = "import x\n\nasync def o(context): ...\n\nmain = x.Orchestrator.create(o)\n"
    function(folder, "F", ORCHESTRATION, code=code)
    finding = only(folder)
    assert (finding.rule, finding.line) == ("orchestrator-async", 3)


@for_rule("shared-twice")
def test_a_module_under_two_names(folder):
    folder.write("shared/__init__.py")
    folder.write("shared/lib.py")
    function(folder, "A", code="from ..shared import lib\n" + FINE)
    function(folder, "B", code="import json\nfrom shared.lib import x\n" + FINE)
    function(folder, "C", code="from . import helper\nimport json\n" + FINE)
    finding = only(folder)
    assert (finding.rule, finding.file, finding.line) == ("shared-twice", "B/__init__.py", 2)
    assert "A/__init__.py" in finding.message


@for_rule("schedule-never", "schedule-pauseless")
@pytest.mark.parametrize(
    ("schedule", "rule"),
    [
        ("0 0 0 30 2 *", "schedule-never"),
        ("10675199", "schedule-never"),
        ("00:00:00", "schedule-pauseless"),
        ("-00:05:00", "schedule-pauseless"),
    ],
)
def test_schedules_that_are_none(folder, schedule, rule):
    function(folder, "T", {**TIMER, "schedule": schedule}, code="def main(timer): pass\n")
    finding = only(folder)
    assert (finding.rule, finding.function, finding.line) == (rule, "T", 1)
    assert schedule in finding.message


@for_rule("schedule-days")
@pytest.mark.parametrize(
    ("schedule", "told"), [("24:00:00", True), ("5", True), ("1.00:00", False)]
)
def test_an_interval_of_days(folder, schedule, told):
    function(folder, "T", {**TIMER, "schedule": schedule}, code="def main(timer): pass\n")
    assert rules(find(folder)) == ["schedule-days"] * told


@for_rule("connection-missing")
@pytest.mark.parametrize(
    ("value", "environ", "text"),
    [
        ("Mine", {}, "Cannot find value named 'Mine' in local.settings.json that matches"),
        ("", {}, "'connection' property in "),
        ("Mine", {"Mine__accountName": "x"}, None),
        ("Mine", {"mine": "x"}, None),
        ("%MINE%", {"MINE": "Other", "Other": "x"}, None),
        ("%MINE%", {"MINE": "Other"}, "Cannot find value named 'Other' in local.settings.json"),
    ],
)
def test_a_connection_without_a_setting(folder, value, environ, text):
    function(folder, "Q", {**QUEUE, "connection": value}, code="def main(item): pass\n")
    found = find(folder, **environ)
    assert rules(found) == (["connection-missing"] if text else [])
    assert all(text in one.message and one.line == 1 and one.advice for one in found)


def test_a_connection_of_a_decorated_function_is_looked_for_in_its_script(folder):
    script = folder.write("function_app.py", "def q(item): pass\n")
    app = folder.load(AzureWebJobsStorage="x")
    trigger = Binding("item", "queueTrigger", "in", {"queueName": "q", "connection": "Mine"})
    (finding,) = check_functions(
        app, [FunctionMetadata("q", app.root, script, "q", [trigger])], {"q"}
    )
    assert finding.message.endswith(f"set on 'queueTrigger' in '{script}'.")
    assert finding.file == "function_app.py"


@for_rule("client-sync")
@pytest.mark.parametrize(
    ("decorator", "keyword", "told"),
    [
        ("app.durable_client_input(client_name='client')", "def", True),
        ("app.durable_client_input(client_name='client')", "async def", False),
        ("app.generic_input_binding(arg_name='client', type='durableClient')", "def", False),
        ("unwraps", "def", False),
    ],
)
def test_a_durable_client_in_a_function_that_is_not_async(folder, decorator, keyword, told):
    code = f"@app.route()\n@{decorator}\n{keyword} start(req, client):\n    return 'x'\n"
    script = folder.write("function_app.py", code)
    app = folder.load()
    bindings = [
        Binding("client", "durableClient", "in"),
        Binding("req", "httpTrigger", "in"),
        Binding("$return", "http", "out"),
    ]
    function = FunctionMetadata("start", app.root, script, "start", bindings)
    found = [one for one in check_functions(app, [function], {"start"}) if one.line]
    assert [(one.rule, one.line) for one in found] == [("client-sync", 3)] * told


@for_rule("mixed-app")
def test_both_models_in_one_app(folder):
    function(folder, "Old")
    folder.write("function_app.py")
    (finding,) = check_folders(folder.load(), ())
    assert (finding.rule, finding.severity) == ("mixed-app", Severity.WARNING)
    assert finding.message == (
        f"Detected mixed function app. Some functions may not be indexed - {folder.root / 'Old'} "
        "Refer to the documentation to filter warning - https://docs.microsoft.com/en-us/azure/"
        "azure-functions/configure-monitoring?tabs=v2"
    )


@for_rule("proxies")
def test_proxies(folder):
    folder.write("proxies.json", "{}")
    function(folder, "F")
    assert only(folder).file == "proxies.json"


@for_rule("function-nested")
def test_a_folder_that_lies_too_deep(folder):
    function(folder, "F")
    function(folder, "src/Deep")
    function(folder, ".hidden/Deep")
    function(folder, "tests/Deep")
    function(folder, "venv/lib/Deep")
    folder.write("venv/pyvenv.cfg")
    function(folder, "other/Deep")
    folder.write("other/host.json", "{}")
    finding = only(folder)
    assert (finding.rule, finding.file) == ("function-nested", "src/Deep/function.json")


@for_rule("function-json-case")
@pytest.mark.parametrize("name", ["Function.json", "functions.json"])
def test_a_file_spelled_otherwise(folder, name):
    function(folder, "F")
    folder.write(f"F/{name}", "{}")
    folder.write(f"G/{name}", "{}")
    finding = only(folder)
    assert (finding.rule, finding.function, finding.file) == (
        "function-json-case", "G", f"G/{name}",
    )  # fmt: skip


@for_rule("allow-list", "allow-list-used")
def test_an_allow_list_with_a_wrong_name(folder):
    folder.host(functions=["f", "Gone"])
    function(folder, "F")
    note, warning = find(folder)
    assert (note.rule, warning.rule) == ("allow-list-used", "allow-list")
    assert note.message == (
        "A function allow list has been specified, excluding all but the following functions: "
        "[Gone, f]"
    )
    assert "'Gone'" in warning.message


@for_rule("storage-missing")
def test_no_storage_where_core_tools_wants_one(folder):
    function(folder, "T", {**TIMER, "schedule": "0 * * * * *"}, code="def main(timer): pass\n")
    assert rules(find(folder, AzureWebJobsStorage="")) == ["storage-missing"]
    assert find(folder, AzureWebJobsStorage="", AzureWebJobsStorage__accountName="x") == []


@for_rule("disabled-unknown")
def test_a_disabled_function_that_is_not_there(folder):
    function(folder, "F")
    setting = {"AzureWebJobs.Gone.Disabled": "1", "AzureWebJobs_f_Disabled": "0"}
    assert "AzureWebJobs.Gone.Disabled" in only(folder, **setting).message


@for_rule("setting-without-effect")
def test_a_setting_without_effect(folder):
    function(folder, "F")
    values = dict.fromkeys(("azurewebjobsfeatureflags", *NOT_NEEDED, "OWN"), "1")
    document = {"IsEncrypted": False, "Values": values}
    folder.write("local.settings.json", json.dumps(document))
    finding = only(folder, AzureWebJobsStorage="")
    assert "azurewebjobsfeatureflags" in finding.message
    assert finding.severity is Severity.NOTE


@for_rule("no-functions")
def test_an_app_without_functions(folder):
    assert only(folder).rule == "no-functions"


@for_rule("retry-ignored")
def test_a_retry_policy_where_nothing_is_repeated(folder):
    retry = {"strategy": "fixedDelay", "maxRetryCount": 2, "delayInterval": "00:00:05"}
    function(folder, "F", retry=retry)
    finding = only(folder)
    assert finding.message == "Retries are not supported for function 'Functions.F'."
    assert (finding.rule, finding.file) == ("retry-ignored", "F/function.json")


@for_rule("advice")
def test_what_the_durable_extension_warns_of(folder):
    folder.host(extensions={"durableTask": {"extendedSessionsEnabled": True}})
    function(folder, "F")
    found = find(folder)
    assert rules(found) == ["advice"]
    assert found[0].file == "host.json"


def test_settings_of_the_file_that_do_not_count(folder):
    function(folder, "F")
    document = {"IsEncrypted": False, "Values": {"A": "file", "B": None}}
    folder.write("local.settings.json", json.dumps(document))
    found = find(folder, A="environment")
    assert [one.message for one in found] == [
        "Skipping 'B' because value is null",
        "Skipping 'A' from local settings as it's already defined in current environment "
        "variables.",
    ]


def test_a_duration_of_days_has_its_line(folder):
    function(folder, "F")
    folder.write("host.json", '{"version": "2.0",\n "functionTimeout": "5"}')
    finding = find(folder)[0]
    assert (finding.rule, finding.line) == ("timespan-days", 2)


OTHERWISE_TESTED = {"host-json-value", "configuration", "worker", "function"}
"""What no other trap names; see test_problems."""


def test_every_trap_without_a_text_has_a_test():
    silent = {trap.rule for trap in TRAPS if not trap.pattern}
    assert silent == set(SUBJECTS) | OTHERWISE_TESTED


def test_a_script_that_cannot_be_read(tmp_path):
    assert Script.read(tmp_path / "none.py") is None
    (tmp_path / "null.py").write_bytes(b"\0")
    assert Script.read(tmp_path / "null.py") is None


def test_functions_that_fail_are_known_but_not_looked_into(folder):
    folder.host(functions=["F"])
    function(folder, "F", code="def main(req, /):\n    return 1\n")
    app = folder.load()
    functions = discover(app).functions
    found = problems.of_app(app, functions, [FunctionFailure("F", "RuntimeError: x.")])
    assert rules(found) == ["code-fails", "allow-list-used"]
    assert rules(check_functions(app, [], {"F"})) == ["allow-list-used"]
    assert check_folders(app, functions) == []


def test_a_file_that_changes_meanwhile(folder):
    function(folder, "F", disabled=True)
    app = folder.load()
    functions = discover(app).functions
    folder.write("F/function.json", "{")
    assert check_functions(app, functions, {"F"}) == []
