"""Runs apps on the platform's own engine for Python 3.13 and newer, without gRPC.

    python platform_engine.py < jobs.json > outcomes.json

Needs azure-functions-runtime (decorators) and azure-functions-runtime-v1 (folders). The engine
keeps its state in globals, so each app has a process of its own. It takes the classes of the
worker protocol as an object, which plain classes stand in for here.
"""

import asyncio
import base64
import importlib
import json
import os
import sys
import tempfile
import uuid


class Message:
    """A protobuf message: what it was made with, and which member of a `oneof` is set."""

    def __init__(self, **fields):
        self.__dict__.update(fields)

    def WhichOneof(self, group):  # noqa: N802  # protobuf's name
        return next((name for name in self.__dict__ if name != "name"), None)


class ParameterBinding(Message):
    def WhichOneof(self, group):  # noqa: N802  # protobuf's name
        return "data"


class StatusResult(Message):
    Failure, Success, Cancelled = 0, 1, 2


class BindingInfo(Message):
    inout, out, undefined = 2, 1, 0


class RpcHttpCookie(Message):
    SameSite = type("SameSite", (), {"Lax": 1, "Strict": 2, "ExplicitNone": 3, "None": 0})


class Protocol:
    """Every other message is a plain one."""

    ParameterBinding, StatusResult = ParameterBinding, StatusResult
    BindingInfo, RpcHttpCookie = BindingInfo, RpcHttpCookie

    def __getattr__(self, name):
        return type(name, (Message,), {})


PROTOCOL = Protocol()
DIRECTIONS = {"in": 0, "out": 1, "inout": 2}
DATA_TYPES = {"string": 1, "binary": 2, "stream": 3}
SAME_SITE = {0: "None", 1: "Lax", 2: "Strict", 3: "ExplicitNone"}


def request(**fields):
    properties = {"protos": PROTOCOL, "host": "127.0.0.1"}
    return Message(request=Message(**fields), properties=properties)


# Values -------------------------------------------------------------------------------------------


def to_message(value):
    if value is None:
        return Message()
    kind, content = value
    if kind == "http":
        body = base64.b64decode(content.pop("body"))
        return Message(http=Message(**content, body=Message(bytes=body) if body else Message()))
    return Message(**{kind: base64.b64decode(content) if kind == "bytes" else content})


def from_message(data):
    kind = data.WhichOneof("data") if data is not None else None
    if kind is None:
        return None
    value = getattr(data, kind)
    if kind == "http":
        cookies = [from_cookie(cookie) for cookie in value.cookies or ()]
        return kind, {
            "status": value.status_code,
            "headers": value.headers,
            "cookies": cookies,
            "body": base64.b64encode(value.body.bytes).decode(),
        }
    return kind, base64.b64encode(value).decode() if kind == "bytes" else value


def from_cookie(cookie):
    def value(name):
        found = getattr(cookie, name)
        return found.value if found is not None else None

    expires = value("expires")
    return {
        "name": cookie.name,
        "value": cookie.value,
        "domain": value("domain"),
        "path": value("path"),
        "expires": expires.seconds if expires is not None else None,
        "secure": value("secure"),
        "http_only": value("http_only"),
        "same_site": SAME_SITE[cookie.same_site],
        "max_age": value("max_age"),
    }


# Apps ---------------------------------------------------------------------------------------------


async def run(job):
    """Load the app and make its calls; {"failures": {name: text}, "calls": [outcome]}."""
    root, functions = job["root"], job["functions"]
    os.chdir(root)
    sys.path.append(root)
    name = "azure_functions_runtime" + ("_v1" if functions is not None else "")
    engine = importlib.import_module(name)
    engine.start_threadpool_executor()
    init = Message(
        capabilities={}, function_app_directory=root, host_version="4", worker_directory=""
    )
    answer = await engine.worker_init_request(request(worker_init_request=init))
    if answer.result.status != StatusResult.Success:
        return {"failures": {"": answer.result.exception.message}, "calls": []}
    failures = {}
    for function in functions or ():
        loaded = await engine.function_load_request(
            request(function_load_request=to_load(function))
        )
        if loaded.result.status != StatusResult.Success:
            failures[function["name"]] = loaded.result.exception.message
    indexed = None
    if functions is None:
        metadata = await engine.functions_metadata_request(request())
        found = metadata.function_metadata_results or ()
        indexed = {one.name: [json.loads(text) for text in one.raw_bindings] for one in found}
    calls = [await invoke(engine, call) for call in job["calls"]]
    return {"failures": failures, "indexed": indexed, "calls": calls}


def to_load(function):
    bindings = {
        one["name"]: BindingInfo(
            type=one["type"],
            direction=DIRECTIONS[one["direction"]],
            data_type=DATA_TYPES.get(one.get("dataType"), 0),
        )
        for one in function["bindings"]
    }
    names = ("name", "directory", "script_file", "entry_point")
    metadata = Message(**{name: function[name] for name in names}, bindings=bindings)
    return Message(function_id=id_of(function["name"]), metadata=metadata)


def id_of(name):
    return str(uuid.uuid5(namespace=uuid.NAMESPACE_OID, name=name))


async def invoke(engine, call):
    data = [
        ParameterBinding(name=name, data=to_message(value))
        for name, value in call["inputs"].items()
    ]
    asked = Message(
        invocation_id=call["id"],
        function_id=id_of(call["function"]),
        input_data=data,
        trigger_metadata={name: to_message(one) for name, one in call["metadata"].items()},
        trace_context=Message(trace_parent="parent", trace_state="state", attributes={}),
        retry_context=Message(
            retry_count=1,
            max_retry_count=2,
            exception=Message(source="", message="before", stack_trace="stack"),
        ),
    )
    try:
        answer = await engine.invocation_request(request(invocation_request=asked))
    except asyncio.CancelledError:
        return {"raised": "never answered"}
    if answer.result.status != StatusResult.Success:
        return {"raised": answer.result.exception.message}
    return {
        "value": from_message(answer.return_value),
        "outputs": {one.name: from_message(one.data) for one in answer.output_data},
    }


def in_a_process_of_its_own(job):
    with tempfile.NamedTemporaryFile() as file:
        child = os.fork()
        if not child:
            outcome = asyncio.run(run(job))
            file.write(json.dumps(outcome).encode())
            file.flush()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        file.seek(0)
        return json.loads(file.read()) if status == 0 else {"died": status}


if __name__ == "__main__":
    for module in ("azure.functions", "azure.durable_functions"):
        importlib.import_module(module)  # once for all the processes
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what apps print is none of the answer
    with answers:
        json.dump([in_a_process_of_its_own(job) for job in json.load(sys.stdin)], answers)
