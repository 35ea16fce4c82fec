"""The action-list walk: the extension re-executes what the SDK listed, awaiting each action in
turn.

Failures of awaited actions are ignored, and so is every check inside a call; only when the last
action is
satisfied do `error` and `isDone` count. Checks that are thrown synchronously fail the instance.
Source: Azure/azure-functions-durable-extension: Listener/OutOfProcOrchestrationShim.cs
(ScheduleDurableTaskEvents, ProcessAsyncActionsV2, InvokeAPIFromAction).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never

from durahost.engine.execution import Execution
from durahost.engine.tasks import RetriedCall, Task, finished, when_all, when_any
from durahost.model.actions import (
    Action,
    CallActivity,
    CallSubOrchestrator,
    ContinueAsNew,
    CreateTimer,
    Hint,
    OrchestratorState,
    RetryOptions,
    Unsupported,
    WaitForExternalEvent,
    WhenAll,
    WhenAny,
)
from durahost.model.ids import InstanceId

TIMER_LIMIT = timedelta(days=6)
"""Source: Azure/azure-functions-durable-extension: AzureStorageDurabilityProvider.cs
(MaximumDelayTime).
"""

TIMER_LIMIT_TEXT = (
    "The Azure Storage provider supports a maximum of 6 days for time-based delays"
    " (Parameter 'fireAt')"
)


_OVER_LIMIT = "it is one action more than maxOrchestrationActions of host.json allows"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFunctions:
    """Lower-cased durable names of the app; None means that nothing is checked."""

    orchestrators: frozenset[str] | None = None
    activities: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkRules:
    """What the checks inside the call APIs need to know."""

    instance_id: InstanceId
    parent_id: InstanceId | None = None
    known: KnownFunctions = field(default_factory=KnownFunctions)
    max_actions: int = 100_000
    has_timer_limit: bool = True
    version: str = ""


class ActionFailed(Exception):
    """An action that throws synchronously: the instance fails with this text behind the usual
    prefix.
    """


class Walk:
    """Drives one execution along the action list; `is_finished` once every action is satisfied."""

    def __init__(self, state: OrchestratorState, execution: Execution, rules: WalkRules) -> None:
        self.error: str | None = None
        self.is_finished = False
        self.hints: list[Hint] = []
        self._state = state
        self._execution = execution
        self._rules = rules
        self._steps = list(state.batches) if state.is_schema_v1 else _single(state)
        self._position = 0
        self._actions = 0

    def advance(self) -> None:
        """Go on until an action has to wait, the list ends, or one of them throws."""
        try:
            while self._position < len(self._steps):
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
            if not isinstance(action, ContinueAsNew)
        ]
        return when_any(awaited)

    def _invoke(self, action: Action) -> Task:
        match action:
            case CallActivity():
                return self._call_activity(action)
            case CallSubOrchestrator():
                return self._call_sub_orchestrator(action)
            case CreateTimer():
                return self._create_timer(action)
            case WaitForExternalEvent():
                return self._execution.wait_for_event(action.name)
            case ContinueAsNew():
                self._execution.continue_as_new(_as_json_string(action.input))
                return finished()
            case WhenAny():
                return when_any([self._invoke(child) for child in action.children])
            case WhenAll():
                return when_all([self._invoke(child) for child in action.children])
            case Unsupported():
                # Thrown, not awaited: a clear failure of this instance instead of a wait for ever.
                raise ActionFailed(f"durahost does not support the action {action.name} yet.")
            case _:
                assert_never(action)

    def _call_activity(self, action: CallActivity) -> Task:
        known = self._rules.known.activities
        if known is not None and action.name.lower() not in known:
            return self._ignored(f"no activity function is named '{action.name}'")
        if not self._counts():
            return self._ignored(
                f"it is action number {self._actions}, over maxOrchestrationActions"
            )
        payload = json.dumps([action.input], ensure_ascii=False)
        return self._call(action.retry, lambda: self._execution.schedule_task(action.name, payload))

    def _call_sub_orchestrator(self, action: CallSubOrchestrator) -> Task:
        known = self._rules.known.orchestrators
        if known is not None and action.name.lower() not in known:
            return self._ignored(f"no orchestrator function is named '{action.name}'")
        if reason := self._bad_child_id(action.instance_id):
            return self._ignored(reason)
        if not self._counts():
            return self._ignored(
                f"it is action number {self._actions}, over maxOrchestrationActions"
            )
        version = self._rules.version if action.version is None else action.version
        return self._call(
            action.retry,
            lambda: self._execution.create_sub_orchestration(
                action.name, _as_json_string(action.input), action.instance_id, version
            ),
        )

    def _create_timer(self, action: CreateTimer) -> Task:
        is_long = action.fire_at - self._execution.now > TIMER_LIMIT
        if is_long and self._state.checks_timer_length and self._rules.has_timer_limit:
            raise ActionFailed(TIMER_LIMIT_TEXT)
        if not self._counts():
            return self._ignored(
                f"it is action number {self._actions}, over maxOrchestrationActions"
            )
        return self._execution.start_timer(action.fire_at, is_canceled=action.is_canceled)

    def _call(self, retry: RetryOptions | None, attempt: Callable[[], Task]) -> Task:
        if retry is None:
            return attempt()
        execution = self._execution
        timer, now = execution.start_timer, lambda: execution.now
        return RetriedCall(retry, attempt=attempt, timer=timer, now=now).task

    def _bad_child_id(self, child: str | None) -> str | None:
        """Why a given id is refused; the extension's texts are swallowed, so the words are ours."""
        if not child:
            return None
        forbidden = {self._rules.instance_id.lower(), (self._rules.parent_id or "").lower()}
        if child.lower() in forbidden:
            return f"its instance ID '{child}' is this orchestration's or its parent's own"
        if child.startswith("@"):
            return f"its instance ID '{child}' starts with @"
        return None

    def _counts(self) -> bool:
        self._actions += 1
        return self._actions <= self._rules.max_actions

    def _ignored(self, why: str) -> Task:
        """A check that the real extension swallows: nothing is scheduled, and the instance waits
        for ever.
        """
        if self._execution.is_replaying:
            return finished(failed=True)
        self.hints.append(
            Hint(
                f"Instance '{self._rules.instance_id}' asked for a call that never runs: {why}. "
                "As on Azure it now waits for ever; fix the call, then terminate or purge it."
            )
        )
        return finished(failed=True)


def _single(state: OrchestratorState) -> list[Sequence[Action]]:
    return [[action] for batch in state.batches for action in batch]


def _as_json_string(text: str | None) -> str | None:
    return None if text is None else json.dumps(text, ensure_ascii=False)
