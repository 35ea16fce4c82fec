"""What an orchestration's calls and signals of entities send, and which of them are refused."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from durahost.engine.calls import ActionFailed, CallRules, Calls, KnownFunctions
from durahost.engine.decisions import SendEvent
from durahost.engine.execution import Execution
from durahost.model.actions import CallEntity, SignalEntity

T0 = datetime(2026, 1, 5, 10, tzinfo=UTC)
DUE = T0 + timedelta(days=1)
KNOWN = KnownFunctions(
    entities=frozenset({"counter"}), unknown_entity=lambda name: f"no '{name}' here"
)
CALL = CallEntity("@counter@k", "get", None)
SIGNAL = SignalEntity("@counter@k", "add", "5")


def new_calls(**rules):
    execution = Execution("i1", "e1", T0)
    execution.is_replaying = False
    own = {"instance_id": "i1", "execution_id": "e1", "known": KNOWN}
    return execution, Calls(execution, CallRules(**own | rules), checks_timer_length=False)


@pytest.mark.feature("Entities", "Calls")
def test_a_call_waits_for_the_event_named_after_its_request():
    execution, calls = new_calls()
    task = calls.invoke(CALL)
    (sent,) = execution.decisions
    request = json.loads(sent.input)
    assert (sent.instance_id, sent.name, sent.deliver_at) == ("@counter@k", "op", None)
    assert (request["parent"], request["parentExecution"]) == ("i1", "e1")
    assert "signal" not in request
    assert not task.is_done


@pytest.mark.feature("Entities", "Scheduled signals")
@pytest.mark.feature("Entities", "Signals")
def test_a_signal_is_done_at_once_and_may_be_due_later():
    execution, calls = new_calls()
    assert calls.invoke(SIGNAL).is_done
    assert calls.invoke(SignalEntity("@counter@k", "add", "5", DUE)).is_done
    now, later = execution.decisions
    assert isinstance(now, SendEvent)
    assert json.loads(now.input)["input"] == '"5"'
    assert (later.name, later.deliver_at) == ("op@2026-01-06T10:00:00.0000000Z", DUE)
    assert json.loads(later.input)["due"] == "2026-01-06T10:00:00Z"


@pytest.mark.feature("Entities", "Entities that are not there")
@pytest.mark.parametrize(
    ("call", "rules", "why"),
    [
        (CallEntity("@Other@k", "get", None), {}, "no entity function is named 'other'"),
        (CALL, {"max_actions": 0}, "maxOrchestrationActions"),
    ],
)
def test_calls_that_never_run(call, rules, why):
    execution, calls = new_calls(**rules)
    assert calls.invoke(call).has_failed
    assert execution.decisions == []
    (hint,) = calls.hints
    assert why in hint.text


@pytest.mark.feature("Entities", "Entities that are not there")
@pytest.mark.parametrize(
    ("action", "rules", "text"),
    [
        (SignalEntity("@Other@k", "add", None), {}, "no 'other' here"),
        (SIGNAL, {"max_actions": 0}, r"Maximum amount of orchestration actions \(0\)"),
        (SignalEntity("counter", "add", None), {}, "Invalid entity ID 'counter'"),
        (CallEntity("@counter", "get", None), {}, "Invalid entity ID '@counter'"),
    ],
)
def test_what_fails_the_instance(action, rules, text):
    _, calls = new_calls(**rules)
    with pytest.raises(ActionFailed, match=text):
        calls.invoke(action)
