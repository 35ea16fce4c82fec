"""An instance whose code does not load waits for its developer, not the other way round."""

import contextlib
import sqlite3

from running_host import RunningHost, eventually

ATTEMPTS = 50


@contextlib.contextmanager
def database(root):
    with contextlib.closing(sqlite3.connect(root / ".durahost" / "hub.db")) as connection:
        yield connection
        connection.commit()


def attempts(root):
    with database(root) as connection:
        return connection.execute("SELECT attempts FROM instance").fetchone()[0]


def test_an_instance_goes_on_soon_after_its_orchestrator_is_mended(default_app):
    script = default_app / "function_app" / "HelloSequence" / "__init__.py"
    code = script.read_text()
    script.write_text("def main(context:\n")
    with RunningHost(default_app) as host:
        waiting = host.start("HelloSequence")
        host.wait_for_line("An episode of instance .* is tried again")
        assert host.stop() == 0
    with database(default_app) as connection:
        connection.execute("UPDATE instance SET attempts = ?", (ATTEMPTS,))
    with RunningHost(default_app) as host:
        eventually(lambda: attempts(default_app), lambda count: count > ATTEMPTS)
        script.write_text(code)
        host.wait_for_line("^reloaded in")
        host.wait_for_status(waiting, "Completed", within_s=4)
        assert not any("is tried again" in line for line in host.lines)
