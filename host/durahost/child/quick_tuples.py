"""The SDK's class of named tuples, made once: making one anew is most of a short replay's cost.

`TaskOrchestrationExecutor` of azure-functions-durable, of which each replay has one, calls a global
of its module, `collections.namedtuple`, to fill a table that is always the same. In this process
alone that global is replaced by one that gives the class it gave before.
Nothing is replaced when the SDK is not built like that, or its table comes out otherwise.
Source: Azure/azure-functions-durable-python: models/TaskOrchestrationExecutor.py (__init__).
"""

import functools
import sys
from collections import namedtuple
from types import FunctionType
from typing import Any

EXECUTORS = "azure.durable_functions.models.TaskOrchestrationExecutor"


def install() -> bool:
    """Replace the maker of classes if the app has imported an SDK that is known; whether it did."""
    executors: Any = sys.modules.get(EXECUTORS)
    begin = getattr(getattr(executors, "TaskOrchestrationExecutor", None), "__init__", None)
    if getattr(executors, "namedtuple", None) is not namedtuple or not _is_known(executors, begin):
        return False
    before = _table(executors)
    executors.namedtuple = functools.lru_cache(namedtuple)
    if before is None or before != _table(executors):
        executors.namedtuple = namedtuple
        return False
    return True


def _is_known(executors: Any, begin: Any) -> bool:
    """Whether the executor makes its class by the global that is to be replaced."""
    return (
        isinstance(begin, FunctionType)
        and begin.__globals__ is vars(executors)
        and "namedtuple" in begin.__code__.co_names
    )


def _table(executors: Any) -> Any:
    try:
        return executors.TaskOrchestrationExecutor().event_to_SetTaskValuePayload
    except Exception:  # noqa: BLE001  # another SDK's: whatever it says, it is not the known one
        return None
