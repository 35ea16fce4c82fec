"""Corners of orchestrations that only a whole host shows, with the real SDK."""

import pytest
from running_host import RunningHost

FLOWS = {
    "Past": """
        yield context.create_timer(context.current_utc_datetime - timedelta(days=1))
        return "fired"
    """,
    "Loop": """
        left = context.get_input() or 0
        if left:
            context.continue_as_new(left - 1)
            return
        return "done"
    """,
    "Yielding": """
        left = int(context.get_input() or 0)
        yield context.call_activity("SayHello", "x")
        if left:
            context.continue_as_new(left - 1)
        return left
    """,
}


@pytest.fixture(scope="module")
def host(shared_app):
    for name, body in FLOWS.items():
        folder = shared_app / "function_app" / name
        folder.mkdir()
        binding = '{"name": "context", "type": "orchestrationTrigger", "direction": "in"}'
        (folder / "function.json").write_text(f'{{"bindings": [{binding}]}}')
        code = "".join(f"    {line.strip(' ') and line[4:]}\n" for line in body.split("\n"))
        head = "import azure.durable_functions as df\nfrom datetime import timedelta\n"
        (folder / "__init__.py").write_text(
            f"{head}def flow(context):\n{code}\nmain = df.Orchestrator.create(flow)\n"
        )
    with RunningHost(shared_app) as host:
        yield host


@pytest.mark.feature("Timers", "Timers in the past")
def test_a_timer_in_the_past_fires_at_once(host):
    started = host.start("Past")
    assert host.wait_for_status(started, "Completed")["output"] == "fired"


@pytest.mark.feature("Continue-as-new", "Tight loops")
def test_a_loop_without_waiting_goes_through_all_its_generations(host):
    started = host.start("Loop", 25)
    payload = host.wait_for_status(started, "Completed")
    assert payload["output"] == "done"
    assert int(payload["input"]) == 0


@pytest.mark.feature("Continue-as-new", "The next generation: input, fresh history")
def test_each_generation_has_a_history_of_its_own(host):
    started = host.start("Yielding", 3)
    payload = host.wait_for_status(started, "Completed")
    assert payload["output"] == 0
    events = host.status(started, showHistory="true").json()["historyEvents"]
    assert [event["EventType"] for event in events].count("TaskCompleted") == 1
