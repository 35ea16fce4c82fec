"""Apps in a temporary folder, and workers that are drained whatever a test does."""

import os
import sys
import textwrap
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from durahost.model.functions import Binding, FunctionMetadata
from durahost.model.ids import InvocationId
from durahost.worker.base import AppSource, Invocation
from durahost.worker.inprocess import InProcessWorker
from durahost.worker.process import ProcessWorker

HTTP = (
    {"name": "req", "type": "httpTrigger", "direction": "in"},
    {"name": "$return", "type": "http", "direction": "out"},
)
ACTIVITY = ({"name": "value", "type": "activityTrigger", "direction": "in"},)
ORCHESTRATOR = ({"name": "context", "type": "orchestrationTrigger", "direction": "in"},)
ENTITY = ({"name": "context", "type": "entityTrigger", "direction": "in"},)


class AppBuilder:
    """Writes a folder-model app."""

    http, activity, orchestrator, entity = HTTP, ACTIVITY, ORCHESTRATOR, ENTITY

    def __init__(self, root):
        self.root = root
        self._functions = []

    def write(self, path, source):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(source))
        return file

    def add(self, name, source, bindings=HTTP, *, script=None, entry_point=""):
        file = self.write(script or f"{name}/__init__.py", source)
        self._functions.append(
            FunctionMetadata(
                name=name,
                directory=self.root / name,
                script_file=file,
                entry_point=entry_point,
                bindings=[
                    Binding(one["name"], one["type"], one["direction"], one) for one in bindings
                ],
            )
        )
        return self

    @property
    def source(self):
        return AppSource(self.root, list(self._functions))

    def call(self, name, invocation_id="11111111-2222-3333-4444-555555555555", **inputs):
        return Invocation(InvocationId(invocation_id), name, inputs)


class Logs(list):
    """A log sink that remembers."""

    def __call__(self, log):
        self.append(log)

    @property
    def messages(self):
        return [log.message for log in self]


@pytest.fixture
def app(tmp_path):
    root = tmp_path / "app"
    root.mkdir()
    return AppBuilder(root.resolve())


@pytest.fixture
def logs():
    return Logs()


@pytest.fixture
async def processes(logs):
    """Makes process workers."""
    async with AsyncExitStack() as stack:

        def make(interpreter=sys.executable, environ=os.environ, **options):
            worker = ProcessWorker(interpreter, environ, logs, **options)
            stack.push_async_callback(worker.drain, timedelta())
            return worker

        yield make


@pytest.fixture(params=["process", "in process"])
async def worker(request, logs, processes):
    """One of each kind."""
    if request.param == "process":
        yield processes()
        return
    inside = InProcessWorker(logs)
    yield inside
    await inside.drain(timedelta())
