"""A function's script as far as it can be read without running it: its entry point and imports.

The host never imports the app's code; what cannot be parsed here is left to the worker to tell.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from durahost.model.functions import FunctionMetadata

DEFAULT_ENTRY_POINT = "main"
Def = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Script:
    """One parsed script."""

    path: Path
    tree: ast.Module

    @classmethod
    def read(cls, path: Path) -> "Script | None":
        """The script; None when it cannot be read or is not this Python's."""
        try:
            return cls(path, ast.parse(path.read_bytes(), str(path)))
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    @cached_property
    def functions(self) -> dict[str, Def]:
        """Functions at the top level by name; the last of a name counts."""
        return {
            node.name: node
            for node in self.tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }

    def entry_point(self, function: FunctionMetadata) -> Def | None:
        """The undecorated def that is called; None when that is something else."""
        return self.functions.get(function.entry_point or DEFAULT_ENTRY_POINT)

    def created(self, function: FunctionMetadata) -> Def | None:
        """The def given to `create` in `main = df.Orchestrator.create(f)`; None when none is."""
        name = function.entry_point or DEFAULT_ENTRY_POINT
        for node in self.tree.body:
            match node:
                case ast.Assign(
                    targets=[ast.Name(id=target)],
                    value=ast.Call(
                        func=ast.Attribute(attr="create"), args=[ast.Name(id=argument), *_]
                    ),
                ) if target == name:
                    return self.functions.get(argument)
                case _:
                    pass
        return None

    def imports(self) -> Iterator[tuple[int, str, ast.stmt]]:
        """Each imported name as (level of the relative import, dotted name, the statement)."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((0, one.name, node) for one in node.names)
            elif isinstance(node, ast.ImportFrom):
                if node.module:
                    yield node.level, node.module, node
                yield from (
                    (node.level, f"{node.module}.{one.name}" if node.module else one.name, node)
                    for one in node.names
                )


def own_nodes(function: Def) -> Iterator[ast.AST]:
    """The nodes of a function's body without those of the functions and classes within."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
