"""Runs batches of entity operations: plan → encode → invoke → decode → conclude → one commit."""

import logging
from functools import partial

from durahost.codec import failures, sdk1_entity
from durahost.dispatch.workbench import Workbench
from durahost.engine import entity
from durahost.engine.outcome import FreshIds
from durahost.host_state import Generation
from durahost.invocations import Call
from durahost.model.entities import BatchResult
from durahost.model.errors import BatchLost, TooLarge, WorkerTimeout
from durahost.model.functions import FunctionMetadata
from durahost.model.ids import EntityId
from durahost.model.instances import Commit, LockedEpisode
from durahost.off_loop import LONG_TEXT, MANY_STEPS, run_pure
from durahost.registry import DurableKind
from durahost.store.base import EpisodeStore
from durahost.worker.base import Raised, Returned, TypedData

logger = logging.getLogger(__name__)


class EntityBatches:
    """Moves entities forward, one commit per batch.

    A batch that gives nothing to commit (its worker died, its answer is none) is given back and run
    again; callers see errors of operations and time-outs, never ours.
    """

    def __init__(self, store: EpisodeStore, bench: Workbench) -> None:
        self._store = store
        self._bench = bench

    async def run(self, locked: LockedEpisode) -> None:
        """Run one batch of a claimed entity. Errors: BatchLost, and those of worker and store."""
        clock = self._bench.clock
        max_operations = self._bench.settings.max_entity_batch
        plan = partial(entity.plan_batch, locked, clock.now(), max_operations)
        planned = await run_pure(plan, is_long=_is_long(locked))
        if isinstance(planned, Commit):
            await self._store.commit_episode(locked.lease, planned)
            return
        result = await self._ask(planned) if planned.operations else None
        try:
            concluded = await self._conclude(planned, result)
        except TooLarge as error:
            concluded = await self._conclude(planned, entity.failed(planned, str(error)))
        instance_id = locked.state.instance_id
        logger.debug(
            "Committed a batch of '%s': %d operations, %d still wait.",
            instance_id,
            len(planned.operations),
            len(planned.scheduler.queue),
            extra={"instance_id": instance_id},
        )
        for hint in concluded.hints:
            logger.warning("%s", hint.text, extra={"instance_id": instance_id})

    async def _conclude(
        self, planned: entity.BatchPlan, result: BatchResult | None
    ) -> entity.BatchConclusion:
        clock = self._bench.clock
        fresh, now = FreshIds(clock.new_guid()), clock.now()
        conclude = partial(entity.conclude_batch, planned, result, fresh=fresh, now=now)
        concluded = await run_pure(conclude, is_long=_is_long(planned.locked))
        await self._store.commit_episode(planned.locked.lease, concluded.commit)
        return concluded

    async def _ask(self, planned: entity.BatchPlan) -> BatchResult:
        generation = self._bench.generation()
        entity_id = EntityId.parse(planned.locked.state.instance_id)
        assert entity_id is not None
        function = generation.registry.find(DurableKind.ENTITY, entity_id.name)
        if function is None:
            raise BatchLost(generation.registry.unknown_text(DurableKind.ENTITY, entity_id.name))
        generation.registry.require_loaded(function)
        scheduler, operations = planned.scheduler, planned.operations
        context = sdk1_entity.encode_context(entity_id, scheduler, operations)
        try:
            return await self._invoke(generation, function, context, len(operations))
        except WorkerTimeout:
            text = failures.timed_out(function.name, self._bench.function_timeout)
            return entity.failed(planned, text)

    async def _invoke(
        self, generation: Generation, function: FunctionMetadata, context: str, count: int
    ) -> BatchResult:
        call = Call(trigger=TypedData("string", context), reason="(null)")
        result = await self._bench.invoker.invoke(generation.worker, function, call)
        match result:
            case Returned(value):
                return sdk1_entity.decode_result(None if value is None else str(value.value), count)
            case Raised():
                raise BatchLost(
                    f"Entity function '{function.name}' raised outside its operations: "
                    f"{result.wire_message}"
                )


def _is_long(locked: LockedEpisode) -> bool:
    return len(locked.inbox) > MANY_STEPS or len(locked.state.input or "") > LONG_TEXT
