"""Each fault of a function folder in the real host's words, and which script it chooses."""

import json

import pytest

from durahost.functions.function_json import read_function
from durahost.model.functions import FunctionFailure, FunctionMetadata

pytestmark = pytest.mark.feature("Functions host", "Folder model: `function.json` and its checks")


HTTP = {"type": "httpTrigger", "name": "req", "direction": "in"}
OUT = {"type": "http", "name": "$return", "direction": "out"}


def read(folder, document, *, name="Hello", files=("__init__.py",), bundle=False):
    directory = folder.root / name
    text = document if isinstance(document, str) else json.dumps(document)
    folder.write(f"{name}/function.json", text)
    for file in files:
        folder.write(f"{name}/{file}")
    return read_function(folder.root, directory, has_extension_bundle=bundle)


def test_a_function(folder):
    found = read(
        folder,
        "{ // lenient\n 'entryPoint': 'go', 'bindings': ["
        "{'Name': 'req', 'TYPE': 'HttpTrigger', 'Methods': ['get']}, "
        "{'name': '$return', 'type': 'http', 'direction': 'Out'},]}",
    )
    assert isinstance(found, FunctionMetadata)
    assert found.name == "Hello"
    assert found.directory == folder.root / "Hello"
    assert found.script_file == folder.root / "Hello" / "__init__.py"
    assert found.entry_point == "go"
    assert [(b.name, b.type, b.direction) for b in found.bindings] == [
        ("req", "HttpTrigger", "in"),
        ("$return", "http", "Out"),
    ]
    assert found.trigger.get("methods") == ["get"]


@pytest.mark.parametrize("name", ["Function-200", "hosts", "testwithhost", "a", "x" * 128])
def test_valid_names(folder, name):
    assert isinstance(read(folder, {"bindings": [HTTP]}, name=name), FunctionMetadata)


@pytest.mark.parametrize("name", ["host", "Host", "hello!", "1st", "größe", "_x", "x" * 129])
def test_invalid_names(folder, name):
    found = read(folder, "not even json", name=name)
    assert found.message == f"'{name}' is not a valid function name."


@pytest.mark.parametrize(
    "name", ["bindingName", "binding1", "binding_name", "_binding", "_", "bind__ing"]
)
def test_valid_binding_names(folder, name):
    assert isinstance(read(folder, {"bindings": [{**HTTP, "name": name}]}), FunctionMetadata)


RULES = "See https://aka.ms/azure-functions-binding-name-rules for more details."
BAD_NAME = f"The binding name {{}} is invalid. Please assign a valid name to the binding. {RULES}"
NO_SCRIPT = (
    "Unable to determine the primary function script. Make sure at least one script file is "
    "present. Try renaming your entry point script to 'run' or alternatively you can specify the "
    "name of the entry point script explicitly by adding a 'scriptFile' property to your function "
    "metadata."
)
TWO = {"type": "timerTrigger", "name": "timer", "direction": "in"}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "At least one binding must be declared."),
        ({"bindings": []}, "At least one binding must be declared."),
        ({"bindings": ["req"]}, "A binding must be a JSON object."),
        ({"Bindings": [HTTP]}, "At least one binding must be declared."),
        ({"bindings": [{**HTTP, "direction": "up"}]}, "'up' is not a valid binding direction."),
        (
            {"bindings": [HTTP], "ConfigurationSource": "magic"},
            "Illegal value 'magic' for 'configurationSource' property in Hello'.",
        ),
        (
            {"bindings": [HTTP], "scriptFile": "no.py"},
            "Invalid script file name configuration. The 'scriptFile' property is set to a file "
            "that does not exist.",
        ),
        (
            {"bindings": [HTTP], "retry": {"strategy": "fixedDelay", "maxRetryCount": 1}},
            "Value cannot be null. (Parameter 'DelayInterval').",
        ),
        (
            {"bindings": [HTTP], "retry": {"minimumInterval": "00:00:01"}},
            "Value cannot be null. (Parameter 'MaxRetryCount').",
        ),
        (
            {"bindings": [HTTP], "retry": {"maxRetryCount": 1, "minimumInterval": "00:00:01"}},
            "Value cannot be null. (Parameter 'MaximumInterval').",
        ),
        ({"bindings": [{**HTTP, "name": ""}]}, BAD_NAME.format("")),
        ({"bindings": [{"type": "httpTrigger"}]}, BAD_NAME.format("")),
        ({"bindings": [{**HTTP, "name": "binding-test"}]}, BAD_NAME.format("binding-test")),
        (
            {"bindings": [HTTP, {**OUT, "direction": "in"}]},
            "$return bindings must specify a direction of 'out'.",
        ),
        (
            {"bindings": [{"name": "req"}]},
            "Binding 'req' is invalid. Bindings must specify a Type.",
        ),
        (
            {"bindings": [HTTP, {**OUT, "name": "REQ"}]},
            "Multiple bindings with name 'REQ' discovered. Binding names must be unique.",
        ),
        (
            {"bindings": [HTTP, TWO]},
            "Multiple trigger bindings defined. A function can only have a single trigger binding.",
        ),
        (
            {"bindings": [OUT]},
            "No trigger binding specified. A function must have a trigger input binding.",
        ),
        (
            {"bindings": [HTTP, {**OUT, "type": "fax"}, {"name": "x", "type": "Telex"}]},
            "The binding type(s) 'fax, Telex' are not registered. Please ensure the type is "
            "correct and the binding extension is installed.",
        ),
    ],
)
def test_faults(folder, document, message):
    found = read(folder, document)
    assert isinstance(found, FunctionFailure)
    assert (found.name, found.message) == ("Hello", message)
    assert found.file == "Hello/function.json"
    assert found.advice


def test_unknown_types_with_a_bundle(folder):
    found = read(folder, {"bindings": [{**HTTP, "type": "faxTrigger"}]}, bundle=True)
    assert found.message == (
        "The binding type(s) 'faxTrigger' were not found in the configured extension bundle. "
        "Please ensure the type is correct and the correct version of extension bundle is "
        "configured."
    )


def test_text_that_is_no_json_names_the_line(folder):
    found = read(folder, '{\n  "bindings": [\n    {"name": "req" "type": "httpTrigger"}\n  ]\n}')
    assert found.message == (
        'After parsing a value an unexpected character was encountered: ". '
        "Path 'bindings[0].name', line 3, position 19."
    )
    assert found.advice.splitlines() == [
        "Correct line 3:",
        '    {"name": "req" "type": "httpTrigger"}',
        "                   ^",
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"direction": "up"}),
        ({"direction": "up"}, {"name": "-"}),
    ],
)
def test_the_first_fault_in_the_hosts_order_counts(folder, first, second):
    document = {"bindings": [{**HTTP, **first, **second}], "scriptFile": "no.py"}
    found = read(folder, document)
    assert found.message == "'up' is not a valid binding direction."


@pytest.mark.parametrize(
    ("files", "script"),
    [
        (("handler.py",), "handler.py"),
        (("a.py", "__init__.py"), "__init__.py"),
        (("a.py", "__INIT__.py"), "__INIT__.py"),
        (("a.py", "Run.py"), "Run.py"),
        (("readme.md",), "readme.md"),
    ],
)
def test_the_script_without_scriptfile(folder, files, script):
    found = read(folder, {"bindings": [HTTP]}, files=files)
    assert found.script_file.name == script


@pytest.mark.parametrize("files", [(), ("a.py", "b.py")])
def test_no_script_to_choose(folder, files):
    assert read(folder, {"bindings": [HTTP]}, files=files).message == NO_SCRIPT


def test_a_script_outside_the_folder(folder):
    folder.write("shared/x.py")
    found = read(folder, {"bindings": [HTTP], "scriptFile": "../shared/x.py"})
    assert found.script_file == folder.root / "shared" / "x.py"


@pytest.mark.parametrize(
    "kind", ["orchestrationTrigger", "activityTrigger", "entityTrigger", "timerTrigger"]
)
def test_known_triggers(folder, kind):
    client = {"name": "client", "type": "orchestrationClient", "direction": "in"}
    document = {"bindings": [{"name": "context", "type": kind}, client]}
    assert isinstance(read(folder, document), FunctionMetadata)


def test_every_type_of_the_library_is_known():
    from azure.functions.decorators import constants

    from durahost.functions.binding_types import KNOWN_TYPES

    names = {v.lower() for k, v in vars(constants).items() if k.isupper()}
    assert names <= KNOWN_TYPES


def test_a_near_miss_of_a_type_is_named(folder):
    found = read(folder, {"bindings": [{**HTTP, "type": "htpTrigger"}]})
    assert found.advice == "Did you mean httptrigger, in any case, for htpTrigger?"
    other = read(folder, {"bindings": [HTTP, {"name": "hub", "type": "signalR"}]})
    assert (
        other.advice == "signalR is none of azure-functions' own types; no others are known here."
    )
    untyped = read(folder, {"bindings": [{"name": "req"}, {"name": "hub", "type": "signalR"}]})
    assert untyped.advice == 'Correct "bindings" in function.json.'


def test_the_key_in_another_case_is_named(folder):
    assert read(folder, {"Bindings": [HTTP]}).advice == (
        'Write "bindings", not "Bindings": case counts here.'
    )


def test_a_file_that_cannot_be_read(folder):
    (folder.root / "Hello" / "function.json").mkdir(parents=True)
    found = read_function(folder.root, folder.root / "Hello", has_extension_bundle=False)
    assert found.message == "Cannot read function.json: Is a directory."
    assert found.advice
