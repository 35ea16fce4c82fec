"""Every setting, option and route has its row in the docs, and the docs name no other."""

import re
from pathlib import Path

import click
import pytest
from api_support import Target
from durable_keys import KEYS

from durahost.cli.main import cli
from durahost.config import host_json
from durahost.config.option_tree import OptionTree
from durahost.http import durable_api

ROOT = Path(__file__).parents[2]
DURABLE = "extensions:durableTask:"
WITHOUT_A_ROW = ("extensionBundle", "logging", "storageProvider.connectionStringName")
"""Sections that are asked for whether they are there; the older name of another key."""
NOT_READ = ("logging.applicationInsights",)
"""Keys with a row that nothing reads: they are named as without effect."""
HOST_JSON = ("extensions.durableTask", "The rest of host.json")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def rows(text):
    """The first cells of all tables, without their backquotes."""
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


def section(text, title):
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


@pytest.fixture
def asked(monkeypatch):
    """The paths of host.json that building the settings reads, joined by dots."""
    found = set()
    text, names = OptionTree.text, OptionTree.names

    def note(method):
        def noting(tree, path=""):
            found.add(path)
            return method(tree, path)

        return noting

    monkeypatch.setattr(OptionTree, "text", note(text))
    monkeypatch.setattr(OptionTree, "names", note(names))
    grid = {"topicEndpoint": "https://t", "keySettingName": "Key"}
    for provider in ("AzureStorage", "Netherite"):
        durable = {"notifications": {"eventGrid": grid}, "storageProvider": {"type": provider}}
        bundle = {"id": "x", "version": "1"}
        document = {"version": "2.0", "extensions": {"durableTask": durable}}
        host_json.build_host_settings({**document, "extensionBundle": bundle}, {"Key": "secret"})
    return {
        path.removeprefix(DURABLE).replace(":", ".")
        for path in found
        if path not in {"", "extensions"} and f"{path}:" != DURABLE
    } - set(WITHOUT_A_ROW)


def host_json_rows():
    text = read("docs/settings.md")
    return [row for title in HOST_JSON for row in rows(section(text, title))]


def test_every_setting_has_a_row(asked):
    documented = set(host_json_rows())
    assert asked - documented == set()
    assert set(KEYS) - documented == set()


def test_every_row_of_the_settings_is_a_setting(asked):
    documented = host_json_rows()
    assert len(documented) == len(set(documented))
    assert set(documented) - asked - set(KEYS) - set(NOT_READ) == set()


def test_every_setting_is_among_the_features():
    features = rows(section(read("docs/compatibility.md"), "Settings"))
    assert sorted(features) == sorted(KEYS)


def options(command):
    """The names of each option; one of them is enough for the docs."""
    found = [one for one in command.params if isinstance(one, click.Option)]
    return [{name for name in one.opts if name.startswith("--")} for one in found]


def test_every_option_of_start_has_a_row_in_the_readme():
    named = {row.partition(" ")[0] for row in rows(read("README.md"))}
    spelled = options(cli.commands["start"])
    assert [names for names in spelled if not names & named] == []
    assert named - set().union(*spelled) == set()


def test_every_command_and_its_options_are_in_the_docs():
    text = "".join(read(path) for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    for name, command in cli.commands.items():
        assert f"durahost {name}" in text
        assert [names for names in options(command) if not any(n in text for n in names)] == []


def routes():
    """The management API's, from the tables that dispatch them."""
    yield "POST /orchestrators/{functionName}"
    yield "POST /orchestrators/{functionName}/{instanceId}"
    yield "POST /instances/{instanceId}/raiseEvent/{eventName}"
    yield "GET /entities"
    yield "GET /entities/{entityName}/{entityKey}"
    yield "POST /entities/{entityName}/{entityKey}"
    yield "POST /makeprimary"
    yield from (f"{method} /instances" for method in durable_api._LISTS)
    yield from (f"{method} /instances/{{instanceId}}" for method in durable_api._INSTANCE)
    for operation in durable_api._OPERATIONS:
        yield f"POST /instances/{{instanceId}}/{operation}"


def test_every_route_is_among_the_features():
    features = rows(section(read("docs/compatibility.md"), "Management API"))
    assert [route for route in routes() if route not in features] == []


def test_every_endpoint_of_the_host_is_among_the_features():
    features = rows(section(read("docs/compatibility.md"), "Functions host"))
    titles = [route.title for route in Target().admin.routes]
    assert len(titles) >= 10
    assert [title for title in titles if title not in features] == []


def test_every_endpoint_of_the_host_is_in_the_docs():
    text = read("docs/admin.md")
    assert [route.path for route in Target().admin.routes if f"`{route.title}`" not in text] == []
