"""`durahost start` imports what its next step needs and no more.

What stands in these lists takes long to import. It is looked for in a fresh interpreter, as this
one has everything.
"""

import os
import subprocess
import sys

import pytest

COMMAND = "durahost.cli.main"
CHILD_STARTS = ("durahost.starting",)
HOST_SERVES = (*CHILD_STARTS, "durahost.app")

HOST = {
    *("anyio", "h11", "httptools", "starlette", "uvicorn", "watchfiles"),
    *("http.client", "email", "sqlite3", "multiprocessing"),
    *("durahost.app", "durahost.dispatch", "durahost.engine", "durahost.http.front"),
    *("durahost.problems", "durahost.store"),
}
"""The host's own, imported while the child imports the app."""

NEVER = {
    *("aiohttp", "azure.functions", "azure.durable_functions", "croniter", "dateutil", "httpx"),
    *("matplotlib", "numpy", "pathspec", "pytest", "rich", "yaml"),
    *("durahost.child.runtime", "durahost.contract.runner", "durahost.functions.package"),
    *("durahost.worker.inprocess",),
}
"""What only some calls or commands need."""


def imported_by(*modules):
    program = f"import sys, {', '.join(modules)}; print(*sys.modules, sep='\\n')"
    # Measured coverage imports modules of its own.
    environ = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, check=True, env=environ)
    return set(ended.stdout.decode().split())


@pytest.mark.parametrize(
    ("modules", "too_many"), [(CHILD_STARTS, HOST | NEVER), (HOST_SERVES, NEVER)]
)
def test_a_step_of_the_start_imports_no_more_than_it_needs(modules, too_many):
    assert imported_by(COMMAND, *modules) & too_many == set()
