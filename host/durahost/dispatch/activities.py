"""Runs activities: lock → invoke → the answer in one transaction with the activity's end."""

import logging
from collections.abc import Awaitable, Callable

from durahost.codec import durable_http, failures, history, sdk1
from durahost.dispatch.ahead import BegunEpisode
from durahost.dispatch.work_loop import Verbs
from durahost.dispatch.workbench import Workbench
from durahost.host_state import Generation
from durahost.invocations import Call
from durahost.model.errors import TooLarge, WorkerTimeout
from durahost.model.events import HistoryEvent
from durahost.model.functions import FunctionMetadata
from durahost.model.instances import LockedActivity
from durahost.model.messages import ActivityTask, Message
from durahost.registry import DurableKind
from durahost.store.base import ActivityStore
from durahost.worker.base import Raised, Returned, TypedData

logger = logging.getLogger(__name__)

HttpCall = Callable[[str], Awaitable[Returned | Raised]]
"""Does the request in an activity's input; the result is the answer's JSON text."""


class ActivityDispatcher:
    """Executes activities at least once and records each result once."""

    def __init__(self, store: ActivityStore, bench: Workbench, http_call: HttpCall) -> None:
        self._http_call = http_call
        self._store = store
        self._bench = bench
        verbs = Verbs(
            lock=store.lock_activities,
            process=self._run,
            abandon=store.abandon_activity,
            wait=store.wait_for_activities,
            describe=lambda locked: (
                f"Activity '{locked.task.name}' of instance '{locked.task.instance_id}'"
            ),
        )
        slots = bench.settings.max_concurrent_activities
        self.loop = bench.build_loop("activity", verbs, slots)

    async def _run(self, locked: LockedActivity) -> None:
        task = locked.task
        if task.name == durable_http.ACTIVITY_NAME:
            answer = await self._call_http(task)
        else:
            answer = await self._run_function(self._bench.generation(), task)
        try:
            await self._complete(locked, answer)
        except TooLarge as error:
            reason = failures.activity_failed(task.name, str(error))
            now = self._bench.clock.now()
            await self._complete(locked, history.task_failed(task.task_id, reason, None, now))

    async def _complete(self, locked: LockedActivity, answer: HistoryEvent) -> None:
        task = locked.task
        message = Message(task.instance_id, answer, execution_id=task.execution_id)
        await self._store.complete_activity(locked.lease, message)

    async def _run_function(self, generation: Generation, task: ActivityTask) -> HistoryEvent:
        function = generation.registry.find(DurableKind.ACTIVITY, task.name)
        if function is None:
            return self._missing(task)
        generation.registry.require_loaded(function)
        return await self._execute(generation, function, task)

    async def _call_http(self, task: ActivityTask) -> HistoryEvent:
        """The reason of a failure is the bare message: no function stands behind it."""
        result = await self._http_call(task.input or "")
        now = self._bench.clock.now()
        match result:
            case Returned(value):
                text = None if value is None else str(value.value)
                return history.task_completed(task.task_id, text, now)
            case Raised(error_type, message):
                details = failures.exception_details(error_type, message)
                return history.task_failed(task.task_id, message, details, now)

    async def _execute(
        self, generation: Generation, function: FunctionMetadata, task: ActivityTask
    ) -> HistoryEvent:
        text = sdk1.activity_input(task.input)
        trigger = None if text is None else TypedData("string", text)
        guess = self._bench.ahead.guess(task)
        call = Call(trigger=trigger, reason="(null)", then=None if guess is None else guess.then)
        try:
            result = await self._bench.invoker.invoke(generation.worker, function, call)
        except WorkerTimeout:
            return self._timed_out(function, task)
        now = self._bench.clock.now()
        match result:
            case Returned(value):
                text = None if value is None else str(value.value)
                output = sdk1.activity_result(text)
                begun = result.then
                if guess is None or begun is None or not (at := guess.time_of(begun, now)):
                    return history.task_completed(task.task_id, output, now)
                answer = history.task_completed(task.task_id, output, at)
                episode = BegunEpisode(guess=guess, answer=answer, call=begun)
                self._bench.ahead.begin(task, episode)
                return answer
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
