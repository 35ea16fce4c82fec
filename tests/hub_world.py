"""A host without its edges: real dispatchers over a real hub file, and functions called in process.

Orchestrators and entities run through the SDK's own handles. The store is the real one, but for its
threads: everything is done on the event loop's, so that the operations of a host come in the same
order at every run. A fault ends the host before or after any of them: what was in memory is gone,
the next life opens the file again. The clock and the world outside the host go on.
"""

import asyncio
import json
import re
import sqlite3
from collections import Counter
from contextlib import AsyncExitStack, closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar
from unittest.mock import patch

import azure.durable_functions as df
from invariants import Watch, assert_invariants, assert_sound
from stored_rows import MemoryRows

from durahost.child import quick_dates, quick_tuples
from durahost.child import sessions as child_sessions
from durahost.child.sessions import Ask
from durahost.codec.history import format_time
from durahost.codec.json_text import dump_plain
from durahost.codec.sdk1 import activity_result
from durahost.config.settings import DurableSettings
from durahost.dispatch.activities import ActivityDispatcher
from durahost.dispatch.orchestrations import OrchestrationDispatcher
from durahost.dispatch.renewal import Renewal
from durahost.dispatch.workbench import Workbench
from durahost.functions.routing import RouteTable
from durahost.host_state import Generation, HostState
from durahost.invocations import Invoker
from durahost.management import Management
from durahost.model.errors import SessionLost, StoreUnavailable
from durahost.model.functions import Binding, FunctionMetadata
from durahost.model.queries import InstanceQuery
from durahost.registry import DurableKind, Registry
from durahost.store.memory import MemoryStore
from durahost.store.sqlite import store
from durahost.store.sqlite.answers import Answers
from durahost.store.sqlite.readers import Readers
from durahost.store.sqlite.rows import from_microseconds, to_microseconds
from durahost.store.sqlite.store import SqliteStore
from durahost.store.sqlite.transactions import Request, settle
from durahost.store.sqlite.writer import Writer
from durahost.worker.base import Begun, Raised, Returned, SessionState, TypedData

HUB = "TestHubName"
QUIET_TURNS = 20
"""More turns of the event loop than any path from one store operation to the next one takes."""
CHILD_TURNS = 5
"""A call of a child takes longer than the host needs to note the commit that brought it about."""
OPERATIONS_LIMIT = 10_000
AGES_S = 3600
"""An answer never waits for its episode so long here: no timer of the store is part of a run."""
WRITES = frozenset({"create", "send", "signal", "rewind", "purge", "remove_idle"})
GUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")


class Crash(BaseException):
    """The host is gone, and nothing that it had begun goes on; `stored`: what this caller wrote."""

    def __init__(self, stored=None):
        super().__init__(stored)
        self.stored = stored


@dataclass(frozen=True)
class Fault:
    """Where a host dies: at the store operation of this number, before or after it is done."""

    number: int
    side: str


class Faults:
    """Counts operations over all lives, and ends a host at the armed ones.

    committed: episodes and entity batches by instance, those after which the host died included.
    """

    def __init__(self):
        self.armed = None
        self.is_dead = False
        self.operations = []
        self.committed = Counter()

    def arm(self, fault):
        self.armed = fault

    def pass_by(self, name, side):
        """Errors: Crash, at the fault and until the next life."""
        if side == "before" and not self.is_dead:
            self.operations.append(name)
        if self.armed == Fault(len(self.operations) - 1, side):
            self.armed, self.is_dead = None, True
        if self.is_dead:
            raise Crash(name if side == "after" else None)


class InlineWriter(Writer):
    """The store's writer without turns and thread: one transaction a change, done at once."""

    free_connection = None

    async def write(self, change, *, is_long=False):
        batch = [Request(change, asyncio.get_running_loop().create_future(), is_long)]
        settle(batch, self._write_patiently(batch))
        return await batch[0].future


class InlineReaders(Readers):
    """The store's readers, on the same thread."""

    async def read(self, read):
        return self._run(read)


class NumberedHub:
    """A hub whose operations are counted; waiting is none."""

    UNCOUNTED: ClassVar = frozenset({"wait_for_episodes", "wait_for_activities", "wait_for_end"})

    def __init__(self, hub, faults):
        self._hub = hub
        self._faults = faults

    def __getattr__(self, name):
        operation = getattr(self._hub, name)
        if name in self.UNCOUNTED:
            return operation

        async def counted(*arguments, **named):
            self._faults.pass_by(name, "before")
            stored = None
            try:
                result = await operation(*arguments, **named)
                stored = name
                if name == "lock_episodes":
                    await self._assert_is_stored(result)
                if name == "commit_episode":
                    self._faults.committed[arguments[0].key] += 1
            finally:
                self._faults.pass_by(stored, "after")
            return result

        return counted

    async def _assert_is_stored(self, episodes):
        """What an episode begins with is what was committed, wherever the store has it from."""
        for locked in episodes:
            instance_id = locked.state.instance_id
            # By a listing, which is read from the file.
            page = await self._hub.query(InstanceQuery(prefix=instance_id))
            assert locked.state in page.instances
            history = await self._hub.read_history(instance_id)
            assert [*locked.history] == history[locked.left_out :]


class Functions:
    """An app of plain callables, as a registry and as a worker; `ran` counts activities by input.

    called: of orchestrators by instance. followed: those that went on where they were. begun: how
    many followed an activity at once; begun_and_asked: the texts of those that were asked for.
    is_ahead: whether calls follow activities at once. texts: what orchestrators were asked with.
    orchestrators, entities: as the SDK wants them. activities: take the input, return the result.
    """

    KINDS: ClassVar = {
        "orchestrators": ("orchestrationTrigger", df.Orchestrator.create),
        "entities": ("entityTrigger", df.Entity.create),
        "activities": ("activityTrigger", None),
    }

    def __init__(self, **functions):
        self.ran = Counter()
        self.called, self.followed = Counter(), Counter()
        self.clock, self.is_ahead = None, True
        self.texts, self.begun, self.begun_and_asked = [], 0, []
        self._sessions_of = {}
        self.begin_life()
        self.busy = 0
        self._handles = {}
        self.gates = {}
        found = []
        for kind, (trigger, create) in self.KINDS.items():
            for name, function in functions.get(kind, {}).items():
                self._handles[name] = create(function) if create else self._activity(name, function)
                found.append(_metadata(name, trigger))
        self.metadata = found
        self.registry = Registry.of(found)

    @property
    def in_vain(self):
        """How many followed an activity at once, and nobody asked for them."""
        return self.begun - len(self.begun_and_asked)

    def _activity(self, name, function):
        def run(text):
            self.ran[name, text] += 1
            try:
                value = json.loads(text)
            except ValueError:
                value = text
            return json.dumps(function(value))

        return run

    async def load(self, app):
        raise AssertionError("nothing is loaded here")

    async def invoke(self, call, *, deadline_s):
        for _ in range(CHILD_TURNS):
            await asyncio.sleep(0)
        result = self._run(call)
        # A gate is user code that takes its time.
        if isinstance(result, Returned) and (gates := self.gates.get(call.function)):
            self.busy += 1
            try:
                await gates.pop(0).wait()
            finally:
                self.busy -= 1
        if call.then is not None and isinstance(result, Returned) and self.is_ahead:
            return replace(result, then=self._begin(call.then, result))
        return result

    def _begin(self, following, result):
        """As a child does: the call runs now, and what it gives is told to who asks."""
        at = format_time(self.clock.now())
        text = activity_result(result.value.value)
        begin, between, after, end = following.pieces
        filled = "".join((begin, at, between, dump_plain(text), after, at, end))
        inputs = {following.trigger: TypedData("string", filled)}
        call = replace(following.call, inputs=inputs)
        called, followed = Counter(self.called), Counter(self.followed)
        try:
            given = self._run(call)
        except SessionLost as lost:
            given = lost
        counts = self.called - called, self.followed - followed
        self.called, self.followed = called, followed
        self.begun += 1

        async def answer():
            for _ in range(CHILD_TURNS):
                await asyncio.sleep(0)
            self.called += counts[0]
            self.followed += counts[1]
            self.begun_and_asked.append(filled)
            if isinstance(given, SessionLost):
                raise given
            return given

        return Begun(call.invocation_id, at, answer)

    def _run(self, call):
        (trigger,) = call.inputs.values()
        handle, told = self._handles[call.function], None
        if self.registry.find(DurableKind.ORCHESTRATOR, call.function):
            instance_id = self._instance_of(call, trigger.value)
            self.called[instance_id] += 1
            self.texts.append(trigger.value)
        ask = call.session and Ask(asdict(call.session))
        try:
            if ask is None:
                result = handle(trigger.value)
            else:
                result = self.sessions.run(ask, handle, trigger.value, [])
        except child_sessions.SessionLost as lost:
            raise SessionLost(str(lost)) from None
        except Exception as error:  # noqa: BLE001 - user code
            told = ask and SessionState("it", ask.is_alive, ask.kept)
            return Raised(type(error).__name__, str(error), "", (), told)
        if ask is not None:
            self.followed[instance_id] += ask.follows is not None
            told = SessionState("it", ask.is_alive, ask.kept)
        return Returned(TypedData("json", result), session=told)

    def _instance_of(self, call, text):
        """Only a call that begins a session, or has none, says it."""
        session = call.session
        if session is None or session.follows is None:
            found = json.loads(text)["instanceId"]
        else:
            found = self._sessions_of[session.follows]
        if session is not None:
            self._sessions_of[session.key] = found
        return found

    def begin_life(self):
        """The child of a host is gone with it, and all that lived there."""
        quick_dates.install()  # as each child does
        quick_tuples.install()
        self.sessions = child_sessions.Sessions()

    async def drain(self, grace):
        return None


def _metadata(name, trigger):
    return FunctionMetadata(name, Path(), Path("x.py"), "", [Binding("context", trigger, "in")])


async def no_http(text):
    raise AssertionError(f"nothing is called over HTTP here: {text}")


def build_loops(
    hub, functions, clock, *, settings=None, owner="host", http_call=no_http, state=None
):
    """The loops of one host over this hub."""
    functions.clock = clock
    settings = settings or DurableSettings()
    state = state or HostState()
    state.serve(Generation(1, functions.registry, RouteTable.empty(), functions))
    bench = Workbench(
        state=state,
        invoker=Invoker(clock, lambda binding: None, timeout_s=60),
        clock=clock,
        settings=settings,
        owner=owner,
        renewal=Renewal(hub.renew),
        function_timeout=timedelta(minutes=5),
    )
    dispatchers = (
        OrchestrationDispatcher(hub, bench),
        ActivityDispatcher(hub, bench, http_call),
    )
    return [dispatcher.loop for dispatcher in dispatchers]


class World:
    """One hub and the hosts that live on it, one after the other.

    path: of its file; None for a hub in memory, which knows no other life.
    """

    def __init__(
        self, path, functions, clock, *, settings=None, http_call=no_http, writer=InlineWriter
    ):
        self._memory = MemoryStore(clock) if path is None else None
        self.path = path
        self.functions = functions
        self.clock = clock
        self.settings = settings or DurableSettings()
        self.faults = Faults()
        self.watch = Watch()
        self.flags = set()
        self.crashes = self.refusals = 0
        self._http_call = http_call
        self._writer = writer
        self._life = AsyncExitStack()

    @property
    def client(self):
        """What clients of the host may ask."""
        return Management(self.hub, self.clock, self.settings)

    async def open(self):
        """Begin a life."""
        self.faults.is_dead = False
        self.functions.begin_life()
        answers = partial(Answers, kept_s=AGES_S)
        with patch.multiple(store, Writer=self._writer, Readers=InlineReaders, Answers=answers):
            opening = self._memory or SqliteStore(self.path, self.clock)
            provider = await self._life.enter_async_context(opening)
            self.hub = NumberedHub(provider.open_hub(HUB), self.faults)
        self._state = HostState()
        loops = build_loops(
            self.hub,
            self.functions,
            self.clock,
            settings=self.settings,
            http_call=self._http_call,
            state=self._state,
        )
        tasks = [asyncio.create_task(loop.run()) for loop in loops]
        self._life.push_async_callback(_end, tasks)

    def reload(self, *, without=()):
        """The app is loaded again, perhaps without some of its functions."""
        left = [one for one in self.functions.metadata if one.name not in without]
        number = self._state.generation.number + 1
        registry = Registry.of(left)
        generation = Generation(number, registry, RouteTable.empty(), self.functions)
        self._state.serve(generation)

    async def close(self):
        """End a life, whether its host died or not, and look at what it left."""
        await self._life.aclose()
        self.look()

    def look(self):
        """Every invariant holds, and nothing was taken back since the last look."""
        if self._memory is not None:
            assert_sound(self._rows())
            self.watch.assert_none_lost(self._rows())
        else:
            assert_invariants(self.path)
            self.watch.assert_kept(self.path)

    def _rows(self):
        return MemoryRows(HUB, self._memory.open_hub(HUB))

    async def survive(self, step, *, is_repeatable=False):
        """Do a client's step; one that was refused, or cut off by a crash, is done again.

        A client that was cut off after its request was stored does not ask again, unless it must.
        """
        while True:
            try:
                await step(self)
                return
            except Crash as crash:
                await self.revive()
                if crash.stored in WRITES and not is_repeatable:
                    return
            except StoreUnavailable:
                self.refusals += 1

    async def revive(self):
        """The next life after a crash."""
        self.crashes += 1
        if self._memory is None:
            # What was in memory alone is gone with the host, which can settle nothing any more.
            self.hub._hub._scope.answers._kept.clear()
        await self.close()
        await self.open()

    async def rest(self, *, until=None):
        """Run until nothing is left to do, at no time up to `until` (None: ever), over crashes."""
        while True:
            try:
                await self._quiet()
                due = self._next_due()
                if due is None or (until is not None and due > until):
                    self._assert_nothing_is_claimed()
                    return
                self.clock.advance(due - self.clock.now())
            except Crash:
                await self.revive()

    async def settle(self):
        """Run until nothing is left to do now, over crashes."""
        await self.rest(until=self.clock.now())

    async def _quiet(self):
        operations = self.faults.operations
        for _ in range(OPERATIONS_LIMIT):
            before = len(operations)
            for _ in range(QUIET_TURNS):
                await asyncio.sleep(0)
            if self.faults.is_dead:
                raise Crash
            if len(operations) == before:
                return
        raise AssertionError(f"the host does not come to rest: {operations[-20:]}")

    def _assert_nothing_is_claimed(self):
        """I21: what waits is held by nobody; user code that takes its time holds its own."""
        if self._memory is None and not self.functions.busy:
            scope = self.hub._hub._scope
            claims = [*scope.episode_claims._known.values(), *scope.activity_claims._known.values()]
            assert [claim for claim in claims if claim.is_held] == []

    def _next_due(self) -> datetime | None:
        if self._memory is not None:
            now = to_microseconds(self.clock.now())
            later = [row["due_at"] for row in self._rows().instances if (row["due_at"] or 0) > now]
            return from_microseconds(min(later)) if later else None
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as database:
            query = "SELECT min(due_at) FROM instance WHERE due_at > ?"
            (due,) = database.execute(query, (to_microseconds(self.clock.now()),)).fetchone()
        return None if due is None else from_microseconds(due)

    async def outcome(self):
        """What every instance came to, and its events without time, frames and random ids."""
        found = {}
        page = await self.hub.query(InstanceQuery(at_most=1000))
        for row in page.instances:
            events = await self.hub.read_history(row.instance_id)
            texts = sorted(
                _readable(event) for event in events if "ORCHESTRATOR" not in event.kind.name
            )
            found[GUID.sub("<id>", row.instance_id)] = {
                "status": row.status.value,
                "output": row.output,
                "custom": row.custom_status,
                "input": GUID.sub("<id>", row.input or ""),
                "events": texts,
            }
        return found


def without_ids(count):
    """Counted by instance, random ids made one: they differ from run to run."""
    found = Counter()
    for instance_id, number in count.items():
        found[GUID.sub("<id>", instance_id)] += number
    return found


def _readable(event):
    wire = json.loads(event.text)
    del wire["Timestamp"]
    if wire.get("Name", "").startswith("@"):
        del wire["Generation"]  # of an entity: how many batches its operations came in
    return GUID.sub("<id>", f"{event.kind.name} {json.dumps(wire)}")


async def _end(tasks):
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, BaseExceptionGroup):
            _, result = result.split(Crash)
        if result is not None and not isinstance(result, asyncio.CancelledError):
            raise result
