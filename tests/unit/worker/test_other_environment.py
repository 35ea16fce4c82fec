"""The child in an environment that holds the app's packages only, on the oldest Python there is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from durahost.worker.base import HttpData, Returned, TypedData

pytestmark = [pytest.mark.slow, pytest.mark.feature("Functions host", "The app's own interpreter")]

OLDEST = "3.10"


def oldest_python():
    """The oldest supported interpreter of the machine, else the one that runs the tests."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = [f"python{OLDEST}", *map(str, pyenv.glob(f"versions/{OLDEST}.*/bin/python"))]
    for candidate in candidates:
        try:
            subprocess.run([candidate, "-c", ""], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    return sys.executable


@pytest.fixture(scope="session")
def app_python(tmp_path_factory):
    """The interpreter of a virtual environment with azure-functions and azure-functions-durable."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([oldest_python(), "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    packages = ["azure-functions", "azure-functions-durable>=1.7,<2"]
    installed = subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages],
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode:
        pytest.skip(f"pip cannot install the app's packages: {installed.stderr.strip()}")
    return str(python)


async def test_the_app_runs_without_durahost_in_its_environment(processes, app, app_python):
    app.add(
        "hello",
        """
        import importlib.util, sys
        import azure.functions as func

        def main(req: func.HttpRequest) -> func.HttpResponse:
            absent = importlib.util.find_spec("durahost") is None
            return func.HttpResponse(f"{absent} {sys.prefix} {sys.version_info[1]}")
        """,
    )
    app.add("activity", "def main(value: str): return value.upper()", app.activity)
    app.add(
        "sequence",
        """
        import azure.durable_functions as df

        def steps(context):
            yield context.call_activity("activity", "a")

        main = df.Orchestrator.create(steps)
        """,
        app.orchestrator,
    )
    app.add("bad", "import not_there")
    worker = processes(interpreter=app_python)
    loaded = await worker.load(app.source)
    assert [function.name for function in loaded.functions] == ["hello", "activity", "sequence"]
    assert app_python in loaded.failures[0].advice
    request = TypedData("http", HttpData(method="GET", url="http://localhost/"))
    result = await worker.invoke(app.call("hello", req=request), deadline_s=20)
    absent, prefix, _ = result.value.value.body.decode().split()
    assert (absent, prefix) == ("True", str(Path(app_python).parent.parent))
    call = app.call("activity", value=TypedData("string", '"x"'))
    assert await worker.invoke(call, deadline_s=20) == Returned(TypedData("json", '"X"'))
