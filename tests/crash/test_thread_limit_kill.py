"""kill -9 of a host whose child can start no more threads: nothing is left behind."""

import sys

import httpx
import pytest
from running_host import RunningHost, eventually

HTTP = [
    {"name": "req", "type": "httpTrigger", "direction": "in", "authLevel": "anonymous"},
    {"name": "$return", "type": "http", "direction": "out"},
]
CODE = """
import resource, threading, time
import azure.functions as func

def main(req: func.HttpRequest) -> func.HttpResponse:
    size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    threading.stack_size(2**30)
    resource.setrlimit(resource.RLIMIT_AS, (size + 2**29, resource.RLIM_INFINITY))
    print("no more threads", flush=True)
    time.sleep(60)
"""


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="sets RLIMIT_AS")
def test_a_child_without_threads_ends_when_its_host_is_killed(default_app, write_function):
    write_function(default_app / "function_app", "Greedy", HTTP, CODE)
    with RunningHost(default_app) as host:
        with pytest.raises(httpx.ReadTimeout):
            host.client.get("/api/Greedy", timeout=0.5)
        host.wait_for_line("no more threads")
        assert host.client.get("/api/Greedy").status_code == 500
        children = host.children
        assert children
        host.kill()
        eventually(lambda: [pid for pid in children if is_alive(pid)], lambda left: not left, 10)
