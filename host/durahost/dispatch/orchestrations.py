"""Runs episodes: lock → plan → encode → invoke → decode → conclude → one commit."""

import logging
from collections.abc import Sequence

from durahost.clock import Clock
from durahost.codec import failures, sdk1
from durahost.config.settings import DurableSettings
from durahost.dispatch.renewal import LEASE, Renewal
from durahost.dispatch.settling import do_or_abandon, settle
from durahost.dispatch.work_loop import WorkLoop
from durahost.engine import episode
from durahost.engine.outcome import FreshIds, Rules
from durahost.engine.walk import KnownFunctions
from durahost.host_state import Generation, HostState
from durahost.invocations import Call, Invoker
from durahost.model.actions import OrchestratorFailure, OrchestratorState
from durahost.model.errors import WorkerExited
from durahost.model.functions import FunctionMetadata
from durahost.model.instances import Commit, Lease, LockedEpisode
from durahost.registry import DurableKind
from durahost.store.base import EpisodeStore
from durahost.worker.base import Raised, Returned, TypedData

logger = logging.getLogger(__name__)


class OrchestrationDispatcher:
    """Moves orchestration instances forward, one commit per episode."""

    def __init__(
        self,
        store: EpisodeStore,
        state: HostState,
        invoker: Invoker,
        *,
        clock: Clock,
        settings: DurableSettings,
        owner: str,
        renewal: Renewal,
    ) -> None:
        self._store = store
        self._state = state
        self._invoker = invoker
        self._clock = clock
        self._settings = settings
        self._owner = owner
        self._renewal = renewal
        self._rules = Rules(
            stores_inputs=settings.store_inputs_in_history,
            max_actions=settings.max_orchestration_actions,
            has_timer_limit=settings.sends_timer_limits,
            default_version=settings.default_version or "",
        )
        self.loop = WorkLoop(
            "episode",
            lock=self._lock,
            wait=store.wait_for_episodes,
            process=self._process,
            slots=settings.max_concurrent_orchestrators,
        )

    async def _lock(self, at_most: int) -> Sequence[LockedEpisode]:
        return await self._store.lock_episodes(self._owner, LEASE, at_most)

    async def _process(self, locked: LockedEpisode) -> None:
        with self._renewal.holding(locked.lease):
            await do_or_abandon(
                self._run(locked), locked.lease, locked.attempts, self._store.abandon_episode
            )

    async def _run(self, locked: LockedEpisode) -> None:
        generation = self._state.generation
        if generation is None:
            raise WorkerExited("No version of the app is loaded.")
        planned = episode.plan(locked, self._clock.now())
        if isinstance(planned, Commit):
            await self._commit(locked.lease, planned)
            return
        answer = await self._ask(generation, planned)
        concluded = episode.conclude(
            planned,
            answer,
            rules=self._rules,
            known=_known(generation),
            fresh=FreshIds(self._clock.new_guid()),
            now=self._clock.now(),
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
            http_sleep_ms=self._settings.default_http_sleep_ms,
            sends_timer_limits=self._settings.sends_timer_limits,
        )
        return await self._invoke(generation, function, context)

    async def _invoke(
        self, generation: Generation, function: FunctionMetadata, context: str
    ) -> OrchestratorState | OrchestratorFailure:
        call = Call(trigger=TypedData("string", context), reason="(null)")
        result = await self._invoker.invoke(generation.worker, function, call)
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
