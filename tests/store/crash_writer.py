"""A process that commits episodes as fast as it can, and says which are acknowledged.

Each episode appends three events, schedules an activity, starts a child and sends itself a timer.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from clocks import START, ManualClock
from store.builders import event, message, new_instance, running, task

from durahost.store.sqlite.store import SqliteStore

LEASE = timedelta(seconds=30)


async def write(hub, worker):
    for number in range(1_000_000):
        instance_id = f"{worker}-{number}"
        await hub.create(new_instance(instance_id), ())
        print("created", instance_id, flush=True)
        for locked in await hub.lock_episodes("me", LEASE, 1):
            own = locked.state.instance_id
            commit = running(
                locked,
                append=[event(f"{own}/{n}") for n in range(3)],
                schedule=[task(own)],
                create=[new_instance(f"child of {own}", scheduled_at=START + LEASE)],
                send=[message(own, "timer", visible_at=START + LEASE)],
            )
            await hub.commit_episode(locked.lease, commit)
            print("committed", own, flush=True)


async def main(path):
    async with SqliteStore(path, ManualClock()) as provider, asyncio.TaskGroup() as group:
        for worker in range(8):
            group.create_task(write(provider.open_hub("h"), worker))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
