"""What loading apps changes in this process, undone when the last of them ends.

A reload stands beside the generation that it replaces: its code is imported afresh, and when it is
not wanted, the modules of the older one come back, for what finds classes by a module's name.
"""

import importlib
import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from durahost.child.failures import is_of_app

NAMESPACE = "__app__"
OURS = __name__.partition(".")[0]


@dataclass
class _Guest:
    """One loaded app. replaced: modules of the one before it, while that stands."""

    root: Path
    handler: logging.Handler
    replaced: dict[str, ModuleType] = field(default_factory=dict)


class Surroundings:
    """The path, the root logger and the modules of this process, shared by the apps in it."""

    def __init__(self) -> None:
        self._guests: list[_Guest] = []
        self._path: list[str] = []
        self._modules: frozenset[str] = frozenset()
        self._level = logging.NOTSET
        self._is_writing_bytecode = False
        self._logger = logging.getLogger()

    def enter(self, root: Path, handler: logging.Handler) -> None:
        """An app is about to be loaded: nothing that it imports is there yet."""
        guest = _Guest(root, handler)
        if self._guests:
            guest.replaced = self._take_modules(root)
        else:
            self._note()
        self._guests.append(guest)
        self._logger.addHandler(handler)
        self._logger.setLevel(min(self._level or logging.INFO, logging.INFO))

    def leave(self, handler: logging.Handler) -> None:
        """The app of this handler has ended, or was not loaded."""
        self._logger.removeHandler(handler)
        place = next(i for i, guest in enumerate(self._guests) if guest.handler is handler)
        guest = self._guests.pop(place)
        if place < len(self._guests):
            # Its modules are out of the way already; nobody needs them any more.
            self._guests[place].replaced = guest.replaced
            return
        self._take_modules(guest.root)
        if self._guests:
            sys.modules.update(guest.replaced)
        else:
            self._restore()
        importlib.invalidate_caches()

    def _note(self) -> None:
        self._path = list(sys.path)
        self._modules = frozenset(sys.modules)
        self._level = self._logger.level
        self._is_writing_bytecode = not sys.dont_write_bytecode
        # A source edited twice within a second would be taken for its stale bytecode on reload.
        sys.dont_write_bytecode = True

    def _restore(self) -> None:
        sys.path[:] = self._path
        self._logger.setLevel(self._level)
        sys.dont_write_bytecode = not self._is_writing_bytecode

    def _take_modules(self, root: Path) -> dict[str, ModuleType]:
        """Remove the app's modules; what still runs keeps them alive."""
        names = [name for name in set(sys.modules) - self._modules if self._is_of_app(name, root)]
        return {name: sys.modules.pop(name) for name in names}

    def _is_of_app(self, name: str, root: Path) -> bool:
        """Whether the module's file, or a folder of a package without one, is the app's."""
        top = name.partition(".")[0]
        if top in (NAMESPACE, OURS):
            return top == NAMESPACE
        module = sys.modules[name]
        places = [getattr(module, "__file__", None), *(getattr(module, "__path__", None) or ())]
        return any(place and is_of_app(Path(place), root) for place in places)
