"""One orchestrator of the known SDK that lives on: fed with the new events alone, it answers as a
replay of all of them would, but for the actions it has listed before.

What the SDK does at each replay with a fresh context, executor and generator is done once here, and
its own `process_event` goes on from there; no line of the installed SDK changes. What a replay sees
of the past is kept true: events of earlier episodes count as played, and so do the tasks that they
ended. Only `finally` blocks, prints and the like of earlier steps do not run again.
Source: Azure/azure-functions-durable-python: orchestrator.py (create), models/
TaskOrchestrationExecutor.py (execute, process_event, set_task_value, get_orchestrator_state_str),
models/DurableOrchestrationContext.py (_add_to_open_tasks, _actions).
"""

import functools
import importlib.metadata
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any

logger = logging.getLogger("azure_functions_worker")

PACKAGE, KNOWN_VERSIONS = "azure-functions-durable", frozenset({"1.7.0"})
SDK = "azure.durable_functions"
HANDLE = "Orchestrator.create.<locals>.handle"

WRITTEN_BY_EPISODES = frozenset({1, 4, 7, 10, 12, 13, 14, 16})
"""Event types that are never played: an episode writes them, all others arrive as messages."""

RELIED_ON: Mapping[str, Mapping[str, Sequence[str]]] = {
    f"{SDK}.orchestrator": {"Orchestrator": ("handle",)},
    f"{SDK}.models.TaskOrchestrationExecutor": {
        "TaskOrchestrationExecutor": (
            "execute", "process_event", "set_task_value", "resume_user_code",
            "get_orchestrator_state_str", "is_task_completion_event",
        ),
    },
    f"{SDK}.models.DurableOrchestrationContext": {
        "DurableOrchestrationContext": ("_add_to_open_tasks", "_add_to_actions"),
    },
    f"{SDK}.models.history.HistoryEvent": {"HistoryEvent": ("__init__",)},
}  # fmt: skip
"""Methods that must be the SDK's own: where something has wrapped one, each episode is a replay."""


def begin(call: Callable[..., Any], body: str, sites: list[str | None]) -> "Live | None":
    """Make ready to live what the SDK made of a generator function; None for anything else."""
    if not isinstance(call, FunctionType) or call.__qualname__ != HANDLE:
        return None
    if call.__module__ != f"{SDK}.orchestrator" or not _is_known():
        return None
    cells = dict(zip(call.__code__.co_freevars, call.__closure__ or (), strict=True))
    context = _member("models.DurableOrchestrationContext").from_json(body)
    # As the SDK's own handle does.
    context._input_expected_type = getattr(call, "_df_input_type", None)
    orchestrator = _member("orchestrator", "Orchestrator")(cells["fn"].cell_contents)
    return Live(orchestrator, context, sites)


class Live:
    """An orchestrator after the events it was given.

    kept: how many actions at the beginning of its list the last answer leaves out. sites: where
    each listed action was asked for.
    """

    def __init__(self, orchestrator: Any, context: Any, sites: list[str | None]) -> None:
        self.kept = 0
        self.sites = sites
        self._orchestrator = orchestrator
        self._context = context
        self._executor = orchestrator.task_orchestration_executor
        self._listed = 0
        self._timers: dict[int, Any] = {}
        self._ended: list[Any] = []
        self._fresh: list[Any] = list(context.histories)
        self._set_task_value = self._executor.set_task_value
        self._executor.set_task_value = self._note_and_set

    @property
    def events(self) -> int:
        """How many events it holds."""
        return len(self._context.histories)

    @property
    def is_alive(self) -> bool:
        """Whether it waits for more; what has ended answers no differently to more events."""
        executor = self._executor
        return (
            hasattr(executor, "generator")
            and not executor.has_execution_completed
            and self._context._replay_schema.value > 0
        )

    def answer(self, text: str | None) -> Any:
        """Process the events of this JSON array; None: those of the context, as the SDK does.

        Errors: what the SDK raises. After one the orchestrator is of no use any more.
        """
        self.kept = 0
        if text is None:
            try:
                return self._orchestrator.handle(self._context)
            finally:
                self._note_listed()
        self._age()
        make = _member("models.history.HistoryEvent")
        self._fresh = [make(**fields) for fields in json.loads(text)]
        self._context.histories.extend(self._fresh)
        for event in self._fresh:
            self._executor.process_event(event)
            if self._executor.has_execution_completed:
                break
        return self._state()

    def close(self) -> None:
        """Leave the code where it waits, as the end of each replay does; its `finally` runs."""
        try:
            self._executor.generator.close()
        except Exception:
            logger.exception("an orchestrator that is not needed any more did not end")

    def _age(self) -> None:
        """What was new at the last call is past: a replay would show it as played."""
        for event in self._fresh:
            if event.event_type not in WRITTEN_BY_EPISODES:
                event._is_played = True
        for task in self._ended:
            while task is not None:
                task.set_is_played(True)
                task = task.parent
        self._ended.clear()

    def _state(self) -> Any:
        """The SDK's state text, of the actions that are new; of all, when an old one changed."""
        context, listed = self._context, self._context._action_payload_v2
        has_changed = any(timer.is_cancelled for timer in self._timers.values())
        self.kept = 0 if has_changed else self._listed
        context._action_payload_v2 = listed[self.kept :]
        try:
            return self._executor.get_orchestrator_state_str()
        finally:
            context._action_payload_v2 = listed
            self._note_listed()

    def _note_listed(self) -> None:
        """A timer that is listed may be cancelled until it fires: the only change of an action."""
        listed = self._context._action_payload_v2
        self._timers.update((id(one), one) for one in _timers(listed[self._listed :]))
        self._timers = {key: one for key, one in self._timers.items() if not one.is_cancelled}
        self._listed = len(listed)

    def _note_and_set(self, event: Any, is_success: bool, id_key: str) -> None:
        """Stands for the executor's set_task_value, which tells nobody what it ended."""
        waiting = self._context.open_tasks.get(getattr(event, id_key))
        task = (waiting or [None])[-1] if isinstance(waiting, list) else waiting
        self._set_task_value(event, is_success, id_key)
        if task is not None:
            self._ended.append(task)
            self._timers.pop(id(task.action_repr), None)


def _timers(actions: Iterable[Any]) -> Iterator[Any]:
    for action in actions:
        yield from _timers(getattr(action, "compound_tasks", ()))
        if hasattr(action, "is_cancelled"):
            yield action


def _member(path: str, name: str | None = None) -> Any:
    return getattr(sys.modules[f"{SDK}.{path}"], name or path.rpartition(".")[2])


def _is_known() -> bool:
    return _version() in KNOWN_VERSIONS and all(
        _is_own(module, member, method)
        for module, members in RELIED_ON.items()
        for member, methods in members.items()
        for method in methods
    )


@functools.cache
def _version() -> str | None:
    try:
        return importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return None


def _is_own(module: str, member: str, method: str) -> bool:
    found = sys.modules.get(module)
    function = getattr(getattr(found, member, None), method, None)
    if not isinstance(function, FunctionType):
        return False
    return function.__code__.co_filename == getattr(found, "__file__", None)
