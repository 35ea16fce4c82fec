"""Which functions an app has, and the checks across them."""

import dataclasses

import pytest

from durahost.functions.discovery import ProgrammingModel, discover, screen
from durahost.model.errors import ConfigError
from durahost.model.functions import Binding, FunctionMetadata


def http(**properties):
    return {"type": "httpTrigger", "name": "req", "direction": "in", **properties}


def names(found):
    return [one.name for one in found]


def messages(found):
    return {failure.name: failure.message for failure in found.failures}


@pytest.mark.feature("Functions host", "Folder model: discovery, disabled functions, allow-list")
def test_folders_ordered_without_case(folder):
    for name in ("beta", "Alpha", "a_b", "aC"):
        folder.function(name)
    folder.write("notes/readme.md")
    folder.write("deep/er/function.json")
    found = discover(folder.load())
    assert found.model is ProgrammingModel.FOLDERS
    # "_" sorts after letters: names compare in upper case, as .NET's OrdinalIgnoreCase does.
    assert names(found.functions) == ["aC", "Alpha", "a_b", "beta"]
    assert found.failures == []


@pytest.mark.feature("Functions host", "Folder model: discovery, disabled functions, allow-list")
def test_the_classic_folder(folder):
    folder.function("function_app/Hello")
    folder.write("function_app/Broken/function.json", "{")
    found = discover(folder.load())
    assert names(found.functions) == ["Hello"]
    assert found.failures[0].file == "function_app/Broken/function.json"


@pytest.mark.feature("Functions host", "Folder model: discovery, disabled functions, allow-list")
def test_one_fault_takes_one_function_out(folder):
    folder.function("Good")
    folder.write("Bad/function.json", "{}")
    found = discover(folder.load())
    assert names(found.functions) == ["Good"]
    assert messages(found) == {"Bad": "At least one binding must be declared."}


@pytest.mark.feature("Functions host", "Decorator model: discovery and indexing")
def test_the_decorator_model_comes_first(folder):
    folder.function("Hello")
    folder.write("function_app.py")
    found = discover(folder.load())
    assert found.model is ProgrammingModel.DECORATORS
    assert (found.functions, found.script_file) == ((), "function_app.py")


@pytest.mark.feature("Functions host", "Folder model: discovery, disabled functions, allow-list")
def test_another_script_name(folder):
    folder.write("main.py")
    assert discover(folder.load(PYTHON_SCRIPT_FILE_NAME="main.py")).script_file == "main.py"
    with pytest.raises(ConfigError, match=r"^Invalid file name: sub/main\.py$"):
        discover(folder.load(PYTHON_SCRIPT_FILE_NAME="sub/main.py"))


@pytest.mark.feature("Functions host", "Folder model: discovery, disabled functions, allow-list")
def test_the_allow_list_hides_functions_and_their_faults(folder):
    folder.host(functions=["hello"])
    folder.function("Hello")
    folder.function("Other")
    folder.write("Bad/function.json", "{}")
    found = discover(folder.load())
    assert names(found.functions) == ["Hello"]
    assert found.failures == []
    assert names(found.excluded) == ["Other"]


@pytest.mark.feature("Functions host", "Folder model: discovery, disabled functions, allow-list")
@pytest.mark.parametrize(
    ("name", "value", "disabled"),
    [
        ("AzureWebJobs.Hello.Disabled", "1", True),
        ("AzureWebJobs.hello.disabled", "True", True),
        ("AzureWebJobs_Hello_Disabled", "true", True),
        ("AzureWebJobs.Hello.Disabled", "yes", False),
        ("AzureWebJobs.Other.Disabled", "1", False),
    ],
)
def test_disabled_functions_are_listed(folder, name, value, disabled):
    folder.function("Hello", disabled=True)
    found = discover(folder.load(**{name: value}))
    assert names(found.functions) == ["Hello"]
    assert found.disabled == ({"Hello"} if disabled else set())


@pytest.mark.feature("Functions host", "Routes: templates, constraints, order")
@pytest.mark.parametrize(
    ("first", "second", "conflicts"),
    [
        ({"route": "items/{id}"}, {"route": "/Items/{ID}/"}, True),
        ({"route": "items/{id}"}, {"route": "items/{key}"}, False),
        ({"route": "x", "methods": ["get"]}, {"route": "x", "methods": ["post"]}, False),
        ({"route": "x", "methods": ["get"]}, {"route": "x", "methods": ["GET"]}, False),
        ({"route": "x", "methods": ["get"]}, {"route": "x", "methods": ["post", "get"]}, True),
        ({"route": "x", "methods": ["get"]}, {"route": "x"}, True),
        ({"route": "x", "methods": ["get"]}, {"route": "x", "methods": []}, True),
        ({"route": "Two"}, {}, True),
    ],
)
def test_route_conflicts(folder, first, second, conflicts):
    folder.function("One", http(**first))
    folder.function("Two", http(**second))
    found = discover(folder.load())
    text = "The route specified conflicts with the route defined by function 'One'."
    assert messages(found) == ({"Two": text} if conflicts else {})


@pytest.mark.feature("Functions host", "Routes: templates, constraints, order")
@pytest.mark.parametrize(
    ("name", "binding", "is_reserved"),
    [
        ("F", http(route="administrators"), True),
        ("F", http(route="/Runtime/x"), True),
        ("RuntimeInfo", http(), True),
        ("RuntimeInfo", http(route="info"), False),
        ("F", http(route="x/admin"), False),
        ("Admin", {"type": "timerTrigger", "name": "t", "schedule": "1.00:00"}, False),
    ],
)
def test_reserved_routes(folder, name, binding, is_reserved):
    folder.function(name, binding)
    found = discover(folder.load())
    text = "The specified route conflicts with one or more built in routes."
    assert messages(found) == ({name: text} if is_reserved else {})


@pytest.mark.feature(
    "Functions host", "A route that is no template", "the function alone is in error, not the host"
)
@pytest.mark.parametrize(("prefix", "route"), [("api", "/x"), ("api", "{id"), ("", "a//b")])
def test_a_bad_route_takes_out_its_function_alone(folder, prefix, route):
    folder.host(extensions={"http": {"routePrefix": prefix}})
    folder.function("Bad", http(route=route))
    folder.function("Timer", {"type": "timerTrigger", "name": "t", "schedule": "1"})
    folder.function("Good", http(route="x"))
    found = discover(folder.load())
    assert names(found.functions) == ["Good", "Timer"]
    template = f"{prefix}/{route}".removeprefix("/") if prefix else route
    start = f"An error occurred while creating the route with name 'Bad' and template '{template}'."
    assert messages(found)["Bad"].startswith(start)
    assert found.failures[0].file == "Bad/function.json"


@pytest.mark.feature("Functions host", "Folder model: discovery, disabled functions, allow-list")
def test_names_are_unique_without_case(folder):
    folder.function("Hello", http(route="a"))
    folder.function("hello", http(route="b"))
    found = discover(folder.load())
    assert names(found.functions) == ["Hello"]
    text = "The function or proxy name 'hello' must be unique within the function app."
    assert messages(found) == {"hello": text}


@pytest.mark.feature("Functions host", "Decorator model: discovery and indexing")
def test_indexed_functions_are_screened_alike(folder):
    folder.host(functions=["Good", "bad-binding", "host"])
    folder.write("function_app.py")
    app = folder.load()
    good = FunctionMetadata(
        "Good",
        app.root,
        app.root / "function_app.py",
        "Good",
        [Binding("req", "httpTrigger", "in")],
    )
    bad = dataclasses.replace(good, name="bad-binding", bindings=[Binding("a-b", "x", "in")])
    host = dataclasses.replace(good, name="host")
    other = dataclasses.replace(good, name="Other")
    found = screen(app, [host, other, good, bad])
    assert names(found.functions) == ["Good"]
    assert names(found.failures) == ["bad-binding", "host"]
    assert {failure.file for failure in found.failures} == {"function_app.py"}


@pytest.mark.feature("Functions host", "Decorator model: discovery and indexing")
def test_a_fault_of_an_indexed_function_is_at_its_def(folder):
    script = folder.write("function_app.py", "\n\ndef bad(req): ...\n")
    app = folder.load()
    trigger = Binding("req", "httpTrigger", "in", {"route": "{x"})
    (failure,) = screen(
        app, [FunctionMetadata("Named", app.root, script, "bad", [trigger])]
    ).failures
    assert (failure.name, failure.file) == ("Named", "function_app.py:3")


@pytest.mark.feature("Functions host", "Binding expressions `%NAME%`")
def test_bindings_of_other_services_take_app_settings(folder):
    out = {"type": "blob", "name": "copy", "direction": "out", "path": "%PLACE%/{id}.%KIND%"}
    folder.function("Fine", http(), out)
    folder.function("Listens", {"type": "queueTrigger", "name": "item", "queueName": "%NONE%"})
    folder.function("Query", http(), {**out, "path": "LIKE '%x"})
    found = discover(folder.load(PLACE="files", kind="txt"))
    (fine,) = found.functions
    assert fine.bindings[1].get("path") == "files/{id}.txt"
    assert messages(found) == {
        "Listens": "'%NONE%' does not resolve to a value.",
        "Query": "The '%' at position 6 does not have a closing '%'.",
    }
