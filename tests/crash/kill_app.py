"""The app of the kill loop: orchestrations of mixed kinds, and what each of them must give.

Activities leave a line in the file `runs` and take some milliseconds, so that kills meet them.
"""

from app_files import ENTITY, ORCHESTRATION
from running_host import RunningHost

ACTIVITY = [{"name": "name", "type": "activityTrigger", "direction": "in"}]
CLIENT = """
import azure.durable_functions as df
from datetime import timedelta

def flow(context):
    own = context.instance_id
{body}

main = df.Orchestrator.create(flow)
"""
WORK = """
import pathlib, time

RUNS = pathlib.Path(__file__).parent.parent.parent / "runs"

def main(name: str) -> str:
    with open(RUNS, "a") as runs:
        runs.write(f"{name}\\n")
    time.sleep(0.002 * (len(name) % 20))
    return f"did {name}"
"""
FLAKY = """
import pathlib

RUNS = pathlib.Path(__file__).parent.parent.parent / "runs"

def main(name: str) -> str:
    with open(RUNS, "a") as runs:
        runs.write(f"{name}\\n")
    if RUNS.read_text().split().count(name) < 3:
        raise ValueError("not yet")
    return "healed"
"""
COUNTER = """
import azure.durable_functions as df

def counter(context):
    value = context.get_state(lambda: 0)
    if context.operation_name == "add":
        value += context.get_input()
        context.set_state(value)
    context.set_result(value)

main = df.Entity.create(counter)
"""
FLOWS = {
    "Sequence": """
    found = []
    for step in range(3):
        found.append((yield context.call_activity("Work", f"{own}.{step}")))
    return found
""",
    "FanOut": """
    calls = [context.call_activity("Work", f"{own}.{step}") for step in range(5)]
    return (yield context.task_all(calls))
""",
    "Timers": """
    for tenths in (1, 10, 4):
        now = context.current_utc_datetime
        yield context.create_timer(now + timedelta(seconds=tenths / 10))
    return "woken"
""",
    "Events": """
    first = yield context.wait_for_external_event("first")
    yield context.call_activity("Work", own)
    second = yield context.wait_for_external_event("second")
    return [first, second]
""",
    "Family": """
    calls = [
        context.call_sub_orchestrator("Sequence", None, f"{own}-a"),
        context.call_sub_orchestrator("Timers", None, f"{own}-b"),
    ]
    return (yield context.task_all(calls))
""",
    "Retry": """
    retry = df.RetryOptions(100, 5)
    return (yield context.call_activity_with_retry("Flaky", retry, own))
""",
    "Tally": """
    counter = df.EntityId("Counter", "all")
    context.signal_entity(counter, "add", 1)
    context.signal_entity(counter, "add", 2)
    return (yield context.call_entity(counter, "get")) >= 3
""",
    "Again": """
    round = context.get_input() or 0
    yield context.call_activity("Work", f"{own}.{round}")
    if round < 2:
        context.continue_as_new(round + 1)
        return
    return round
""",
}
KINDS = list(FLOWS)


def write_app(root, write_function):
    """Write the functions into an app root."""
    functions = root / "function_app"
    write_function(functions, "Work", ACTIVITY, WORK)
    write_function(functions, "Flaky", ACTIVITY, FLAKY)
    write_function(functions, "Counter", ENTITY, COUNTER)
    for name, body in FLOWS.items():
        write_function(functions, name, ORCHESTRATION, CLIENT.replace("{body}", body))
    (root / "runs").touch()


def expected(kind, own):
    """The output."""
    done = [f"did {own}.{step}" for step in range(5)]
    return {
        "Sequence": done[:3],
        "FanOut": done,
        "Timers": "woken",
        "Events": ["first", "second"],
        "Family": [[f"did {own}-a.{step}" for step in range(3)], "woken"],
        "Retry": "healed",
        "Tally": True,
        "Again": 2,
    }[kind]


def counter_value(host: RunningHost):
    """The state of the only counter, None while there is none."""
    response = host.client.get("/runtime/webhooks/durabletask/entities/counter/all")
    return response.json() if response.status_code == 200 else None
