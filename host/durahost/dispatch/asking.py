"""Asking an orchestrator what it wants: with the new events where it lives on, else with them all.

An answer that goes on from an earlier one comes with the engine's progress up to there; any other
comes with the whole history, whatever was asked first.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from durahost.codec import durable_http, failures, history, sdk1
from durahost.dispatch.ahead import BegunEpisode, Guess
from durahost.dispatch.sessions import LONG_HISTORY, Session, Sessions, verify_at
from durahost.dispatch.workbench import Workbench
from durahost.engine import outcome
from durahost.engine.episode import Conclusion, Plan
from durahost.engine.progress import Progress
from durahost.host_state import Generation
from durahost.invocations import Call, Then
from durahost.model.actions import OrchestratorFailure, OrchestratorState
from durahost.model.errors import SessionLost
from durahost.model.events import HistoryEvent
from durahost.model.functions import FunctionMetadata
from durahost.model.instances import Commit, InstanceState
from durahost.off_loop import LONG_TEXT, MANY_STEPS, run_pure
from durahost.registry import DurableKind
from durahost.store.base import EpisodeStore
from durahost.worker.base import Raised, Returned, SessionAsk, SessionState, TypedData

logger = logging.getLogger(__name__)

Answer = OrchestratorState | OrchestratorFailure


class SessionDiffers(Exception):
    """An orchestrator that lives on does not answer as a replay does; see `checks_sessions`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was answered, and to what.

    plan: with the whole history, unless progress is that of the events left out. ask, told: of the
    orchestrator that lives on, verify_at: when it is replayed again. replay: the same answered by a
    replay, when that is to be compared.
    """

    plan: Plan
    answer: Answer
    progress: Progress | None = None
    ask: SessionAsk | None = None
    told: SessionState | None = None
    verify_at: int = 0
    replay: "Asked | None" = None


class Asking:
    """Asks the orchestrators of one hub."""

    def __init__(self, store: EpisodeStore, bench: Workbench) -> None:
        self._store = store
        self._bench = bench
        self.sessions = Sessions(bench.settings, bench.clock)

    async def ask(self, generation: Generation, planned: Plan, begun: BegunEpisode | None) -> Asked:
        """The answer to this episode. Errors: those of worker and store; SessionDiffers.

        begun: what a child may have begun of it.
        """
        locked = planned.locked
        session = self.sessions.take(locked, generation.number)
        function = generation.registry.find(DurableKind.ORCHESTRATOR, locked.state.name)
        if function is None:
            whole = await self._whole(planned)
            return Asked(plan=whole, answer=_unknown(generation, locked.state.name))
        generation.registry.require_loaded(function)
        if session is not None and session.may_follow(locked):
            try:
                return await self._follow(generation, function, planned, session, begun)
            except SessionLost as lost:
                logger.debug("Instance '%s' is replayed: %s", locked.state.instance_id, lost)
                session = None
        whole = await self._whole(planned)
        events = whole.locked.recorded + len(whole.new_events)
        ask = self.sessions.ask(events, session)
        return await self._replay(generation, function, whole, ask, begun)

    def keep(self, generation: Generation, asked: Asked, concluded: Conclusion) -> None:
        """Remember an orchestrator that lives on, now that its episode is committed, and guess what
        its next one will be asked.
        """
        state = concluded.commit.state
        if state.status.is_terminal:
            return
        session = self._session(generation, asked, concluded)
        if session is not None:
            self.sessions.keep(state.instance_id, session)
        self._guess(generation, asked.plan, concluded.commit, session)

    def _session(
        self, generation: Generation, asked: Asked, concluded: Conclusion
    ) -> Session | None:
        ask, told = asked.ask, asked.told
        if ask is None or told is None or not told.is_alive:
            return None
        return Session(
            key=ask.key,
            child=told.child,
            generation=generation.number,
            execution_id=concluded.commit.state.execution_id,
            progress=concluded.progress,
            verify_at=asked.verify_at,
        )

    def _guess(
        self, generation: Generation, plan: Plan, commit: Commit, session: Session | None
    ) -> None:
        """Guess what is asked when the one activity that was scheduled has returned."""
        function = generation.registry.find(DurableKind.ORCHESTRATOR, commit.state.name)
        if len(commit.schedule) != 1 or function is None or function.has_expressions:
            return
        (task,) = commit.schedule
        question = self._question(plan, commit, session, history.task_completed_later(task.task_id))
        if question is None or task.name == durable_http.ACTIVITY_NAME:
            return
        text, ask, past, left_out = question
        pieces = text.split(history.GAP)
        # An input may have the same character in it; a long text may be too long for one frame.
        if len(pieces) != history.GAPS + 1 or len(text) > LONG_TEXT:
            return
        guess = Guess(
            then=Then(function=function, pieces=pieces, session=ask),
            generation=generation.number,
            state=commit.state,
            past=past,
            left_out=left_out,
        )
        self._bench.ahead.expect(task, guess)

    def _question(
        self, plan: Plan, commit: Commit, session: Session | None, new: Sequence[HistoryEvent]
    ) -> tuple[str, SessionAsk | None, list[HistoryEvent], int] | None:
        """What is asked in the next episode if these are its events: text, session, the events
        before, and how many are left out. None where that is a replay of a long history.
        """
        if session is not None and session.events is not None:
            past = [*commit.append[len(plan.new_events) :]]
            ask: SessionAsk | None = self.sessions.follow(session)
            return sdk1.encode_events(past, new), ask, past, session.events
        is_whole = session is None and not plan.locked.left_out and not commit.starts_generation
        if not is_whole or plan.locked.recorded > LONG_HISTORY:
            return None
        past = [*plan.locked.history, *commit.append]
        ask = self.sessions.ask(len(past) + len(new), None)
        return self._encode(commit.state, past, new), ask, past, 0

    async def _follow(
        self,
        generation: Generation,
        function: FunctionMetadata,
        planned: Plan,
        session: Session,
        begun: BegunEpisode | None,
    ) -> Asked:
        encode = partial(sdk1.encode_events, planned.locked.history, planned.new_events)
        follow = self.sessions.follow(session)
        answer, told, ask = await self._invoke(generation, function, encode, follow, begun)
        goes_on = isinstance(answer, OrchestratorState) and (
            session.progress is not None and session.progress.fits(answer)
        )
        if isinstance(answer, OrchestratorState) and answer.kept and not goes_on:
            raise SessionLost("it has listed another number of actions")
        plan = planned if goes_on else await self._whole(planned)
        asked = Asked(
            plan=plan,
            answer=answer,
            progress=session.progress if goes_on else None,
            ask=ask,
            told=told,
            verify_at=session.verify_at,
        )
        if self._bench.settings.checks_sessions:
            whole = await self._whole(planned)
            replay = await self._replay(generation, function, whole, None, None)
            _compare(asked.answer, replay.answer)
            asked = replace(asked, replay=replay)
        return asked

    async def _replay(
        self,
        generation: Generation,
        function: FunctionMetadata,
        planned: Plan,
        ask: SessionAsk | None,
        begun: BegunEpisode | None,
    ) -> Asked:
        locked, new = planned.locked, planned.new_events
        is_long = len(locked.history) > MANY_STEPS
        encode = partial(self._encode, locked.state, locked.history, new)
        answer, told, ask = await self._invoke(
            generation, function, encode, ask, begun, is_long=is_long
        )
        events = locked.recorded + len(planned.new_events)
        return Asked(plan=planned, answer=answer, ask=ask, told=told, verify_at=verify_at(events))

    def _encode(
        self, state: InstanceState, past: Sequence[HistoryEvent], new: Sequence[HistoryEvent]
    ) -> str:
        settings = self._bench.settings
        return sdk1.encode_context(
            state,
            past,
            new,
            http_sleep_ms=settings.default_http_sleep_ms,
            sends_timer_limits=settings.sends_timer_limits,
        )

    async def _whole(self, planned: Plan) -> Plan:
        """The same plan with all of history, for who cannot go on from where it was left."""
        if not planned.locked.left_out:
            return planned
        return replace(planned, locked=await self._store.read_whole(planned.locked))

    async def _invoke(
        self,
        generation: Generation,
        function: FunctionMetadata,
        encode: Callable[[], str],
        ask: SessionAsk | None,
        begun: BegunEpisode | None,
        *,
        is_long: bool = False,
    ) -> tuple[Answer, SessionState | None, SessionAsk | None]:
        """The answer, what is told of the session, and what was asked of it."""
        if begun is not None and begun.is_asked(generation.number, ask):
            ask = begun.guess.then.session
            call = Call(trigger=None, reason="(null)", session=ask, begun=begun.call)
        else:
            trigger = TypedData("string", await run_pure(encode, is_long=is_long))
            call = Call(trigger=trigger, reason="(null)", session=ask)
        result = await self._bench.invoker.invoke(generation.worker, function, call)
        answer = await run_pure(lambda: _decode(result), is_long=_length(result) > LONG_TEXT)
        return outcome.check_custom_status(answer), result.session, ask


def check_commit(concluded: Conclusion, replayed: Conclusion) -> None:
    """Errors: SessionDiffers when going on and replaying do not change the same."""
    if concluded.commit != replayed.commit:
        raise SessionDiffers(
            f"going on changes {concluded.commit}, a replay changes {replayed.commit}"
        )


def _compare(answer: Answer, replay: Answer) -> None:
    expected = replay
    if isinstance(answer, OrchestratorState) and isinstance(replay, OrchestratorState):
        kept, answer = answer.kept, replace(answer, sites=[*answer.sites])
        expected = replace(
            replay,
            batches=[batch[kept:] for batch in replay.batches],
            sites=[*replay.sites[kept:]],
            kept=kept,
            stack=answer.stack,
        )
    elif isinstance(answer, OrchestratorFailure) and isinstance(replay, OrchestratorFailure):
        expected = replace(replay, details=answer.details)
    if answer != expected:
        raise SessionDiffers(f"it answers {answer}, a replay answers {replay}")


def _unknown(generation: Generation, name: str) -> OrchestratorFailure:
    """The instance fails when it is dispatched, not when it is started.

    Source: Azure/azure-functions-durable-extension: DurableTaskExtension.cs
    (OrchestrationMiddleware).
    """
    text = generation.registry.unknown_text(DurableKind.ORCHESTRATOR, name)
    logger.warning("An instance was started for an orchestrator that is not there: %s", text)
    return OrchestratorFailure(text, failures.orchestrator_details(text, ""))


def _length(result: Returned | Raised) -> int:
    match result:
        case Returned(value):
            return 0 if value is None else len(str(value.value))
        case Raised(_, message):
            return len(message)


def _decode(result: Returned | Raised) -> OrchestratorState | OrchestratorFailure:
    sites = result.sites
    kept = 0 if result.session is None else result.session.kept
    match result:
        case Returned(value):
            text = None if value is None else str(value.value)
            return sdk1.decode_returned(text, sites=sites, kept=kept)
        case Raised():
            return sdk1.decode_raised(
                result.wire_message, result.stack_trace, sites=sites, kept=kept
            )
