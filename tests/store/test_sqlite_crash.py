"""SIGKILL in a stream of commits: every acknowledged one is there, none is half there (C6)."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from durahost.model.queries import InstanceQuery
from durahost.model.status import RuntimeStatus
from durahost.store.sqlite.store import SqliteStore

pytestmark = pytest.mark.feature("Exactly once", "`kill -9` of host or child")


LEASE = timedelta(seconds=30)
EVERYTHING = 1_000_000


def _run_until_killed(path, lines):
    """The acknowledgements of a writer that is killed after so many of them."""
    command = [sys.executable, str(Path(__file__).with_name("crash_writer.py")), str(path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        read = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        read += child.stdout.readlines()
    whole = [line.split(maxsplit=1) for line in read if line.endswith("\n")]
    return {what: {i.strip() for w, i in whole if w == what} for what in ("created", "committed")}


@pytest.mark.parametrize("lines", [1, 50, 333])
async def test_acknowledged_commits_survive_and_none_is_half_there(path, clock, lines):
    acknowledged = _run_until_killed(path, lines)
    async with SqliteStore(path, clock) as provider:
        hub = provider.open_hub("h")
        states = (await hub.query(InstanceQuery(at_most=EVERYTHING))).instances
        written = {s.instance_id for s in states if not s.instance_id.startswith("child")}
        children = {s.instance_id.removeprefix("child of ") for s in states} - written
        running = {s.instance_id for s in states if s.status is RuntimeStatus.RUNNING}
        assert acknowledged["created"] <= written
        assert acknowledged["committed"] <= running
        assert {s.instance_id for s in states if s.instance_id.startswith("child of ")} == {
            f"child of {i}" for i in running
        }
        assert children == set()
        for state in states:
            own = state.instance_id
            names = [event.name for event in await hub.read_history(own)]
            assert names == ([f"{own}/{n}" for n in range(3)] if own in running else [])
        activities = await hub.lock_activities("me", LEASE, EVERYTHING)
        assert {a.task.instance_id for a in activities} == running
        pending = await hub.lock_episodes("me", LEASE, EVERYTHING)
        assert {e.state.instance_id for e in pending} == written - running
        clock.advance(LEASE)
        due = await hub.lock_episodes("me", LEASE, EVERYTHING)
        assert len(due) == 2 * len(running)
