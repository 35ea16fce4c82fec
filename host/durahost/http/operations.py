"""What each operation of the management API does: one function per operation.

Texts verbatim from Azure/azure-functions-durable-extension: HttpApiHandler.cs and
ContextImplementations/DurableClient.cs (3.x head), unless another source stands beside them.
"""

import base64
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

from starlette.responses import Response

from durahost.codec.client_output import BadStart, check_instance_id
from durahost.codec.json_text import check_document, dumps, format_double, parse_stored
from durahost.codec.rest import Links, check_status_payload, project_for_api, status_text
from durahost.http import errors
from durahost.http.api_call import ApiCall
from durahost.http.errors import (
    ApiArgumentError,
    ApiFailure,
    body_response,
    empty,
    encode_headers,
    json_response,
    text_response,
)
from durahost.http.looks import status_response
from durahost.http.requests import ApiQuery, StatusView, unless_gone
from durahost.http.status_bodies import length_of
from durahost.model.errors import InstanceExists, InstanceNotFound, InvalidState
from durahost.model.ids import InstanceId
from durahost.model.instances import InstanceState
from durahost.model.queries import InstanceQuery
from durahost.model.status import RuntimeStatus
from durahost.off_loop import LONG_TEXT, run_pure
from durahost.registry import DurableKind
from durahost.tolerant_json import JsonTextError, read_first

logger = logging.getLogger(__name__)

CONTINUATION = "x-ms-continuation-token"
DEFAULT_PAGE = 100
MAX_PAGE = 1000
"""Azure Tables answers at most 1,000 entities per query."""

_MILLISECOND = timedelta(milliseconds=1)
_LONGEST_DELAY_MS = (1 << 32) - 2
_NO_DELAY = (
    "The value needs to translate in milliseconds to -1 (signifying an infinite timeout), 0, or a "
    "positive integer less than or equal to the maximum allowed timer duration. "
    "(Parameter 'delay')"
)
"""What the wait's pause says that is none.

Source: dotnet/runtime: Task.cs (ValidateTimeout), Strings.resx (Task_InvalidTimerTimeSpan).
"""


async def start(call: ApiCall) -> Response:
    """POST orchestrators/{name}/{id?}: start, and wait when both wait parameters are there."""
    name, *rest = call.arguments
    text = None if call.request.headers.get("content-length") == "0" else call.text
    if text is not None:
        await run_pure(lambda: check_document(text), is_long=len(text) > LONG_TEXT)
    if (hint := call.unknown_text(DurableKind.ORCHESTRATOR, name)) is not None:
        logger.warning("The start of '%s' is accepted and will fail, as on Azure: %s", name, hint)
    instance_id = await call.hub.start(
        name,
        text,
        instance_id=InstanceId(rest[0]) if rest else None,
        version=call.query.get("version"),
    )
    try:
        return await _answer_started(call, instance_id)
    except ApiArgumentError as error:
        return errors.message_error(400, str(error))


async def restart(call: ApiCall) -> Response:
    """POST instances/{id}/restart: the same function and input, once more."""
    try:
        state = await call.hub.status(call.instance_id)
        name = state.name if state is not None else None
        if name and (text := call.unknown_text(DurableKind.ORCHESTRATOR, name)) is not None:
            raise ApiArgumentError(text)
        with_new_id = call.query.boolean("restartWithNewInstanceId", default=True)
        if state is not None and not with_new_id:
            check_instance_id(state.instance_id)
        new_id = await call.hub.restart(call.instance_id, with_new_id=with_new_id)
        return await _answer_started(call, new_id)
    except InstanceNotFound:
        detail = f"An orchestrastion with the instanceId {call.instance_id} was not found."
        return _not_restarted(ApiArgumentError(detail))
    except BadStart as error:
        return _not_restarted(ApiArgumentError(str(error)))
    except ApiArgumentError as error:
        return _not_restarted(error)
    except InstanceExists as error:
        return errors.exception_error(
            409,
            "A non-terminal instance with this instance ID already exists.",
            detail=str(error),
            # Source: Azure/durabletask: Exceptions/OrchestrationAlreadyExistsException.cs
            kind="DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException",
        )


async def status(call: ApiCall) -> Response:
    """GET instances/{id}."""
    state = await call.hub.status(call.instance_id)
    if state is None:
        return empty(404)
    view, location = call.query.view, call.location.encode("latin-1")
    return status_response(state, view, await _write_status(call, state, view), location)


async def list_instances(call: ApiCall) -> Response:
    """GET instances: one page, and where the next one begins."""
    query = call.query
    condition = InstanceQuery(
        created_from=call.moment("createdTimeFrom"),
        created_to=call.moment("createdTimeTo"),
        statuses=query.statuses("runtimeStatus"),
        prefix=query.get("instanceIdPrefix") or "",
        after=read_token(call.request.headers.get(CONTINUATION)),
        at_most=page_size(query),
    )
    page = await call.hub.list(condition)
    is_filtered = replace(condition, after=None, at_most=DEFAULT_PAGE) != InstanceQuery()
    # Without another filter Azure Storage does not apply showInput=false.
    show_input = query.boolean("showInput", default=True) or not is_filtered
    headers = {CONTINUATION: write_token(page.next_after)}

    def build() -> Response:
        shown = [status_text(state, show_input=show_input) for state in page.instances]
        return text_response(200, f"[{','.join(shown)}]", encode_headers(headers))

    length = sum(length_of(state, show_input=show_input) for state in page.instances)
    return await run_pure(build, is_long=length > LONG_TEXT)


async def purge(call: ApiCall) -> Response:
    """DELETE instances/{id}."""
    try:
        deleted = await call.hub.purge(call.instance_id)
    except InvalidState as error:
        return json_response(
            412,
            "Only orchestrations in a terminal state can be purged, but the orchestration "
            f"with instance ID {error.instance_id} has status {error.status.value}",
        )
    return json_response(200, {"instancesDeleted": deleted})


async def purge_by(call: ApiCall) -> Response:
    """DELETE instances."""
    created_from = call.moment("createdTimeFrom")
    if created_from is None:
        return json_response(400, "Please provide value for 'createdTimeFrom' parameter.")
    deleted = await call.hub.purge_by(
        created_from,
        call.moment("createdTimeTo"),
        call.query.purge_statuses("runtimeStatus"),
    )
    return json_response(200, {"instancesDeleted": deleted}) if deleted else empty(404)


async def raise_event(call: ApiCall) -> Response:
    """POST instances/{id}/raiseEvent/{name}: the body's first value is the event's data."""
    state = await call.hub.status(call.instance_id)
    if state is None or state.status.is_terminal:
        return empty(404 if state is None else 410)
    if not call.is_json:
        return errors.message_error(400, "Only application/json request content is supported")
    try:
        text = call.text
        data = await run_pure(lambda: dumps(read_first(text)), is_long=len(text) > LONG_TEXT)
    except JsonTextError as error:
        return errors.invalid_json(str(error))
    await call.hub.raise_event(call.instance_id, call.arguments[1], data)
    return empty(202)


async def terminate(call: ApiCall) -> Response:
    """POST instances/{id}/terminate."""
    await call.hub.terminate(call.instance_id, call.reason)
    return empty(202)


async def suspend(call: ApiCall) -> Response:
    """POST instances/{id}/suspend."""
    with _refusing("suspend"):
        await call.hub.suspend(call.instance_id, call.reason)
    return empty(202)


async def resume(call: ApiCall) -> Response:
    """POST instances/{id}/resume."""
    with _refusing("resume"):
        await call.hub.resume(call.instance_id, call.reason)
    return empty(202)


async def rewind(call: ApiCall) -> Response:
    """POST instances/{id}/rewind."""
    try:
        await call.hub.rewind(call.instance_id, call.reason)
    except InstanceNotFound:
        # The dollar sign is really sent.
        return json_response(404, f'No orchestration with instance ID "${call.instance_id}" found.')
    except InvalidState as error:
        return json_response(
            412,
            f"This orchestration has status {error.status.value}, but only orchestrations in "
            'the "Failed" state can be rewound.',
        )
    return empty(202)


async def make_primary(call: ApiCall) -> Response:
    """Any verb on makeprimary: one host holds the database, so it is primary already."""
    if not call.app.has_app_leases:
        # Source: DurabilityProvider.cs (GetNotImplementedException)
        text = (
            "The method MakeCurrentAppPrimaryAsync is not supported by the "
            f"{call.app.provider} storage provider."
        )
        raise ApiFailure(text, "System.NotImplementedException")
    return empty(200)


def refuse_primary() -> Response:
    """The answer of makeprimary where `useAppLease` is off; nothing of the request counts.

    Source: pull request 3535 of the same repository.
    """
    text = "Cannot make current app primary. This app is not using the AppLease feature."
    return errors.message_error(400, text)


async def _write_status(call: ApiCall, state: InstanceState, view: StatusView) -> bytes:
    if view.has_history and state.status is not RuntimeStatus.PENDING:
        return await _write_with_history(call, state, view)
    shown = call.bodies.show(state, show_input=view.has_input)
    if shown is not None:
        return shown
    write = partial(status_text, state, show_input=view.has_input)
    return (await run_pure(write, is_long=True)).encode()


async def _write_with_history(call: ApiCall, state: InstanceState, view: StatusView) -> bytes:
    events = await call.hub.history(state.instance_id)
    show_input, show_output = view.has_input, view.has_output

    def write() -> bytes:
        history = project_for_api(events, show_input=show_input, show_output=show_output)
        return status_text(state, show_input=show_input, history=history).encode()

    length = length_of(state, show_input=show_input) + sum(len(event.text) for event in events)
    return await run_pure(write, is_long=length > LONG_TEXT)


async def _answer_started(call: ApiCall, instance_id: InstanceId) -> Response:
    timeout, interval = call.query.seconds("timeout"), call.query.seconds("pollingInterval")
    if timeout is None or interval is None:
        return _check_status_response(call.links(), instance_id)
    if interval > timeout:
        raise ApiArgumentError(
            f"Total timeout {_seconds(timeout)} should be bigger than retry timeout "
            f"{_seconds(interval)}"
        )
    links = call.links()  # may fail, and then nobody waits
    state = await _wait(call, instance_id, timeout, interval)
    if state is None or not state.status.is_terminal:
        return _check_status_response(links, instance_id)
    if state.status is not RuntimeStatus.COMPLETED:
        return body_response(200, await _write_status(call, state, call.query.view))
    output = state.output
    is_long = len(output or "") > LONG_TEXT
    return await run_pure(lambda: json_response(200, parse_stored(output)), is_long=is_long)


def _check_status_response(links: Links, instance_id: InstanceId) -> Response:
    payload = check_status_payload(links, instance_id)
    headers = {"location": payload["statusQueryGetUri"], "retry-after": "10"}
    return json_response(202, payload, headers)


async def _wait(
    call: ApiCall, instance_id: InstanceId, limit: timedelta, interval: timedelta
) -> InstanceState | None:
    if -1 <= int(interval / _MILLISECOND) <= _LONGEST_DELAY_MS:
        return await unless_gone(call.request, call.hub.wait(instance_id, limit, interval))
    state = await call.hub.status(instance_id)
    if limit > timedelta() and not (state is not None and state.status.is_terminal):
        raise ApiArgumentError(_NO_DELAY, "System.ArgumentOutOfRangeException")
    return state


@contextmanager
def _refusing(verb: str) -> Iterator[None]:
    """Turn the refusal of a live instance's state into the extension's words."""
    try:
        yield
    except InvalidState as error:
        if error.status.is_terminal:
            raise
        raise ApiFailure(
            f"Cannot {verb} the orchestration instance {error.instance_id} because instance is "
            f"in the {error.status.value} state."
        ) from error


def _not_restarted(error: ApiArgumentError) -> Response:
    message = "InstanceId does not match a valid orchestration instance."
    return errors.exception_error(400, message, detail=str(error), kind=error.kind)


def _seconds(value: timedelta) -> str:
    return format_double(value.total_seconds())


def page_size(query: ApiQuery) -> int:
    """The page size asked for, within what Azure Tables gives; the default for none."""
    top = query.integer("top") or DEFAULT_PAGE
    return min(top, MAX_PAGE) if top > 0 else DEFAULT_PAGE


def write_token(after: str | None) -> str:
    """The continuation token of a page that ends there; empty on the last one."""
    return "" if after is None else base64.urlsafe_b64encode(after.encode()).decode()


def read_token(token: str | None) -> str | None:
    """Where the page begins that a token stands for.

    Errors: ApiArgumentError for a token that is none of ours."""
    if not token:
        return None
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise ApiArgumentError(f"The continuation token '{token}' is not valid.") from error
