"""Faults as findings: their place in the app, their rule, and what to do about them."""

from pathlib import Path

import pytest

from durahost import problems
from durahost.config.load import load_app
from durahost.functions.discovery import discover
from durahost.model.errors import AppLoadError, ConfigError, HubInUse, WorkerExited
from durahost.model.findings import Severity
from durahost.model.functions import FunctionFailure

pytestmark = pytest.mark.feature("Functions host", "Messages: file, function, reason, next step")

ENTRY = '{"bindings": [\n{"type": "httpTrigger", "name": "req"},\n{"type": "x-y", "name": "a"}]}'


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path.resolve()
    write(folder / "host.json", '{"version": "2.0"}')
    return folder


@pytest.fixture
def app(root):
    return load_app(root, root, {})


def missing(name):
    return f"ModuleNotFoundError: No module named '{name}'. Cannot find module."


def test_a_failure_of_code_has_its_line(app, root):
    failure = FunctionFailure("F", "ValueError: x", f"{root}/F/__init__.py:7", "general", "frames")
    finding = problems.of_failure(failure, app)
    assert (finding.rule, finding.severity) == ("code-fails", Severity.ERROR)
    assert (finding.function, finding.file, finding.line) == ("F", "F/__init__.py", 7)
    assert (finding.message, finding.advice) == ("ValueError: x.", "general")
    assert finding.frames == "frames"


def test_a_file_outside_the_app_stays_absolute(app):
    finding = problems.of_failure(FunctionFailure("F", "Odd.", "/elsewhere/x.py:1"), app)
    assert (finding.rule, finding.file, finding.line) == ("function", "/elsewhere/x.py", 1)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        (ENTRY, "Binding 'a' is invalid. Bindings must specify a Type.", 3),
        (ENTRY, "The binding type(s) 'x-y' are not registered.", 3),
        (ENTRY, "The binding name req is invalid.", 2),
        (ENTRY, "No trigger binding specified.", 1),
        (
            '{\n"scriptFile": "x"}',
            "The 'scriptFile' property is set to a file that does not exist.",
            2,
        ),
        ('{\n"retry": {}}', "Value cannot be null. (Parameter 'MaxRetryCount').", 2),
        ("{}", "At least one binding must be declared.", None),
        ('{"bindings": 3}', "At least one binding must be declared.", 1),
        ('{"bindings": [', "At least one binding must be declared.", 1),
        (ENTRY, "'1st' is not a valid function name.", None),
        (ENTRY, "Unexpected. Path '', line 5, position 1.", 5),
    ],
)
def test_a_fault_of_function_json_has_its_line(app, root, text, message, line):
    write(root / "F" / "function.json", text)
    finding = problems.of_failure(FunctionFailure("F", message, "F/function.json"), app)
    assert (finding.file, finding.line) == ("F/function.json", line)


def test_a_signature_s_fault_is_at_the_def(app, root):
    write(root / "F" / "function.json", '{"bindings": [{"type": "httpTrigger", "name": "req"}]}')
    write(root / "F" / "__init__.py", "\n\ndef main(): ...\n")
    (function,) = discover(app).functions
    text = "FunctionLoadError: cannot load the F function: the following parameters are declared in"
    failure = FunctionFailure("F", f"{text} Python but not in function.json: {{'x'}}", None)
    assert problems.of_failure(failure, app, function).line == 3


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("helper", "write 'from . import helper'"),
        ("__app__.shared.x", "Create shared/x.py, or correct the import."),
        ("my_lib", "my-lib[x]==1.0 is in requirements.txt: install that"),
        ("other", "as the worker says"),
    ],
)
def test_a_module_that_is_not_there(app, root, name, advice):
    write(root / "F" / "helper.py")
    write(root / "requirements.txt", "# lib\nmy-lib[x]==1.0\n")
    failure = FunctionFailure("F", missing(name), f"{root}/F/__init__.py:1", "as the worker says")
    assert advice in problems.of_failure(failure, app).advice


def test_a_module_that_a_decorated_app_lacks(app, root):
    write(root / "requirements.txt", "thing\n")
    error = AppLoadError(missing("thing"), file=f"{root}/function_app.py:3", frames="f")
    (finding,) = problems.of_error(error, app)
    assert (finding.rule, finding.file, finding.line) == ("module-missing", "function_app.py", 3)
    assert finding.advice.startswith("thing is in requirements.txt")
    assert finding.frames == "f"


def test_a_decorated_function_s_fault_is_at_its_def(app, root):
    write(root / "function_app.py", "x = 1\n\nasync def hello(a): ...\n")
    text = "ValueError: Function hello does not have a trigger. A valid function must have one ..."
    (finding,) = problems.of_error(AppLoadError(text, file=f"{root}/function_app.py"), app)
    assert (finding.rule, finding.line) == ("trigger-missing", 3)


def test_a_route_s_fault_is_at_the_route(app, root):
    text = "An error occurred while creating the route with name 'F' and template 'api/{x'. Why."
    write(root / "F" / "function.json", '{"bindings": [\n{},\n{"Route":\n"{x"}]}')
    finding = problems.of_failure(FunctionFailure("F", text, "F/function.json"), app)
    assert (finding.rule, finding.file, finding.line) == ("route-template", "F/function.json", 3)
    write(root / "F" / "function.json", '{\n"bindings": []}')
    assert problems.of_failure(FunctionFailure("F", text, "F/function.json"), app).line == 2


def test_errors_of_the_whole_app(app):
    other = ConfigError("PartitionCount must ...", file="host.json", line=3)
    first = ConfigError("No host.json in /x.", "advice", others=[other])
    found = problems.of_error(first)
    assert [one.rule for one in found] == ["configuration", "host-json-value"]
    assert [one.line for one in found] == [None, 3]
    (worker,) = problems.of_error(WorkerExited("the worker died"), app)
    assert (worker.rule, worker.message) == ("worker", "the worker died.")
    assert "--python" in worker.advice
    (in_use,) = problems.of_error(HubInUse("/x/hub.db", "process 7"), app)
    assert (in_use.rule, in_use.advice) == ("configuration", None)


def test_failures_come_in_the_order_of_names(app):
    failures = [FunctionFailure(name, "Odd.") for name in ("b", "A", "C")]
    found = problems.of_app(app, (), failures)
    assert [one.function for one in found] == ["A", "b", "C"]
    assert Path(app.root).is_dir()
