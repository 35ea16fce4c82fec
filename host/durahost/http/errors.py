"""From errors to answers: the two shapes of error bodies, and one table of which error is what.

Shapes and texts: Azure/azure-functions-durable-extension: HttpRequestMessageExtensions.cs
(CreateErrorResponse), HttpApiHandler.cs.
"""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response

from durahost.codec.json_text import dumps
from durahost.http.answers import Answer, RawHeaders
from durahost.model.errors import InstanceExists, InstanceNotFound, InvalidState, NotSupported
from durahost.tolerant_json import READER_EXCEPTION, JsonTextError

_JSON_HEADER = (b"content-type", b"application/json; charset=utf-8")

_INVALID_JSON = "Invalid JSON content"
_BAD_ARGUMENT = "One or more of the arguments submitted is incorrect"
_WENT_WRONG = "Something went wrong while processing your request"
_ARGUMENT = "System.ArgumentException"
_INVALID_OPERATION = "System.InvalidOperationException"


class ApiArgumentError(Exception):
    """An argument that the extension throws an ArgumentException for; `kind` is its .NET type."""

    def __init__(self, message: str, kind: str = _ARGUMENT) -> None:
        super().__init__(message)
        self.kind = kind


class ApiFailure(Exception):
    """An operation that ends in one of the extension's own exceptions; `kind` is its .NET type."""

    def __init__(self, message: str, kind: str = _INVALID_OPERATION) -> None:
        super().__init__(message)
        self.kind = kind


class ApiOverflow(ApiFailure):
    """A number too large for its .NET type."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "System.OverflowException")


def empty(status: int) -> Response:
    """A response without body and content type."""
    return Answer(status)


def json_response(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
    """A response with a compact JSON body."""
    return text_response(status, dumps(value), encode_headers(headers or {}))


def text_response(status: int, text: str, headers: RawHeaders = ()) -> Response:
    """A response with a body that is JSON text."""
    return body_response(status, text.encode(), headers)


def body_response(status: int, body: bytes, headers: RawHeaders = ()) -> Response:
    """A response with a body that is JSON text as it is sent."""
    return Answer(status, body, [*headers, _JSON_HEADER])


def encode_headers(headers: Mapping[str, str]) -> RawHeaders:
    """Headers as they are sent; names lower-case."""
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


def message_error(status: int, message: str) -> Response:
    """The short shape: `Message` alone."""
    return json_response(status, {"Message": message})


def exception_error(status: int, message: str, *, detail: str, kind: str) -> Response:
    """The long shape; there is no .NET stack to show."""
    return json_response(
        status,
        {
            "Message": message,
            "ExceptionMessage": detail,
            "ExceptionType": kind,
            "StackTrace": None,
        },
    )


def invalid_json(detail: str) -> Response:
    """The answer to a body that is not JSON."""
    return exception_error(400, _INVALID_JSON, detail=detail, kind=READER_EXCEPTION)


def _of_text(error: JsonTextError) -> Response:
    if error.exception_type == READER_EXCEPTION:
        return invalid_json(str(error))
    return exception_error(500, _WENT_WRONG, detail=str(error), kind=error.exception_type)


_TABLE: Mapping[type[Exception], Callable[[Any], Response]] = {
    InstanceNotFound: lambda error: empty(404),
    InvalidState: lambda error: empty(410),
    InstanceExists: lambda error: message_error(409, str(error)),
    NotSupported: lambda error: message_error(501, str(error)),
    JsonTextError: _of_text,
    ApiArgumentError: lambda error: exception_error(
        400, _BAD_ARGUMENT, detail=str(error), kind=error.kind
    ),
    ApiFailure: lambda error: exception_error(500, _WENT_WRONG, detail=str(error), kind=error.kind),
    Exception: lambda error: exception_error(
        500, _WENT_WRONG, detail=str(error), kind=_INVALID_OPERATION
    ),
}


def response_for(error: Exception) -> Response:
    """The answer to an error that no route answers in its own way."""
    return next(_TABLE[kind](error) for kind in type(error).__mro__ if kind in _TABLE)


def is_expected(error: Exception) -> bool:
    """Whether the table names the error; any other is logged with its traceback."""
    return any(kind in _TABLE for kind in type(error).__mro__ if kind is not Exception)
