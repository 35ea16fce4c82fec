"""Orchestrators, entities and activities for proofs: each waits for one kind of thing.

What the world outside is like stands in `flags` and in the clock of the app's `Outside`.
"""

from datetime import timedelta
from uuid import UUID

import azure.durable_functions as df
from clocks import START
from hub_world import Functions

COUNTER = df.EntityId("Counter", "k")
LOCK = str(UUID(int=77))
"""The request id of a lock, which is the name of the event that grants it."""
SLOW = timedelta(seconds=60)


class Outside:
    """What activities find: `flags` are set by the test, the time is its clock's."""

    def __init__(self, clock):
        self.clock = clock
        self.flags = set()

    def greet(self, name):
        return f"Hello {name}!"

    def double(self, number):
        return number * 2

    def fail(self, text):
        raise ValueError(text)

    def heal(self, seconds):
        if self.clock.now() - START < timedelta(seconds=seconds):
            raise ValueError("too early")
        return "healed"

    def check(self, name):
        if "repaired" not in self.flags:
            raise ValueError(f"{name} is broken")
        return f"{name} is fine"


def hello(context):
    found = []
    for city in ("Tokyo", "Seattle", "London"):
        found.append((yield context.call_activity("Greet", city)))
    return found


def fan_out(context):
    numbers = yield context.task_all([context.call_activity("Double", n) for n in range(4)])
    return sum(numbers)


def race(context):
    timer = context.create_timer(context.current_utc_datetime + SLOW)
    event = context.wait_for_external_event("go")
    winner = yield context.task_any([timer, event])
    if winner == event:
        timer.cancel()
        return event.result
    return "late"


def gather(context):
    first = yield context.wait_for_external_event("go")
    second = yield context.wait_for_external_event("go")
    return [first, second]


def give_up(context):
    retry = df.RetryOptions(5_000, 3)
    context.set_custom_status("trying")
    yield context.call_activity_with_retry("Fail", retry, "never")


def recover(context):
    return (yield context.call_activity_with_retry("Heal", df.RetryOptions(5_000, 5), 7))


def parent(context):
    own = context.instance_id
    good = yield context.call_sub_orchestrator("Hello", None, f"{own}-good")
    try:
        yield context.call_sub_orchestrator("GiveUp", None, f"{own}-bad")
    except Exception as error:  # noqa: BLE001 - the SDK raises nothing narrower
        return [good, "trying" if "never" in str(error) else str(error)]


def checked(context):
    return (yield context.call_activity("Check", context.instance_id))


def tree(context):
    yield context.call_activity("Greet", "once")
    ids = [f"{context.instance_id}-{n}" for n in range(2)]
    calls = [context.call_sub_orchestrator("Checked", None, one) for one in ids]
    return (yield context.task_all(calls))


def family(context):
    return (yield context.call_sub_orchestrator("Gather", None, f"{context.instance_id}-c"))


def total(context):
    """Adds what events bring, one generation each, until one brings 0."""
    so_far = context.get_input() or 0
    more = yield context.wait_for_external_event("go")
    if more == 0:
        return so_far
    context.continue_as_new(so_far + more)


def tally(context):
    context.signal_entity(COUNTER, "add", 1)
    context.signal_entity(COUNTER, "add", 2)
    return (yield context.call_entity(COUNTER, "get"))


def asks(context):
    """Fails while its entity call may still wait; once repaired, it needs both answers."""
    call = context.call_entity(COUNTER, "add", 5)
    check = context.call_activity("Check", context.instance_id)
    winner = yield context.task_any([call, check])
    if isinstance(winner.result, Exception):
        raise winner.result
    counted = yield call
    return [counted, (yield check)]


def locked(context):
    """What an SDK with critical sections does once it asked: wait for the grant."""
    yield context.wait_for_external_event(LOCK)
    return "granted"


def caller(context):
    response = yield context.call_http("GET", "https://a.test/")
    return response["statusCode"]


def compound(context):
    """One of everything at once, each in a compound; what has lost is done before it goes on."""
    own, retry = context.instance_id, df.RetryOptions(5_000, 5)
    timer = context.create_timer(context.current_utc_datetime + SLOW)
    lost = context.call_activity_with_retry("Heal", retry, 12)
    first = yield context.task_any([context.call_http("GET", "https://a.test/"), timer, lost])
    rest = context.task_all(
        [
            # Not the input that Recover gives: a death may strike both, and each is counted alone.
            context.call_activity_with_retry("Heal", retry, 8),
            context.call_sub_orchestrator_with_retry("Recover", retry, None, f"{own}-c"),
            context.call_entity(COUNTER, "add", 5),
            context.wait_for_external_event("go"),
        ]
    )
    if (yield context.task_any([rest, timer])) != rest:
        return "late"
    timer.cancel()
    if context.get_input() is None:
        context.continue_as_new([first.result["statusCode"], *rest.result])
        return
    return [context.get_input(), rest.result[2]]


def nested(context):
    """Calls itself once, with a default id."""
    if context.get_input() == "inner":
        return (yield context.call_activity("Greet", "you"))
    return (yield context.call_sub_orchestrator("Nested", "inner"))


def counter(context):
    value = context.get_state(lambda: 0)
    if context.operation_name == "add":
        value += context.get_input()
        context.set_state(value)
    context.set_result(value)


def build_functions(outside):
    """The app."""
    return Functions(
        orchestrators={
            "Hello": hello,
            "FanOut": fan_out,
            "Race": race,
            "Gather": gather,
            "GiveUp": give_up,
            "Recover": recover,
            "Parent": parent,
            "Checked": checked,
            "Tree": tree,
            "Family": family,
            "Total": total,
            "Tally": tally,
            "Asks": asks,
            "Locked": locked,
            "Caller": caller,
            "Compound": compound,
            "Nested": nested,
        },
        entities={"Counter": counter},
        activities={
            "Greet": outside.greet,
            "Double": outside.double,
            "Fail": outside.fail,
            "Heal": outside.heal,
            "Check": outside.check,
        },
    )
