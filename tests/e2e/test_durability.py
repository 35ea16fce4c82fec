"""The switch that trades the last commits before a power cut for speed."""

import pytest
from running_host import RunningHost


@pytest.mark.feature("Exactly once", "`DURAHOST_SQLITE_SYNCHRONOUS`")
def test_that_commits_are_not_synced_is_said_at_the_start(default_app):
    with RunningHost(default_app, env={"DURAHOST_SQLITE_SYNCHRONOUS": "NORMAL"}) as host:
        said = [line for line in host.lines if "DURAHOST_SQLITE_SYNCHRONOUS is NORMAL" in line]
        assert len(said) == 1
        host.wait_for_status(host.start("HelloSequence"), "Completed")
