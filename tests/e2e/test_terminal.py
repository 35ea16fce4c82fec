"""A terminal that is gone, or cannot show a character: the host serves and stops as ever."""

import os
import re
import signal
import subprocess
import sys
import threading

import httpx
import pytest
from running_host import LIMIT_S, RunningHost, eventually

HTTP = [
    {"name": "req", "type": "httpTrigger", "direction": "in", "authLevel": "anonymous"},
    {"name": "$return", "type": "http", "direction": "out"},
]
WORD = """
import logging, pathlib, time
import azure.functions as func

def main(req: func.HttpRequest) -> func.HttpResponse:
    logging.warning("{word}")
    if "slow" in req.params:
        pathlib.Path(__file__).with_name("begun").touch()
        time.sleep(1)
    return func.HttpResponse("{word}")
"""
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


@pytest.mark.parametrize("option", ["--ephemeral", "--in-process"])
def test_reload_and_ctrl_c_work_when_nobody_reads_the_output(
    default_app, write_function, tmp_path, option
):
    functions = default_app / "function_app"
    write_function(functions, "Word", HTTP, WORD.format(word="old"))
    with (tmp_path / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "durahost", "start", "--port", "0", option],
            cwd=default_app,
            env=BUFFERED,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        output = iter(process.stdout.readline, "")
        port = next(found[1] for line in output if (found := re.search(r"localhost:(\d+) ", line)))
        process.stdout.close()
        url = f"http://127.0.0.1:{port}/api/Word"
        write_function(functions, "Other", HTTP, WORD.format(word="new"))
        other = url.replace("Word", "Other")
        eventually(lambda: httpx.get(other).text, lambda text: text == "new")
        assert httpx.get(url).text == "old"
        answers = []
        asking = threading.Thread(
            target=lambda: answers.append(httpx.get(url, params={"slow": "1"}, timeout=LIMIT_S))
        )
        asking.start()
        eventually((functions / "Word" / "begun").exists, bool)
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 0
        asking.join(LIMIT_S)
        assert [answer.text for answer in answers] == ["old"]
    finally:
        process.kill()
        process.wait(LIMIT_S)
    assert (tmp_path / "stderr").read_text() == ""


def test_what_the_terminal_cannot_show_is_escaped(default_app, write_function):
    functions = default_app / "function_app"
    write_function(functions, "Word", HTTP, WORD.format(word="down → up"))
    with RunningHost(default_app, env={"PYTHONIOENCODING": "latin-1"}) as host:
        assert host.client.get("/api/Word").text == "down → up"
        host.wait_for_line(r"\\u2192 up")
        (functions / "Word" / "→.py").write_text("")
        host.wait_for_line(r"^reloaded in \d+ ms \(.*\\u2192\.py\)")
        assert host.stop() == 0
        assert "Traceback" not in "\n".join(host.lines)
