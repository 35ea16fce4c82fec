"""kill -9 of child and host in the middle of a long chain whose orchestrator lives on."""

import os
import signal

import pytest
from app_files import ORCHESTRATION
from running_host import RunningHost, eventually

LENGTH = 500
ENV = {"DURAHOST_SQLITE_SYNCHRONOUS": "NORMAL"}
"""A killed process loses nothing either way, and the chain is done sooner."""

CHAIN = """
import azure.durable_functions as df

def chain(context):
    number = 0
    while number < {length}:
        number = yield context.call_activity("Add", number)
    return number

main = df.Orchestrator.create(chain)
"""
ADD = """
import pathlib

STEPS = pathlib.Path(__file__).parent / "steps"

def main(number: int) -> int:
    with open(STEPS, "a") as steps:
        steps.write(f"{number}\\n")
    return number + 1
"""


@pytest.fixture
def chain_app(default_app, write_function):
    functions = default_app / "function_app"
    activity = [{"name": "number", "type": "activityTrigger", "direction": "in"}]
    write_function(functions, "Add", activity, ADD)
    write_function(functions, "Chain", ORCHESTRATION, CHAIN.format(length=LENGTH))
    return default_app


def steps(app):
    file = app / "function_app" / "Add" / "steps"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def wait_for_step(app, number):
    eventually(lambda: len(steps(app)), lambda count: count > number, within_s=60)


@pytest.mark.feature("Exactly once", "`kill -9` of host or child")
def test_a_long_chain_goes_on_after_its_child_and_its_host_were_killed(chain_app):
    with RunningHost(chain_app, env=ENV) as host:
        instance_id = host.start("Chain")
        wait_for_step(chain_app, 150)
        (child,) = host.children
        os.kill(child, signal.SIGKILL)
        wait_for_step(chain_app, 250)
        host.kill()
    with RunningHost(chain_app, env=ENV) as host:
        payload = host.wait_for_status(instance_id, "Completed", within_s=90)
        assert payload["output"] == LENGTH
    ran = steps(chain_app)
    assert set(ran) == set(range(LENGTH))
    # Each death may repeat the activity it struck.
    assert LENGTH <= len(ran) <= LENGTH + 2
    assert not any("SessionDiffers" in line for line in host.lines)
