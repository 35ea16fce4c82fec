"""Runs episodes: lock → plan → encode → invoke → decode → conclude → one commit."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from durahost.codec import failures
from durahost.codec.history import FailureDetails
from durahost.dispatch.asking import Asked, Asking, check_commit
from durahost.dispatch.entities import EntityBatches
from durahost.dispatch.refusals import Refusals
from durahost.dispatch.settling import retry_delay
from durahost.dispatch.work_loop import Verbs
from durahost.dispatch.workbench import Workbench
from durahost.engine import entity, episode, versions
from durahost.engine.calls import KnownFunctions
from durahost.engine.cut_off import cut_off
from durahost.engine.episode import Conclusion
from durahost.engine.outcome import FreshIds, Rules
from durahost.host_state import Generation
from durahost.model.actions import (
    Hint,
    OrchestratorFailure,
    OrchestratorState,
    WhenAll,
    WhenAny,
)
from durahost.model.errors import TooLarge
from durahost.model.instances import Commit, LockedEpisode
from durahost.model.versioning import VersionFailure
from durahost.off_loop import MANY_STEPS, run_pure
from durahost.registry import DurableKind, Registry
from durahost.store.base import EpisodeStore

logger = logging.getLogger(__name__)


class OrchestrationDispatcher:
    """Moves orchestration instances forward, one commit per episode; entities are handed on."""

    def __init__(self, store: EpisodeStore, bench: Workbench) -> None:
        settings = bench.settings
        self._entities = EntityBatches(store, bench)
        self._store = store
        self._bench = bench
        self._asking = Asking(store, bench)
        self._refusals = Refusals(settings)
        self._rules = Rules(
            stores_inputs=settings.store_inputs_in_history,
            max_actions=settings.max_orchestration_actions,
            has_timer_limit=settings.sends_timer_limits,
            default_version=settings.default_version or "",
            http_sleep=timedelta(milliseconds=settings.default_http_sleep_ms),
        )
        nothing = Registry()
        self._latest_known = nothing, _known_to(nothing)
        verbs = Verbs(
            lock=self._lock,
            process=self._run,
            abandon=store.abandon_episode,
            wait=store.wait_for_episodes,
            describe=lambda locked: f"An episode of instance '{locked.state.instance_id}'",
        )
        self.loop = bench.build_loop("episode", verbs, settings.max_concurrent_orchestrators)

    async def _lock(
        self, owner: str, lease_for: timedelta, at_most: int
    ) -> Sequence[LockedEpisode]:
        seen = self._asking.standings.seen
        return await self._store.lock_episodes(owner, lease_for, at_most, seen)

    async def _run(self, locked: LockedEpisode) -> None:
        if entity.is_entity(locked.state):
            await self._entities.run(locked)
            return
        generation = self._bench.generation()
        if not self._is_runnable(locked):
            await self._refuse(locked)
            return
        self._refusals.forget(locked.state.instance_id)
        begun = self._bench.ahead.take(locked)
        planned = episode.plan(locked, begun.answer.timestamp if begun else self._bench.clock.now())
        if isinstance(planned, Commit):
            await self._commit(locked, planned)
            return
        asked = await self._asking.ask(generation, planned, begun)
        fresh, now = FreshIds(self._bench.clock.new_guid()), self._bench.clock.now()
        decide = partial(
            episode.conclude, rules=self._rules, known=self._known(generation), fresh=fresh, now=now
        )
        concluded = await _conclude(decide, asked)
        if asked.replay is not None:
            check_commit(concluded, await _conclude(decide, asked.replay))
        try:
            await self._commit(locked, concluded.commit, concluded.hints)
            self._asking.keep(generation, asked, concluded)
        except TooLarge as error:
            failure = FailureDetails(type(error).__name__, str(error), is_non_retriable=True)
            output = failures.orchestrator_failed(locked.state.name, str(error))
            ended = cut_off(planned, fresh, now, output=output, failure=failure)
            await self._commit(locked, ended)

    def _known(self, generation: Generation) -> KnownFunctions:
        """Of the generation that was asked; made once for each."""
        registry, known = self._latest_known
        if registry is not generation.registry:
            known = _known_to(generation.registry)
            self._latest_known = generation.registry, known
        return known

    def _is_runnable(self, locked: LockedEpisode) -> bool:
        settings = self._bench.settings
        own = settings.default_version or ""
        return versions.is_runnable(locked.state.version, own, settings.version_match)

    async def _refuse(self, locked: LockedEpisode) -> None:
        """An instance of a version that this host does not run fails, or is left for another."""
        if self._bench.settings.version_failure is VersionFailure.FAIL:
            fresh, now = FreshIds(self._bench.clock.new_guid()), self._bench.clock.now()
            planned = episode.plan(locked, now)
            if not isinstance(planned, Commit):
                planned = versions.fail(planned, fresh, now)
            await self._commit(locked, planned)
            return
        self._refusals.warn(locked)
        await self._store.abandon_episode(locked.lease, retry_delay(locked.attempts))

    async def _commit(
        self, locked: LockedEpisode, commit: Commit, hints: Sequence[Hint] = ()
    ) -> None:
        await self._store.commit_episode(locked.lease, commit)
        state = commit.state
        for hint in hints:
            logger.warning("%s", hint.text, extra={"instance_id": state.instance_id})
        if not logger.isEnabledFor(logging.DEBUG):
            return
        logger.debug(
            "Committed an episode of '%s': %s, %d events, %d activities.",
            state.instance_id,
            state.status.value,
            len(commit.append),
            len(commit.schedule),
            extra={"instance_id": state.instance_id},
        )


async def _conclude(decide: Callable[..., Conclusion], asked: Asked) -> Conclusion:
    events = 0 if asked.progress else len(asked.plan.locked.history)
    steps = events + _count_actions(asked.answer)
    work = partial(decide, asked.plan, asked.answer, progress=asked.progress)
    return await run_pure(work, is_long=steps > MANY_STEPS)


def _count_actions(answer: OrchestratorState | OrchestratorFailure) -> int:
    """How many actions it lists, with the children of the outermost compounds."""
    batches = answer.batches if isinstance(answer, OrchestratorState) else ()
    return sum(
        len(action.children) if isinstance(action, WhenAll | WhenAny) else 1
        for batch in batches
        for action in batch
    )


def _known_to(registry: Registry) -> KnownFunctions:
    return KnownFunctions(
        orchestrators=registry.names(DurableKind.ORCHESTRATOR),
        activities=registry.names(DurableKind.ACTIVITY),
        entities=registry.names(DurableKind.ENTITY),
        unknown_entity=lambda name: registry.unknown_text(DurableKind.ENTITY, name),
    )
