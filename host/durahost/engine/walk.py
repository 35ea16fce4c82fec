"""The action-list walk: the extension re-executes what the SDK listed, awaiting each action in
turn.

Failures of awaited actions are ignored; only when the last action is satisfied do `error` and
`isDone` count.
What is thrown synchronously fails the instance.
Source: Azure/azure-functions-durable-extension: Listener/OutOfProcOrchestrationShim.cs
(ScheduleDurableTaskEvents, ProcessAsyncActionsV2, InvokeAPIFromAction).
"""

from collections import deque
from collections.abc import Sequence

from durahost.engine.calls import ActionFailed, CallRules, Calls
from durahost.engine.execution import Execution
from durahost.engine.tasks import Task, when_all, when_any
from durahost.model.actions import (
    Action,
    ContinueAsNew,
    Hint,
    OrchestratorState,
    SignalEntity,
    WhenAll,
    WhenAny,
)

_Step = tuple[Sequence[Action], str | None]

_UNKNOWN = ""
"""The worker does not tell where: what was known of the place stays."""


class Walk:
    """Drives one execution along the action list; `is_finished` once every action is satisfied."""

    def __init__(self, state: OrchestratorState, execution: Execution, rules: CallRules) -> None:
        self.error: str | None = None
        self.is_finished = False
        self._state = state
        self._execution = execution
        self._calls = Calls(execution, rules, checks_timer_length=state.checks_timer_length)
        self._steps = deque(_steps(state))
        self._listed = len(self._steps)

    @property
    def wants_end(self) -> bool:
        """Whether the orchestrator returned, failed, or asked for what cannot be."""
        return self._state.is_done or (self._state.error or self.error) is not None

    @property
    def is_schema_v1(self) -> bool:
        """Whether the list has one batch per yield."""
        return self._state.is_schema_v1

    @property
    def hints(self) -> list[Hint]:
        """Lines for the developer about calls that never run."""
        return self._calls.hints

    @property
    def listed(self) -> int:
        """How many actions the list has so far, batches under replay schema V1."""
        return self._listed

    def go_on(self, state: OrchestratorState) -> None:
        """Take the answer of the next episode, which lists what is new behind what was listed.

        Only before the walk has come to the end of the list: it would have gone on earlier.
        """
        self._state = state
        new = _steps(state)
        self._steps += new
        self._listed += len(new)
        self._calls.hints.clear()

    def advance(self) -> None:
        """Go on until an action has to wait, the list ends, or one of them throws."""
        try:
            while self._steps:
                actions, site = self._steps.popleft()
                if site != _UNKNOWN:
                    self._execution.site = site
                step = self._invoke_step(actions)
                if not step.is_done:
                    step.then(self.advance)
                    return
            self.is_finished = True
        except ActionFailed as failure:
            self.error = str(failure)

    def _invoke_step(self, actions: Sequence[Action]) -> Task:
        if not self._state.is_schema_v1:
            return self._invoke(actions[0])
        tasks = [self._invoke(action) for action in actions]
        awaited = [
            task
            for task, action in zip(tasks, actions, strict=True)
            if not isinstance(action, ContinueAsNew | SignalEntity)
        ]
        return when_any(awaited)

    def _invoke(self, action: Action) -> Task:
        match action:
            case WhenAny():
                return when_any([self._invoke(child) for child in action.children])
            case WhenAll():
                return when_all([self._invoke(child) for child in action.children])
            case _:
                return self._calls.invoke(action)


def _steps(state: OrchestratorState) -> list[_Step]:
    """What is awaited, one after the other, with where it was asked for."""
    if state.is_schema_v1:
        steps = list(state.batches)
    else:
        steps = [[action] for batch in state.batches for action in batch]
    is_known = len(state.sites) == len(steps)
    sites = state.sites if is_known else [_UNKNOWN] * len(steps)
    return list(zip(steps, sites, strict=True))
