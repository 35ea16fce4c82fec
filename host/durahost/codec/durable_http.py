"""Durable HTTP calls as JSON: the request of the built-in activity, its answer, the next poll.

A request is normalised once, where the action is decoded, to what the extension writes again into
TaskScheduled: its members in order, header names without regard to case, spans of time as .NET's.
Sources: Azure/azure-functions-durable-extension: DurableHttpRequest.cs, DurableHttpResponse.cs,
HttpRetryOptions.cs, HttpHeadersConverter.cs, ManagedIdentityTokenSource.cs,
ContextImplementations/DurableOrchestrationContext.cs (CallHttpAsync, CreateLocationPollRequest).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from durahost.codec import dotnet_http
from durahost.codec.json_text import dump_plain
from durahost.config.dotnet_values import (
    MAX_TIMESPAN_TEXT,
    UNLIMITED,
    parse_int32,
    parse_timespan,
    timespan_text,
)
from durahost.model.actions import RetryOptions

ACTIVITY_NAME = "BuiltIn::HttpActivity"
"""Source: Azure/azure-functions-durable-extension: HttpOptions.cs
(HttpTaskActivityReservedName).
"""

ACCEPTED = 202
_MAX_INTERVAL = timedelta(days=6)
"""Source: HttpRetryOptions.cs (DefaultMaxRetryinterval)."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_AZURE_IDENTITY = ("AzureManagedIdentity", "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request, as the activity finds it in its input.

    retried: None without retry options; else the status codes that fail the call, none meaning
    every one that is no success. token_resource: what a managed identity is asked for.
    """

    method: str
    uri: str
    headers: Mapping[str, Sequence[str]]
    content: str | None
    timeout: timedelta | None
    retried: Sequence[int] | None
    token_resource: str | None


@dataclass(frozen=True, slots=True)
class NextPoll:
    """What follows a 202: the next request after a pause.

    pause None: the call fails at once. request None: it fails after the pause.
    flaw: what is wrong with the answer, for a hint; "" when nothing is.
    """

    pause: timedelta | None
    request: str | None
    flaw: str = ""


def normalize(request: Mapping[str, Any]) -> dict[str, Any]:
    """The request as the extension would write it again; doing it twice changes nothing.

    asynchronousPatternEnabled is false when absent: Newtonsoft applies no constructor default
    (JamesNK/Newtonsoft.Json#820). Errors: ValueError with the text that fails the orchestration.
    """
    content, timeout = _member(request, "content"), _member(request, "timeout")
    method, uri = _member(request, "method"), _member(request, "uri")
    return {
        "method": method if isinstance(method, str) else None,
        "uri": None if uri is None else str(uri),
        "headers": _headers(_member(request, "headers")),
        "content": None if content is None else _text(content),
        "tokenSource": _token_source(_member(request, "tokenSource")),
        "asynchronousPatternEnabled": _member(request, "asynchronousPatternEnabled") is True,
        "retryOptions": _retry_options(_member(request, "retryOptions")),
        "timeout": None if timeout is None else timespan_text(_timespan(timeout)),
    }


def encode_request(request: Mapping[str, Any]) -> str:
    """TaskScheduled.Input of a normalised request: an array of the one."""
    return dump_plain([request])


def read_retry(request: Mapping[str, Any]) -> RetryOptions | None:
    """How a normalised request is repeated; None when it is not."""
    options = request["retryOptions"]
    if options is None:
        return None
    timeout = parse_timespan(options["RetryTimeout"])
    return RetryOptions(
        first_interval=parse_timespan(options["FirstRetryInterval"]),
        max_attempts=options["MaxNumberOfAttempts"],
        backoff_coefficient=options["BackoffCoefficient"],
        max_interval=parse_timespan(options["MaxRetryInterval"]),
        timeout=None if timeout >= UNLIMITED else timeout,
    )


def decode_request(text: str) -> HttpRequest:
    """The activity's half of `encode_request`. Errors: ValueError when it is something else."""
    whole = json.loads(text)
    if not (isinstance(whole, list) and whole and isinstance(whole[0], dict)):
        raise ValueError(f"{ACTIVITY_NAME} takes an array of one request, not {text[:80]}")
    request = normalize(whole[0])
    retry, timeout = request["retryOptions"], request["timeout"]
    token = request["tokenSource"]
    headers = request["headers"].items()
    return HttpRequest(
        method=request["method"] or "GET",
        uri=request["uri"] or "",
        headers={name: [v] if isinstance(v, str) else v for name, v in headers},
        content=request["content"],
        timeout=None if timeout is None else parse_timespan(timeout),
        retried=None if retry is None else retry["StatusCodesToRetry"],
        token_resource=None if token is None else token["resource"],
    )


def encode_response(status: int, headers: Mapping[str, str | Sequence[str]], content: str) -> str:
    """TaskCompleted.Result."""
    return dump_plain({"statusCode": status, "headers": headers, "content": content})


def next_poll(
    request: Mapping[str, Any], result: str | None, default_sleep: timedelta
) -> NextPoll | None:
    """What to do after an answer; None when it is final.

    The poll is a GET of the Location with the first request's headers, but without
    `x-functions-key`, which never opens a status endpoint; retries are not carried over.
    A Retry-After that is no integer fails the call at once, a Location that is missing or no URI
    after the pause. A Location `/path` is an absolute URI to .NET on Linux (a file's), so it is
    asked for, and that request fails.
    """
    answer = json.loads(result) if result else None
    answer = answer if isinstance(answer, dict) else {}
    if answer.get("statusCode") != ACCEPTED:
        return None
    headers = _headers(answer.get("headers"))
    try:
        seconds = _joined(headers, "retry-after")
        pause = default_sleep if seconds is None else timedelta(seconds=parse_int32(seconds))
    except ValueError as error:
        return NextPoll(None, None, f"its Retry-After is no whole number of seconds: '{error}'")
    location = _joined(headers, "location")
    if location is None:
        return NextPoll(pause, None, "it has no Location header")
    if not location.startswith("/") and not _SCHEME.match(location):
        return NextPoll(pause, None, f"its Location is no absolute URL: '{location}'")
    flaw = f"its Location is no absolute URL: '{location}'" if location.startswith("/") else ""
    return NextPoll(pause, encode_request(_poll(request, location)), flaw)


def _poll(request: Mapping[str, Any], location: str) -> dict[str, Any]:
    kept = {n: v for n, v in request["headers"].items() if n.lower() != "x-functions-key"}
    return {
        **request,
        "method": "GET",
        "uri": location,
        "headers": kept,
        "content": None,
        "asynchronousPatternEnabled": True,
        "retryOptions": None,
    }


def _headers(given: Any) -> dict[str, str | list[str]]:
    """Names without regard to case: the first spelling and the last value stand."""
    spelled: dict[str, str] = {}
    headers: dict[str, str | list[str]] = {}
    for name, value in given.items() if isinstance(given, dict) else ():
        if isinstance(value, list):
            values = [_text(one) for one in value]
        else:
            values = [value] if isinstance(value, str) else []
        headers[spelled.setdefault(name.lower(), name)] = values[0] if len(values) == 1 else values
    return headers


def _joined(headers: Mapping[str, str | Sequence[str]], name: str) -> str | None:
    """The header's value; several become one with commas, as StringValues becomes a string."""
    for key, value in headers.items():
        if key.lower() == name:
            return value if isinstance(value, str) else ",".join(value)
    return None


def _token_source(given: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    if not isinstance(given, dict) or str(given.get("kind")) not in _AZURE_IDENTITY:
        kind = given.get("kind") if isinstance(given, dict) else given
        raise ValueError(f"The token source kind '{dump_plain(kind)}' is not supported.")
    options = given.get("options")
    more = {} if options is None else {"options": options}
    return {"kind": _AZURE_IDENTITY[0], "resource": str(given.get("resource") or ""), **more}


def _retry_options(given: Any) -> dict[str, Any] | None:
    """Members as HttpRetryOptions has them, any case.

    Text: Azure/durabletask: src/DurableTask.Core/RetryOptions.cs (constructor).
    """
    if not isinstance(given, dict):
        return None
    first = _timespan(_member(given, "FirstRetryInterval") or "0")
    if first <= timedelta(0):
        raise ValueError(
            "Invalid interval.  Specify a TimeSpan value greater then TimeSpan.Zero. "
            "(Parameter 'firstRetryInterval')"
        )
    longest, timeout = _member(given, "MaxRetryInterval"), _member(given, "RetryTimeout")
    return {
        "FirstRetryInterval": timespan_text(first),
        "MaxRetryInterval": timespan_text(_timespan(longest) if longest else _MAX_INTERVAL),
        "BackoffCoefficient": float(_member(given, "BackoffCoefficient") or 1),
        "RetryTimeout": timespan_text(_timespan(timeout)) if timeout else MAX_TIMESPAN_TEXT,
        "MaxNumberOfAttempts": int(_member(given, "MaxNumberOfAttempts") or 0),
        "StatusCodesToRetry": [
            dotnet_http.status_code(code) for code in _member(given, "StatusCodesToRetry") or ()
        ],
    }


def _timespan(text: Any) -> timedelta:
    try:
        return parse_timespan(str(text))
    except ValueError as error:
        raise ValueError(f"Error converting value \"{text}\" to type 'System.TimeSpan'.") from error


def _member(of: Mapping[str, Any], name: str) -> Any:
    """A member by its name, else by its name in any case, as Newtonsoft finds it."""
    if name in of:
        return of[name]
    return next((value for key, value in of.items() if key.lower() == name.lower()), None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dump_plain(value)
