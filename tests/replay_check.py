"""I9: replaying any prefix of a history that ends at an episode gives what was stored then."""

import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

from durahost.codec import sdk1
from durahost.engine import entity
from durahost.engine.calls import KnownFunctions
from durahost.engine.episode import Plan, conclude
from durahost.engine.outcome import FreshIds, Rules
from durahost.model.events import SCHEDULING, EventKind
from durahost.model.instances import Lease, LockedEpisode
from durahost.model.queries import InstanceQuery
from durahost.model.status import RuntimeStatus
from durahost.worker.base import Returned, TypedData

OWN = SCHEDULING | {EventKind.EXECUTION_COMPLETED}
LEASE = Lease("episode", "", "me", 1)


async def assert_replays(world):
    """Replay every orchestration of the world's hub, episode by episode; how many episodes.

    One that was rewound is left out: what failed in it has not happened by its history.
    """
    page, count = await world.hub.query(InstanceQuery(at_most=1000)), 0
    for state in page.instances:
        events = list(await world.hub.read_history(state.instance_id))
        is_rewound = any(event.kind is EventKind.EXECUTION_REWOUND for event in events)
        if entity.is_entity(state) or is_rewound:
            continue
        past = []
        for episode in _episodes(events):
            stored = [_shown(event) for event in episode if event.kind in OWN]
            assert await _replay(world, state, past, episode) == stored, state.instance_id
            past, count = [*past, *episode], count + 1
    return count


def _episodes(events):
    episode = []
    for event in events:
        episode.append(event)
        if event.kind is EventKind.ORCHESTRATOR_COMPLETED:
            yield episode
            episode = []
    assert episode == []


async def _replay(world, state, past, episode):
    running = replace(state, status=RuntimeStatus.RUNNING)
    *seen, closing = [event for event in episode if event.kind not in OWN]
    settings = world.settings
    context = sdk1.encode_context(
        running,
        past,
        seen,
        http_sleep_ms=settings.default_http_sleep_ms,
        sends_timer_limits=settings.sends_timer_limits,
    )
    inputs = {"context": TypedData("string", context)}
    call = SimpleNamespace(function=state.name, inputs=inputs, session=None, then=None)
    result = await world.functions.invoke(call, deadline_s=60)
    if isinstance(result, Returned):
        answer = sdk1.decode_returned(result.value.value)
    else:
        answer = sdk1.decode_raised(result.wire_message, result.stack_trace)
    concluded = conclude(
        Plan(LockedEpisode(LEASE, running, past, []), seen, {}, []),
        answer,
        rules=Rules(
            has_timer_limit=settings.sends_timer_limits,
            http_sleep=timedelta(milliseconds=settings.default_http_sleep_ms),
        ),
        known=KnownFunctions(),
        fresh=FreshIds(UUID(int=1)),
        now=closing.timestamp,
    )
    return [_shown(event) for event in concluded.decided]


def _shown(event):
    return event.kind.name, event.task_id, json.loads(event.text)
