"""What clients see of a few orchestrations when nothing ever fails: the oracle of crash tests.

There is no store, no history and no crash here. An instance takes the messages that came while it
did nothing as one batch, and decides whether it has ended when it has seen them all. What happens
next is open: `reachable` gives all that can become of a hub. Programs are those of
`durable_programs`.
"""

import copy
import pickle
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from durable_programs import SLOW

TERMINAL = frozenset({"Completed", "Failed", "Terminated"})


@dataclass
class Instance:
    """One instance: what clients see of it, what waits for it, and how far its program is.

    held: what came while it was suspended. effects: what it decided to ask for, which a suspension
    holds back. asked: what it waits for. caller: the incarnation of the instance that waits for it.
    """

    instance_id: str
    program: str
    caller: "Instance | None" = None
    status: str = "Pending"
    output: object = None
    inbox: list = field(default_factory=list)
    held: list = field(default_factory=list)
    effects: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    is_suspended: bool = False
    ending: tuple | None = None
    heard: list = field(default_factory=list)
    total: int = 0
    carried: list | None = None
    due: datetime | None = None

    @property
    def is_live(self):
        return self.status not in TERMINAL

    def take(self, batch):
        """One episode."""
        self.ending = None
        for message in batch:
            self._receive(message)
        if self.ending is not None:
            self.status, self.output = self.ending
            self.held = []
        else:
            self.status = "Suspended" if self.is_suspended else "Running"
        if self.carried is not None and self.ending is None:
            self._begin_again()

    def _receive(self, message):
        verb, value = message
        if verb == "terminate":
            self.ending = self.ending if self._is_terminated else ("Terminated", None)
            self.carried = None
        elif verb == "resume":
            self.is_suspended = False
            held, self.held = self.held, []
            for one in held:
                self._receive(one)
        elif verb == "suspend":
            self.is_suspended = True
        elif self.is_suspended:
            if self.program == "Race" and verb == "go" and not self.held:
                # As on Azure: the code runs ahead and cancels its timer, and then nothing is open.
                self.ending = self.ending or ("Completed", value)
            self.held.append(message)
        elif not self._is_terminated:
            PROGRAMS[self.program](self, verb, value)

    @property
    def _is_terminated(self):
        return self.ending is not None and self.ending[0] == "Terminated"

    def _begin_again(self):
        """The next generation: what was not heard goes with it, a suspension does not."""
        self.inbox = [*self.carried, *self.held, *self.inbox]
        self.carried, self.held = None, []
        self.is_suspended, self.status = False, "Running"


# Programs: what a message does --------------------------------------------------------------------


def gather(own, verb, value):
    if verb == "go":
        own.heard.append(value)
        if len(own.heard) == 2:
            own.ending = ("Completed", list(own.heard))


def race(own, verb, value):
    if verb == "start":
        own.effects.append(("timer", value + SLOW))
    elif own.ending is None:
        own.ending = ("Completed", value if verb == "go" else "late")


def total(own, verb, value):
    if verb != "go":
        return
    if own.carried is not None:
        own.carried.append((verb, value))
    elif own.ending is None and value == 0:
        own.ending = ("Completed", own.total)
    elif own.ending is None:
        own.total += value
        own.carried = []


def ask(effect):
    """A program that asks for one thing and gives what it gets."""

    def program(own, verb, value):
        if verb == "start":
            own.effects.append((effect, None))
        elif verb == "answer":
            own.ending = ("Failed", None) if value is None else ("Completed", value)

    return program


PROGRAMS = {
    "Gather": gather,
    "Race": race,
    "Total": total,
    "Checked": ask("check"),
    "Family": ask("call"),
    "Tally": ask("tally"),
}


class Hub:
    """All instances, and what they ask of the world outside."""

    def __init__(self, now):
        self.now = now
        self.is_repaired = False
        self.counter = None
        self.instances = {}

    # What clients ask; False: refused ----------------------------------------------------------

    def start(self, instance_id, program):
        known = self.instances.get(instance_id)
        if known is not None and known.is_live:
            return False
        self._create(Instance(instance_id, program))
        return True

    def restart(self, instance_id):
        known = self.instances.get(instance_id)
        return known is not None and self.start(instance_id, known.program)

    def send(self, instance_id, verb, value=None):
        known = self.instances.get(instance_id)
        if known is None or not ACCEPTED[verb](known):
            return False
        known.inbox.append((verb, value))
        return True

    def purge(self, instance_id):
        known = self.instances.get(instance_id)
        if known is None or known.is_live:
            return False
        del self.instances[instance_id]
        return True

    def rewind(self, instance_id):
        known = self.instances.get(instance_id)
        if known is None or known.status != "Failed":
            return False
        self._rewind(known)
        return True

    def add(self, number):
        self.counter = (self.counter or 0) + number
        return True

    # What then happens, one thing at a time ----------------------------------------------------

    def reachable(self):
        """Every hub that this one may become with no further request, itself first."""
        found, waiting = {}, [self]
        while waiting:
            hub = waiting.pop()
            key = hub.key
            if key not in found:
                found[key] = hub
                waiting += hub.following()
        return list(found.values())

    @property
    def key(self):
        return pickle.dumps(self)

    @property
    def is_quiet(self):
        return not any(True for _ in self._steps())

    def following(self):
        """The hubs that this one may become by the next thing that happens."""
        for number, _ in enumerate(self._steps()):
            hub = copy.deepcopy(self)
            list(hub._steps())[number]()
            yield hub

    def _steps(self):
        for one in self.instances.values():
            if one.is_live and one.due is not None and one.due <= self.now:
                yield partial(self._fire, one)
            if one.inbox:
                yield partial(self._run_one, one)
            if one.asked:
                yield partial(self._give, one)

    def _fire(self, one):
        one.due = None
        one.inbox.append(("timer", None))

    def _run_one(self, one):
        batch, one.inbox = one.inbox, []
        if one.is_live:
            one.take(batch)
            if not one.is_suspended:
                one.asked, one.effects = [*one.asked, *one.effects], []
            self._answer_caller(one)

    def _give(self, one):
        effect, value = one.asked.pop(0)
        EFFECTS[effect](self, one, value)

    def _answer_caller(self, one):
        if not one.is_live and one.caller is not None:
            self.answer(one.caller, one.output if one.status == "Completed" else None)

    def _create(self, instance):
        self.instances[instance.instance_id] = instance
        instance.inbox.append(("start", self.now))

    def answer(self, one, value):
        """To this incarnation only; another one of the same id never asked."""
        if self.instances.get(one.instance_id) is one and one.is_live:
            one.inbox.append(("answer", value))

    def _rewind(self, one):
        """What failed runs again; who was terminated ends again, as on Azure."""
        was, one.status = one.status, "Pending"
        if was == "Terminated":
            one.inbox.append(("terminate", None))
            return
        if one.program != "Family":
            one.effects = [("check", None)]
            one.inbox.append(("wake", None))
            return
        child = self.instances.get(f"{one.instance_id}-c")
        if child is None or child.caller is not one:
            one.inbox.append(("answer", None))
        elif not child.is_live:
            self._rewind(child)

    # What instances ask ------------------------------------------------------------------------

    def check(self, one, value):
        self.answer(one, f"{one.instance_id} is fine" if self.is_repaired else None)

    def call(self, one, value):
        child_id = f"{one.instance_id}-c"
        known = self.instances.get(child_id)
        if known is not None and known.is_live:
            self.answer(one, None)
        else:
            self._create(Instance(child_id, "Gather", caller=one))

    def tally(self, one, value):
        self.add(3)
        self.answer(one, self.counter)

    def set_timer(self, one, value):
        one.due = value


EFFECTS = {"check": Hub.check, "call": Hub.call, "tally": Hub.tally, "timer": Hub.set_timer}
ACCEPTED = {
    "go": lambda one: one.is_live,
    "terminate": lambda one: one.is_live,
    "suspend": lambda one: one.is_live and one.status != "Suspended",
    "resume": lambda one: one.status == "Suspended",
}
