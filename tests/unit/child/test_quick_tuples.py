"""The SDK's class of named tuples is made once, where the SDK is the known one."""

import sys
from collections import namedtuple
from types import ModuleType

import pytest
from azure.durable_functions.models.TaskOrchestrationExecutor import TaskOrchestrationExecutor

from durahost.child import quick_tuples

MODULE = sys.modules[quick_tuples.EXECUTORS]


@pytest.fixture(autouse=True)
def stock_maker(monkeypatch):
    """Whatever a host in this process has installed: the SDK as it is on disk, put back after."""
    monkeypatch.setattr(MODULE, "namedtuple", namedtuple)


def kinds(executor):
    return {type(one) for one in executor.event_to_SetTaskValuePayload.values()}


def test_executors_share_one_class_and_their_table_is_the_same():
    before = TaskOrchestrationExecutor()
    assert kinds(before) != kinds(TaskOrchestrationExecutor())
    assert quick_tuples.install()
    one, other = TaskOrchestrationExecutor(), TaskOrchestrationExecutor()
    assert kinds(one) == kinds(other)
    assert one.event_to_SetTaskValuePayload is not other.event_to_SetTaskValuePayload
    assert one.event_to_SetTaskValuePayload == before.event_to_SetTaskValuePayload
    (kind,) = kinds(one)
    assert kind._fields == ("is_success", "task_id_key")


def test_it_is_installed_once():
    assert quick_tuples.install()
    installed = MODULE.namedtuple
    assert not quick_tuples.install()
    assert MODULE.namedtuple is installed


def test_without_the_sdk_nothing_is_done(monkeypatch):
    monkeypatch.delitem(sys.modules, quick_tuples.EXECUTORS)
    assert not quick_tuples.install()


CLASS = "class TaskOrchestrationExecutor:\n    def __init__(self):\n"
TABLE = "        self.event_to_SetTaskValuePayload = "
OTHERS = {
    "makes no class": CLASS + TABLE + "{}\n",
    "has another maker": "namedtuple = type\n" + CLASS + TABLE + "namedtuple('P', (), {})\n",
    "has no executors": "",
    "was built in": "TaskOrchestrationExecutor = int\n",
    "has no table": CLASS + "        namedtuple('P', 'a')\n",
    "names its fields in a list": CLASS + TABLE + "{1: namedtuple('P', ['a'])(1)}\n",
    "looks at its maker": CLASS + TABLE + "{1: namedtuple('P', 'a'), 2: type(namedtuple)}\n",
}


@pytest.mark.parametrize("source", OTHERS.values(), ids=OTHERS)
def test_an_sdk_that_is_built_otherwise_keeps_its_maker(source, monkeypatch):
    module = ModuleType(quick_tuples.EXECUTORS)
    vars(module)["namedtuple"] = namedtuple
    exec(source, vars(module))
    before = module.namedtuple
    monkeypatch.setitem(sys.modules, quick_tuples.EXECUTORS, module)
    assert not quick_tuples.install()
    assert module.namedtuple is before
