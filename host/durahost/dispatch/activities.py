"""Runs activities: lock → invoke → the answer in one transaction with the activity's end."""

import logging

from durahost.codec import failures, history, sdk1
from durahost.dispatch.settling import settle
from durahost.dispatch.work_loop import Verbs
from durahost.dispatch.workbench import Workbench
from durahost.host_state import Generation
from durahost.invocations import Call
from durahost.model.errors import WorkerTimeout
from durahost.model.events import HistoryEvent
from durahost.model.functions import FunctionMetadata
from durahost.model.instances import LockedActivity
from durahost.model.messages import ActivityTask, Message
from durahost.registry import DurableKind
from durahost.store.base import ActivityStore
from durahost.worker.base import Raised, Returned, TypedData

logger = logging.getLogger(__name__)


class ActivityDispatcher:
    """Executes activities at least once and records each result once."""

    def __init__(self, store: ActivityStore, bench: Workbench) -> None:
        self._store = store
        self._bench = bench
        verbs = Verbs(
            lock=store.lock_activities,
            process=self._run,
            abandon=store.abandon_activity,
            wait=store.wait_for_activities,
        )
        slots = bench.settings.max_concurrent_activities
        self.loop = bench.build_loop("activity", verbs, slots)

    async def _run(self, locked: LockedActivity) -> None:
        generation = self._bench.generation()
        task = locked.task
        function = generation.registry.find(DurableKind.ACTIVITY, task.name)
        if function is None:
            answer = self._missing(task)
        else:
            generation.registry.require_loaded(function)
            answer = await self._execute(generation, function, task)
        message = Message(task.instance_id, answer, execution_id=task.execution_id)
        await settle(self._store.complete_activity(locked.lease, message), "commit")

    async def _execute(
        self, generation: Generation, function: FunctionMetadata, task: ActivityTask
    ) -> HistoryEvent:
        text = sdk1.activity_input(task.input)
        trigger = None if text is None else TypedData("string", text)
        try:
            result = await self._bench.invoker.invoke(
                generation.worker, function, Call(trigger=trigger, reason="(null)")
            )
        except WorkerTimeout:
            return self._timed_out(function, task)
        now = self._bench.clock.now()
        match result:
            case Returned(value):
                text = None if value is None else str(value.value)
                return history.task_completed(task.task_id, sdk1.activity_result(text), now)
            case Raised():
                message, stack = result.wire_message, result.stack_trace
                reason = failures.activity_failed(task.name, message)
                details = failures.activity_details(message, stack)
                return history.task_failed(task.task_id, reason, details, now)

    def _missing(self, task: ActivityTask) -> HistoryEvent:
        reason = failures.activity_missing(task.name)
        logger.warning("Instance '%s' asked for it: %s", task.instance_id, reason)
        return history.task_failed(task.task_id, reason, None, self._bench.clock.now())

    def _timed_out(self, function: FunctionMetadata, task: ActivityTask) -> HistoryEvent:
        text = failures.timed_out(function.name, self._bench.function_timeout)
        reason = f"Activity function '{task.name}' failed: {text}"
        details = failures.activity_details(text, "")
        return history.task_failed(task.task_id, reason, details, self._bench.clock.now())
