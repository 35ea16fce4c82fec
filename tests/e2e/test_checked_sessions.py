"""The default app where its orchestrators live on, and each episode is compared with a replay."""

import pytest
from running_host import RunningHost

CHECKED = {
    "AzureFunctionsJobHost__extensions__durableTask__extendedSessionsEnabled": "true",
    "DURAHOST_CHECK_SESSIONS": "1",
}


@pytest.mark.feature("Settings", "`extendedSessionsEnabled`")
def test_orchestrators_that_live_on_answer_as_replays_do(default_app):
    with RunningHost(default_app, env=CHECKED) as host:
        hello = host.start("HelloSequence")
        late = host.start("Approval", {"minutes": 0.03})
        approved = host.start("Approval", {"minutes": 5})
        host.wait_for_status(approved, "Running")
        assert host.raise_event(approved, "ApprovalEvent", True).status_code == 202
        greetings = ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]
        assert host.wait_for_status(hello, "Completed")["output"] == greetings
        assert host.wait_for_status(approved, "Completed")["output"] == "Approved"
        assert host.wait_for_status(late, "Completed")["output"] == "Timed out"
        assert not any("SessionDiffers" in line for line in host.lines)
        # Each episode but the first of an instance is asked twice: to go on, and to replay.
        executed = [line for line in host.lines if "Executed 'Functions.HelloSequence'" in line]
        assert len(executed) == 1 + 2 * 3
