"""Apps of different shape, each started by the command line with its own virtual environment.

The environments hold what the apps' requirements.txt say, and no host. They are kept in
`.venv-apps/`; apps that ask for the same share one.
"""

import json
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from app_files import ROOT, copy_app, copy_test_app
from environments import environment
from mistakes import EVERY, write_app
from running_host import RunningHost, eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.feature("Functions host", "Apps of every shape, each with its own environment"),
]

FOLDER_MODEL = ROOT / "function_app" / "requirements.txt"


@contextmanager
def started(root, requirements, *options):
    """The app, run by the interpreter of an environment with these requirements alone."""
    lines = [line for line in requirements.read_text().splitlines() if line]
    python = environment(".venv-apps", sys.executable, *lines)
    with RunningHost(root, "--no-reload", "--python", python, *options) as host:
        assert host.children
        for pid in host.children:
            command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            assert command[0] == python
        yield host
        assert host.stop() == 0


def test_the_folder_model(tmp_path):
    with started(copy_app(tmp_path / "app"), FOLDER_MODEL) as host:
        instance = host.wait_for_status(host.start("HelloSequence"), "Completed")
        assert instance["output"] == ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]
        waiting = host.start("Approval", {"minutes": 5})
        assert host.raise_event(waiting, "ApprovalEvent", True).status_code == 202
        assert host.wait_for_status(waiting, "Completed")["output"] == "Approved"
        assert host.client.get("/api/jobs/nothing").status_code == 404


def test_the_decorator_model_with_blueprints(tmp_path):
    root = copy_test_app("blueprints", tmp_path)
    with started(root, root / "requirements.txt") as host:
        assert host.client.get("/api/plain").text == "plain"
        assert host.client.put("/api/named/bob").text == "PUT bob"
        assert host.client.get("/api/somewhere/x").json()[2] == "x"
        assert host.client.post("/api/generic", content=b"body").content == b"body"
        flow = host.client.post("/api/flows/Flow", json=21).json()["id"]
        assert host.wait_for_status(flow, "Completed")["output"] == 42


def test_fastapi_behind_the_asgi_app(tmp_path):
    root = copy_test_app("fastapi", tmp_path)
    with started(root, root / "requirements.txt") as host:
        assert host.client.get("/items/5?q=a").json()["number"] == 5
        assert host.client.get("/items/x").status_code == 422
        assert host.client.post("/echo", content=b"\0\xff", headers={"content-type": "a/b"}).content
        assert host.client.get("/fails").status_code == 500
        assert host.client.get("/items/6").json()["events"] == ["started"]


def test_an_app_full_of_mistakes(tmp_path):
    with started(write_app(tmp_path / "app"), FOLDER_MODEL, "--ephemeral") as host:
        assert host.client.get("/api/Fine").text == "fine"
        assert host.client.get("/api/Missing").status_code == 500
        assert host.client.get("/api/NoBindings").status_code == 404
        shown = "\n".join(host.lines)
        for name in EVERY:
            assert shown.count(f"The '{name}' function is in error: ") == 1


def test_timers_and_shared_code(tmp_path):
    root = copy_test_app("timers", tmp_path)
    with started(root, root / "requirements.txt") as host:
        notes = root / "notes"

        def names():
            lines = notes.read_text().splitlines() if notes.exists() else []
            return [json.loads(line)["name"] for line in lines]

        seen = eventually(names, lambda found: {"AtStart", "EverySecond"} <= set(found))
        assert set(seen) == {"AtStart", "EverySecond"}
        assert host.client.get("/admin/functions/Broken/status").json()["errors"]
