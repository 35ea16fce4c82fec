"""Asking an orchestrator what it wants: with the new events where it lives on, else with them all.

An answer that goes on from an earlier one comes with the engine's progress up to there: that of an
orchestrator that lives on, or of a replay that lists what was listed before. Any other comes with
the whole history, whatever was asked first, and the engine begins at the beginning.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from durahost.codec import durable_http, failures, history, sdk1
from durahost.dispatch.ahead import BegunEpisode, Guess
from durahost.dispatch.sessions import LONG_HISTORY, Session, Sessions, verify_at
from durahost.dispatch.standings import Standing, Standings
from durahost.dispatch.workbench import Workbench
from durahost.engine import outcome
from durahost.engine.episode import Conclusion, Plan
from durahost.engine.progress import Progress
from durahost.host_state import Generation
from durahost.invocations import Call, Then
from durahost.model.actions import Listed, OrchestratorFailure, OrchestratorState
from durahost.model.errors import SessionLost
from durahost.model.events import HistoryEvent
from durahost.model.functions import FunctionMetadata
from durahost.model.instances import Commit, InstanceState
from durahost.model.values import dataclass
from durahost.off_loop import LONG_TEXT, MANY_STEPS, run_pure
from durahost.registry import DurableKind
from durahost.store.base import EpisodeStore
from durahost.worker.base import Raised, Returned, SessionAsk, SessionState, TypedData

logger = logging.getLogger(__name__)

Answer = OrchestratorState | OrchestratorFailure


class SessionDiffers(Exception):
    """Going on does not give what beginning at the beginning does; see `checks_sessions`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was answered, and to what.

    plan: with the whole history, unless progress is that of the events left out. ask, told: of the
    orchestrator that lives on, verify_at: when it is replayed again. replay: the same from the
    beginning, when that is to be compared.
    """

    plan: Plan
    answer: Answer
    progress: Progress | None = None
    ask: SessionAsk | None = None
    told: SessionState | None = None
    verify_at: int = 0
    replay: "Asked | None" = None


@dataclass(frozen=True, slots=True)
class _Callee:
    """Who is asked. begun: what a child may have begun of the answer."""

    generation: Generation
    function: FunctionMetadata
    begun: BegunEpisode | None = None


class Asking:
    """Asks the orchestrators of one hub."""

    def __init__(self, store: EpisodeStore, bench: Workbench) -> None:
        self._store = store
        self._bench = bench
        self._sessions = Sessions(bench.settings)
        self.standings = Standings(bench.clock, bench.settings.session_idle.total_seconds())

    async def ask(self, generation: Generation, planned: Plan, begun: BegunEpisode | None) -> Asked:
        """The answer to this episode. Errors: those of worker and store; SessionDiffers.

        begun: what a child may have begun of it.
        """
        locked = planned.locked
        standing = self.standings.take(locked, generation.number)
        function = generation.registry.find(DurableKind.ORCHESTRATOR, locked.state.name)
        if function is None:
            whole = await self._whole(planned)
            return Asked(plan=whole, answer=_unknown(generation, locked.state.name))
        generation.registry.require_loaded(function)
        callee = _Callee(generation, function, begun)
        session = None if standing is None else standing.session
        if standing is not None and session is not None and standing.may_follow(locked):
            try:
                return await self._follow(callee, planned, standing, session)
            except SessionLost as lost:
                logger.debug("Instance '%s' is replayed: %s", locked.state.instance_id, lost)
                session = None
        whole = await self._whole(planned)
        events = whole.locked.recorded + len(whole.new_events)
        ask = self._sessions.ask(events, session)
        return await self._replay(callee, whole, ask, standing)

    def keep(self, generation: Generation, asked: Asked, concluded: Conclusion) -> None:
        """Remember where the instance stands, now that its episode is committed, and guess what its
        next one will be asked.
        """
        state = concluded.commit.state
        if state.status.is_terminal:
            return
        session, progress = _session(asked), concluded.progress
        standing = Standing(
            generation=generation.number,
            execution_id=state.execution_id,
            session=session,
            progress=progress,
            listed=_listed(asked) if session is None and progress is not None else None,
        )
        if session is not None or standing.listed is not None:
            self.standings.keep(state.instance_id, standing)
        elif progress is not None:
            progress.let_go()
        self._guess(generation, asked.plan, concluded.commit, standing)

    def _guess(
        self, generation: Generation, plan: Plan, commit: Commit, standing: Standing
    ) -> None:
        """Guess what is asked when the one activity that was scheduled has returned."""
        function = generation.registry.find(DurableKind.ORCHESTRATOR, commit.state.name)
        if len(commit.schedule) != 1 or function is None or function.has_expressions:
            return
        (task,) = commit.schedule
        later = history.task_completed_later(task.task_id)
        question = self._question(plan, commit, standing, later)
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
        self, plan: Plan, commit: Commit, standing: Standing, new: Sequence[HistoryEvent]
    ) -> tuple[str, SessionAsk | None, list[HistoryEvent], int] | None:
        """What is asked in the next episode if these are its events: text, session, the events
        before, and how many are left out. None where that is a replay of a long history.
        """
        session, known = standing.session, standing.events
        if session is not None and known is not None:
            past = [*commit.append[len(plan.new_events) :]]
            ask: SessionAsk | None = self._sessions.follow(session)
            return sdk1.encode_events(past, new), ask, past, known
        is_whole = session is None and not plan.locked.left_out and not commit.starts_generation
        if not is_whole or plan.locked.recorded > LONG_HISTORY:
            return None
        past = [*plan.locked.history, *commit.append]
        ask = self._sessions.ask(len(past) + len(new), None)
        return self._encode(commit.state, past, new), ask, past, 0

    async def _follow(
        self, callee: _Callee, planned: Plan, standing: Standing, session: Session
    ) -> Asked:
        encode = partial(sdk1.encode_events, planned.locked.history, planned.new_events)
        result, ask = await self._invoke(callee, encode, self._sessions.follow(session))
        answer = await _read(result)
        progress = standing.progress_to(answer)
        if isinstance(answer, OrchestratorState) and answer.kept and progress is None:
            raise SessionLost("it has listed another number of actions")
        plan = planned if progress is not None else await self._whole(planned)
        asked = Asked(
            plan=plan,
            answer=answer,
            progress=progress,
            ask=ask,
            told=result.session,
            verify_at=session.verify_at,
        )
        if self._bench.settings.checks_sessions:
            whole = await self._whole(planned)
            again = _Callee(callee.generation, callee.function)
            asked = _compared(asked, await self._replay(again, whole, None, None))
        return asked

    async def _replay(
        self, callee: _Callee, planned: Plan, ask: SessionAsk | None, standing: Standing | None
    ) -> Asked:
        """standing: from where the engine may go on, if the answer lists the same up to there."""
        locked, new = planned.locked, planned.new_events
        is_long = len(locked.history) > MANY_STEPS
        encode = partial(self._encode, locked.state, locked.history, new)
        result, ask = await self._invoke(callee, encode, ask, is_long=is_long)
        answer = await _read(result, standing.listed if standing else None)
        asked = Asked(
            plan=planned,
            answer=answer,
            progress=standing.progress_to(answer) if standing else None,
            ask=ask,
            told=result.session,
            verify_at=verify_at(locked.recorded + len(new)),
        )
        if asked.progress is not None and self._bench.settings.checks_sessions:
            asked = _compared(asked, Asked(plan=planned, answer=await _read(result)))
        return asked

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
        callee: _Callee,
        encode: Callable[[], str],
        ask: SessionAsk | None,
        *,
        is_long: bool = False,
    ) -> tuple[Returned | Raised, SessionAsk | None]:
        """What was answered, and what was asked of the session."""
        generation, begun = callee.generation, callee.begun
        if begun is not None and begun.is_asked(generation.number, ask):
            ask = begun.guess.then.session
            call = Call(trigger=None, reason="(null)", session=ask, begun=begun.call)
        else:
            trigger = TypedData("string", await run_pure(encode, is_long=is_long))
            call = Call(trigger=trigger, reason="(null)", session=ask)
        return await self._bench.invoker.invoke(generation.worker, callee.function, call), ask


def check_commit(concluded: Conclusion, replayed: Conclusion) -> None:
    """Errors: SessionDiffers when going on and beginning anew do not change and tell the same."""
    going_on, anew = [(one.commit, one.hints) for one in (concluded, replayed)]
    if going_on != anew:
        raise SessionDiffers(f"going on changes {going_on}, a replay changes {anew}")


def _compared(asked: Asked, replay: Asked) -> Asked:
    """What was asked, with the same from the beginning. Errors: SessionDiffers."""
    _compare(asked.answer, replay.answer)
    return replace(asked, replay=replay)


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


def _session(asked: Asked) -> Session | None:
    """The session that can be asked next, if the orchestrator lives on."""
    ask, told = asked.ask, asked.told
    if ask is None or told is None or not told.is_alive:
        return None
    return Session(key=ask.key, child=told.child, verify_at=asked.verify_at)


def _listed(asked: Asked) -> Listed | None:
    """What the next replay begins with. An instance that has only begun is not worth its place in
    memory: its next replay is no longer than what would be gone on with.
    """
    answer = asked.answer
    if isinstance(answer, OrchestratorFailure) or not asked.plan.locked.recorded:
        return None
    return answer.listed


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


async def _read(result: Returned | Raised, earlier: Listed | None = None) -> Answer:
    work = partial(_decode, result, earlier)
    answer = await run_pure(work, is_long=_length(result) > LONG_TEXT)
    return outcome.check_custom_status(answer)


def _decode(result: Returned | Raised, earlier: Listed | None) -> Answer:
    sites = result.sites
    kept = 0 if result.session is None else result.session.kept
    match result:
        case Returned(value):
            text = None if value is None else str(value.value)
            return sdk1.decode_returned(text, sites=sites, kept=kept, earlier=earlier)
        case Raised():
            return sdk1.decode_raised(
                result.wire_message, result.stack_trace, sites=sites, kept=kept
            )
