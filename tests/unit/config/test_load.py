"""Where an app is found, and what loading it gives."""

import json

import pytest

from durahost.config.app_root import find_app, find_functions_root
from durahost.config.load import load_app, read_app
from durahost.model.errors import ConfigError


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path.resolve() / "app"
    write(folder / "host.json", '{"version": "2.0"}')
    return folder


@pytest.mark.feature("Functions host", "The app's folder")
def test_the_nearest_folder_with_a_host_json(root):
    (root / "a" / "b").mkdir(parents=True)
    assert find_app(None, root) == root
    assert find_app(None, root / "a" / "b") == root


@pytest.mark.feature("Functions host", "The app's folder")
def test_the_script_root_is_taken_as_given(root):
    assert find_app(root, root.parent) == root
    assert find_app(root.relative_to(root.parent), root.parent) == root


@pytest.mark.feature("Functions host", "The app's folder")
def test_no_host_json_anywhere(tmp_path):
    with pytest.raises(ConfigError, match=r"No host\.json in ") as caught:
        find_app(None, tmp_path)
    assert "--script-root" in caught.value.advice
    assert '{"version": "2.0"}' in caught.value.advice


@pytest.mark.feature("Functions host", "The app's folder")
def test_a_script_root_that_is_none(tmp_path):
    with pytest.raises(ConfigError, match=r"doesn't exist\."):
        find_app(tmp_path / "none", tmp_path)
    with pytest.raises(ConfigError, match=r"No host\.json in "):
        find_app(tmp_path, tmp_path)
    write(tmp_path / "file")
    with pytest.raises(ConfigError, match=r"is a file, not a folder\."):
        find_app(tmp_path / "file", tmp_path)


@pytest.mark.feature("Functions host", "The app's folder")
def test_functions_of_the_classic_folder(root):
    assert find_functions_root(root) == root
    write(root / "function_app" / "Hello" / "function.json", "{}")
    assert find_functions_root(root) == root / "function_app"
    write(root / "function_app.py")
    assert find_functions_root(root) == root
    assert find_functions_root(root, "other.py") == root / "function_app"


@pytest.mark.feature("Functions host", "The app's folder")
def test_functions_at_the_root_hide_the_classic_folder(root):
    write(root / "function_app" / "Hello" / "function.json", "{}")
    write(root / "World" / "function.json", "{}")
    assert find_functions_root(root) == root


@pytest.mark.feature("Functions host", "The app's folder")
def test_a_loaded_app(root):
    write(root / "function_app" / "Hello" / "function.json", "{}")
    write(root / "local.settings.json", '{"IsEncrypted": false, "Values": {"Stage": "Test"}}')
    write(
        root / "host.json",
        '{"version": "2.0", "extensions": {"durableTask": {"hubName": "%Stage%Hub"}}}',
    )
    app = load_app(None, root / "function_app", {"X": "1"}, port=7200)
    assert app.root == root
    assert app.functions_root == root / "function_app"
    assert app.host.durable.hub_name == "TestHub"
    assert app.settings.values["X"] == "1"
    assert app.settings.values["WEBSITE_HOSTNAME"] == "localhost:7200"
    assert app.settings.values["AzureWebJobsScriptRoot"] == str(app.functions_root)


@pytest.mark.feature("Functions host", "The app's folder")
def test_another_language_is_refused(root):
    with pytest.raises(ConfigError, match=r"Did not find functions with language \[node\]\."):
        load_app(root, root, {"FUNCTIONS_WORKER_RUNTIME": "node"})


@pytest.mark.feature("Functions host", "The app's folder")
def test_the_faults_of_all_files_are_told_at_once(root):
    write(root / "local.settings.json", '{"IsEncrypted": true, "Values": {"A": "x"}}')
    write(root / "host.json", '{"version": "1", "fileWatchingEnabled": 3}')
    environ = {"FUNCTIONS_WORKER_RUNTIME": "node"}
    app, faults = read_app(root, root, environ)
    assert [str(one).partition(" ")[0] for one in faults] == ["Failed", "Did", "'1'", "Failed"]
    assert app.root == root
    with pytest.raises(ConfigError, match="decrypt") as caught:
        load_app(root, root, environ)
    assert [str(one) for one in caught.value.others] == [str(one) for one in faults[1:]]


@pytest.mark.feature("Functions host", "`host.json`")
def test_overrides_of_host_json_may_stand_in_the_settings(root):
    values = {"AzureFunctionsJobHost__extensions__http__routePrefix": "v1"}
    document = {"IsEncrypted": False, "Values": values}
    write(root / "local.settings.json", json.dumps(document))
    assert load_app(root, root, {}).host.http.route_prefix == "v1"
    (name,) = values
    assert load_app(root, root, {name: "v2"}).host.http.route_prefix == "v2"
