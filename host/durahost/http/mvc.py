"""Requests as ASP.NET Core MVC binds them for the host's own actions, and how it refuses them.

Source: dotnet/aspnetcore: Mvc.Core/src: ModelBinding/Binders/BodyModelBinder.cs,
ModelBinding/UnsupportedContentTypeFilter.cs; Mvc.NewtonsoftJson/src:
NewtonsoftJsonInputFormatter.cs.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from durahost.codec.json_text import dumps
from durahost.http.responses import TEXT_TYPE
from durahost.tolerant_json import JsonTextError, read_whole


def is_json(media_type: str) -> bool:
    """Whether MVC reads bodies of this type as JSON; others are 415 before the action."""
    is_plain = media_type in ("application/json", "text/json")
    return is_plain or (media_type.startswith("application/") and media_type.endswith("+json"))


def read_body(body: bytes) -> Any:
    """The JSON value of a body; None when it is none, as an action then sees it."""
    try:
        return read_whole(body.decode("utf-8-sig", "replace"))
    except JsonTextError:
        return None


def get_member(members: Mapping[str, Any], name: str) -> Any:
    """A member of a model; names compare without case, None when absent."""
    return next((value for key, value in members.items() if key.lower() == name.lower()), None)


def as_text(value: Any) -> str | None:
    """A scalar as a model's string: numbers and booleans in their JSON text.

    Errors: ValueError for an object or an array, which does not bind.
    Source: JamesNK/Newtonsoft.Json: JsonTextReader.cs (ReadAsString).
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise ValueError("An object or an array is no text.")
    return dumps(value)


def bad_request(text: str) -> Response:
    """400 with a text: BadRequest of a string."""
    return Response(text.encode(), 400, headers={"content-type": TEXT_TYPE})
