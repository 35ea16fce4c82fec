"""The action-list walk: the extension re-executes what the SDK listed, awaiting each action in
turn.

Failures of awaited actions are ignored; only when the last action is satisfied do `error` and
`isDone` count.
What is thrown synchronously fails the instance.
Source: Azure/azure-functions-durable-extension: Listener/OutOfProcOrchestrationShim.cs
(ScheduleDurableTaskEvents, ProcessAsyncActionsV2, InvokeAPIFromAction).
"""

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


class Walk:
    """Drives one execution along the action list; `is_finished` once every action is satisfied."""

    def __init__(self, state: OrchestratorState, execution: Execution, rules: CallRules) -> None:
        self.error: str | None = None
        self.is_finished = False
        self._state = state
        self._execution = execution
        self._calls = Calls(execution, rules, checks_timer_length=state.checks_timer_length)
        self._steps = list(state.batches) if state.is_schema_v1 else _single(state)
        self._sites = state.sites if len(state.sites) == len(self._steps) else None
        self._position = 0

    @property
    def wants_end(self) -> bool:
        """Whether the orchestrator returned, failed, or asked for what cannot be."""
        return self._state.is_done or (self._state.error or self.error) is not None

    @property
    def hints(self) -> list[Hint]:
        """Lines for the developer about calls that never run."""
        return self._calls.hints

    def advance(self) -> None:
        """Go on until an action has to wait, the list ends, or one of them throws."""
        try:
            while self._position < len(self._steps):
                if self._sites is not None:
                    self._execution.site = self._sites[self._position]
                step = self._invoke_step(self._steps[self._position])
                self._position += 1
                if not step.is_done:
                    step.then(self.advance)
                    return
            self.is_finished = True
        except ActionFailed as failure:
            self.error = str(failure)

    def _invoke_step(self, actions: Sequence[Action]) -> Task:
        tasks = [self._invoke(action) for action in actions]
        if not self._state.is_schema_v1:
            return tasks[0]
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


def _single(state: OrchestratorState) -> list[Sequence[Action]]:
    return [[action] for batch in state.batches for action in batch]
