"""What the developer is told when code was changed under a running instance, with the real SDK."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from durahost.child.sites import note_sites, watch
from durahost.codec import entity_messages, history, sdk1
from durahost.engine import divergence
from durahost.engine.calls import KnownFunctions
from durahost.engine.decisions import Complete, SendEvent
from durahost.engine.episode import conclude, plan
from durahost.engine.matching import NonDeterminism
from durahost.engine.outcome import FreshIds, Rules, start_of
from durahost.model.entities import EntityRequest
from durahost.model.events import SCHEDULING, EventKind
from durahost.model.ids import InstanceId
from durahost.model.instances import InstanceState, Lease, LockedEpisode
from durahost.model.messages import InboxMessage, Message
from durahost.model.status import RuntimeStatus

pytestmark = [
    pytest.mark.filterwarnings("ignore:Potential duplicate Task completion"),
    pytest.mark.feature(
        "Non-determinism",
        "A hint with step, both actions and both places",
        "only in the host's log; Azure has none",
    ),
]

T0 = datetime(2026, 1, 5, 10, tzinfo=UTC)
HEAD = "def flow(context):\n"
A = "    yield context.call_activity('A')\n"
B = "    yield context.call_activity('B')\n"
TIMER = "    yield context.create_timer(context.current_utc_datetime + HOUR)\n"
CHILD = "    yield context.call_sub_orchestrator('Child', None, 'c1')\n"
SIGNAL = "    context.signal_entity(COUNTER, 'add', 1)\n"
CALL = "    yield context.call_entity(COUNTER, 'get')\n"
HTTP = "    yield context.call_http('GET', 'http://x/')\n"
EVENT = "    yield context.wait_for_external_event('Go')\n"
FOREVER = "    yield context.wait_for_external_event('Never')\n"


class Changing:
    """An instance whose orchestrator's code can change between its episodes.

    goes_on: whether the engine goes on where the code lists what it listed before.
    """

    def __init__(self, root, *, goes_on=False):
        self.root = root
        self.goes_on = goes_on
        self.listed = self.progress = None
        self.times_gone_on = 0
        self.state = InstanceState(
            instance_id=InstanceId("i1"),
            execution_id="e1",
            name="Flow",
            status=RuntimeStatus.PENDING,
            created_at=T0,
            updated_at=T0,
        )
        self.past = []
        self.new = [start_of(self.state, T0).started.event]
        self.hints = []

    def answer(self, *events):
        self.new += events
        return self

    def run(self, *lines):
        inbox = [InboxMessage(n, Message("i1", event)) for n, event in enumerate(self.new)]
        lease = Lease("episode", "i1", "me", 1)
        planned = plan(LockedEpisode(lease, self.state, self.past, inbox), T0)
        shown = sdk1.encode_context(
            self.state, self.past, planned.new_events, http_sleep_ms=1, sends_timer_limits=True
        )
        answer = self.ask(HEAD + "".join(lines), shown)
        concluded = conclude(
            planned,
            answer,
            rules=Rules(),
            known=KnownFunctions(),
            fresh=FreshIds(UUID(int=1)),
            now=T0,
            progress=self.progress if answer.kept else None,
        )
        self.times_gone_on += bool(answer.kept)
        if self.goes_on:
            self.listed, self.progress = answer.listed, concluded.progress
        self.state, self.new = concluded.commit.state, []
        self.past = [*self.past, *concluded.commit.append]
        self.hints = [hint.text for hint in concluded.hints]
        return self

    def ask(self, source, context):
        import azure.durable_functions as df

        names = {"HOUR": timedelta(hours=1), "COUNTER": df.EntityId("Counter", "c")}
        exec(compile(source, str(self.root / "Flow" / "__init__.py"), "exec"), names)
        handle = df.Orchestrator.create(names["flow"])
        watch(handle, str(self.root))
        sites = []
        with note_sites(sites):
            text = handle(context)
        return sdk1.decode_returned(text, sites=sites, earlier=self.progress and self.listed)

    @property
    def sites(self):
        return [event.site for event in self.past if event.kind in SCHEDULING]


@pytest.fixture(params=[False, True], ids=["from the beginning", "going on"])
def instance(tmp_path, request):
    return Changing(tmp_path, goes_on=request.param)


def hint(recorded, current, step=0):
    return (
        f"Instance 'i1' is not deterministic: at step {step} the code of 'Flow' no longer does "
        "what it did.\n"
        f"  recorded: {recorded}\n"
        f"  current:  {current}\n"
        "An orchestrator must take the same steps at each replay: undo the change for instances "
        "that run, or give the new code a new name or version."
    )


def done(task_id):
    return history.task_completed(task_id, "null", T0)


def at(line):
    return f"at Flow/__init__.py:{line}"


def test_a_renamed_activity(instance):
    instance.run(A).answer(done(0)).run("\n", B)
    assert instance.hints == [hint(f"activity 'A' {at(2)}", f"activity 'B' {at(3)}")]
    assert instance.state.status is RuntimeStatus.FAILED
    assert instance.state.output.startswith("Non-Deterministic workflow detected: A previous")
    assert "Flow/__init__.py" not in instance.state.output


def test_swapped_calls(instance):
    instance.run(A, TIMER).answer(done(0)).run(A, TIMER)
    fires = history.timer_fired(1, T0, T0)
    instance.answer(fires).run(TIMER, A)
    recorded, current = f"activity 'A' {at(2)}", f"timer for 2026-01-05T11:00:00Z {at(2)}"
    assert instance.hints == [hint(recorded, current)]


def test_a_removed_call_in_the_middle(instance):
    instance.run(A, TIMER, FOREVER).answer(done(0)).run(A, TIMER, FOREVER)
    instance.answer(history.timer_fired(1, T0, T0)).run(TIMER, FOREVER)
    assert instance.hints[0].splitlines()[1].endswith(f"activity 'A' {at(2)}")
    assert instance.hints[0].splitlines()[2].endswith(f"timer for 2026-01-05T11:00:00Z {at(2)}")


def test_a_removed_call_at_the_end(instance):
    instance.run(A, B).answer(done(0)).run(A, B)
    instance.answer(done(1)).run(A, FOREVER)
    current = "nothing (yet), the code stands at Flow/__init__.py:3"
    assert instance.hints == [hint(f"activity 'B' {at(3)}", current, step=1)]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (CHILD, "sub-orchestrator 'Child' (instance 'c1')"),
        (SIGNAL, "signal of 'add' on entity '@counter@c'"),
        (CALL, "call of 'get' on entity '@counter@c'"),
        (HTTP, "durable HTTP call"),
    ],
)
def test_every_kind_of_action_has_its_name(instance, line, named):
    instance.run(line, EVENT).answer(history.event_raised("Go", None, T0)).run(TIMER, EVENT)
    timer = f"timer for 2026-01-05T11:00:00Z {at(2)}"
    assert instance.hints == [hint(f"{named} {at(2)}", timer)]
    other = Changing(instance.root).run(TIMER, EVENT)
    other.answer(history.event_raised("Go", None, T0)).run(line, EVENT)
    assert other.hints == [hint(timer, f"{named} {at(2)}")]


def test_a_repeated_call_and_its_timers_have_the_site_of_the_call(instance):
    retried = "    yield context.call_activity_with_retry('A', RetryOptions(5000, 2))\n"
    first = "    from azure.durable_functions import RetryOptions\n"
    code = (first, retried, FOREVER)
    failed = history.task_failed(0, "no", "no", T0)
    instance.run(*code).answer(failed).run(*code)
    instance.answer(history.timer_fired(1, T0, T0)).run(*code)
    assert instance.sites == ["Flow/__init__.py:3"] * 3
    assert instance.times_gone_on == (2 if instance.goes_on else 0)


def test_branches_of_a_compound_have_the_site_of_its_yield_and_keep_it(instance):
    """The second race is decided while the first one's retry is still open."""
    code = (
        "    from azure.durable_functions import RetryOptions\n",
        "    tries = context.call_activity_with_retry('A', RetryOptions(5000, 2))\n",
        "    yield context.task_any([tries, context.wait_for_external_event('Go')])\n",
        FOREVER,
    )
    instance.run(*code).answer(history.event_raised("Go", None, T0)).run(*code)
    instance.answer(history.task_failed(0, "no", "no", T0)).run(*code)
    assert instance.sites == ["Flow/__init__.py:4"] * 2


def test_the_site_is_in_no_event_the_sdk_or_the_api_reads(instance):
    instance.run(SIGNAL, CHILD)
    assert instance.sites == ["Flow/__init__.py:2", "Flow/__init__.py:3"]
    assert all(set(json.loads(event.text)) and "site" not in event.text for event in instance.past)
    assert all("__init__.py" not in event.text for event in instance.past)


def test_sites_that_do_not_fit_the_actions_are_left_out(instance, monkeypatch):
    whole = instance.ask
    monkeypatch.setattr(
        instance, "ask", lambda *given: replace(whole(*given), sites=["Flow/__init__.py:9"])
    )
    instance.run(SIGNAL, TIMER)
    assert instance.sites == [None, None]


def test_messages_that_are_no_requests_and_the_end_are_named_too():
    state = Changing(None).state
    release = entity_messages.encode_release("i1", str(UUID(int=1)))
    sent = history.event_sent(0, "@counter@c", "release", release, T0)
    lock = EntityRequest(request_id=str(UUID(int=1)), operation=None, lock_set=[])
    asked = SendEvent(0, "@counter@c", "op", entity_messages.encode_request(lock))
    differs = divergence.describe(state, NonDeterminism("", sent, asked), None)
    recorded, current = "event 'release' to '@counter@c'", "event 'op' to '@counter@c'"
    assert differs.text == hint(recorded, current)
    over = Complete(0, RuntimeStatus.TERMINATED, None)
    ended = divergence.describe(state, NonDeterminism("", sent, over), None)
    assert ended.text == hint(recorded, "the end of the orchestration")
    nothing = divergence.describe(state, NonDeterminism("", sent, None), None)
    assert nothing.text == hint(recorded, "nothing (yet)")
    assert sent.kind is EventKind.EVENT_SENT
