"""Worker extensions of azure-functions 1.x: hooks around loading and calling functions."""

import json
import os
import sys

import azure.functions as func
import pytest

from durahost.worker.base import TypedData

pytestmark = [
    pytest.mark.feature("Functions host", "Worker extensions of azure-functions 1.x"),
    pytest.mark.skipif(
        sys.version_info >= (3, 13) or not hasattr(func, "AppExtensionBase"),
        reason="the platform's worker has none from Python 3.13 on",
    ),
]

SETTING = "PYTHON_ENABLE_WORKER_EXTENSIONS"
EXTENSION = """
import azure.functions as func

told = []

class OfApp(func.AppExtensionBase):
    @classmethod
    def init(cls): told.append("init")
    @classmethod
    def post_function_load_app_level(cls, function_name, function_directory):
        told.append(f"app loaded {function_name} {function_directory.rpartition('/')[2]}")
    @classmethod
    def pre_invocation_app_level(cls, logger, context, func_args):
        logger.info("before %s", context.function_name)
        told.append("app before")
        func_args["value"] = "changed"
    @classmethod
    def post_invocation_app_level(cls, logger, context, func_args, func_ret):
        told.append(f"app after {func_ret}")

class Broken(func.AppExtensionBase):
    @classmethod
    def init(cls): pass
    @classmethod
    def pre_invocation_app_level(cls, logger, context, func_args):
        raise RuntimeError("broken hook")

class OfFunction(func.FuncExtensionBase):
    def __init__(self, file_path):
        super().__init__(file_path)
    def post_function_load(self, function_name, function_directory):
        told.append(f"loaded {function_name}")
    def pre_invocation(self, logger, context, func_args):
        told.append("before")
    def post_invocation(self, logger, context, func_args, func_ret):
        told.append("after")
"""
FUNCTION = "from extension import OfFunction, told\nOfFunction(__file__)\n"


@pytest.fixture
def extended(processes, app):
    """Loads an app with extensions; `set` is the setting's text."""

    async def load(set_to):
        app.write("extension.py", EXTENSION)
        app.add(
            "sync", f"{FUNCTION}def main(value): told.append('runs'); return value", app.activity
        )
        app.add("later", "async def main(value): return value", app.activity)
        app.add("fails", "def main(value): raise ValueError(value)", app.activity)
        app.add(
            "told", "from extension import told\ndef main(value): return list(told)", app.activity
        )
        environ = {**os.environ, SETTING: set_to, "AzureWebJobsScriptRoot": str(app.root)}
        worker = processes(environ=environ)
        loaded = await worker.load(app.source)
        assert loaded.failures == []
        return worker

    return load


async def outcome(worker, app, name):
    call = app.call(name, value=TypedData("string", "given"))
    return await worker.invoke(call, deadline_s=20)


async def told(worker, app):
    return json.loads((await outcome(worker, app, "told")).value.value)


async def test_hooks_run_in_the_worker_s_order_and_may_change_arguments(extended, app, logs):
    worker = await extended("1")
    loading = ["init", "loaded sync", "app loaded sync sync"]
    others = [f"app loaded {name} {name}" for name in ("later", "fails", "told")]
    assert await told(worker, app) == [*loading, *others, "app before"]
    result = await outcome(worker, app, "sync")
    assert result.value == TypedData("json", '"changed"')
    calls = (await told(worker, app))[-6:-1]
    assert calls == ["app before", "before", "runs", "after", "app after changed"]
    assert [log.category for log in logs if log.message == "before sync"] == [
        "azure_functions_worker.extension.OfApp"
    ]


async def test_hooks_run_around_async_functions(extended, app):
    worker = await extended("yes")
    assert (await outcome(worker, app, "later")).value == TypedData("json", '"changed"')
    assert (await told(worker, app))[-3:-1] == ["app before", "app after changed"]


async def test_a_function_that_raises_has_no_hook_after_it(extended, app):
    worker = await extended("true")
    assert (await outcome(worker, app, "fails")).wire_message == "ValueError: changed"
    assert (await told(worker, app))[-2:] == ["app before", "app before"]


async def test_a_hook_that_raises_is_logged_and_the_call_goes_on(extended, app, logs):
    worker = await extended("1")
    await outcome(worker, app, "later")
    (log, *_) = [log for log in logs if log.category.endswith(".extension.Broken")]
    assert log.message.startswith("broken hook\nTraceback")


async def test_without_the_setting_no_hook_runs(extended, app):
    worker = await extended("0")
    assert (await outcome(worker, app, "sync")).value == TypedData("json", '"given"')
    assert await told(worker, app) == ["init", "runs"]
