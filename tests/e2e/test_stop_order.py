"""Ctrl-C with work in hand: what runs may end, and needs what it needs until then."""

import signal
import threading
import time

import pytest
from running_host import LIMIT_S, RunningHost, eventually

HTTP = [
    {"name": "req", "type": "httpTrigger", "direction": "in", "authLevel": "anonymous"},
    {"name": "$return", "type": "http", "direction": "out"},
]
CLIENT = {"name": "starter", "type": "durableClient", "direction": "in"}
SLOW_START = """
import asyncio, pathlib
import azure.durable_functions as df
import azure.functions as func

async def main(req: func.HttpRequest, starter: str) -> func.HttpResponse:
    pathlib.Path(__file__).with_name("begun").touch()
    await asyncio.sleep(1)
    client = df.DurableOrchestrationClient(starter)
    return client.create_check_status_response(req, await client.start_new("HelloSequence"))
"""
SLOW = """
import pathlib, time
import azure.functions as func

def main(req: func.HttpRequest) -> func.HttpResponse:
    pathlib.Path(__file__).with_name("begun").touch()
    time.sleep(2)
    return func.HttpResponse("old")
"""
BLOCKING = """
import pathlib, time

pathlib.Path(__file__).with_name("begun").touch()
time.sleep(60)
"""


@pytest.fixture
def functions(default_app):
    return default_app / "function_app"


class Asking:
    """A request that runs beside the test."""

    def __init__(self, host, name):
        self._thread = threading.Thread(target=self._ask, args=(host, name))
        self._thread.start()
        eventually((host.root / "function_app" / name / "begun").exists, bool)

    def _ask(self, host, name):
        self.response = host.client.get(f"/api/{name}")

    def join(self):
        self._thread.join(LIMIT_S)
        return self.response


def test_a_function_that_still_runs_can_start_an_instance(default_app, functions, write_function):
    write_function(functions, "Slow", [*HTTP, CLIENT], SLOW_START)
    with RunningHost(default_app) as host:
        asking = Asking(host, "Slow")
        assert host.stop() == 0
        response = asking.join()
        assert response.status_code == 202
        started = response.json()["id"]
    with RunningHost(default_app) as host:
        assert host.wait_for_status(started, "Completed")


def test_a_request_of_the_generation_before_a_reload_may_end(
    default_app, functions, write_function
):
    write_function(functions, "Slow", HTTP, SLOW)
    with RunningHost(default_app) as host:
        asking = Asking(host, "Slow")
        write_function(functions, "Slow", HTTP, SLOW.replace("old", "new"))
        host.wait_for_line(r"^reloaded in")
        assert host.stop() == 0
        response = asking.join()
        assert (response.status_code, response.text) == (200, "old")


def test_a_reload_that_blocks_does_not_hold_the_stop_up(default_app, functions, write_function):
    with RunningHost(default_app) as host:
        folder = write_function(functions, "Blocks", HTTP, BLOCKING)
        eventually((folder / "begun").exists, bool)
        begun = time.monotonic()
        assert host.stop(signal.SIGINT) == 0
        assert time.monotonic() - begun < 5
        assert "is cut off" not in "\n".join(host.lines)
        assert host.children == []
