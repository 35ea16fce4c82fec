"""The SDK's own client, bound to a target's RPC endpoint on a real socket."""

import asyncio
from contextlib import asynccontextmanager

import azure.durable_functions as df
from api_support import KEY, ORIGIN, Target
from azure.durable_functions.models.utils import http_utils

from durahost.codec.rest import Links, durable_client_json
from durahost.http.ports import bind
from durahost.http.rpc import rpc_base_url
from durahost.http.serving import HttpServer


@asynccontextmanager
async def served(target: Target):
    listener = bind("127.0.0.1", 0)
    server = HttpServer(target.rpc, listener, "rpc")
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(server.run())
        links = Links(origin=ORIGIN, hub="TestHubName", connection="Storage", key=KEY)
        yield df.DurableOrchestrationClient(
            durable_client_json(links, rpc_base_url(listener.getsockname()[1]))
        )
        await http_utils._close_session()
        server.stop()
    listener.close()
