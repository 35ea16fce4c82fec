"""Random clients, crashes and clock steps: every run ends where one without crashes can end.

Each step is done on a hub file with the real dispatchers and on the fault-free model. A step may
arm a crash, which strikes at one of the next store operations, before or after it; the next life
goes on. When all is quiet, both show the same.
"""

import asyncio
import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from clocks import START, ManualClock
from crash.scenarios import COUNTER
from durable_programs import Outside, build_functions
from engine.fault_free import PROGRAMS, Hub
from hub_world import Fault, World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from memory_folder import memory_folder

from durahost.model.errors import InstanceExists, InstanceNotFound, InvalidState
from durahost.model.queries import InstanceQuery
from durahost.model.status import RuntimeStatus

OWN = st.sampled_from(["a", "a", "b"])
ANY = st.sampled_from(["a", "a", "a", "b", "a-c"])
REFUSED = (InstanceExists, InstanceNotFound, InvalidState)
CRASH = st.none() | st.builds(
    lambda ahead, side: (ahead, side), st.integers(0, 12), st.sampled_from(["before", "after"])
)
IS_LAST = st.booleans()
"""Whether the host comes to rest after the step, or the next one comes first."""
UNSEEN_LIMIT = 4
"""Steps in a row without a look; each lets the model become more than one thing."""


class Clients(RuleBasedStateMachine):
    """Steps of clients, of the clock and of fate."""

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = memory_folder()
        self.clock = ManualClock()
        self.outside = Outside(self.clock)
        functions = build_functions(self.outside)
        self.world = World(Path(self.folder.name) / "hub.db", functions, self.clock)
        self.models = [Hub(START)]
        self.unseen = 0

    @initialize()
    def open(self):
        logging.disable(logging.ERROR)  # what programs raise would fill the report
        self.runner.run(self.world.open())

    def teardown(self):
        logging.disable(logging.NOTSET)
        self.runner.run(self.world.close())
        self.runner.close()
        self.folder.cleanup()

    @rule(own=OWN, program=st.sampled_from(sorted(PROGRAMS)), crash=CRASH, is_last=IS_LAST)
    def start(self, own, program, crash, is_last):
        self.ask(
            lambda client: client.start(program, None, instance_id=own),
            lambda model: model.start(own, program),
            crash,
            is_last,
        )

    @rule(own=ANY, value=st.integers(0, 3), crash=CRASH, is_last=IS_LAST)
    def raise_event(self, own, value, crash, is_last):
        self.send(own, "go", value, crash, is_last)

    @rule(own=ANY, crash=CRASH, is_last=IS_LAST)
    def suspend(self, own, crash, is_last):
        self.send(own, "suspend", None, crash, is_last)

    @rule(own=ANY, crash=CRASH, is_last=IS_LAST)
    def resume(self, own, crash, is_last):
        self.send(own, "resume", None, crash, is_last)

    @rule(own=ANY, crash=CRASH, is_last=IS_LAST)
    def terminate(self, own, crash, is_last):
        self.send(own, "terminate", None, crash, is_last)

    @rule(own=OWN, crash=CRASH)
    def rewind(self, own, crash):
        self.go_on()
        self.ask(lambda client: client.rewind(own, "why"), lambda m: m.rewind(own), crash)

    @rule(own=ANY, crash=CRASH)
    def purge(self, own, crash):
        self.go_on()
        self.ask(lambda client: client.purge(own), lambda model: model.purge(own), crash)

    @rule(own=OWN, crash=CRASH, is_last=IS_LAST)
    def restart(self, own, crash, is_last):
        self.ask(
            lambda client: client.restart(own, with_new_id=False),
            lambda model: model.restart(own),
            crash,
            is_last,
        )

    @rule(number=st.integers(1, 5), crash=CRASH, is_last=IS_LAST)
    def add(self, number, crash, is_last):
        text = json.dumps(str(number))
        signal = lambda client: client.entities.signal(COUNTER, "add", text)  # noqa: E731
        self.ask(signal, lambda model: model.add(number), crash, is_last)

    @rule(seconds=st.sampled_from([1, 30, 61]), crash=CRASH)
    def pass_time(self, seconds, crash):
        self.go_on()
        self.arm(crash)
        self.clock.advance(timedelta(seconds=seconds))
        for model in self.models:
            model.now = self.clock.now()
        self.go_on()

    @rule()
    def mend_or_break(self):
        self.go_on()
        self.outside.flags ^= {"repaired"}
        for model in self.models:
            model.is_repaired = not model.is_repaired

    @rule()
    def die(self):
        self.runner.run(self.world.revive())
        self.go_on()

    # How a step is done -------------------------------------------------------------------------

    def send(self, own, verb, value, crash, is_last):
        if "-" in own:  # what a caller and its child are sent is not mixed
            self.go_on()
        if verb == "go":
            step = lambda client: client.raise_event(own, "go", str(value))  # noqa: E731
        else:
            step = lambda client: getattr(client, verb)(own, "why")  # noqa: E731
        self.ask(step, lambda model: model.send(own, verb, value), crash, is_last or "-" in own)

    def ask(self, step, ask_model, crash, is_last=True):
        self.arm(crash)
        is_accepted = self.runner.run(self._is_accepted(step))
        models = reachable(self.models) if self.unseen else self.models
        self.models = [model for model in models if ask_model(model) == is_accepted]
        assert self.models, f"accepted: {is_accepted}"
        self.unseen += 1
        if is_last or self.unseen == UNSEEN_LIMIT:
            self.go_on()

    async def _is_accepted(self, step):
        try:
            await self.world.survive(lambda world: step(world.client))
        except REFUSED:
            return False
        return True

    def arm(self, crash):
        if crash is not None:
            ahead, side = crash
            self.world.faults.arm(Fault(len(self.world.faults.operations) + ahead, side))

    def go_on(self):
        """Let the host work until all is quiet; then it shows what some model shows."""
        self.runner.run(self.world.settle())
        self.world.look()
        self.world.faults.arm(None)
        self.unseen = 0
        quiet = [model for model in reachable(self.models) if model.is_quiet]
        shown = self.runner.run(self.shown())
        self.models = [model for model in quiet if expected(model) == shown]
        assert self.models, (shown, [expected(model) for model in quiet])

    async def shown(self):
        found = {}
        for own, row in (await self.rows()).items():
            output = json.loads(row.output) if row.status is RuntimeStatus.COMPLETED else None
            found[own] = row.status.value, output
        return found, await self.world.client.entities.read(COUNTER)

    async def rows(self):
        page = await self.world.client.list(InstanceQuery())
        return {row.instance_id: row for row in page.instances if row.name != row.instance_id}


def reachable(models):
    found = {hub.key: hub for model in models for hub in model.reachable()}
    return list(found.values())


def expected(model):
    ends = {
        own: (one.status, one.output if one.status == "Completed" else None)
        for own, one in model.instances.items()
    }
    return ends, None if model.counter is None else str(model.counter)


@pytest.mark.slow
@pytest.mark.feature("Exactly once", "Random runs with crashes end as one without can")
@pytest.mark.filterwarnings("ignore:Potential duplicate Task completion")
@pytest.mark.usefixtures("unmeasured")
class TestClients(Clients.TestCase):
    """The SDK warns of events that nobody waits for."""


TestClients.settings = settings(
    max_examples=200,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
