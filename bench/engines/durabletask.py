"""durabletask for Python on the in-memory backend its own package ships; nothing here is durable.

Backend, worker and client live in one process and speak gRPC over loopback, as in the package's
tests. The shipped backend listens on every interface with ten threads, each of which a waiting
client holds: `Backend` binds to loopback and takes as many threads as the workload needs.
"""

import os
import sys
import time
from concurrent import futures

# This folder holds a file of the library's own name.
sys.path.pop(0)
import grpc
from durabletask import task, worker
from durabletask.client import OrchestrationStatus, TaskHubGrpcClient
from durabletask.internal import orchestrator_service_pb2_grpc as stubs
from durabletask.testing import InMemoryOrchestrationBackend
from load import perf, report, run_threads, summary
from processes import free_port

PORT = free_port()
ADDRESS = f"127.0.0.1:{PORT}"
THREADS = 256


class Backend(InMemoryOrchestrationBackend):
    def start(self):
        self._shutdown_event.clear()
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=THREADS))
        stubs.add_TaskHubSidecarServiceServicer_to_server(self, self._server)
        self._server.add_insecure_port(ADDRESS)
        self._server.start()


def say_hello(_: task.ActivityContext, name: str) -> str:
    return f"Hello {name}!"


def sequence(context: task.OrchestrationContext, _):
    greetings = []
    for city in ("Tokyo", "Seattle", "London"):
        greetings.append((yield context.call_activity(say_hello, input=city)))
    return greetings


def fan(context: task.OrchestrationContext, count: int):
    tasks = [context.call_activity(say_hello, input=str(n)) for n in range(count)]
    return len((yield task.when_all(tasks)))


def chain(context: task.OrchestrationContext, count: int):
    last = None
    for number in range(count):
        last = yield context.call_activity(say_hello, input=str(number))
    return last


def wait_event(context: task.OrchestrationContext, _):
    return (yield context.wait_for_external_event("go"))


def finish(client, instance_id):
    state = client.wait_for_orchestration_completion(instance_id, timeout=600)
    if state is None or state.runtime_status != OrchestrationStatus.COMPLETED:
        raise RuntimeError(f"{instance_id}: {state}")


def measure_sequence(client, at_once, count):
    one = lambda _: finish(client, client.schedule_new_orchestration(sequence))  # noqa: E731
    return summary(*run_threads(count, at_once, one))


def measure_one(client, orchestrator, count):
    begun = perf()
    finish(client, client.schedule_new_orchestration(orchestrator, input=count))
    return {"wall_s": round(perf() - begun, 4)}


def measure_events(client, count=1000):
    ids = [client.schedule_new_orchestration(wait_event) for _ in range(count)]
    time.sleep(3)

    def resume(number):
        client.raise_orchestration_event(ids[number], "go", data="x")
        finish(client, ids[number])

    return summary(*run_threads(count, 32, resume))


def main(wanted):
    Backend(max_history_size=1_000_000, port=PORT).start()
    working = worker.TaskHubGrpcWorker(host_address=ADDRESS)
    for orchestrator in (sequence, fan, chain, wait_event):
        working.add_orchestrator(orchestrator)
    working.add_activity(say_hello)
    working.start()
    client = TaskHubGrpcClient(host_address=ADDRESS)
    for _ in range(10):
        finish(client, client.schedule_new_orchestration(sequence))
    measures = {
        "W1-1": lambda: measure_sequence(client, 1, 100),
        "W1-100": lambda: measure_sequence(client, 100, 500),
        "W2-1000": lambda: measure_one(client, fan, 1000),
        "W3-500": lambda: measure_one(client, chain, 500),
        "W7": lambda: measure_events(client),
    }
    for workload, measure in measures.items():
        if workload in wanted:
            report(workload, **measure())
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
