"""The child runs on Python 3.10: its syntax, and nothing but the standard library."""

import ast
import sys
from pathlib import Path

import pytest

import durahost.child

FILES = sorted(Path(durahost.child.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_parses_as_3_10_and_imports_the_standard_library_only(file):
    tree = ast.parse(file.read_text(), file.name, feature_version=(3, 10))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            imported.add(node.module.partition(".")[0])
    assert imported <= sys.stdlib_module_names


def test_no_module_hides_one_of_the_standard_library():
    """The bootstrap's folder is on the path until its first line has run."""
    assert not {file.stem for file in FILES} & sys.stdlib_module_names
