"""One episode: what the orchestrator is shown, and what its answer means.

`plan` and `conclude` are values in, values out: the same arguments always give the same commit.
Source: Azure/durabletask: TaskOrchestrationDispatcher.cs (OnProcessWorkItemAsync,
ReconcileMessagesWithState), TaskOrchestrationExecutor.cs (ExecuteCore).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from durahost.codec import failures, history
from durahost.engine import divergence, held, outcome
from durahost.engine.calls import CallRules, KnownFunctions
from durahost.engine.execution import Execution
from durahost.engine.matching import NonDeterminism
from durahost.engine.outcome import FreshIds, Rules
from durahost.engine.progress import Progress
from durahost.engine.walk import Walk
from durahost.model.actions import Hint, OrchestratorFailure, OrchestratorState
from durahost.model.events import EventKind, HistoryEvent
from durahost.model.instances import Commit, InstanceState, LockedEpisode
from durahost.model.messages import InboxMessage
from durahost.model.status import RuntimeStatus
from durahost.model.values import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """An episode that can run.

    new_events: OrchestratorStarted, then the messages that go into history, ExecutionStarted first.
    taken: message id by the identity of its new event. dropped: messages that leave without one.
    """

    locked: LockedEpisode
    new_events: Sequence[HistoryEvent]
    taken: Mapping[int, int]
    dropped: Sequence[int]

    @property
    def started_at(self) -> datetime:
        """The time the orchestrator sees."""
        return self.new_events[0].timestamp


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What to commit, what the orchestrator decided in it, and lines for the developer.

    decided: the decisions' events in order; of a continue-as-new too, which leaves no history
    behind.
    progress: from where the next episode may go on once this one is committed; None when it must
    begin at the beginning.
    """

    commit: Commit
    decided: Sequence[HistoryEvent]
    hints: Sequence[Hint] = ()
    progress: Progress | None = None


def plan(locked: LockedEpisode, now: datetime) -> Plan | Commit:
    """Sort the inbox; a Commit means there is nothing to run, only messages to drop.

    A message for another execution, a second ExecutionStarted, or one for an ended instance is
    dropped. An ExecutionRewound wakes the instance without becoming an event: its own was recorded
    when the execution was rewound (`engine.rewind`).
    The episode's time is never before the previous one's.
    """
    taken, dropped = _sort_inbox(locked)
    wakes = [inbox.message_id for inbox in taken if _is_wake(inbox)]
    taken = [inbox for inbox in taken if not _is_wake(inbox)]
    dropped += wakes
    is_startable = bool(locked.history) or any(_is_start(inbox) for inbox in taken)
    if not (taken or wakes) or not is_startable:
        return Commit(state=locked.state, consume=dropped)
    taken.sort(key=lambda inbox: not _is_start(inbox))
    events = _events(locked, taken)
    times = [event.timestamp for event in locked.history[-1:]]
    started = history.orchestrator_started(max([now, *times]))
    ids = {id(event): inbox.message_id for event, inbox in zip(events, taken, strict=True)}
    return Plan(locked, [started, *events], ids, dropped)


def conclude(
    plan: Plan,
    answer: OrchestratorState | OrchestratorFailure,
    *,
    rules: Rules,
    known: KnownFunctions,
    fresh: FreshIds,
    now: datetime,
    progress: Progress | None = None,
) -> Conclusion:
    """Replay history with the orchestrator's answer, and put everything that follows into one
    commit.

    progress: of an earlier episode, if the answer goes on from it; it is used up by this call. The
    plan may leave out the events up to there. Without one it holds the whole history, and the
    answer the whole list of actions.
    """
    state = plan.locked.state
    answer = outcome.check_custom_status(answer)
    walk: Walk | None
    past = 0
    if progress is not None and isinstance(answer, OrchestratorState):
        execution, walk = progress.go_on(answer)
        past = progress.events - plan.locked.left_out
    else:
        execution = Execution(state.instance_id, state.execution_id, plan.started_at)
        walk = _prepare_walk(plan, answer, execution, rules=rules, known=known)
    try:
        _replay(plan, execution, past)
    except NonDeterminism as failure:
        text = f"{failures.NON_DETERMINISM}{failure}"
        execution.complete(RuntimeStatus.FAILED, text, failures.orchestrator_details(text, ""))
        if isinstance(answer, OrchestratorFailure):
            hints = [_no_answer(state, answer)]
        else:
            hints = [divergence.describe(state, failure, execution.site)]
    else:
        outcome.finish(execution, walk, answer, name=state.name)
        hints = [
            *_hints(execution, walk, state.instance_id),
            *held.describe(state, execution, walk),
        ]
    custom_status = getattr(answer, "custom_status", None)
    effects = outcome.Effects(state, rules, fresh, max(now, plan.started_at), custom_status)
    commit = outcome.build_commit(
        execution, effects, new_events=plan.new_events, taken=plan.taken, dropped=plan.dropped
    )
    events = plan.locked.recorded + len(plan.new_events)
    following = Progress.after(execution, walk, events)
    if following is None:
        execution.let_go()
    return Conclusion(commit, effects.events, hints, following)


def _sort_inbox(locked: LockedEpisode) -> tuple[list[InboxMessage], list[int]]:
    taken: list[InboxMessage] = []
    dropped: list[int] = []
    is_started = bool(locked.history)
    for inbox in locked.inbox:
        execution_id = inbox.message.execution_id
        is_foreign = execution_id not in (None, locked.state.execution_id)
        is_start = _is_start(inbox)
        if is_foreign or locked.state.status.is_terminal or (is_start and is_started):
            dropped.append(inbox.message_id)
            continue
        is_started = is_started or is_start
        taken.append(inbox)
    return taken, dropped


def _is_wake(inbox: InboxMessage) -> bool:
    return inbox.message.event.kind is EventKind.EXECUTION_REWOUND


def _is_start(inbox: InboxMessage) -> bool:
    return inbox.message.event.kind is EventKind.EXECUTION_STARTED


def _events(locked: LockedEpisode, taken: Sequence[InboxMessage]) -> list[HistoryEvent]:
    """The messages' events; those carried over a continue-as-new count as played from the start.

    Carried are the ones accepted before the new execution was started.
    """
    if locked.history or locked.state.generation == 0:
        return [inbox.message.event for inbox in taken]
    started_as = taken[0].message_id
    return [
        _played(inbox.message.event)
        if inbox.message.is_carried or inbox.message_id < started_as
        else inbox.message.event
        for inbox in taken
    ]


def _played(event: HistoryEvent) -> HistoryEvent:
    return replace(event, text=history.mark_played(event.text))


def _prepare_walk(
    plan: Plan,
    answer: OrchestratorState | OrchestratorFailure,
    execution: Execution,
    *,
    rules: Rules,
    known: KnownFunctions,
) -> Walk | None:
    if isinstance(answer, OrchestratorFailure):
        return None
    state = plan.locked.state
    walk_rules = CallRules(
        instance_id=state.instance_id,
        parent_id=state.parent.instance_id if state.parent else None,
        known=known,
        max_actions=rules.max_actions,
        execution_id=state.execution_id,
        has_timer_limit=rules.has_timer_limit,
        version=rules.default_version,
        http_sleep=rules.http_sleep,
    )
    walk = Walk(answer, execution, walk_rules)
    execution.on_start = walk.advance
    return walk


def _replay(plan: Plan, execution: Execution, past: int) -> None:
    """past: how many events of the plan's history the execution has processed before."""
    execution.is_replaying = True
    for event in plan.locked.history[past:]:
        execution.process(event)
    execution.is_replaying = False
    for event in plan.new_events:
        execution.process(event)


def _no_answer(state: InstanceState, failure: OrchestratorFailure) -> Hint:
    """Azure's output hides it: without a list of actions every replay looks like another one."""
    return Hint(
        f"Instance '{state.instance_id}' failed because the code of '{state.name}' gave no list of "
        f"actions; as on Azure its output speaks of non-determinism instead: {failure.error}"
    )


def _hints(execution: Execution, walk: Walk | None, instance_id: str) -> list[Hint]:
    hints = list(walk.hints) if walk else []
    for raised, awaited in execution.unheard_names:
        hints.append(
            Hint(
                f"Instance '{instance_id}' waits for the event '{awaited}', was sent '{raised}': "
                "the Python SDK tells the case apart and goes on waiting, as on Azure."
            )
        )
    return hints
