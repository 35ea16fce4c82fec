"""Which Python runs the app, in order of precedence."""

import os
import sys

import pytest

from durahost.model.errors import ConfigError
from durahost.worker.interpreter import find_interpreter

pytestmark = pytest.mark.feature("Functions host", "The app's own interpreter")


SETTING = "languageWorkers__python__defaultExecutablePath"


@pytest.fixture
def environment(tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return python


def test_the_option_wins(environment):
    environ = {"VIRTUAL_ENV": str(environment.parent.parent), SETTING: "/nowhere"}
    assert find_interpreter(sys.executable, environ) == sys.executable


def test_then_the_active_environment(environment):
    environ = {"VIRTUAL_ENV": str(environment.parent.parent), SETTING: "/nowhere"}
    assert find_interpreter(None, environ) == str(environment)


@pytest.mark.parametrize("name", [SETTING, SETTING.replace("__", ":")])
def test_then_the_setting(environment, name):
    assert find_interpreter(None, {name: str(environment)}) == str(environment)


def test_else_our_own(tmp_path):
    assert find_interpreter(None, {"VIRTUAL_ENV": str(tmp_path)}) == sys.executable
    assert find_interpreter("", {}) == sys.executable


def test_a_named_interpreter_that_is_not_there_is_an_error(tmp_path):
    missing = os.fspath(tmp_path / "python")
    with pytest.raises(ConfigError, match="--python") as caught:
        find_interpreter(missing, {})
    assert "3.10" in caught.value.advice
    with pytest.raises(ConfigError, match=SETTING):
        find_interpreter(None, {SETTING: missing})
