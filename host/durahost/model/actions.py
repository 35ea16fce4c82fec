"""Actions: what an orchestrator asked for, as its SDK listed them.

Source: Azure/azure-functions-durable-extension: Listener/OutOfProcOrchestrationShim.cs
(AsyncAction).
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any

from durahost.model.values import dataclass


@dataclass(frozen=True, slots=True)
class RetryOptions:
    """How failed attempts are repeated; `max_attempts` counts the first one.

    Source: Azure/azure-functions-durable-extension: RetryOptionsConverter.cs (defaults too).
    """

    first_interval: timedelta
    max_attempts: int
    backoff_coefficient: float = 1.0
    max_interval: timedelta = timedelta(days=6)
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class CallActivity:
    """Run an activity; `input` is the JSON text the SDK made."""

    name: str
    input: str | None
    retry: RetryOptions | None = None


@dataclass(frozen=True, slots=True)
class CallSubOrchestrator:
    """Run another orchestrator and wait for it; without `instance_id` the engine makes one."""

    name: str
    input: str | None
    instance_id: str | None = None
    version: str | None = None
    retry: RetryOptions | None = None


@dataclass(frozen=True, slots=True)
class ContinueAsNew:
    """End this execution and start the next one with `input`."""

    input: str | None


@dataclass(frozen=True, slots=True)
class CreateTimer:
    """A durable timer; a cancelled one is created all the same, but holds nothing."""

    fire_at: datetime
    is_canceled: bool = False


@dataclass(frozen=True, slots=True)
class WaitForExternalEvent:
    """Wait for an event by name; takes no id."""

    name: str


@dataclass(frozen=True, slots=True)
class CallEntity:
    """Call an entity operation and wait for its answer; `instance_id` is `@name@key`."""

    instance_id: str
    operation: str
    input: str | None


@dataclass(frozen=True, slots=True)
class SignalEntity:
    """Send an entity operation without waiting, at once or at `fire_at`."""

    instance_id: str
    operation: str
    input: str | None
    fire_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CallHttp:
    """A durable HTTP call: the built-in activity with this request.

    request: its JSON members, normalised (codec/durable_http.py). is_polled: whether a 202 is
    followed to its Location. retry: for the first request; polls are not repeated.
    """

    request: Mapping[str, Any]
    is_polled: bool = False
    retry: RetryOptions | None = None


@dataclass(frozen=True, slots=True)
class WhenAny:
    """Satisfied by the first of its children."""

    children: "Sequence[Action]"


@dataclass(frozen=True, slots=True)
class WhenAll:
    """Satisfied when every child is."""

    children: "Sequence[Action]"


@dataclass(frozen=True, slots=True)
class Unsupported:
    """An action that the engine does not know; `name` is what the SDK called it."""

    name: str


Call = (
    CallActivity
    | CallSubOrchestrator
    | ContinueAsNew
    | CreateTimer
    | WaitForExternalEvent
    | CallEntity
    | SignalEntity
    | CallHttp
    | Unsupported
)
"""Actions that are no compounds."""

Action = Call | WhenAny | WhenAll


@dataclass(frozen=True, slots=True)
class Listed:
    """All that one call of the orchestrator listed: text (`codec/listing.py`), sites, how many."""

    text: str
    sites: Sequence[str | None]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorState:
    """What one call of the orchestrator gave back.

    batches: one list of actions; under replay schema V1 one list per yield.
    output, custom_status: JSON text, None when not given.
    error: the user's failure text.
    sites: `file:line` of the yield behind each action, one per batch under schema V1; empty when
    the worker cannot tell.
    kept: how many actions, listed before and unchanged since, the list leaves out at its beginning.
    listed: the whole list, those included; None where it is not known.
    """

    batches: Sequence[Sequence[Action]]
    is_done: bool = False
    is_schema_v1: bool = False
    checks_timer_length: bool = False
    output: str | None = None
    custom_status: str | None = None
    error: str | None = None
    stack: str = ""
    sites: Sequence[str | None] = ()
    kept: int = 0
    listed: Listed | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OrchestratorFailure:
    """The orchestrator raised, or answered, something that holds no action list.

    error: the text that stands behind the extension's prefix. details: for a waiting parent.
    """

    error: str
    details: str


@dataclass(frozen=True, slots=True)
class Hint:
    """A line for the developer, shown in the host's log only; no app or client ever sees it."""

    text: str
