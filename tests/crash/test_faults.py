"""A host that dies once, at any one of its store operations: nothing is lost, nothing done twice.

Every scenario runs once without a fault, which counts its operations; then once for each of them
and each side, where the host dies before the operation, or after its commit. Each of these runs
must end as the first one, and every invariant holds at the death and at the end (C1-C12, C14, C15,
C17-C24).
"""

import asyncio
import functools
from collections import Counter
from pathlib import Path

import pytest
from crash.scenarios import SCENARIOS, build_world, play
from hub_world import WRITES, Fault, without_ids
from memory_folder import memory_folder
from replay_check import assert_replays

from durahost.config.settings import DurableSettings, SessionUse

pytestmark = [
    pytest.mark.slow,
    pytest.mark.feature("Exactly once", "Death before and after each store operation and effect"),
]


EFFECTS = WRITES | {"commit_episode", "complete_activity"}

WITHOUT_EPISODES = {"terminated-early", "purged", "purged-alive"}
WITHOUT_EPISODES |= {name for name in SCENARIOS if "rewound" in name}
"""Nothing ran, nothing is left, or what is left was rewound."""


async def play_once(path, name, fault=None, **options):
    """Play a scenario in a world of its own; the world, its outcome, its operations."""
    world = build_world(path, **options)
    world.faults.arm(fault)
    outcome, operations = await play(world, SCENARIOS[name])
    await world.close()
    return world, outcome, operations


def run(name, fault=None, **options):
    """Play a scenario on a file of its own."""
    with memory_folder() as folder:
        return asyncio.run(play_once(Path(folder) / "hub.db", name, fault, **options))


@functools.cache
def without_fault(name):
    return run(name)


def pytest_generate_tests(metafunc):
    if "fault" not in metafunc.fixturenames:
        return
    found = []
    for name in SCENARIOS:
        _, _, operations = without_fault(name)
        for number, operation in enumerate(operations):
            for side in ("before", "after"):
                case = f"{name}-{side}-{number:02}-{operation}"
                found.append(pytest.param(name, Fault(number, side), id=case))
    metafunc.parametrize(("name", "fault"), found)


@pytest.mark.parametrize("name", SCENARIOS)
def test_without_a_fault(name):
    world, outcome, _ = without_fault(name)
    assert world.crashes == 0
    for instance_id, (status, output) in SCENARIOS[name].ends.items():
        assert outcome[instance_id]["status"] == status
        assert outcome[instance_id]["output"].startswith(output)
    SCENARIOS[name].check(outcome)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_store_in_memory_comes_to_the_same(name):
    _, outcome, _ = asyncio.run(play_once(None, name))
    assert outcome == without_fault(name)[1]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_prefix_of_a_history_replays_to_what_was_stored_i9(name):
    async def play_and_replay():
        world = build_world(None)
        await play(world, SCENARIOS[name])
        count = await assert_replays(world)
        await world.close()
        return count

    assert asyncio.run(play_and_replay()) > 0 or name in WITHOUT_EPISODES


def test_the_order_of_operations_is_the_same_at_every_run():
    for name in SCENARIOS:
        assert run(name)[2] == without_fault(name)[2]


def test_one_death(name, fault):
    expected_world, expected, operations = without_fault(name)
    world, outcome, seen = run(name, fault)
    assert seen[: fault.number + 1] == operations[: fault.number + 1]
    assert_one_death(world, outcome, expected_world, expected)


@pytest.mark.parametrize("name", SCENARIOS)
def test_deaths_where_orchestrators_live_on(name):
    """What lives on in a child dies with its host: at five of its operations, before and after."""
    alive = DurableSettings(session_use=SessionUse.ALWAYS)
    expected_world, expected, operations = without_fault(name)
    lived_on, outcome, seen = run(name, settings=alive)
    assert outcome == expected
    # A session that an episode begun in vain has used up is lost; its replay takes more turns.
    in_vain = lived_on.functions.in_vain
    effects = [Counter(one for one in found if one in EFFECTS) for found in (seen, operations)]
    assert effects[0] == effects[1]
    for number in range(0, len(seen), len(seen) // 5 + 1):
        for side in ("before", "after"):
            world, outcome, _ = run(name, Fault(number, side), settings=alive)
            lost = world.functions.in_vain
            assert_one_death(world, outcome, expected_world, expected, lost=lost)
            # The death makes replays of calls that went on; only an episode more may go on, or one
            # whose session is not lost now.
            episodes = more_episodes(world, lived_on)
            followed = more(world.functions.followed, lived_on.functions.followed)
            for instance_id, count in followed.items():
                assert count <= episodes[instance_id] + in_vain, instance_id


def assert_one_death(world, outcome, expected_world, expected, *, lost=0):
    """It ends as without, and what ran twice ran when the host died.

    lost: sessions that calls could not go on with, so that these were made again.
    """
    assert world.crashes == 1
    assert outcome == expected
    # What ran when the host died runs again; nothing else does, and nothing is left out.
    expected_runs, runs = expected_world.functions.ran, world.functions.ran
    assert runs.keys() == expected_runs.keys()
    for activity, count in runs.items():
        assert count - expected_runs[activity] in (0, 1), activity
    episodes = more_episodes(world, expected_world)
    called = more(world.functions.called, expected_world.functions.called)
    for instance_id, count in called.items():
        assert count - episodes[instance_id] in range(2 + lost), instance_id


def more_episodes(world, expected_world):
    """By instance, how many more were committed than without the death.

    What came to an instance in one episode comes in two when the host dies between the commits that
    send it: the first part is all that the next life finds.
    """
    return more(world.faults.committed, expected_world.faults.committed)


def more(counts, expected):
    counts, expected = without_ids(counts), without_ids(expected)
    return {one: counts[one] - expected[one] for one in counts | expected}
