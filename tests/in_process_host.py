"""A host in the test's own process whose public port is no socket: its ASGI app is called directly.

The loop runs on a thread, as the contract suite's runner is no coroutine. The local RPC endpoint
is real, since the app's functions call it through their SDK.
"""

import asyncio
import threading
from urllib.parse import unquote, urlsplit

from azure.durable_functions.models.utils import http_utils

from durahost.app import serve
from durahost.clock import RealClock
from durahost.contract.errors import ContractError
from durahost.contract.exchange import Answer, Connections, split_url
from durahost.http.serving import HttpServer
from durahost.model.errors import HostError
from durahost.opening import StartOptions, open_app
from durahost.reports import Serving

START_LIMIT_S, ANSWER_LIMIT_S, STOP_LIMIT_S = 60, 60, 20


class HandedServer(HttpServer):
    """Serves the RPC endpoint; the public app it hands over, and closes its socket."""

    public = None

    def __init__(self, app, listener, name):
        super().__init__(app, listener, name)
        self._stopped = asyncio.Event()
        if name == "public":
            self.port = listener.getsockname()[1]
            listener.close()
            type(self).public = self
            self.app = app

    async def run(self):
        await (self._stopped.wait() if self.name == "public" else super().run())

    def stop(self):
        super().stop()
        self._stopped.set()


class InProcessHost:
    """The host, and a transport to it; use as a context manager."""

    def __init__(self, root):
        self._root = root
        self._serving = threading.Event()
        self._failure = None
        self._others = Connections()

    def __enter__(self):
        self._thread = threading.Thread(target=asyncio.run, args=(self._run(),), daemon=True)
        self._thread.start()
        assert self._serving.wait(START_LIMIT_S), "the host does not start"
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *_):
        self._others.close()
        _close_session_of_sdk()
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(STOP_LIMIT_S)
        assert not self._thread.is_alive()

    async def _run(self):
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        options = StartOptions(port=0, is_ephemeral=True, is_in_process=True, is_watching=False)
        server = type("Server", (HandedServer,), {})
        try:
            await serve(
                open_app(options, cwd=self._root, environ={}, clock=RealClock()),
                report=lambda report: self._on_report(report, server),
                stopping=self._stopping,
                server=server,
            )
        except HostError as error:
            self._failure = error
        finally:
            self._serving.set()

    def _on_report(self, report, server):
        if isinstance(report, Serving):
            self._app = server.public.app
            self.origin = f"http://127.0.0.1:{server.public.port}"
            self._serving.set()

    def send(self, request):
        """A `durahost.contract.exchange.Transport`."""
        origin, target = split_url(request.url)
        if origin != self.origin:
            return self._others.send(request)
        call = asyncio.run_coroutine_threadsafe(self._call(request, target), self._loop)
        try:
            return call.result(ANSWER_LIMIT_S)
        except TimeoutError as error:
            raise ContractError(f"No answer to {request.method} {request.url}") from error

    async def _call(self, request, target):
        path, _, query = target.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers.setdefault("host", urlsplit(self.origin).netloc)
        if "transfer-encoding" not in headers and request.method != "GET":
            headers["content-length"] = str(len(request.body or b""))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        }
        return await _ask(self._app, scope, request.body or b"")


def _close_session_of_sdk():
    """The SDK's client keeps one for the whole process, on the loop of the worker's thread."""
    session = http_utils._client_session
    if session is not None:
        closing = asyncio.run_coroutine_threadsafe(http_utils._close_session(), session._loop)
        closing.result(STOP_LIMIT_S)


async def _ask(app, scope, body):
    """Call an ASGI app once; its answer."""
    is_read, sent = False, []

    async def receive():
        nonlocal is_read
        if is_read:
            await asyncio.Event().wait()  # the client stays
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    start, *parts = sent
    headers = {}
    for raw_name, raw_value in start["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    content = b"".join(part.get("body", b"") for part in parts)
    is_head = scope["method"] == "HEAD"
    return Answer(status=start["status"], headers=headers, body=b"" if is_head else content)
