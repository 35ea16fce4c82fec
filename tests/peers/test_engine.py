"""The child beside the platform's own engine for Python 3.13: the same apps, calls and results."""

import asyncio
import base64
import dataclasses
import json
import os
import re
import subprocess
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from environments import environment, needs
from peers.rows import HEAD
from peers.table import ROWS

from durahost.model.errors import AppLoadError
from durahost.model.functions import Binding, FunctionMetadata
from durahost.model.ids import InvocationId
from durahost.worker.base import AppSource, HttpData, Invocation, Raised, TypedData
from durahost.worker.process import ProcessWorker

pytestmark = pytest.mark.slow

PYTHON = "3.13"
PACKAGES = (
    "azure-functions-runtime==1.3.0",
    "azure-functions-runtime-v1==1.2.0",
    "azure-functions-durable>=1.7,<2",
)
ENGINE = Path(__file__).with_name("platform_engine.py")
SCRIPT = "function_app.py"
LIMIT_S = 120

FOLDERS = [row for row in ROWS if row.bindings]
DECORATED = [row for row in ROWS if not row.bindings and not row.fails]
FAILING = [row for row in ROWS if row.fails]

EQUAL = pytest.mark.feature(
    "Functions host", "Results of functions equal those of the platform's engine for Python 3.13"
)


def test_every_row_has_a_name_of_its_own():
    names = [row.name for row in ROWS]
    assert sorted(names) == sorted(set(names))


@pytest.fixture(scope="module")
def apps(tmp_path_factory):
    """The apps on disk: `folders`, `decorated`, and one for each row that fails."""
    root = tmp_path_factory.mktemp("peers").resolve()
    for row in FOLDERS:
        _write(root / "folders" / row.name / "__init__.py", row.code)
    _write(root / "decorated" / SCRIPT, HEAD + "\n".join(row.code for row in DECORATED))
    for row in FAILING:
        _write(root / row.name / SCRIPT, row.code)
    return root


def _write(file, code):
    file.parent.mkdir(parents=True)
    file.write_text(code)


@pytest.fixture(scope="module")
def results(apps):
    """For each row: what the platform's engine makes of it, and what the child does."""
    python = environment(".venv-peers", needs(PYTHON), *PACKAGES)
    return _of_engine(apps, python), asyncio.run(_of_child(apps, python))


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            row,
            id=row.name,
            marks=EQUAL
            if row.differs is None
            else pytest.mark.feature("Functions host", row.differs.feature, row.differs.note),
        )
        for row in ROWS
    ],
)
def test_row(results, row):
    theirs, ours = (of[row.name] for of in results)
    if row.differs is None:
        assert ours == theirs
    else:
        assert ours != theirs, "no difference any more: take it out of the row"


# The platform's engine ----------------------------------------------------------------------------


def _of_engine(apps, python):
    folders = [
        {
            "name": row.name,
            "directory": str(apps / "folders" / row.name),
            "script_file": str(apps / "folders" / row.name / "__init__.py"),
            "entry_point": "main",
            "bindings": row.bindings,
        }
        for row in FOLDERS
    ]
    jobs = [
        {"root": str(apps / "folders"), "functions": folders, "calls": _calls(FOLDERS)},
        {"root": str(apps / "decorated"), "functions": None, "calls": _calls(DECORATED)},
        *({"root": str(apps / row.name), "functions": None, "calls": []} for row in FAILING),
    ]
    ran = subprocess.run(
        [python, str(ENGINE)],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert ran.returncode == 0, ran.stderr
    first, second, *others = json.loads(ran.stdout)
    assert second["failures"] == {}
    found = {}
    for row, outcome in zip(FOLDERS, first["calls"], strict=True):
        failure = first["failures"].get(row.name)
        found[row.name] = {"failed": _plain(failure)} if failure else _tidy(outcome)
    for row, outcome in zip(DECORATED, second["calls"], strict=True):
        found[row.name] = {"indexed": second["indexed"][row.name], **_tidy(outcome)}
    for row, answer in zip(FAILING, others, strict=True):
        found[row.name] = {"failed": _plain(answer["failures"].get(""))}
    return found


def _calls(rows):
    return [_call(row) for row in rows]


def _call(row):
    return {
        "id": "an-id",
        "function": row.name,
        "inputs": {name: _written(value) for name, value in row.inputs.items()},
        "metadata": {name: _written(value) for name, value in row.metadata.items()},
    }


def _written(value):
    if value is None:
        return None
    kind, content = value
    if kind == "http":
        return kind, {**content, "body": base64.b64encode(content["body"]).decode()}
    return kind, base64.b64encode(content).decode() if kind == "bytes" else content


# The child ----------------------------------------------------------------------------------------


async def _of_child(apps, python):
    functions = [_metadata(apps / "folders", row) for row in FOLDERS]
    async with _worker(python) as worker:
        loaded = await worker.load(AppSource(apps / "folders", functions))
        failures = {failure.name: failure.message for failure in loaded.failures}
        found = {
            row.name: {"failed": _plain(failures[row.name])}
            if row.name in failures
            else await _outcome(worker, row)
            for row in FOLDERS
        }
    async with _worker(python) as worker:
        loaded = await worker.load(AppSource(apps / "decorated"))
        indexed = {
            one.name: [dict(binding.properties) for binding in one.bindings]
            for one in loaded.functions
        }
        for row in DECORATED:
            found[row.name] = {"indexed": indexed[row.name], **await _outcome(worker, row)}
    for row in FAILING:
        async with _worker(python) as worker:
            try:
                await worker.load(AppSource(apps / row.name))
            except AppLoadError as error:
                found[row.name] = {"failed": _plain(str(error))}
            else:
                found[row.name] = {"failed": None}
    return found


@asynccontextmanager
async def _worker(python):
    worker = ProcessWorker(python, os.environ, lambda _: None)
    try:
        yield worker
    finally:
        await worker.drain(timedelta())


def _metadata(root, row):
    bindings = [Binding(one["name"], one["type"], one["direction"], one) for one in row.bindings]
    folder = root / row.name
    return FunctionMetadata(row.name, folder, folder / "__init__.py", "main", bindings)


async def _outcome(worker, row):
    call = Invocation(
        InvocationId("an-id"),
        row.name,
        {name: _given(value) for name, value in row.inputs.items()},
        {name: _given(value) for name, value in row.metadata.items()},
        trace_parent="parent",
        trace_state="state",
        retry_count=1,
        max_retry_count=2,
        retry_exception=("before", "stack"),
    )
    result = await worker.invoke(call, deadline_s=30)
    if isinstance(result, Raised):
        return _tidy({"raised": result.wire_message})
    return _tidy(
        {
            "value": _shown(result.value),
            "outputs": {name: _shown(one) for name, one in result.outputs.items()},
        }
    )


def _given(value):
    if value is None:
        return None
    kind, content = value
    return TypedData(kind, HttpData(**content) if kind == "http" else content)


def _shown(data):
    if data is None:
        return None
    if data.kind == "http":
        response = dataclasses.asdict(data.value)
        names = ("status", "headers", "cookies")
        body = base64.b64encode(data.value.body).decode()
        cookies = [_cookie(one) for one in response["cookies"]]
        return ["http", {**{n: response[n] for n in names}, "cookies": cookies, "body": body}]
    content = base64.b64encode(data.value).decode() if data.kind == "bytes" else data.value
    return [data.kind, content]


def _cookie(cookie):
    expires = cookie["expires"]
    seconds = None if expires is None else int(datetime.fromisoformat(expires).timestamp())
    return {**cookie, "expires": seconds}


# Both ---------------------------------------------------------------------------------------------


def _plain(text):
    """Without what is of a place, a time or a package: these differ from run to run."""
    if text is None:
        return None
    text = text.partition("Current sys.path: ")[0]
    text = re.sub(r"azure_functions_(runtime(_v1)?|worker)\.", "azure_functions.", text)
    text = re.sub(r"0x[0-9a-f]{6,}", "0x…", text)
    return re.sub(r'"(startTime|duration)": \d+', r'"\1": …', text)


def _tidy(outcome):
    """An output that is nothing is the same as none."""
    if "raised" in outcome:
        return {"raised": _plain(outcome["raised"])}
    kind, content = outcome["value"] or (None, None)
    return {
        "value": [kind, _plain(content) if kind == "json" else content],
        "outputs": {name: one for name, one in outcome["outputs"].items() if one},
    }
