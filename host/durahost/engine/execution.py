"""One execution as DurableTask's core replays it: ids, open tasks, waits, suspension, completion.

Two rules: everything that changes the state of a running execution is here, and it is driven by
history
events alone, one at a time, so that the same events always give the same decisions.
Source: Azure/durabletask: TaskOrchestrationContext.cs, TaskOrchestrationExecutor.cs
(ProcessEvents).
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid5

from durahost.codec import history
from durahost.engine import matching
from durahost.engine.decisions import (
    Awaited,
    Complete,
    CreateSubOrchestration,
    Decision,
    ScheduleTask,
    SendEvent,
    StartTimer,
)
from durahost.engine.tasks import Task
from durahost.model.events import ANSWERS, SCHEDULING, EventKind, HistoryEvent
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.status import RuntimeStatus
from durahost.model.values import dataclass

_GUID_NAMESPACE = UUID("9e952959-5e33-4daf-827f-2fa12937b875")
"""Source: Azure/azure-functions-durable-extension: Common/GuidManager.cs (UrlNamespaceValue)."""


_OVERRIDES = (EventKind.EXECUTION_RESUMED, EventKind.EXECUTION_TERMINATED)
"""What a suspended execution takes at once; all else waits."""


def _nothing() -> None:
    """Nobody is to be called."""


@dataclass(frozen=True, slots=True)
class _Wait:
    """Somebody waits for an event of this name; `what` it is, in a developer's words."""

    name: str
    task: Task
    what: str


class Execution:
    """Feed it history with `process`, then read `decisions`.

    on_start is called at ExecutionStarted and begins whatever calls back into this object.
    site is where the user's code stands: decisions take it along, and what follows from an answer
    (a retry, a poll) stands where the answered call does.
    """

    def __init__(self, instance_id: InstanceId, execution_id: ExecutionId, now: datetime) -> None:
        self.now = now
        self.is_replaying = True
        self.on_start: Callable[[], None] = _nothing
        self.is_suspended = False
        self.next_input: str | None = None
        self.has_continue_as_new = False
        self.carried: list[HistoryEvent] = []
        self.unheard_names: list[tuple[str, str]] = []
        self.site: str | None = None
        self._instance_id = instance_id
        self._execution_id = execution_id
        self._guids = 0
        self._next_id = 0
        self._pending: dict[int, Decision] = {}
        self._parked: dict[int, Decision] = {}
        self._open: dict[int, Task] = {}
        self._asked: dict[int, Awaited] = {}
        self._waits: dict[str, list[_Wait]] = {}
        self._early: dict[str, deque[HistoryEvent]] = {}
        self._queued: deque[HistoryEvent] = deque()

    # What an orchestrator can do ------------------------------------------------------------------

    def schedule_task(self, name: str, input: str | None) -> Task:
        """Run an activity."""
        return self._decide(ScheduleTask(self._take_id(), name, input, self.site))

    def create_sub_orchestration(
        self, name: str, input: str | None, instance_id: str | None, version: str
    ) -> Task:
        """Start a child; without an id it is named after this execution and the action's id.

        Source: Azure/durabletask: TaskOrchestrationContext.cs (CreateSubOrchestrationInstanceCore).
        """
        task_id = self._take_id()
        child = InstanceId(instance_id or f"{self._execution_id}:{task_id}")
        return self._decide(CreateSubOrchestration(task_id, name, child, version, input, self.site))

    def start_timer(self, fire_at: datetime, *, is_canceled: bool = False) -> Task:
        """Create a timer; a cancelled one is recorded, counts as finished and holds nothing
        open.
        """
        timer = StartTimer(self._take_id(), fire_at, self.site)
        task = self._decide(timer)
        if is_canceled:
            del self._open[timer.task_id]
            task.finish(failed=True)
        return task

    def send_event(
        self, target: InstanceId, name: str, input: str, deliver_at: datetime | None = None
    ) -> None:
        """Raise an event on another instance; it holds nothing open."""
        task_id = self._take_id()
        self._pending[task_id] = SendEvent(task_id, target, name, input, deliver_at, self.site)

    def new_guid(self) -> UUID:
        """The next deterministic GUID of this execution.

        Source: Azure/azure-functions-durable-extension: DurableOrchestrationContext.cs (NewGuid),
        Common/GuidManager.cs: version 5 over instance id, current time and a counter.
        """
        fraction = f"{self.now.microsecond:06}0"
        stamp = f"{self.now.strftime('%Y-%m-%dT%H:%M:%S')}.{fraction}Z"
        self._guids += 1
        return uuid5(_GUID_NAMESPACE, f"{self._instance_id}_{stamp}_{self._guids - 1}")

    def wait_for_event(self, name: str, what: str | None = None) -> Task:
        """Take the oldest early event of this name, else wait; of several waits the newest is
        served first.

        what: names it to the developer, where it is more than an event.
        """
        key, task = name.lower(), Task()
        early = self._early.get(key)
        if early:
            self._hear(early.popleft(), name)
            task.finish()
        else:
            wait = _Wait(name, task, what or f"event '{name}'")
            self._waits.setdefault(key, []).append(wait)
        return task

    def continue_as_new(self, input: str | None) -> None:
        """End this execution, once it completes, by starting the next; later events are carried
        over.
        """
        self.has_continue_as_new, self.next_input = True, input

    def let_go(self) -> None:
        """Nobody goes on from here: what is called back holds this object, which holds the calls;
        collecting such circles took a fortieth of the host's time.
        """
        self._open.clear()
        self._waits.clear()

    # What history tells ---------------------------------------------------------------------------

    def process(self, event: HistoryEvent) -> None:
        """Apply one event. Errors: NonDeterminism."""
        if self.is_suspended and event.kind not in _OVERRIDES:
            if event.kind is not EventKind.EXECUTION_SUSPENDED:
                self._queued.append(event)
        elif event.kind in SCHEDULING:
            self._recorded(event)
        elif event.kind in ANSWERS:
            self._answered(event)
        else:
            self._heard(event)

    def _recorded(self, event: HistoryEvent) -> None:
        task_id = -1 if event.task_id is None else event.task_id
        matching.check(event, self._pending.get(task_id))
        del self._pending[task_id]

    def _answered(self, event: HistoryEvent) -> None:
        task_id = -1 if event.task_id is None else event.task_id
        task = self._open.pop(task_id, None)
        if task is not None:
            self.site = self._asked.pop(task_id).site
            failed = event.kind in (EventKind.TASK_FAILED, EventKind.SUB_ORCHESTRATION_FAILED)
            task.finish(failed=failed, answer=event)

    def _heard(self, event: HistoryEvent) -> None:
        match event.kind:
            case EventKind.ORCHESTRATOR_STARTED:
                self.now = event.timestamp
            case EventKind.EXECUTION_STARTED:
                start, self.on_start = self.on_start, _nothing
                start()
            case EventKind.EVENT_RAISED:
                self._raised(event)
            case EventKind.EXECUTION_SUSPENDED:
                self._suspend()
            case EventKind.EXECUTION_RESUMED:
                self._resume()
            case EventKind.EXECUTION_TERMINATED:
                self.complete(RuntimeStatus.TERMINATED, history.read_reason(event))
            case _:
                return

    def _raised(self, event: HistoryEvent) -> None:
        key = (event.name or "").lower()
        if self.has_continue_as_new:
            self.carried.append(event)
        elif waits := self._waits.get(key):
            wait = waits.pop()
            self._hear(event, wait.name)
            wait.task.finish()
        else:
            self._early.setdefault(key, deque()).append(event)

    def _hear(self, event: HistoryEvent, awaited: str) -> None:
        if event.name is not None and event.name != awaited and not self.is_replaying:
            self.unheard_names.append((event.name, awaited))

    def _suspend(self) -> None:
        """Park what was asked for in this very batch; a termination stands."""
        self.is_suspended = True
        decided = self._pending.items()
        self._parked = {n: one for n, one in decided if not isinstance(one, Complete)}
        self._pending = {n: one for n, one in decided if isinstance(one, Complete)}

    def _resume(self) -> None:
        self.is_suspended = False
        self._pending = {**self._parked, **self._pending}
        self._parked = {}
        while self._queued:
            self.process(self._queued.popleft())

    # How it ends ----------------------------------------------------------------------------------

    @property
    def left_over(self) -> list[HistoryEvent]:
        """Events for the next execution: those after continue-as-new, also if a suspension that
        came between holds them back.
        """
        held = [event for event in self._queued if event.kind is EventKind.EVENT_RAISED]
        return [*self.carried, *held]

    @property
    def has_open_tasks(self) -> bool:
        """Whether activities, children or timers are unanswered; waits for events do not count."""
        return bool(self._open)

    @property
    def open_decisions(self) -> list[Awaited]:
        """What is unanswered, by ascending id."""
        return [self._asked[task_id] for task_id in sorted(self._open)]

    @property
    def awaited_events(self) -> list[str]:
        """The events that are waited for, in a developer's words."""
        return [wait.what for waits in self._waits.values() for wait in waits]

    @property
    def has_ended(self) -> bool:
        """Whether an end was decided."""
        return any(isinstance(decision, Complete) for decision in self._pending.values())

    def complete(
        self, status: RuntimeStatus, result: str | None, details: str | None = None
    ) -> None:
        """End the execution; after the first end further ones change nothing."""
        if self.has_ended:
            return
        task_id = self._take_id()
        self._pending[task_id] = Complete(task_id, status, result, details)

    @property
    def decisions(self) -> list[Decision]:
        """What history does not hold yet, by ascending id."""
        return [self._pending[task_id] for task_id in sorted(self._pending)]

    def _take_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _decide(self, decision: Awaited) -> Task:
        task = Task()
        self._pending[decision.task_id] = decision
        self._open[decision.task_id] = task
        self._asked[decision.task_id] = decision
        return task
