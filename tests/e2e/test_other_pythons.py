"""The host and its child on the other Pythons of this machine: unit tests, and a small app whole.

Each Python has a virtual environment of its own, kept in `.venv-apps/`. What is missing on this
machine is skipped by its name.
"""

import os
import subprocess
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from environments import ROOT, environment, interpreter, needs, overlay

pytestmark = [
    pytest.mark.slow,
    pytest.mark.feature(
        "Functions host", "Python 3.11, 3.12 and 3.13, azure-functions 1.x and 2.x"
    ),
]

LIMIT_S = 300
TOOLS = ("azure-functions-durable>=1.7,<2", "pytest>=8.2", "hypothesis>=6.100", "httpx>=0.27")
UNIT = (
    "tests/unit/child",
    "tests/unit/worker/test_worker.py",
    "tests/unit/worker/test_worker_facts.py",
)
WHOLE = "tests/e2e/test_default_app.py"
SAMPLE = f"{WHOLE}::test_hello_sequence_gives_three_greetings[decorators]"


LIBRARIES = {"3.12": "azure-functions>=1.26,<2", "3.13": "azure-functions>=2,<3"}
"""What each Python's environment has: 1.26 says that it is not for 3.13."""


@dataclass(frozen=True)
class Variant:
    """over: another azure-functions, before the one of the environment."""

    python: str
    tests: tuple[str, ...]
    over: str | None = None

    def __str__(self):
        return f"{self.python} {self.over or LIBRARIES[self.python]}"


VARIANTS = (
    Variant("3.12", (*UNIT, SAMPLE)),
    Variant("3.13", (*UNIT, SAMPLE)),
    # The newest 1.x that does not refuse 3.13; older than what the facts are told of.
    Variant("3.13", ("tests/unit/child", "tests/unit/worker/test_worker.py"), "azure-functions<2"),
)


@pytest.fixture(scope="module")
def runs():
    """What pytest says in each variant that can run here, side by side."""
    present = [variant for variant in VARIANTS if interpreter(variant.python)]
    versions = sorted({variant.python for variant in present})
    with ThreadPoolExecutor(2) as pool:
        pythons = dict(zip(versions, pool.map(_python, versions), strict=True))
        return dict(zip(present, pool.map(lambda one: _run(one, pythons), present), strict=True))


def _python(version):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [one for one in project["dependencies"] if not one.startswith("azure-functions")]
    return environment(".venv-apps", interpreter(version), LIBRARIES[version], *needed, *TOOLS)


def _run(variant, pythons):
    python = pythons[variant.python]
    path = [str(ROOT / "host")]
    if variant.over:
        path.insert(0, overlay(".venv-apps", python, variant.over))
    command = [python, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *variant.tests]
    return subprocess.run(
        command,
        cwd=ROOT,
        # Each child would compile the host's code again, where nobody may keep what was compiled.
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path),
            "PYTHONDONTWRITEBYTECODE": "",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_it_runs_there(runs, variant):
    needs(variant.python)
    ran = runs[variant]
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
