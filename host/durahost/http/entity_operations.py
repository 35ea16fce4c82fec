"""What each entity operation of the management API does: one function per operation.

Every bad argument in this family is a 400 of the short shape.
Texts verbatim from Azure/azure-functions-durable-extension: HttpApiHandler.cs
(HandleGetEntityRequestAsync, HandlePostEntityOperationRequestAsync,
HandleListEntitiesRequestAsync), EntityScheduler/EntityId.cs and
ContextImplementations/DurableClient.cs (SignalEntityAsyncInternal).
"""

from starlette.responses import Response

from durahost.codec.entity_rest import entity_payload
from durahost.codec.json_text import dumps, parse_stored
from durahost.entities import state_of
from durahost.http import errors
from durahost.http.api_call import ApiCall
from durahost.http.errors import ApiArgumentError, empty, json_response
from durahost.http.operations import CONTINUATION, page_size, read_token, write_token
from durahost.model.ids import EntityId
from durahost.model.instances import InstanceState
from durahost.model.queries import InstanceQuery
from durahost.off_loop import LONG_TEXT, run_pure
from durahost.registry import DurableKind
from durahost.tolerant_json import JsonTextError, read_first

_NO_NAME = (
    "Invalid entity id: entity name must not be a null or empty string. (Parameter 'entityName')"
)
_BAD_KEY = (
    r"entityKey (Parameter 'Entity keys must not contain /, \, #, ?, or control characters.')"
)
_EMPTY_KEY = "$"


async def read(call: ApiCall) -> Response:
    """GET entities/{name}/{key}: the state, and only it; the key `$` means the empty one."""
    name, key = call.arguments
    state = await call.hub.entities.read(EntityId.of(name, "" if key == _EMPTY_KEY else key))
    if state is None:
        return empty(404)
    return await run_pure(
        lambda: json_response(200, parse_stored(state)), is_long=len(state) > LONG_TEXT
    )


async def list_entities(call: ApiCall) -> Response:
    """GET entities/{name?}: those that exist, one page."""
    query = call.query
    try:
        after = read_token(call.request.headers.get(CONTINUATION))
    except ApiArgumentError as error:
        return errors.message_error(400, str(error))
    page = await call.hub.entities.list(
        InstanceQuery(
            prefix=f"@{call.arguments[0].lower()}@" if call.arguments else "@",
            created_from=call.moment("lastOperationTimeFrom"),
            created_to=call.moment("lastOperationTimeTo"),
            after=after,
            at_most=page_size(query),
        )
    )
    fetches_state = query.boolean("fetchState", default=False)
    headers = {CONTINUATION: write_token(page.next_after)}

    def build() -> Response:
        entries = [_entry(row, fetches_state=fetches_state) for row in page.instances]
        return json_response(200, entries, headers)

    length = sum(len(row.input or "") for row in page.instances) if fetches_state else 0
    return await run_pure(build, is_long=length > LONG_TEXT)


async def signal(call: ApiCall) -> Response:
    """POST entities/{name}/{key?}: an operation for the entity; DELETE: the one named "delete"."""
    try:
        entity = _addressed(call)
        input_text = await _input(call)
        _check_signal(call, entity)
    except ApiArgumentError as error:
        return errors.message_error(400, str(error))
    operation = "delete" if call.request.method == "DELETE" else call.query.get("op") or ""
    await call.hub.entities.signal(entity, operation, input_text)
    return empty(202)


def _entry(row: InstanceState, *, fetches_state: bool) -> dict[str, object]:
    entity = EntityId.parse(row.instance_id)
    assert entity is not None
    return entity_payload(entity, row.created_at, state_of(row) if fetches_state else None)


def _addressed(call: ApiCall) -> EntityId:
    if not call.arguments:
        raise ApiArgumentError(_NO_NAME)
    name, *key = call.arguments
    return EntityId.of(name, key[0] if key else "")


async def _input(call: ApiCall) -> str | None:
    """The body as the operation's input: JSON of a JSON body, a JSON string of any other."""
    if call.request.headers.get("content-length") == "0":
        return None
    text = call.text
    is_json = call.is_json
    try:
        return await run_pure(
            lambda: dumps(read_first(text) if is_json else text), is_long=len(text) > LONG_TEXT
        )
    except JsonTextError as error:
        raise ApiArgumentError(f"Could not parse JSON content: {error}") from error


def _check_signal(call: ApiCall, entity: EntityId) -> None:
    if any(character in "/\\#?" or _is_control(character) for character in entity.key):
        raise ApiArgumentError(_BAD_KEY)
    if (text := call.unknown_text(DurableKind.ENTITY, entity.name)) is not None:
        raise ApiArgumentError(text)


def _is_control(character: str) -> bool:
    return ord(character) < 0x20 or 0x7F <= ord(character) <= 0x9F
