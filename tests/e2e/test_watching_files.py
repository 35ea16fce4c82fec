"""What watching the app's files notices, ignores and survives."""

import shutil
import subprocess
import sys

import pytest
from running_host import RunningHost, eventually

HTTP = [
    {"name": "req", "type": "httpTrigger", "direction": "in", "authLevel": "anonymous"},
    {"name": "$return", "type": "http", "direction": "out"},
]
NO_INOTIFY = "echo 0 > /proc/sys/user/max_inotify_instances"
UNSHARED = ["unshare", "--user", "--map-root-user", "sh", "-c"]


def code(text):
    return (
        "import azure.functions as func\n"
        "def main(req: func.HttpRequest) -> func.HttpResponse:\n"
        f"    return func.HttpResponse({text!r})\n"
    )


def word(host):
    return host.client.get("/api/Word").text


def by_copy(new, old):
    shutil.rmtree(old)
    shutil.copytree(new, old)


def by_rename(new, old):
    old.rename(old.with_name("old"))
    new.rename(old)


@pytest.mark.parametrize("replace", [by_copy, by_rename])
def test_a_folder_of_functions_replaced_as_a_whole_is_served(default_app, write_function, replace):
    functions = default_app / "function_app"
    write_function(functions, "Word", HTTP, code("old"))
    new = shutil.copytree(functions, default_app / "new")
    write_function(new, "Word", HTTP, code("new"))
    with RunningHost(default_app) as host:
        assert word(host) == "old"
        replace(new, functions)
        eventually(lambda: word(host), lambda text: text == "new", 10)
        # The new folder is watched as the old one was.
        host.wait_for_line(r"^reloaded in")
        write_function(functions, "Word", HTTP, code("edited"))
        eventually(lambda: word(host), lambda text: text == "edited", 10)


def test_settings_are_told_once_and_other_files_not_at_all(default_app, write_function):
    functions = default_app / "function_app"
    (functions / "tmp_4711").write_text("")
    with RunningHost(default_app) as host:
        settings = default_app / "host.json"
        settings.write_text(settings.read_text() + "\n")
        host.wait_for_line(r"^host\.json has changed: stop and start durahost")
        (functions / "tmp_4711").unlink()
        (functions / "tmp_4712").write_text("")
        # Changes come in order: what is told after this edit was not told of those before it.
        write_function(functions, "Word", HTTP, code("here"))
        eventually(lambda: word(host), lambda text: text == "here")
        lines = [line for line in host.lines if "reloaded in" in line or "has changed" in line]
        assert [line.split(":")[0] for line in lines[:1]] == ["host.json has changed"]
        assert all("Word" in line for line in lines[1:]), lines
        assert not any("tmp_" in line for line in lines)


def has_namespaces():
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARED, NO_INOTIFY], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not has_namespaces(), reason="needs user namespaces")
def test_without_a_watcher_the_host_serves_after_one_warning(default_app, write_function):
    write_function(default_app / "function_app", "Word", HTTP, code("here"))
    command = [*UNSHARED, f'{NO_INOTIFY}; exec "$0" -m durahost "$@"', sys.executable]
    with RunningHost(default_app, command=command) as host:
        assert word(host) == "here"
        eventually(lambda: "\n".join(host.lines), lambda text: "are not watched" in text, 10)
        assert host.wait_for_status(host.start("HelloSequence"), "Completed")
        assert host.stop() == 0
        text = "\n".join(host.lines)
        assert text.count("The app's files are not watched: ") == 1
        assert "Traceback" not in text
