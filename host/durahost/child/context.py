"""The objects that a function receives beside its inputs: `context`, and one Out per output.

Source: Azure/azure-functions-python-worker: bindings/context.py, tracecontext.py, retrycontext.py,
rpcexception.py, out.py. They are classes of the worker, not subclasses of those in azure.functions.
"""

import threading
from dataclasses import dataclass, field
from typing import Any


class Out:
    """An output parameter: the last value set wins."""

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        """Give the output its value."""
        self._value = val

    def get(self) -> Any:
        """The value given so far."""
        return self._value


@dataclass(frozen=True)
class TraceContext:
    """W3C trace context, under its current and its deprecated names."""

    trace_parent: str = ""
    trace_state: str = ""
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def Traceparent(self) -> str:  # noqa: N802  # the platform's deprecated name
        """Deprecated name of trace_parent."""
        return self.trace_parent

    @property
    def Tracestate(self) -> str:  # noqa: N802  # the platform's deprecated name
        """Deprecated name of trace_state."""
        return self.trace_state

    @property
    def Attributes(self) -> dict[str, str]:  # noqa: N802  # the platform's deprecated name
        """Deprecated name of attributes."""
        return self.attributes


@dataclass(frozen=True)
class RpcException:
    """What the call before this one raised; empty for the first."""

    source: str = ""
    stack_trace: str = ""
    message: str = ""


@dataclass(frozen=True)
class RetryContext:
    """How often the host has tried this call; there is no `exception`, as in the real worker."""

    retry_count: int = 0
    max_retry_count: int = 0
    rpc_exception: RpcException = field(default_factory=RpcException)


@dataclass(frozen=True)
class Context:
    """The invocation as user code sees it."""

    invocation_id: str
    function_name: str
    function_directory: str
    trace_context: TraceContext
    retry_context: RetryContext
    thread_local_storage: threading.local
