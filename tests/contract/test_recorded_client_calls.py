"""The 44 recorded calls of SDK 1.7.0's client: the same requests, and answers that it accepts.

Recorded against a server that gave any answer one can think of. Where this host never gives that
one, as Azure's current extension does not either, the entry below says what the call brings here.
"""

import json
import re
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import azure.durable_functions as df
import pytest
from api_support import Target
from entity_support import put_entity
from opentelemetry import trace
from sdk_client_support import served

from durahost.codec import history
from durahost.model.ids import InstanceId
from durahost.model.status import RuntimeStatus

RECORDED = json.loads(
    (Path(__file__).parent.parent / "histories" / "client" / "sdk1.json").read_text("utf-8")
)
EXCHANGES = {exchange["call"]: exchange for exchange in RECORDED["exchanges"]}
MOMENT = datetime(2026, 1, 5, 10, tzinfo=UTC)
COUNTER = df.EntityId("Counter", "k 1")
STARTED = (202, "abc")
NOT_FAILED = (412, "RAISES Exception: This orchestration has status Completed, but only .*")


@dataclass
class Exchange:
    """What the SDK sent last, and what it got."""

    request: dict | None = None
    status: int = 0


def listening(app, exchange):
    """The app, with its requests and statuses written down."""

    async def listen(scope, receive, send):
        body = b""

        async def read():
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            return message

        async def answer(message):
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
            await send(message)

        await app(scope, read, answer)
        query = scope["query_string"].decode()
        exchange.request = {
            "method": scope["method"],
            "pathAndQuery": scope["raw_path"].decode() + (f"?{query}" if query else ""),
            "headers": {name.decode(): value.decode() for name, value in scope["headers"]},
            "body": body.decode(),
        }

    return listen


def ready(status, output=None, *, ids=("i1",), hub=None):
    """Instances in this state, changed a second after they were made."""

    async def prepare(target):
        for one in ids:
            await target.hubs(hub).start("O", '"x"', instance_id=InstanceId(one))
            if status is not RuntimeStatus.PENDING:
                await finish(target, one)

    async def finish(target, one):
        now = target.clock.now() + timedelta(seconds=1)
        ended = history.execution_completed(0, status, output, now)
        events = [ended] if status.is_terminal else []
        more = {"hub_name": hub or "TestHubName", "updated_at": now}
        await target.finish(one, status, output, events=events, **more)

    return prepare


def entity(state):
    async def prepare(target):
        await put_entity(target, "Counter", "k 1", state)

    return prepare


async def nothing(target):
    pass


@dataclass(frozen=True)
class Call:
    make: Callable[[df.DurableOrchestrationClient], Awaitable]
    before: Callable[[Target], Awaitable] = nothing
    ours: tuple[int, str] | None = None
    is_traced: bool = False


PENDING = ready(RuntimeStatus.PENDING)
COMPLETED = ready(RuntimeStatus.COMPLETED, "5")
FAILED = RuntimeStatus.FAILED

CALLS = {
    "start_new none": Call(lambda c: c.start_new("Orch")),
    # An id with a slash is two segments of the path, on Azure too.
    "start_new str+id+version": Call(
        lambda c: c.start_new("Orch", "id 1/x", "hello", version="1.0 b"),
        ours=(404, "RAISES Exception: None"),
    ),
    "start_new dict": Call(lambda c: c.start_new("Orch", client_input={"a": [1]}), ours=STARTED),
    # The extension of today accepts any name.
    "start_new 400": Call(lambda c: c.start_new("Nope"), ours=STARTED),
    "start_new 409": Call(lambda c: c.start_new("Nope"), ours=STARTED),
    "start_new 500": Call(lambda c: c.start_new("Nope"), ours=STARTED),
    "start_new 202 empty": Call(lambda c: c.start_new("Orch"), ours=STARTED),
    "start_new text body": Call(lambda c: c.start_new("Orch"), ours=STARTED),
    "start_new traced": Call(lambda c: c.start_new("Orch"), is_traced=True),
    "raise_event str": Call(lambda c: c.raise_event("i1", "Ev 1", "yes"), PENDING),
    "raise_event dict": Call(
        lambda c: c.raise_event("i1", "Ev", {"a": 1}, "H", "C"),
        ready(RuntimeStatus.PENDING, hub="H"),
    ),
    "raise_event none": Call(lambda c: c.raise_event("i1", "Ev"), PENDING),
    "raise_event 404": Call(lambda c: c.raise_event("i1", "Ev")),
    "raise_event 410": Call(lambda c: c.raise_event("i1", "Ev"), COMPLETED),
    # The SDK always sends JSON.
    "raise_event 400": Call(lambda c: c.raise_event("i1", "Ev"), PENDING, (202, "None")),
    "raise_event 500": Call(lambda c: c.raise_event("i1", "Ev"), PENDING, (202, "None")),
    "raise traced": Call(
        lambda c: c.raise_event("i", "e", 1),
        ready(RuntimeStatus.PENDING, ids=["i"]),
        is_traced=True,
    ),
    "get_status": Call(lambda c: c.get_status("i1"), COMPLETED),
    "get_status all flags": Call(
        lambda c: c.get_status("i1", True, True, True),
        ready(RuntimeStatus.RUNNING),
        (202, ".*'_input': 'x', .*Running: .*'historyEvents': \\[{'EventType'.*"),
    ),
    "get_status 404 empty": Call(lambda c: c.get_status("i1")),
    # The SDK never asks for returnInternalServerErrorOnFailure.
    "get_status 500": Call(
        lambda c: c.get_status("i1"), ready(FAILED, "boom"), (200, ".*'boom'.*Failed: .*")
    ),
    "get_status 503": Call(lambda c: c.get_status("i1"), ours=(404, "{'_name': None, .*")),
    "get_status_all": Call(lambda c: c.get_status_all()),
    "get_status_by": Call(
        lambda c: c.get_status_by(
            MOMENT,
            MOMENT,
            [df.OrchestrationRuntimeStatus.Running, df.OrchestrationRuntimeStatus.Failed],
            "pre",
        )
    ),
    "purge": Call(lambda c: c.purge_instance_history("i1"), COMPLETED),
    "purge 404": Call(lambda c: c.purge_instance_history("i1")),
    "purge_by": Call(
        lambda c: c.purge_instance_history_by(
            MOMENT, runtime_status=[df.OrchestrationRuntimeStatus.Completed]
        ),
        ready(RuntimeStatus.COMPLETED, "5", ids=["a", "b", "c"]),
    ),
    "terminate": Call(lambda c: c.terminate("i1", "no more & done"), PENDING),
    "terminate 404": Call(lambda c: c.terminate("i1", "r")),
    "suspend": Call(lambda c: c.suspend("i1", "a b"), PENDING),
    "resume": Call(lambda c: c.resume("i1", "a b"), ready(RuntimeStatus.SUSPENDED)),
    "restart": Call(
        lambda c: c.restart("i1"), COMPLETED, (202, r"\{'id': '[0-9a-f]{32}', 'statusQueryGetUri.*")
    ),
    # Never an empty body.
    "restart same id, empty body": Call(
        lambda c: c.restart("i1", False), COMPLETED, (202, r"\{'id': 'i1', 'statusQueryGetUri.*")
    ),
    "rewind": Call(lambda c: c.rewind("i1", "why not", "H", "C"), ready(FAILED, "boom", hub="H")),
    # 412 since the extension checks the state itself.
    "rewind 410": Call(lambda c: c.rewind("i1", "x"), COMPLETED, NOT_FAILED),
    "rewind 500 str": Call(lambda c: c.rewind("i1", "x"), COMPLETED, NOT_FAILED),
    "signal": Call(lambda c: c.signal_entity(COUNTER, "add", 5)),
    "signal 0": Call(lambda c: c.signal_entity(COUNTER, "add", 0)),
    "signal dict hub": Call(lambda c: c.signal_entity(COUNTER, "add", {"a": 1}, "H", "C")),
    "signal 200": Call(lambda c: c.signal_entity(COUNTER, "add", 5), ours=(202, "None")),
    "signal traced": Call(lambda c: c.signal_entity(COUNTER, "add", 1), is_traced=True),
    "read_entity": Call(lambda c: c.read_entity_state(COUNTER), entity('{"a":1}')),
    "read_entity 404": Call(lambda c: c.read_entity_state(COUNTER, "H", "C")),
    "read_entity null": Call(lambda c: c.read_entity_state(COUNTER), entity("null")),
}


async def outcome(call, client, target):
    """As the recording describes results; an id that this host chose is "abc"."""
    try:
        result = await call.make(client)
    except Exception as error:  # noqa: BLE001 - the SDK raises nothing narrower
        return f"RAISES {type(error).__name__}: {error}"
    if isinstance(result, str) and await target.hubs().status(InstanceId(result)) is not None:
        return "abc"
    return str(vars(result)) if hasattr(result, "__dict__") else str(result)


def traced():
    context = trace.SpanContext(1, 2, is_remote=False)
    return trace.use_span(trace.NonRecordingSpan(context))


@asynccontextmanager
async def calling(target, exchange):
    target.rpc = listening(target.rpc, exchange)
    async with served(target) as client:
        client._function_invocation_id = RECORDED["functionInvocationId"]
        yield client


def test_every_recorded_call_is_made():
    assert CALLS.keys() == EXCHANGES.keys()
    assert len(CALLS) == 44


@pytest.mark.feature("Client of the SDK", "The recorded calls: requests, answers, results")
@pytest.mark.parametrize("name", EXCHANGES)
async def test_a_recorded_call(name):
    call, recorded = CALLS[name], EXCHANGES[name]
    target, exchange = Target(connections=("Known", "C")), Exchange()
    await call.before(target)
    with traced() if call.is_traced else nullcontext():
        async with calling(target, exchange) as client:
            result = await outcome(call, client, target)
    (request,) = recorded["requests"]
    assert_sent(exchange.request, request)
    status, expected = call.ours or (recorded["answer"]["status"], re.escape(recorded["result"]))
    assert exchange.status == status
    assert re.fullmatch(expected, result, re.DOTALL), result


def assert_sent(request, recorded):
    headers = request.pop("headers")
    for name, value in recorded["headers"].items():
        assert headers[name.lower()] == value or (value.startswith("<") and headers[name.lower()])
    assert request == {name: recorded[name] for name in request}
