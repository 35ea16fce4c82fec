"""The table of traps: each text of the platform is known by its trap, and has a next step."""

import re
from pathlib import Path

import pytest

from durahost.functions.traps import BY_RULE, TRAPS, explain

pytestmark = pytest.mark.feature("Functions host", "Hints for known mistakes")

ROOT = Path(__file__).parents[3]
LOAD = "FunctionLoadError: cannot load the F function: "
MESSAGES = {
    "function-name": "'1st' is not a valid function name.",
    "bindings-missing": "At least one binding must be declared.",
    "binding-shape": "A binding must be a JSON object.",
    "binding-direction": "'up' is not a valid binding direction.",
    "configuration-source": "Illegal value 'x' for 'configurationSource' property in F'.",
    "script-missing": "Invalid script file name configuration. The 'scriptFile' property is set to "
    "a file that does not exist.",
    "script-unclear": "Unable to determine the primary function script. Make sure ...",
    "retry-incomplete": "Value cannot be null. (Parameter 'DelayInterval').",
    "binding-name": "The binding name a-b is invalid. Please assign a valid name to the binding.",
    "return-direction": "$return bindings must specify a direction of 'out'.",
    "binding-type-missing": "Binding 'req' is invalid. Bindings must specify a Type.",
    "binding-duplicate": "Multiple bindings with name 'x' discovered. Binding ...",
    "trigger-several": "Multiple trigger bindings defined. A function can only have ...",
    "trigger-missing": "ValueError: Function f does not have a trigger. A valid function must ...",
    "binding-type-unknown": "The binding type(s) 'x' are not registered. Please ensure ...",
    "route-conflict": "The route specified conflicts with the route defined by function 'A'.",
    "route-reserved": "The specified route conflicts with one or more built in routes.",
    "route-template": "An error occurred while creating the route with name 'F' and template 'x'.",
    "function-duplicate": "ValueError: Function f does not have a unique function name. Please ...",
    "schedule": "The schedule expression 'x' was not recognized as a valid cron expression.",
    "setting-unresolved": "'%A%' does not resolve to a value.",
    "script-not-python": "RuntimeError: cannot load function F: invalid Python filename /a/r.md",
    "script-outside": "RuntimeError: script path /x is not relative to the specified directory /a",
    "entry-point-missing": "RuntimeError: cannot load function F: function main() is not "
    "present in F/__init__.py.",
    "syntax": "SyntaxError: invalid syntax (__init__.py, line 1)",
    "import-relative": "ImportError: attempted relative import with no known parent package. "
    "Cannot find module.",
    "module-missing": "ModuleNotFoundError: No module named 'x'. Cannot find module.",
    "import-failed": "ImportError: cannot import name 'x' from 'json'. Cannot find module.",
    "import-exit": "SystemExit: 3",
    "callable-kind": "TypeError: <f> is not a module, class, method, or function",
    "annotation-unresolved": "NameError: name 'Missing' is not defined",
    "binding-inout": LOAD + '"inout" bindings are not supported',
    "context-annotation": LOAD + 'the "context" parameter is expected to be of type X, got Y',
    "parameter-extra": LOAD + "the following parameters are declared in Python but not in "
    "function.json: {'x'}",
    "parameter-missing": LOAD + "the following parameters are declared in function.json but not in "
    "Python: {'x'}",
    "out-annotation": LOAD + "binding x has invalid Out annotation X",
    "annotation-kind": LOAD + "binding x has invalid non-type annotation typing.Optional[str]",
    "out-direction": LOAD + 'binding x is declared to have the "out" direction, but ...',
    "in-direction": LOAD + 'binding x is declared to have the "in" direction in function.json, ...',
    "client-annotation": LOAD + 'type of starter binding in function.json "durableClient" does not '
    'match its Python annotation "DurableOrchestrationClient"',
    "orchestration-annotation": LOAD + 'type of context binding in function.json '
    '"orchestrationTrigger" does not match its Python annotation "DurableOrchestrationContext"',
    "http-streaming": LOAD + "'req' binding type \"httpTrigger\" and dataType \"None\" in "
    "function.json do not match the corresponding function parameter's Python type annotation "
    '"Request"',
    "http-streaming-mixed": LOAD + 'Python return annotation "HttpResponse" does not match binding '
    'type "http"',
    "annotation-mismatch": LOAD + "'req' binding type \"httpTrigger\" and dataType \"None\" in "
    "function.json do not match the corresponding function parameter's Python type annotation "
    '"dict"',
    "return-out": LOAD + "return annotation should not be azure.functions.Out",
    "return-kind": LOAD + "has invalid non-type return annotation typing.Optional[str]",
    "return-mismatch": LOAD + 'Python return annotation "dict" does not match binding type "http"',
    "app-missing": "ValueError: Could not find top level function app instances in function_app.py",
    "app-several": "ValueError: More than one FunctionApp or other top level function app "
    "instances are defined.",
    "trigger-second": "ValueError: A trigger was already registered to this function. Adding ...",
    "decorated-kind": "ValueError: Unsupported type for function app decorator found.",
    "durable-missing": "Exception: Attempted to use a Durable Functions decorator, but the ...",
    "auth-level": "KeyError: 'admin'",
    "script-setting": "Invalid file name: a/b.py",
    "settings-unreadable": "Failed to read app settings file at '/x'. Ensure it is a valid JSON "
    "file. Error. Path '', line 1, position 2.",
    "settings-encrypted": "Failed to decrypt settings. Encrypted settings only be edited ...",
    "setting-reserved": "An item with the same key has already been added. Key: WEBSITE_HOSTNAME",
    "setting-rewritten": "local.settings.json: Values.a is '01/01/2024 10:00:00' for the app, not "
    "'2024-01-01T10:00:00Z', as under Core Tools",
    "setting-skipped": "Skipping 'A' because value is null",
    "host-json-syntax": "Unable to parse host configuration file '/x/host.json'.",
    "host-json-version": "'3.0' is an invalid value for host.json 'version' property. We ...",
    "language": "Did not find functions with language [node].",
    "custom-handler": "host.json has a customHandler section: the app's functions run in a program "
    "of its own, not in Python.",
    "timespan-days": "host.json: functionTimeout is '5', which is read as 5 days, as on Azure",
    "section-unknown": "host.json: 'extention' is not known and has no effect; did you mean x?",
    "key-vault": "local.settings.json: A is a Key Vault reference, which is not resolved here",
    "setting-value": "FUNCTIONS_WORKER_PROCESS_COUNT is 'x', which is no number from 1 to 10",
    "section-without-effect": "host.json: no effect here: singleton.",
    "function-json-syntax": "After parsing a value an unexpected character was encountered: \". "
    "Path 'bindings[0].name', line 3, position 19.",
    "code-fails": "ValueError: why",
}  # fmt: skip
ADVISED_WHERE_FOUND = {
    "function-name", "bindings-missing", "binding-shape", "binding-direction",
    "configuration-source", "script-missing", "script-unclear", "retry-incomplete",
    "binding-type-missing", "binding-type-unknown", "route-conflict", "route-reserved",
    "route-template", "schedule", "setting-unresolved", "module-missing", "import-failed",
    "settings-encrypted", "setting-reserved", "host-json-syntax", "host-json-version", "language",
    "custom-handler", "function-json-syntax", "code-fails",
    # Their texts say it themselves.
    "setting-rewritten", "setting-skipped", "timespan-days", "section-without-effect",
    "section-unknown", "setting-value",
}  # fmt: skip
"""Traps whose advice comes with the fault, because it names a file, a value or a key."""


@pytest.mark.parametrize(("rule", "message"), MESSAGES.items())
def test_a_text_is_known_and_says_what_to_do(rule, message):
    trap, hint = explain(message)
    assert trap.rule == rule
    assert bool(hint) != (rule in ADVISED_WHERE_FOUND)
    assert "{" not in hint


def test_every_trap_with_a_text_has_an_example():
    assert set(MESSAGES) == {trap.rule for trap in TRAPS if trap.pattern}


def test_names_and_hints():
    assert len(BY_RULE) == len(TRAPS)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", trap.rule) for trap in TRAPS)
    assert all(trap.summary and trap.hint is not None for trap in TRAPS)
    assert explain("Nothing that is known") is None


def test_hints_use_what_the_text_names():
    assert "Define main in F/__init__.py" in explain(MESSAGES["entry-point-missing"])[1]
    assert "import or define missing" in explain(MESSAGES["annotation-unresolved"])[1].lower()
    assert "top level of function_app.py;" in explain(MESSAGES["app-missing"])[1]


def test_every_rule_has_its_row_in_the_docs():
    text = (ROOT / "docs" / "check.md").read_text(encoding="utf-8").partition("## Rules")[2]
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \| (.+) \|$", text, re.MULTILINE)
    assert rows == [(trap.rule, trap.severity.value, trap.summary) for trap in TRAPS]
