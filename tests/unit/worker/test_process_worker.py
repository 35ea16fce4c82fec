"""What only a child process can get wrong: its pipe, its output, its death, and what it leaves."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import textwrap
from datetime import timedelta
from pathlib import Path

import pytest

from durahost.model.errors import AppLoadError, WorkerError, WorkerExited, WorkerTimeout
from durahost.worker.base import Returned, TypedData
from durahost.worker.process import ProcessWorker

NOTHING = TypedData("string", "")
LIMIT_S = 10.0
NAME = Path(sys.executable).name

BLOCKS = """
import threading
print("blocks")
def main(value):
    print("in the call")
    threading.Event().wait(60)
"""


async def eventually(condition):
    """Poll, with a limit, for what the system reports and nothing announces."""
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def is_alive(pid):
    """Whether the process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def is_known(pid):
    """Whether the system still lists the process, as zombie even."""
    return Path(f"/proc/{pid}").exists()


async def failure_of(worker, call):
    with pytest.raises(WorkerExited) as caught:
        await worker.invoke(call, deadline_s=60)
    return caught.value


async def test_sigkill_fails_running_calls_and_leaves_no_zombie(processes, app, logs):
    worker = processes()
    await worker.load(app.add("blocks", BLOCKS, app.activity).source)
    async with asyncio.TaskGroup() as group:
        call = app.call("blocks", value=NOTHING)
        failing = [group.create_task(failure_of(worker, call)) for _ in range(2)]
        await eventually(lambda: logs.messages.count("in the call") == 2)
        os.kill(worker.pid, signal.SIGKILL)
    assert [str(task.result()) for task in failing] == [f"{NAME} exited with code 137 (0x89)"] * 2
    assert not is_known(worker.pid)
    assert str(await worker.wait_exited()) == f"{NAME} exited with code 137 (0x89)"


async def test_the_end_reports_the_last_lines_of_stderr(processes, app):
    source = """
    import os, sys
    def main(value):
        print("almost over", file=sys.stderr)
        sys.stderr.flush()
        os._exit(7)
    """
    worker = processes()
    await worker.load(app.add("f", source, app.activity).source)
    failure = await failure_of(worker, app.call("f", value=NOTHING))
    assert str(failure) == f"{NAME} exited with code 7 (0x7)"
    assert failure.stderr.splitlines()[-1] == "almost over"


async def test_exit_codes_of_user_code_are_kept(processes, app):
    worker = processes()
    await worker.load(app.add("f", "import sys\ndef main(value): sys.exit()", app.activity).source)
    failure = await failure_of(worker, app.call("f", value=NOTHING))
    assert str(failure) == f"{NAME} exited with code 0 (0x0)"


async def test_user_output_never_mixes_with_frames(processes, app, logs):
    source = """
    import os, subprocess, sys
    def main(value):
        print("one", end=" ")
        print("two")
        os.write(1, b"raw\\n")
        subprocess.run([sys.executable, "-c", "print('grandchild')"], stdout=sys.stdout, check=True)
        print("a warning", file=sys.stderr)
        sys.stdout.buffer.write(b"bytes\\n")
        print("unfinished", end="")
        return [sys.stdin.read(), os.getcwd()]
    """
    worker = processes()
    await worker.load(app.add("f", source, app.activity).source)
    result = await worker.invoke(app.call("f", "an-id", value=NOTHING), deadline_s=20)
    assert result == Returned(TypedData("json", f'["", "{app.root}"]'))
    await eventually(lambda: "a warning" in logs.messages)
    ours = {log.message: log for log in logs if log.category == ""}
    assert {"one two", "raw", "grandchild", "bytes", "unfinished"} <= set(ours)
    assert ours["one two"].invocation_id == ours["unfinished"].invocation_id == "an-id"
    assert ours["raw"].invocation_id is None
    assert ours["a warning"].level == logging.WARNING


async def test_what_the_environment_prints_before_the_child_is_shown(processes, app, logs):
    noise = app.write("noise/sitecustomize.py", "print('hello from site')")
    worker = processes(environ={**os.environ, "PYTHONPATH": str(noise.parent)})
    await worker.load(app.add("f", "def main(value): pass", app.activity).source)
    assert "hello from site" in logs.messages


async def test_nothing_of_ours_is_on_the_path_or_among_the_modules(processes, app):
    source = """
    import sys
    names = [name for name in sys.modules if "durahost" in name]
    def main(value): return [sys.path[0], [n for n in names if not n.startswith("_durahost_child")]]
    """
    worker = processes()
    await worker.load(app.add("f", source, app.activity).source)
    result = await worker.invoke(app.call("f", value=NOTHING), deadline_s=20)
    assert "durahost/child" not in result.value.value
    assert result.value.value.endswith("[]]")


async def test_large_values_cross_unchanged(processes, app):
    worker = processes()
    await worker.load(app.add("f", "def main(value): return value", app.activity).source)
    text = "ä" * 3_000_000
    result = await worker.invoke(app.call("f", value=TypedData("string", text)), deadline_s=30)
    assert len(result.value.value) == 6 * len(text) + 2


async def test_calls_run_side_by_side(processes, app):
    source = """
    import threading
    together = threading.Barrier(20)
    def main(value): return together.wait(20) >= 0
    """
    worker = processes()
    await worker.load(app.add("f", source, app.activity).source)
    call = app.call("f", value=NOTHING)
    results = await asyncio.gather(*(worker.invoke(call, deadline_s=20) for _ in range(20)))
    assert set(map(str, results)) == {str(Returned(TypedData("json", "true")))}


async def test_processes_forked_by_user_code_leave_the_pipe_alone(processes, app, logs):
    source = """
    import logging, os
    def main(value):
        pid = os.fork()
        if pid == 0:
            print("from the fork")
            logging.error("error of the fork")
            os._exit(0)
        os.waitpid(pid, 0)
        return "parent"
    """
    worker = processes()
    await worker.load(app.add("f", source, app.activity).source)
    result = await worker.invoke(app.call("f", value=NOTHING), deadline_s=20)
    assert result == Returned(TypedData("json", '"parent"'))
    await eventually(lambda: "from the fork" in logs.messages)


async def test_a_deadline_kills_the_process_and_its_children(processes, app, logs):
    source = """
    import subprocess
    def main(value):
        child = subprocess.Popen(["sleep", "60"])
        print(child.pid)
        child.wait()
    """
    worker = processes()
    await worker.load(app.add("f", source, app.activity).source)
    with pytest.raises(WorkerTimeout):
        await worker.invoke(app.call("f", value=NOTHING), deadline_s=0.5)
    await worker.wait_exited()
    grandchild = int(next(text for text in logs.messages if text.isdigit()))
    await eventually(lambda: not is_alive(grandchild))
    assert not is_known(worker.pid)


async def test_drain_kills_what_does_not_end_within_the_grace(processes, app, logs):
    worker = processes()
    await worker.load(app.add("blocks", BLOCKS, app.activity).source)
    async with asyncio.TaskGroup() as group:
        failing = group.create_task(failure_of(worker, app.call("blocks", value=NOTHING)))
        await eventually(lambda: "in the call" in logs.messages)
        await worker.drain(timedelta(seconds=0.05))
    assert str(failing.result()) == "the worker process was stopped"
    assert not is_known(worker.pid)
    await worker.drain(timedelta())


async def test_drain_lets_exit_functions_run(processes, app, logs):
    source = """
    import atexit, sys
    atexit.register(print, "goodbye", file=sys.stderr, flush=True)
    def main(value): pass
    """
    worker = processes()
    await worker.load(app.add("f", source, app.activity).source)
    await worker.drain(timedelta(seconds=1))
    assert "goodbye" in logs.messages
    assert str(await worker.wait_exited()) == f"{NAME} exited with code 0 (0x0)"


async def test_a_cancelled_drain_leaves_no_process(processes, app, logs):
    worker = processes()
    await worker.load(app.add("blocks", BLOCKS, app.activity).source)
    async with asyncio.TaskGroup() as group:
        failing = group.create_task(failure_of(worker, app.call("blocks", value=NOTHING)))
        await eventually(lambda: "in the call" in logs.messages)
        draining = group.create_task(worker.drain(timedelta(seconds=60)))
        await asyncio.sleep(0)
        draining.cancel()
    assert draining.cancelled()
    assert str(failing.result()) == "the worker process was stopped"
    assert not is_known(worker.pid)


async def test_a_cancelled_load_leaves_no_process(processes, app, logs):
    worker = processes()
    app.add("f", "import time; print('loading'); time.sleep(60)")
    async with asyncio.TaskGroup() as group:
        loading = group.create_task(worker.load(app.source))
        await eventually(lambda: "loading" in logs.messages)
        loading.cancel()
    assert not is_known(worker.pid)


async def test_an_import_that_waits_ends_at_the_load_limit(processes, app):
    worker = processes(load_limit_s=0.5)
    app.add("f", "import time; time.sleep(60)")
    with pytest.raises(WorkerTimeout, match=r"did not load within 0\.5 s"):
        await worker.load(app.source)
    assert not is_known(worker.pid)


async def test_an_interpreter_that_cannot_start_is_named(processes, app):
    worker = processes(interpreter=str(app.root / "no-python"))
    with pytest.raises(AppLoadError, match=r"cannot start the Python interpreter '.*no-python'"):
        await worker.load(app.source)


async def test_an_environment_without_azure_functions_says_what_to_install(processes, app):
    app.write("bare/azure/__init__.py", "")
    worker = processes(environ={**os.environ, "PYTHONPATH": str(app.root / "bare")})
    with pytest.raises(AppLoadError) as caught:
        await worker.load(app.source)
    assert "No module named 'azure.functions'" in str(caught.value)
    assert "-m pip install azure-functions" in caught.value.advice


async def test_an_unknown_frame_is_answered_by_an_error(processes, app):
    worker = processes()
    await worker.load(app.add("f", "def main(value): pass", app.activity).source)
    with pytest.raises(WorkerError, match="unknown frame 'dance'"):
        await worker._child.channel._request("dance", {})


HOST = """
    import asyncio, os, sys
    from pathlib import Path
    from durahost.model.functions import Binding, FunctionMetadata
    from durahost.worker.base import AppSource, Invocation, TypedData
    from durahost.worker.process import ProcessWorker

    async def main(root):
        binding = Binding("value", "activityTrigger", "in")
        f = FunctionMetadata("f", root / "f", root / "f" / "__init__.py", "", [binding])
        show = lambda log: print(log.message, flush=True)
        worker = ProcessWorker(sys.executable, os.environ, show)
        await worker.load(AppSource(root, [f]))
        await worker.invoke(Invocation("i", "f", {"value": TypedData("string", "")}), deadline_s=60)

    asyncio.run(main(Path(sys.argv[1])))
"""


async def test_when_the_host_is_killed_child_and_grandchildren_end(app):
    """Although the child's only thread of user code blocks, and its event loop too."""
    source = """
    import os, subprocess, time
    async def main(value):
        child = subprocess.Popen(["sleep", "60"])
        print(f"pids {os.getpid()} {child.pid}")
        time.sleep(60)
    """
    app.add("f", source, app.activity)
    host = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(HOST), str(app.root), stdout=subprocess.PIPE
    )
    while not (line := await host.stdout.readline()).startswith(b"pids"):
        assert line
    child, grandchild = map(int, line.split()[1:])
    host.kill()
    await host.wait()
    await eventually(lambda: not is_alive(child) and not is_alive(grandchild))


async def test_a_worker_that_never_started_drains_at_once(logs):
    await ProcessWorker(sys.executable, {}, logs).drain(timedelta(seconds=5))


async def test_what_the_child_logs_while_it_starts_arrives_as_records(processes, app, logs):
    app.add("hello", "def main(req): pass")
    environ = {**os.environ, "PYTHON_ENABLE_DEBUG_LOGGING": "1"}
    await processes(environ=environ).load(app.source)
    assert any(log.category == "asyncio" for log in logs)
    assert not any("\0" in message for message in logs.messages)
