"""Where an orchestrator asked for each of its actions, as `file:line`, for the developer's log.

The SDK keeps the actions of one call in lists of its context; they are replaced by lists that note
the line whenever an action is added, so that the two always have the same order and length. The
generator itself is handed on as it is: no frame of ours stands between the SDK and user code.
The SDK is never imported here; an object without the expected members has no sites.
Source: Azure/azure-functions-durable-python: orchestrator.py (create), models/
DurableOrchestrationContext.py (_add_to_actions), models/TaskOrchestrationExecutor.py (execute).
"""

import contextlib
import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import FrameType, GeneratorType
from typing import Any

ACTION_LISTS = ("_action_payload_v1", "_action_payload_v2")
"""Of the context: one batch per yield under replay schema V1, one action each under the others."""

SDK = "azure.durable_functions"

_noting: ContextVar[list[str | None] | None] = ContextVar("sites", default=None)


@contextlib.contextmanager
def note_sites(sites: list[str | None]) -> Iterator[None]:
    """Have the orchestrator that is called in this block fill `sites`."""
    token = _noting.set(sites)
    try:
        yield
    finally:
        _noting.reset(token)


def watch(call: Callable[..., Any], root: str) -> None:
    """Let the function note its sites, if it is what the SDK made of a generator function.

    root: files below it are named relative to it.
    """
    orchestrator = getattr(call, "orchestrator_function", None)
    if not inspect.isgeneratorfunction(orchestrator):
        return
    for cell in getattr(call, "__closure__", None) or ():
        with contextlib.suppress(ValueError):  # an empty cell
            if cell.cell_contents is orchestrator:
                cell.cell_contents = _noted(orchestrator, _Names(root))


def _noted(orchestrator: Callable[..., Any], names: "_Names") -> Callable[..., Any]:
    @functools.wraps(orchestrator)
    def begin(context: Any) -> Any:
        generator = orchestrator(context)
        sites = _noting.get()
        if sites is not None:
            for name in ACTION_LISTS:
                if getattr(context, name, None) == []:
                    setattr(context, name, _Actions(generator, sites, names))
        return generator

    return begin


class _Names(dict[tuple[str, int], str]):
    """The text of each place, by file and line, made once."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self._start = os.path.join(root, "")

    def __missing__(self, place: tuple[str, int]) -> str:
        file, line = place
        if file.startswith(self._start):
            file = file[len(self._start) :].replace(os.sep, "/")
        text = self[place] = f"{file}:{line}"
        return text


class _Actions(list[Any]):
    """A list of actions that notes where the generator stands when one is added."""

    def __init__(self, generator: Any, sites: list[str | None], names: _Names) -> None:
        super().__init__()
        self._generator = generator
        self._sites = sites
        self._names = names

    def append(self, action: Any) -> None:
        """Add the action."""
        super().append(action)
        frame = _frame(self._generator)
        self._sites.append(frame and self._names[frame.f_code.co_filename, frame.f_lineno])


def _frame(generator: Any) -> FrameType | None:
    """Where the generator waits, or, while it runs, the caller of the SDK; None when it ended."""
    if generator.gi_running:
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and str(frame.f_globals.get("__name__")).startswith(SDK):
            frame = frame.f_back
        return frame
    inner = generator.gi_yieldfrom
    while isinstance(inner, GeneratorType):
        generator, inner = inner, inner.gi_yieldfrom
    found: FrameType | None = generator.gi_frame
    return found
