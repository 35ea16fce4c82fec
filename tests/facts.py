"""Facts that a test elsewhere proves: the row's words, and the test that must be there."""

import ast
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent


@dataclass(frozen=True)
class Fact:
    """A surprising fact of the platform. file: below `tests`."""

    row: str
    file: str
    test: str


def facts(rows):
    """Facts from file → pairs of row and test."""
    return [Fact(row, file, test) for file, pairs in rows.items() for row, test in pairs]


def assert_test_exists(fact):
    """The named test is defined in the named file."""
    module = ast.parse((TESTS / fact.file).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    names = {node.name for node in module.body if isinstance(node, functions)}
    assert fact.test in names, f"{fact.file} has no {fact.test}, which proves: {fact.row}"
