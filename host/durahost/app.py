"""The composition root: the only place that names concrete classes.

One data flow: a client's request → `http` → `management` → `store`; the dispatchers lock what
became ready, ask the worker, let the engine decide, and commit. See docs/architecture.md.
"""

import asyncio
import hashlib
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from durahost import problems
from durahost.checking import Examined, examine
from durahost.clock import Clock
from durahost.codec.rest import Links, durable_client_json
from durahost.config.app_root import find_app
from durahost.config.durability import SETTING as SYNCHRONOUS
from durahost.config.durability import synchronous
from durahost.config.load import read_app
from durahost.config.name_resolution import get_setting
from durahost.config.public_url import HOST_NAME_SETTING, origin_of_host_name
from durahost.config.settings import App
from durahost.config.time_zone import find_time_zone
from durahost.dispatch.activities import ActivityDispatcher
from durahost.dispatch.orchestrations import OrchestrationDispatcher
from durahost.dispatch.renewal import Renewal
from durahost.dispatch.workbench import Workbench
from durahost.host_state import HostState
from durahost.http.admin_api import AdminApi
from durahost.http.admin_functions import AdminSettings
from durahost.http.api_call import ApiSettings
from durahost.http.authorization import Gate
from durahost.http.cors import Cors, CorsPolicy
from durahost.http.durable_api import DurableApi
from durahost.http.front import Front, HostApi
from durahost.http.front_settings import FrontSettings, has_home_page, max_body_bytes
from durahost.http.keys_api import KeysApi
from durahost.http.offline import OFFLINE_FILE
from durahost.http.rpc import RpcEndpoint, bind_rpc_socket, rpc_base_url
from durahost.http.serving import HttpServer
from durahost.http.site_guard import SiteGuard, is_loopback
from durahost.invocations import InputSource, Invoker
from durahost.keys import HostKeys, StoredKey, list_keys
from durahost.lifecycle import Host, Loop, Parts
from durahost.management import Hubs
from durahost.manual_runs import ManualRuns
from durahost.model.errors import ConfigError
from durahost.model.functions import Binding
from durahost.opening import Opened, StartOptions
from durahost.outputs import CLIENT_BINDINGS, Outputs
from durahost.recorded_outputs import RecordedOutputs
from durahost.reload import Reloader
from durahost.reports import Notice, Reporter, SettingsExamined
from durahost.retrying import RetryingInvoker
from durahost.store.base import StoreFactory, StoreProvider
from durahost.store.memory import MemoryStore
from durahost.store.sqlite.host_table import read_values
from durahost.store.sqlite.store import SqliteStore
from durahost.timers.listener import TimerBench
from durahost.timers.loop import TimerLoop
from durahost.timers.manual import manual_call
from durahost.timers.monitor import ScheduleMonitor
from durahost.user_logs import write_user_log
from durahost.worker.base import TypedData, Worker
from durahost.worker.http_activity import HttpActivity
from durahost.worker.interpreter import find_interpreter
from durahost.worker.process import ProcessWorker

STATE_FOLDER = ".durahost"
DATABASE = "hub.db"
NOT_SYNCED = (
    f"{SYNCHRONOUS} is NORMAL: a killed process loses nothing, but a power cut may take the last "
    "commits, among them what clients were told."
)


async def serve(
    opened: Opened,
    *,
    report: Reporter,
    stopping: asyncio.Event,
    server: type[HttpServer] = HttpServer,
) -> None:
    """Serve an opened app until `stopping` is set, stop, and close its port.

    Errors: HostError when the host cannot start.
    """
    options, app, clock = opened.options, opened.app, opened.clock
    async with AsyncExitStack() as stack:
        stack.enter_context(opened.listener)
        rpc_listener, rpc_port = bind_rpc_socket(clock)
        stack.enter_context(rpc_listener)
        report(SettingsExamined(problems.of_settings(app)))
        if options.is_auth_enabled:
            report(_keys_notice(options, app))
        if synchronous(app.settings.values) == "NORMAL":
            report(Notice(NOT_SYNCED, is_warning=True))
        provider = await stack.enter_async_context(_store(options, app, clock))
        http = await stack.enter_async_context(HttpActivity())
        parts = await _Root(opened, provider, report, http, server).build(rpc_listener, rpc_port)
        await Host(parts, opened.begun).run(stopping)


def check(options: StartOptions, *, cwd: Path, environ: Mapping[str, str]) -> Examined:
    """Find every problem of an app without serving it."""
    try:
        app, faults = read_app(options.script_root, cwd, environ)
    except ConfigError as error:
        return Examined(str(cwd / (options.script_root or "")), 0, problems.of_error(error))
    try:
        origin_of_host_name(environ.get(HOST_NAME_SETTING))
    except ConfigError as error:
        faults = [*faults, error]

    def new_worker() -> Worker:
        values = app.settings.values
        interpreter = find_interpreter(options.interpreter, values)
        return ProcessWorker(interpreter, values, write_user_log)

    return asyncio.run(examine(app, faults, new_worker))


class _Root:
    """Makes every part of one host and joins them."""

    def __init__(
        self,
        opened: Opened,
        provider: StoreProvider,
        report: Reporter,
        http: HttpActivity,
        server: type[HttpServer],
    ) -> None:
        self._http = http
        self._server = server
        self._options = opened.options
        self._app = opened.app
        self._listener = opened.listener
        self._loader = opened.loader
        self._provider = provider
        self._clock = opened.clock
        self._begun = opened.begun
        self._report = report
        self._state = HostState(self._app.root / OFFLINE_FILE)
        self._keys = HostKeys(provider.host_store, self._clock)
        self._hubs = Hubs(provider, self._clock, self._app.host.durable)
        self._records = RecordedOutputs()

    async def build(self, rpc_listener: socket.socket, rpc_port: int) -> Parts:
        """All parts; nothing of them runs yet."""
        served = f"http://localhost:{self._listener.getsockname()[1]}"
        origin = self._options.public_url or served
        await self._keys.load()
        is_rpc_on = self._app.host.durable.is_local_rpc_enabled
        invoker = self._invoker(origin, rpc_base_url(rpc_port) if is_rpc_on else None)
        hub = self._provider.open_hub(self._app.host.durable.hub_name)
        renewal = Renewal(hub.renew)
        api = self._durable_api(origin)
        timer_call = partial(manual_call, bench=self._timer_bench(invoker))
        runs = ManualRuns(invoker, self._clock, timer_call)
        cors = self._cors()
        guard = self._guard(cors, self._listener.getsockname()[0])
        front = self._front(invoker, api, self._host_apis(runs, origin), guard)
        return Parts(
            app=self._app,
            clock=self._clock,
            state=self._state,
            loader=self._loader,
            reloader=self._reloader(),
            loops=[*self._loops(invoker, renewal), runs],
            renewal=renewal,
            servers=[
                self._server(Cors(front, cors) if cors else front, self._listener, "public"),
                *([self._server(RpcEndpoint(api), rpc_listener, "rpc")] if is_rpc_on else []),
            ],
            origin=served,
            report=self._report,
        )

    def _invoker(self, origin: str, rpc_url: str | None) -> Invoker:
        inputs = client_inputs(lambda: self._links(origin), rpc_url)
        outputs = Outputs(
            self._hubs,
            lambda: self._state.registry,
            self._clock,
            self._records,
            own=self._app.host.durable,
        )
        timeout_s = self._app.host.function_timeout.total_seconds()
        return Invoker(self._clock, inputs, timeout_s, outputs.apply)

    def _guard(self, cors: CorsPolicy | None, address: str) -> SiteGuard | None:
        """None when every request needs a key anyway."""
        if self._options.is_auth_enabled:
            return None
        public = urlsplit(self._options.public_url or "").hostname
        names = frozenset([public] if public else ())
        return SiteGuard(cors, names if is_loopback(address) else None)

    def _host_apis(self, runs: ManualRuns, origin: str) -> list[HostApi]:
        settings = self._admin_settings(origin)
        return [
            AdminApi(self._state, self._clock, settings, runs=runs, records=self._records),
            KeysApi(self._keys, self._state, origin),
        ]

    def _front(
        self,
        invoker: Invoker,
        api: DurableApi,
        host_apis: Sequence[HostApi],
        guard: SiteGuard | None,
    ) -> Front:
        gate = Gate(self._keys, guard)
        values = self._app.settings.values
        settings = FrontSettings(
            http=self._app.host.http,
            has_home_page=has_home_page(values),
            max_body_bytes=max_body_bytes(values),
        )
        return Front(self._state, invoker, api, host_apis, gate, settings)

    def _cors(self) -> CorsPolicy | None:
        """Source of what wins: Azure/azure-functions-core-tools: StartHostAction.cs (ParseArgs)."""
        options, local = self._options, self._app.settings
        is_open = options.has_cors_credentials or local.has_cors_credentials
        origins = local.cors if options.cors is None else options.cors
        policy = CorsPolicy.parse(origins, allows_credentials=is_open)
        for origin in policy.find_useless() if policy else ():
            text = f"CORS: '{origin}' is no origin; write it as http://host:port, without blanks."
            self._report(Notice(text, is_warning=True))
        return policy

    def _links(self, origin: str) -> Links:
        """Of the app, with the key as it is now."""
        durable = self._app.host.durable
        return Links(
            origin=origin,
            hub=durable.hub_name,
            connection=durable.connection_name,
            key=self._keys.extension_key,
        )

    def _durable_api(self, origin: str) -> DurableApi:
        settings = ApiSettings(
            links=lambda: self._links(origin),
            now=self._clock.now,
            provider=self._app.host.durable.provider_type,
            uses_app_lease=self._app.host.durable.uses_app_lease,
            uses_forwarded_host=self._app.host.durable.use_forwarded_host,
            registry=lambda: self._state.registry,
            has_connection=lambda name: has_connection(self._app, name),
        )
        return DurableApi(self._hubs, settings)

    def _admin_settings(self, origin: str) -> AdminSettings:
        """The host id is made as the real host makes it: machine name and a stable hash of the
        root.

        Source: Azure/azure-functions-host: ScriptHostIdProvider.cs.
        """
        digest = hashlib.sha256(str(self._app.root).encode()).hexdigest()[:8]
        host_id = f"{socket.gethostname()}-{int(digest, 16)}".lower()[-32:]
        prefix = self._app.host.http.route_prefix
        return AdminSettings(host_id=host_id, origin=origin, route_prefix=prefix)

    def _reloader(self) -> Reloader | None:
        if not (self._options.is_watching and self._app.host.is_file_watching_enabled):
            return None
        clock = self._clock
        return Reloader(
            self._app,
            self._loader,
            self._state,
            clock=clock,
            report=self._report,
            since=clock.now().timestamp() - (clock.monotonic() - self._begun),
        )

    def _loops(self, invoker: Invoker, renewal: Renewal) -> list[Loop]:
        hub = self._provider.open_hub(self._app.host.durable.hub_name)
        bench = Workbench(
            state=self._state,
            invoker=invoker,
            clock=self._clock,
            settings=self._app.host.durable,
            owner=f"{socket.gethostname()}:{os.getpid()}",
            renewal=renewal,
            function_timeout=self._app.host.function_timeout,
        )
        return [
            OrchestrationDispatcher(hub, bench).loop,
            ActivityDispatcher(hub, bench, self._http.run).loop,
            TimerLoop(self._state, self._timer_bench(invoker)),
        ]

    def _timer_bench(self, invoker: Invoker) -> TimerBench:
        zone = find_time_zone(self._app.settings.values).zone
        return TimerBench(
            invoker=RetryingInvoker(invoker, self._clock, self._app.host.retry),
            clock=self._clock,
            monitor=ScheduleMonitor(self._provider.host_store, zone),
            zone=zone,
            is_offline=lambda: self._state.is_offline,
        )


def has_connection(app: App, name: str) -> bool:
    """Whether a request may name this connection: the hub's own, or one that the settings hold.

    Source of the names tried: Azure/azure-webjobs-sdk: IConfigurationExtensions.cs
    (GetWebJobsConnectionStringSection).
    """
    own = {app.host.durable.connection_name.lower(), "storage", "azurewebjobsstorage"}
    tried = (f"AzureWebJobs{name}", name, f"ConnectionStrings:{name}", f"{name}__accountName")
    return name.lower() in own or any(get_setting(app.settings.values, one) for one in tried)


def client_inputs(links: Callable[[], Links], rpc_url: str | None) -> InputSource:
    """Values of non-trigger inputs: the client binding's JSON; other kinds have none yet."""

    def value(binding: Binding) -> TypedData | None:
        if not any(binding.is_type(kind) for kind in CLIENT_BINDINGS):
            return None
        own = links()
        hub, connection = binding.get("taskHub"), binding.get("connectionName")
        if hub or connection:
            named = {"hub": str(hub or own.hub), "connection": str(connection or own.connection)}
            own = replace(own, **named)
        return TypedData("string", durable_client_json(own, rpc_url))

    return value


def _store(options: StartOptions, app: App, clock: Clock) -> StoreFactory:
    if options.is_ephemeral:
        return MemoryStore(clock)
    folder = app.root / STATE_FOLDER
    try:
        folder.mkdir(exist_ok=True)
        # State is nobody's source: it stays out of the app's repository whatever that ignores.
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"Cannot write {error.filename}: {error.strerror}.",
            advice="Let this user write the app's folder, or start with --ephemeral.",
        ) from error
    return SqliteStore(folder / DATABASE, clock, synchronous=synchronous(app.settings.values))


def _keys_notice(options: StartOptions, app: App) -> Notice:
    if options.is_ephemeral:
        text = "Keys are asked for, but with --ephemeral they are made in memory, for links only."
        return Notice(text, is_warning=True)
    return Notice(f"Keys are asked for; see them with: durahost keys --script-root {app.root}")


def read_keys(script_root: Path | None, cwd: Path) -> Sequence[StoredKey]:
    """The keys in an app's database, also while a host has it open.

    Errors: ConfigError when there is no app, or no key yet; StoreError.
    """
    path = find_app(script_root, cwd) / STATE_FOLDER / DATABASE
    keys = list_keys(read_values(path)) if path.is_file() else ()
    if not keys:
        raise ConfigError(f"There is no key in {path}.", advice="The first start makes them.")
    return keys
