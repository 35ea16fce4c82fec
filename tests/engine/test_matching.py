"""The replay check of sent events: DurableTask's texts for what a replay did not send again."""

from datetime import UTC, datetime

import pytest

from durahost.codec import history
from durahost.engine import matching
from durahost.engine.decisions import (
    Complete,
    CreateSubOrchestration,
    ScheduleTask,
    SendEvent,
    StartTimer,
)
from durahost.engine.matching import NonDeterminism
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.messages import ActivityTask
from durahost.model.status import RuntimeStatus

pytestmark = pytest.mark.feature("Non-determinism", "Azure's text on the instance")


T0 = datetime(2026, 1, 5, 10, tzinfo=UTC)
ENTITY = InstanceId("@counter@k")
SENT = history.event_sent(4, ENTITY, "op", "{}", T0)
TASK = ActivityTask(InstanceId("i"), ExecutionId("e"), 4, "A", "[]")
SCHEDULED = history.task_scheduled(TASK, T0, stores_input=False)
START = "A previous execution of this orchestration scheduled a send event task with sequence ID 4"
QUESTION = (
    "Was a change made to the orchestrator code after this instance had already started running?"
)


def text_of(event, decision):
    with pytest.raises(NonDeterminism) as caught:
        matching.check(event, decision)
    assert (caught.value.event, caught.value.decision) == (event, decision)
    return str(caught.value)


def test_an_event_that_is_not_sent_again():
    assert text_of(SENT, None) == (
        f"{START}, type 'EventSent' name 'op', instance ID '@counter@k', but the current replay "
        f"execution hasn't (yet?) scheduled this task. {QUESTION}"
    )


@pytest.mark.parametrize(
    ("decision", "kind"),
    [
        (ScheduleTask(4, "op", None), "ScheduleTaskOrchestratorAction"),
        (StartTimer(4, T0), "CreateTimerOrchestratorAction"),
        (CreateSubOrchestration(4, "op", ENTITY, "", None), "CreateSubOrchestrationAction"),
        (Complete(4, RuntimeStatus.COMPLETED, None), "OrchestrationCompleteOrchestratorAction"),
    ],
)
def test_another_action_where_an_event_was_sent(decision, kind):
    assert text_of(SENT, decision) == (
        f"{START}, type 'EventSent', name 'op', instance ID '@counter@k', but the current "
        f"orchestration replay instead scheduled a {kind} task at this sequence number. {QUESTION}"
    )


def test_an_event_of_another_name():
    assert text_of(SENT, SendEvent(4, ENTITY, "other", "{}")) == (
        f"{START}, type 'EventSent', name 'op', instance ID '@counter@k'), but the current "
        "orchestration replay instead scheduled a send event task with name otherat this sequence "
        f"number. {QUESTION}"
    )


def test_an_event_where_an_activity_was():
    assert "produced a SendEventOrchestratorAction action" in text_of(
        SCHEDULED, SendEvent(4, ENTITY, "op", "{}")
    )


def test_the_same_event_to_another_instance_with_another_input_is_no_difference():
    matching.check(SENT, SendEvent(4, InstanceId("@counter@other"), "OP", "[]"))
