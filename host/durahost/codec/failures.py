"""The failure texts an app and its clients see, composed as the extension composes them.

Sources: Azure/azure-functions-durable-extension: OutOfProcExceptionHelpers.cs,
Listener/TaskActivityShim.cs,
Listener/TaskOrchestrationShim.cs, Listener/OutOfProcOrchestrationShim.cs;
Azure/azure-functions-host: src/WebJobs.Script/Workers/Rpc/RpcException.cs.
"""

from datetime import timedelta

from durahost.codec.json_text import dump_plain

STATE_MARKER = "\n\n$OutOfProcData$:"
"""Between the user's message and the state JSON in an orchestrator's exception."""

NON_DETERMINISM = "Non-Deterministic workflow detected: "
"""Source: Azure/durabletask: Exceptions/NonDeterministicOrchestrationException.cs."""


def rpc_exception(message: str, stack: str) -> str:
    """The host's text for a failed invocation; `message` is `{type}: {text}`."""
    return f"Result: Failure\nException: {message}\nStack: {stack}"


def cut_exception(text: str) -> str:
    """What stands between the first "\\nException:" and the first "\\nStack:" after it.

    Source: Azure/azure-functions-durable-extension: OutOfProcExceptionHelpers.cs.
    """
    _, _, rest = text.partition("\nException:")
    return rest.partition("\nStack:")[0]


def orchestrator_failed(name: str, error: str) -> str:
    """Output of a failed orchestration, and the reason its parent is given."""
    return f"Orchestrator function '{name}' failed: {error}"


def orchestrator_details(error: str, stack: str) -> str:
    """Details a waiting parent is given.

    On Azure the trace is the .NET frames, so never holds the marker or a heading that the cut of
    the
    parent's own failure looks for. Here it is the frames of the app's traceback, and nothing else
    of it.
    Source: Azure/azure-functions-durable-extension: OutOfProcOrchestrationShim.cs.
    """
    return f"Message: {error}, StackTrace: {frames_of(stack)}"


def aggregate(message: str, stack: str) -> str:
    """The error of an orchestrator whose failure holds no state: .NET's AggregateException around
    the host's.
    """
    return f"One or more errors occurred. ({rpc_exception(message, stack)})"


def frames_of(stack: str) -> str:
    """The lines of a Python traceback that are frames."""
    lines = stack.partition(STATE_MARKER)[0].splitlines()
    return "\n".join(line for line in lines if line.startswith("  "))


def activity_failed(name: str, message: str) -> str:
    """TaskFailed.Reason; two blanks, since the extension's cut keeps the one before the type."""
    return f"Activity function '{name}' failed:  {message}"


def activity_missing(name: str) -> str:
    """TaskFailed.Reason of an activity that is gone by the time it runs (one blank)."""
    return f"Activity function '{name}' failed: Activity function '{name}' does not exist."


def timed_out(function: str, timeout: timedelta) -> str:
    """A function ran past `functionTimeout`.

    Source: Azure/azure-webjobs-sdk: FunctionTimeoutException, thrown in FunctionExecutor.cs.
    """
    hours, seconds = divmod(int(timeout.total_seconds()), 3600)
    span = f"{hours:02}:{seconds // 60:02}:{seconds % 60:02}"
    return f"Timeout value of {span} was exceeded by function: Functions.{function}"


def activity_details(message: str, stack: str) -> str:
    """TaskFailed.Details: the serialised .NET exception; apps read its Message.

    Shape: members in .NET's order; the inner exception is the host's RpcException.
    """
    inner = _exception(
        "Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException, Microsoft.Azure.WebJobs.Script",
        "Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException",
        rpc_exception(message, stack),
        None,
        "Microsoft.Azure.WebJobs.Script",
    )
    outer = _exception(
        "System.Exception, System.Private.CoreLib", "System.Exception", f" {message}", inner, None
    )
    return dump_plain(outer)


def exception_details(error_type: str, message: str) -> str:
    """TaskFailed.Details of the built-in HTTP activity.

    What its shim turns into a task failure is serialised, any other exception is described.
    Sources: Azure/azure-functions-durable-extension: Listener/TaskHttpActivityShim.cs (RunAsync);
    Azure/durabletask: TaskActivityDispatcher.cs (OnProcessWorkItemAsync).
    """
    assembly = _SERIALISED.get(error_type)
    if assembly is None:
        return f"Unhandled exception while executing task: {error_type}: {message}"
    whole = _exception(f"{error_type}, {assembly}", error_type, message, None, None)
    return dump_plain(whole)


_SERIALISED = {
    "System.Net.Http.HttpRequestException": "System.Net.Http",
    "System.TimeoutException": "System.Private.CoreLib",
}


def _exception(
    type_name: str, class_name: str, message: str, inner: object, source: str | None
) -> dict[str, object]:
    return {
        "$type": type_name,
        "ClassName": class_name,
        "Message": message,
        "Data": None,
        "InnerException": inner,
        "HelpURL": None,
        "StackTraceString": None,
        "RemoteStackTraceString": None,
        "RemoteStackIndex": 0,
        "ExceptionMethod": None,
        "HResult": -2146233088,
        "Source": source,
        "WatsonBuckets": None,
    }
