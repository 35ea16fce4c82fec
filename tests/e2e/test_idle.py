"""A host that has nothing to do sleeps: nothing in it looks again and again for work."""

import sys
import time
from pathlib import Path

import pytest
from running_host import RunningHost, eventually

WATCHED_S = 3


def wakeups(pid):
    """How often the process's threads have begun to wait so far."""
    texts = [task.joinpath("status").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    lines = [line.split() for text in texts for line in text.splitlines()]
    return sum(int(line[1]) for line in lines if line[0] == "voluntary_ctxt_switches:")


def wakeups_within(pid, seconds):
    before = wakeups(pid)
    time.sleep(seconds)
    return wakeups(pid) - before


@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")
def test_a_host_with_a_waiting_instance_and_its_timer_sleeps(default_app):
    # Without its file watcher, a library's thread that looks twenty times a second.
    with RunningHost(default_app, "--no-reload") as host:
        instance = host.start("Approval")
        host.wait_for_status(instance, "Running")
        # Once per second each server sets the time of its header `Date`.
        eventually(
            lambda: wakeups_within(host.process.pid, WATCHED_S), lambda n: n <= 4 * WATCHED_S
        )
