"""The child in an environment that holds the app's packages only, on the oldest Python there is."""

import sys
from pathlib import Path

import pytest
from environments import environment, interpreter

from durahost.worker.base import HttpData, Returned, TypedData

pytestmark = [pytest.mark.slow, pytest.mark.feature("Functions host", "The app's own interpreter")]

OLDEST = "3.10"
PACKAGES = ("azure-functions", "azure-functions-durable>=1.7,<2")


@pytest.fixture(scope="module")
def app_python():
    """An environment of the oldest supported interpreter, or of the one that runs the tests."""
    return environment(".venv-apps", interpreter(OLDEST) or sys.executable, *PACKAGES)


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
