"""An instance whose code does not load waits for its developer, not the other way round."""

from running_host import RunningHost


def test_an_instance_goes_on_soon_after_its_orchestrator_is_mended(default_app):
    script = default_app / "function_app" / "HelloSequence" / "__init__.py"
    code = script.read_text()
    script.write_text("def main(context:\n")
    with RunningHost(default_app) as host:
        waiting = host.start("HelloSequence")
        host.wait_for_line("An episode of instance .* is tried again")
        assert host.stop() == 0
    with RunningHost(default_app) as host:
        host.wait_for_line("An episode of instance .* is tried again")
        script.write_text(code)
        host.wait_for_line("^reloaded in")
        host.wait_for_status(waiting, "Completed", within_s=4)
