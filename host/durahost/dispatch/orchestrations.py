"""Runs episodes: lock → plan → encode → invoke → decode → conclude → one commit."""

import logging

from durahost.codec import failures, sdk1
from durahost.dispatch.settling import settle
from durahost.dispatch.work_loop import Verbs
from durahost.dispatch.workbench import Workbench
from durahost.engine import episode
from durahost.engine.outcome import FreshIds, Rules
from durahost.engine.walk import KnownFunctions
from durahost.host_state import Generation
from durahost.invocations import Call
from durahost.model.actions import OrchestratorFailure, OrchestratorState
from durahost.model.functions import FunctionMetadata
from durahost.model.instances import Commit, Lease, LockedEpisode
from durahost.registry import DurableKind
from durahost.store.base import EpisodeStore
from durahost.worker.base import Raised, Returned, TypedData

logger = logging.getLogger(__name__)


class OrchestrationDispatcher:
    """Moves orchestration instances forward, one commit per episode."""

    def __init__(self, store: EpisodeStore, bench: Workbench) -> None:
        settings = bench.settings
        self._store = store
        self._bench = bench
        self._rules = Rules(
            stores_inputs=settings.store_inputs_in_history,
            max_actions=settings.max_orchestration_actions,
            has_timer_limit=settings.sends_timer_limits,
            default_version=settings.default_version or "",
        )
        verbs = Verbs(
            lock=store.lock_episodes,
            process=self._run,
            abandon=store.abandon_episode,
            wait=store.wait_for_episodes,
        )
        self.loop = bench.build_loop("episode", verbs, settings.max_concurrent_orchestrators)

    async def _run(self, locked: LockedEpisode) -> None:
        generation = self._bench.generation()
        planned = episode.plan(locked, self._bench.clock.now())
        if isinstance(planned, Commit):
            await self._commit(locked.lease, planned)
            return
        answer = await self._ask(generation, planned)
        concluded = episode.conclude(
            planned,
            answer,
            rules=self._rules,
            known=_known(generation),
            fresh=FreshIds(self._bench.clock.new_guid()),
            now=self._bench.clock.now(),
        )
        await self._commit(locked.lease, concluded.commit)
        for hint in concluded.hints:
            logger.warning("%s", hint.text, extra={"instance_id": locked.state.instance_id})

    async def _commit(self, lease: Lease, commit: Commit) -> None:
        await settle(self._store.commit_episode(lease, commit), "commit")
        state = commit.state
        logger.debug(
            "Committed an episode of '%s': %s, %d events, %d activities.",
            state.instance_id,
            state.status.value,
            len(commit.append),
            len(commit.schedule),
            extra={"instance_id": state.instance_id},
        )

    async def _ask(
        self, generation: Generation, planned: episode.Plan
    ) -> OrchestratorState | OrchestratorFailure:
        state = planned.locked.state
        function = generation.registry.find(DurableKind.ORCHESTRATOR, state.name)
        if function is None:
            return self._unknown(generation, state.name)
        generation.registry.require_loaded(function)
        context = sdk1.encode_context(
            state,
            planned.locked.history,
            planned.new_events,
            http_sleep_ms=self._bench.settings.default_http_sleep_ms,
            sends_timer_limits=self._bench.settings.sends_timer_limits,
        )
        return await self._invoke(generation, function, context)

    async def _invoke(
        self, generation: Generation, function: FunctionMetadata, context: str
    ) -> OrchestratorState | OrchestratorFailure:
        call = Call(trigger=TypedData("string", context), reason="(null)")
        result = await self._bench.invoker.invoke(generation.worker, function, call)
        match result:
            case Returned(value):
                return sdk1.decode_returned(None if value is None else str(value.value))
            case Raised():
                return sdk1.decode_raised(result.wire_message, result.stack_trace)

    def _unknown(self, generation: Generation, name: str) -> OrchestratorFailure:
        """The instance fails when it is dispatched, not when it is started.

        Source: Azure/azure-functions-durable-extension: DurableTaskExtension.cs
        (OrchestrationMiddleware).
        """
        text = generation.registry.unknown_text(DurableKind.ORCHESTRATOR, name)
        logger.warning("An instance was started for an orchestrator that is not there: %s", text)
        return OrchestratorFailure(text, failures.orchestrator_details(text, ""))


def _known(generation: Generation) -> KnownFunctions:
    registry = generation.registry
    return KnownFunctions(
        orchestrators=registry.names(DurableKind.ORCHESTRATOR),
        activities=registry.names(DurableKind.ACTIVITY),
    )
