"""What the child needs to start: the app's settings, the host's port, and a loader.

The start's first step, kept light: the child's imports begin when this module's are done
(starting.py).
"""

import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from durahost.clock import Clock
from durahost.config.load import load_app
from durahost.config.public_url import HOST_NAME_SETTING, origin_of_host_name
from durahost.config.settings import App
from durahost.http.ports import bind
from durahost.loading import AppLoader
from durahost.user_logs import write_user_log
from durahost.worker.base import Worker
from durahost.worker.interpreter import find_interpreter
from durahost.worker.pool import WorkerPool
from durahost.worker.process import ProcessWorker

DEFAULT_PORT = 7071
DEFAULT_ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOptions:
    """What the command line asked for; None means the app's settings or the default decide.

    public_url: an origin, as `parse_public_url` gives it. functions: names of those to serve, which
    replace the list of host.json; none means that it decides. cors: origins, comma-separated, which
    replace `Host.CORS` of local.settings.json.
    """

    script_root: Path | None = None
    port: int | None = None
    address: str | None = None
    interpreter: str | None = None
    is_ephemeral: bool = False
    is_in_process: bool = False
    is_watching: bool = True
    is_auth_enabled: bool = False
    public_url: str | None = None
    functions: frozenset[str] = frozenset()
    cors: str | None = None
    has_cors_credentials: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An app whose port is bound. begun: when the start began, on the clock's monotonic time."""

    options: StartOptions
    app: App
    listener: socket.socket
    loader: AppLoader
    clock: Clock
    begun: float


def open_app(
    options: StartOptions, *, cwd: Path, environ: Mapping[str, str], clock: Clock
) -> Opened:
    """Read the app's settings and bind its port; nothing is answered there yet.

    With port 0 the app is told which one it became. Errors: ConfigError.
    """
    begun = clock.monotonic()
    public_url = options.public_url or origin_of_host_name(environ.get(HOST_NAME_SETTING))
    options = replace(options, public_url=public_url)
    app = load_app(options.script_root, cwd, environ, port=options.port)
    port = options.port if options.port is not None else app.settings.port or DEFAULT_PORT
    with ExitStack() as stack:
        listener = bind(options.address or app.settings.address or DEFAULT_ADDRESS, port)
        stack.enter_context(listener)
        if port == 0:
            taken = int(listener.getsockname()[1])
            app = load_app(options.script_root, cwd, environ, port=taken)
        if options.functions:
            app = replace(app, host=replace(app.host, functions=options.functions))
        loader = AppLoader(app, worker_factory(options, app))
        stack.pop_all()
    return Opened(
        options=options, app=app, listener=listener, loader=loader, clock=clock, begun=begun
    )


def worker_factory(options: StartOptions, app: App) -> Callable[[], Worker]:
    """Makes the worker of each generation: a pool of child processes, or this very process."""
    if options.is_in_process:
        # The child's modules, which a host with a child process never needs.
        from durahost.worker.inprocess import InProcessWorker
        from durahost.worker.surroundings import Surroundings

        surroundings = Surroundings()
        return lambda: InProcessWorker(write_user_log, surroundings)
    environ = app.settings.values
    interpreter = find_interpreter(options.interpreter, environ)
    count = environ.get("FUNCTIONS_WORKER_PROCESS_COUNT", "1")
    size = min(max(int(count), 1), 10) if count.isdecimal() else 1
    return lambda: WorkerPool(lambda: ProcessWorker(interpreter, environ, write_user_log), size)
