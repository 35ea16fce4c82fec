"""A host in process over a hub in memory, instances in any state, and a client for both."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
from clocks import ManualClock

from durahost.clock import RealClock
from durahost.codec import history
from durahost.codec.rest import Links
from durahost.config.settings import DurableSettings
from durahost.functions.routing import RouteTable
from durahost.host_state import Generation, HostState
from durahost.http.admin_api import AdminApi
from durahost.http.admin_functions import AdminSettings
from durahost.http.authorization import Gate
from durahost.http.durable_api import ApiSettings, DurableApi
from durahost.http.front import Front
from durahost.http.front_settings import FrontSettings
from durahost.http.keys_api import KeysApi
from durahost.http.rpc import RpcEndpoint
from durahost.http.site_guard import SiteGuard
from durahost.invocations import Invoker
from durahost.keys import HostKeys
from durahost.management import Hubs
from durahost.manual_runs import ManualRuns
from durahost.model.events import HistoryEvent
from durahost.model.ids import InstanceId
from durahost.model.instances import Commit, InstanceState
from durahost.model.status import RuntimeStatus
from durahost.outputs import Outputs
from durahost.recorded_outputs import RecordedOutputs
from durahost.registry import Registry
from durahost.retrying import RetryingInvoker
from durahost.store.memory import MemoryStore
from durahost.timers.listener import TimerBench
from durahost.timers.manual import manual_call
from durahost.timers.monitor import ScheduleMonitor
from durahost.worker.base import Invocation, Raised, Returned

NOW = datetime(2026, 1, 5, 10, 0, 0, 123456, tzinfo=UTC)
ORIGIN = "http://localhost:7071"
KEY = "A" * 44 + "AzFu" + "BBBBBB=="
QUERY = f"taskHub=TestHubName&connection=Storage&code={KEY}"
JSON_TYPE = "application/json; charset=utf-8"


class TickingClock(ManualClock):
    """Every look at the real time finds a second gone."""

    def monotonic(self) -> float:
        self.pass_time(timedelta(seconds=1))
        return super().monotonic()


class CallableWorker:
    """A worker whose functions are plain callables of the test."""

    def __init__(self, **functions) -> None:
        self.functions = functions
        self.calls: list[Invocation] = []

    async def load(self, app):
        raise AssertionError("nothing is loaded here")

    async def invoke(self, call: Invocation, *, deadline_s: float) -> Returned | Raised:
        self.calls.append(call)
        return self.functions[call.function]()

    async def drain(self, grace: timedelta) -> None:
        return None


class Target:
    """One host in process: `send` speaks to its public port, `rpc` to the local endpoint."""

    def __init__(
        self,
        settings: DurableSettings | None = None,
        *,
        clock: ManualClock | None = None,
        registry: Registry | None = None,
        worker: CallableWorker | None = None,
        uses_forwarded_host: bool = False,
        is_auth_enabled: bool = False,
        connections: Collection[str] = ("Known",),
        is_running: bool = True,
        offline_page: Path | None = None,
        front: FrontSettings | None = None,
        guard: SiteGuard | None = None,
    ) -> None:
        self.clock = clock or ManualClock(NOW)
        self.store = MemoryStore(self.clock)
        self.settings = settings or DurableSettings()
        self.hubs = Hubs(self.store, self.clock, self.settings)
        self.worker = worker or CallableWorker()
        # What a test does to the file counts at once.
        self.state = HostState(offline_page, look_good_for_s=0)
        self.keys = HostKeys(self.store.host_store, RealClock())
        self.api = DurableApi(
            self.hubs,
            ApiSettings(
                links=self.links,
                now=self.clock.now,
                provider=self.settings.provider_type,
                uses_app_lease=self.settings.uses_app_lease,
                uses_forwarded_host=uses_forwarded_host,
                registry=lambda: registry,
                has_connection=lambda name: name in connections,
            ),
        )
        self.records = RecordedOutputs()
        outputs = Outputs(
            self.hubs, lambda: self.state.registry, self.clock, self.records, self.settings
        )
        invoker = Invoker(self.clock, lambda binding: None, 5, outputs.apply)
        monitor = ScheduleMonitor(self.store.host_store, UTC)
        timers = TimerBench(
            invoker=RetryingInvoker(invoker, self.clock, None),
            clock=self.clock,
            monitor=monitor,
            zone=UTC,
        )
        self.monitor = monitor
        self.runs = ManualRuns(invoker, self.clock, partial(manual_call, bench=timers))
        self.admin = AdminApi(
            self.state,
            self.clock,
            AdminSettings(host_id="h", origin=ORIGIN),
            runs=self.runs,
            records=self.records,
            hold_s=0.05,
        )
        keys_api = KeysApi(self.keys, self.state, ORIGIN)
        gate = Gate(self.keys, None if is_auth_enabled else guard or SiteGuard())
        settings = front or FrontSettings(hold_s=0.05)
        self.front = Front(self.state, invoker, self.api, [self.admin, keys_api], gate, settings)
        self.rpc = RpcEndpoint(self.api)
        if is_running:
            self.serve(registry or Registry())

    def links(self) -> Links:
        """Of the app; the key is a fixed one until the keys are loaded."""
        key = self.keys.extension_key or KEY
        return Links(origin=ORIGIN, hub="TestHubName", connection="Storage", key=key)

    def serve(self, registry: Registry, prefix: str = "api") -> None:
        routes = RouteTable.of(registry.functions, prefix)
        self.state.serve(Generation(1, registry, routes, self.worker))

    async def send(self, method: str, path: str, *, app=None, base: str = ORIGIN, **options):
        transport = httpx.ASGITransport(app=app or self.front)
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, path, **options)

    async def api_call(self, method: str, path: str, **options):
        """Below the webhook path, where most tests live."""
        return await self.send(method, f"/runtime/webhooks/durabletask/{path}", **options)

    async def put(
        self,
        status: RuntimeStatus,
        instance_id: str = "abc",
        *,
        events: Sequence[HistoryEvent] = (),
        input: str | None = None,
        **fields,
    ) -> InstanceState:
        """Bring an instance of this id into a state, by an episode when it is not Pending."""
        state = await self.start(instance_id, input)
        if status is RuntimeStatus.PENDING:
            return state
        return await self.finish(instance_id, status, events=events, **fields)

    async def start(self, instance_id: str, input: str | None = None) -> InstanceState:
        """A Pending instance of this id."""
        await self.hubs().start("Hello", input, instance_id=InstanceId(instance_id))
        state = await self.hubs().status(InstanceId(instance_id))
        assert state is not None
        return state

    async def finish(
        self,
        instance_id: str,
        status: RuntimeStatus,
        output: str | None = None,
        *,
        events: Sequence[HistoryEvent] = (),
        hub_name: str = "TestHubName",
        **fields,
    ) -> InstanceState:
        """Run an episode of the instance that leaves it in this state."""
        hub = self.store.open_hub(hub_name)
        locked = next(
            one
            for one in await hub.lock_episodes("test", timedelta(seconds=30), 100)
            if one.state.instance_id == instance_id
        )
        seen = [item.message.event for item in locked.inbox]
        after = replace(locked.state, status=status, output=output, **fields)
        commit = Commit(
            state=after,
            append=[history.orchestrator_started(NOW), *seen, *events],
            consume=[item.message_id for item in locked.inbox],
        )
        await hub.commit_episode(locked.lease, commit)
        return after

    async def inbox(self) -> list[HistoryEvent]:
        """The messages that the next episode would see."""
        hub = self.store.open_hub("TestHubName")
        locked = await hub.lock_episodes("test", timedelta(seconds=30), 10)
        return [item.message.event for one in locked for item in one.inbox]
