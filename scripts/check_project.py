"""Checks that no tool has: the version's changelog entry, and the sizes of files and functions."""

import ast
import re
import sys
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "host" / "durahost").rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 600, 60
MEDIAN_FILE, P90_FILE, P90_FUNCTION = 150, 400, 30


def function_sizes(path: Path) -> list[tuple[str, int]]:
    """Lines of each function without its docstring."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            has_text = ast.get_docstring(node) is not None and isinstance(first, ast.Expr)
            start = (first.end_lineno or first.lineno) if has_text else node.lineno
            found.append((f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or 0) - start))
    return found


def check_sizes() -> list[str]:
    """The budgets of the house style."""
    files = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    functions = [one for path in SOURCES for one in function_sizes(path)]
    problems = [f"{path}: {n} lines" for path, n in files.items() if n > LONGEST_FILE]
    problems += [f"{name}: {n} lines" for name, n in functions if n > LONGEST_FUNCTION]
    figures = {
        "median file": (median(files.values()), MEDIAN_FILE),
        "90 % of files": (quantiles(files.values(), n=10)[8], P90_FILE),
        "90 % of functions": (quantiles([n for _, n in functions], n=10)[8], P90_FUNCTION),
    }
    for what, (n, limit) in figures.items():
        if n > limit:
            problems.append(f"{what}: {n:.0f} lines, budget {limit}")
    shown = ", ".join(f"{what} {n:.0f}" for what, (n, _) in figures.items())
    print(f"Sizes: {len(files)} files, {len(functions)} functions; lines: {shown}")
    return problems


def check_version() -> list[str]:
    """The package's version has an entry in the changelog."""
    source = (ROOT / "host" / "durahost" / "__init__.py").read_text(encoding="utf-8")
    version = re.search(r'__version__ = "(.+)"', source)
    assert version is not None
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if f"## [{version[1]}]" in changelog:
        return []
    return [f"CHANGELOG.md has no entry for version {version[1]}"]


def main() -> None:
    """Print every problem; exit 1 when there is one."""
    problems = check_sizes() + check_version()
    print("\n".join(problems) or "Project checks passed")
    sys.exit(bool(problems))


main()
