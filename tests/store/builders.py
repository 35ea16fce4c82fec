"""Small values to fill a store with."""

from dataclasses import replace

from clocks import START

from durahost.codec import entity_messages, history
from durahost.model.entities import EntityRequest
from durahost.model.events import EventKind, HistoryEvent
from durahost.model.ids import ExecutionId, InstanceId
from durahost.model.instances import Commit, InstanceState, NewInstance, ParentInstance
from durahost.model.messages import ActivityTask, Message
from durahost.model.status import RuntimeStatus


def event(name="Event", kind=EventKind.EVENT_RAISED, task_id=None, at=START, site=None):
    text = f'{{"EventType":{kind.value},"Name":"{name}","IsPlayed":false}}'
    return HistoryEvent(kind, at, text, task_id, name, site)


def state(instance_id="a", execution_id="e1", status=RuntimeStatus.PENDING, **changes):
    values = {
        "instance_id": InstanceId(instance_id),
        "execution_id": ExecutionId(execution_id),
        "name": "Hello",
        "status": status,
        "created_at": START,
        "updated_at": START,
    }
    return InstanceState(**(values | changes))


def message(instance_id="a", name="Event", **changes):
    return Message(InstanceId(instance_id), event(name), **changes)


def asked(target, request_id, task_id=0):
    """The event of an entity call."""
    request = entity_messages.encode_request(EntityRequest(request_id=request_id, operation="get"))
    return history.event_sent(task_id, target, "op", request, START, site=None)


def new_instance(instance_id="a", execution_id="e1", **changes):
    started = Message(
        InstanceId(instance_id),
        event("Hello", EventKind.EXECUTION_STARTED),
        ExecutionId(execution_id),
        changes.get("scheduled_at"),
    )
    return NewInstance(state(instance_id, execution_id, **changes), started)


def parent(instance_id="a", execution_id="e1", task_id=0):
    return ParentInstance(InstanceId(instance_id), ExecutionId(execution_id), "Hello", "", task_id)


def task(instance_id="a", execution_id="e1", task_id=0, name="SayHello", input='["Tokyo"]'):
    return ActivityTask(InstanceId(instance_id), ExecutionId(execution_id), task_id, name, input)


def running(locked, **changes):
    """A commit that consumes what was locked and leaves the instance running."""
    status = changes.pop("status", RuntimeStatus.RUNNING)
    values = {
        "state": replace(locked.state, status=status),
        "append": [m.message.event for m in locked.inbox],
        "consume": [m.message_id for m in locked.inbox],
    }
    return Commit(**(values | changes))


def completed(locked, **changes):
    """A commit that consumes what was locked and ends the instance."""
    return running(locked, status=RuntimeStatus.COMPLETED, **changes)


def names(locked):
    """The names of a locked episode's visible messages in delivery order."""
    return [m.message.event.name for m in locked.inbox]
