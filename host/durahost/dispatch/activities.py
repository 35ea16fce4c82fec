"""Runs activities: lock → invoke → the answer in one transaction with the activity's end."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from durahost.clock import Clock
from durahost.codec import failures, history, sdk1
from durahost.config.settings import DurableSettings
from durahost.dispatch.renewal import LEASE, Renewal
from durahost.dispatch.settling import do_or_abandon, settle
from durahost.dispatch.work_loop import WorkLoop
from durahost.host_state import Generation, HostState
from durahost.invocations import Call, Invoker
from durahost.model.errors import WorkerExited, WorkerTimeout
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

    def __init__(
        self,
        store: ActivityStore,
        state: HostState,
        invoker: Invoker,
        *,
        clock: Clock,
        settings: DurableSettings,
        owner: str,
        renewal: Renewal,
        timeout: timedelta,
    ) -> None:
        self._store = store
        self._state = state
        self._invoker = invoker
        self._clock = clock
        self._owner = owner
        self._renewal = renewal
        self._timeout = timeout
        self.loop = WorkLoop(
            "activity",
            lock=self._lock,
            wait=store.wait_for_activities,
            process=self._process,
            slots=settings.max_concurrent_activities,
        )

    async def _lock(self, at_most: int) -> Sequence[LockedActivity]:
        return await self._store.lock_activities(self._owner, LEASE, at_most)

    async def _process(self, locked: LockedActivity) -> None:
        with self._renewal.holding(locked.lease):
            await do_or_abandon(
                self._run(locked), locked.lease, locked.attempts, self._store.abandon_activity
            )

    async def _run(self, locked: LockedActivity) -> None:
        generation = self._state.generation
        if generation is None:
            raise WorkerExited("No version of the app is loaded.")
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
            result = await self._invoker.invoke(
                generation.worker, function, Call(trigger=trigger, reason="(null)")
            )
        except WorkerTimeout:
            return self._timed_out(function, task)
        now = self._clock.now()
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
        return history.task_failed(task.task_id, reason, None, self._clock.now())

    def _timed_out(self, function: FunctionMetadata, task: ActivityTask) -> HistoryEvent:
        text = failures.timed_out(function.name, self._timeout)
        reason = f"Activity function '{task.name}' failed: {text}"
        details = failures.activity_details(text, "")
        return history.task_failed(task.task_id, reason, details, self._clock.now())
