"""One call of one function: values in, the call's arguments, values out, or what it raised.

Order of steps: Azure/azure-functions-python-worker: dispatcher.py (_handle__invocation_request).
"""

import threading
from collections.abc import Mapping
from typing import Any

from .context import Context, Out, RetryContext, RpcException, TraceContext
from .conversion import Library
from .failures import raised
from .following import join_following
from .sessions import Ask
from .signature import Callee
from .wire import Frame, pack, unpack


class Invocation:
    """The call that an `invoke` frame asks for.

    invocation_id: as logs and the context carry it. is_forwarded: whether the host passes the
    client's request on to the web extension's server. ask: what the host wants of sessions.
    sites: where its orchestrator asked for its actions, in order; empty for other functions.
    request: of a function that has a `web_parameter`, what that one gets; set before the call.
    """

    def __init__(
        self, frame: Frame, callee: Callee, library: Library, thread_local: threading.local
    ) -> None:
        fields = frame.fields
        self.callee = callee
        self.invocation_id: str = fields["invocation_id"]
        self.is_forwarded = "is_forwarded" in fields
        self.ask = Ask(fields["session"]) if "session" in fields else None
        self.sites: list[str | None] = []
        self.request: Any = None
        self._frame = frame
        self._library = library
        self._thread_local = thread_local
        self._outs = {name: Out() for name in callee.outputs}

    @property
    def has_extensions(self) -> bool:
        """Whether hooks of worker extensions run around each call."""
        return self._library.extensions.are_on

    @property
    def route_parameters(self) -> Mapping[str, str]:
        """The route's values in the request that the host passes on."""
        written = self._frame.fields["inputs"][self.callee.web_parameter]
        return dict(written["params"])

    def arguments(self) -> dict[str, Any]:
        """Decode the inputs. Errors: KeyError for an input that nothing binds; TypeError."""
        fields, parts = self._frame.fields, self._frame.parts
        described = fields.get("metadata") or {}
        metadata = {name: unpack(one, parts) for name, one in described.items()}
        web = self.callee.web_parameter
        arguments: dict[str, Any] = {
            name: self.request
            if name == web
            else self._library.decode(self.callee.inputs[name], unpack(one, parts), metadata)
            for name, one in fields["inputs"].items()
        }
        # On the loop's thread too, where async functions see it: context.thread_local_storage.
        self._thread_local.invocation_id = self.invocation_id
        if self.callee.takes_context:
            arguments["context"] = self._context(fields)
        arguments.update(self._outs)
        return arguments

    def run(self) -> Any:
        """Call the function between the hooks of worker extensions. Errors: what it raises."""
        arguments = self.arguments()
        extensions = self._library.extensions
        if not extensions.are_on:
            return self.callee.call(**arguments)
        context = self._context(self._frame.fields)
        extensions.before(context, arguments)
        result = self.callee.call(**arguments)
        extensions.after(context, arguments, result)
        return result

    async def run_async(self) -> Any:
        """As `run`, for an async function."""
        arguments = self.arguments()
        extensions = self._library.extensions
        if not extensions.are_on:
            return await self.callee.call(**arguments)
        context = self._context(self._frame.fields)
        extensions.before(context, arguments)
        result = await self.callee.call(**arguments)
        extensions.after(context, arguments, result)
        return result

    def returned(self, result: Any) -> Frame:
        """Encode the outputs. Errors: RuntimeError for a value nobody takes; TypeError."""
        callee = self.callee
        if result is not None and callee.returns is None:
            # The missing blank is the real worker's.
            raise RuntimeError(
                f"function {callee.name!r} without a $return bindingreturned a non-None value"
            )
        parts: list[bytes] = []
        fields = self._answering()
        fields["outputs"] = {
            name: pack(self._library.encode(callee.outputs[name], value), parts)
            for name, out in self._outs.items()
            if (value := out.get()) is not None
        }
        # A web extension's server sends the response; the host gets none.
        port = None if callee.web_parameter else callee.returns
        value = self._library.encode(port, result) if port else None
        fields["value"] = pack(value, parts)
        return Frame("returned", fields, parts)

    def join_following(self, answer: Frame) -> tuple[Frame, Frame | None]:
        """The answer, which says so if another call follows, and the frame that asks for it."""
        return join_following(self._frame, answer)

    def lost(self) -> Frame:
        """The session that the call was to go on with is not here."""
        return Frame("session_lost", {"id": self._frame.fields["id"]})

    def raised(self, error: BaseException) -> Frame:
        """What the call raised."""
        return raised_frame(self._answering(), raised(error))

    def _answering(self) -> dict[str, Any]:
        answering = {"id": self._frame.fields["id"]}
        if self.sites:
            answering["sites"] = self.sites
        if self.ask is not None:
            answering["session"] = self.ask.told()
        return answering

    def _context(self, fields: Mapping[str, Any]) -> Context:
        retry = fields.get("retry", {"exception": {}})
        return Context(
            invocation_id=self.invocation_id,
            function_name=self.callee.name,
            function_directory=self.callee.directory,
            trace_context=TraceContext(*fields.get("trace", ())),
            retry_context=RetryContext(
                retry.get("count", 0),
                retry.get("max_count", 0),
                RpcException(**retry["exception"]),
            ),
            thread_local_storage=self._thread_local,
        )


def raised_frame(answering: Mapping[str, Any], failure: Mapping[str, str]) -> Frame:
    """A failure as an answer; its texts may be large (an orchestrator's hold its whole state)."""
    parts: list[bytes] = []
    texts = {name: pack(("string", text), parts) for name, text in failure.items()}
    return Frame("raised", {**answering, **texts}, parts)
