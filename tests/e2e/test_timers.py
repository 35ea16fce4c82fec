"""Timers of real apps: code shared by functions, starts, deaths, changed code."""

import json
import re
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from app_files import copy_test_app
from running_host import RunningHost, eventually

from durahost.clock import RealClock

TRIGGERS = pytest.mark.feature("Functions host", "Timer triggers: runs on schedule, by the clock")
SURVIVES = pytest.mark.feature("Functions host", "Timer triggers: `useMonitor`, past due")


@pytest.fixture
def folders(tmp_path):
    return copy_test_app("timers", tmp_path)


def runs(app, name):
    file = app / "notes"
    lines = file.read_text().splitlines() if file.exists() else []
    return [entry for entry in map(json.loads, lines) if entry["name"] == name]


def wait_for_runs(app, name, count):
    return eventually(lambda: runs(app, name), lambda found: len(found) >= count)


def hourly_status(app):
    """What is stored of the hourly timer; None when nothing is yet."""
    with closing(sqlite3.connect(app / ".durahost" / "hub.db")) as database:
        query = "SELECT value FROM host WHERE key = 'timers/hourly'"
        return database.execute(query).fetchone()


def missed(app):
    """Make the hourly timer one whose host was away at its last occurrence."""
    now = RealClock().now()
    last, due = (f"{now - timedelta(hours=ago):%Y-%m-%dT%H:%M:%S+00:00}" for ago in (3, 2))
    status = {"Last": last, "Next": due, "LastUpdated": last}
    with closing(sqlite3.connect(app / ".durahost" / "hub.db")) as database, database:
        change = "UPDATE host SET value = ? WHERE key = 'timers/hourly'"
        assert database.execute(change, [json.dumps(status)]).rowcount == 1
    return due


@TRIGGERS
def test_folders_with_shared_code(folders):
    with RunningHost(folders, "--verbose") as host:
        second = wait_for_runs(folders, "EverySecond", 2)[1]
        assert second["past_due"] is False
        assert second["schedule"] == {"AdjustForDST": True}
        assert second["schedule_status"] == {}
        (start,) = wait_for_runs(folders, "AtStart", 1)
        assert re.fullmatch(r"\d{4}-01-01T00:00:00\+00:00", start["schedule_status"]["Next"])
        assert start["schedule_status"]["Last"] == "0001-01-01T00:00:00+00:00"
        host.stop()
    assert runs(folders, "Off") == runs(folders, "Broken") == runs(folders, "Hourly") == []
    text = "\n".join(host.lines)
    assert "\tEverySecond: timerTrigger\n" in text
    assert "Function Off is disabled." in text
    assert text.count("Function 'Functions.Off' is disabled") == 1
    refused = (
        "The 'Broken' function is in error: Microsoft.Azure.WebJobs.Host: Error indexing method "
        "'Functions.Broken'. Microsoft.Azure.WebJobs.Extensions: The schedule expression "
        "'0 0 * * 7' was not recognized as a valid cron expression or timespan string."
    )
    assert refused in text
    shown = "The next 5 occurrences of the 'EverySecond' schedule (Cron: '* * * * * *') will be:"
    assert shown in text
    assert re.search(
        r"Executing .Functions\.AtStart. \(Reason=.Timer fired at [0-9T:.-]+\+00:00., Id=\S+\)"
        r"\n\S+ Trigger Details: UnscheduledInvocationReason: RunOnStartup\n",
        text,
    )


@TRIGGERS
def test_the_decorator_model(tmp_path):
    app = copy_test_app("timers_decorated", tmp_path)
    with RunningHost(app, "--no-reload"):
        assert wait_for_runs(app, "every_second", 2)[1]["schedule_status"] == {}
        (start,) = wait_for_runs(app, "at_start", 1)
        assert start["schedule_status"] == {}


@SURVIVES
def test_what_a_dead_host_missed_is_made_up_for(folders):
    with RunningHost(folders, "--no-reload") as host:
        eventually(lambda: hourly_status(folders), lambda status: status is not None)
        host.kill()
    due = missed(folders)
    (folders / "hold").touch()
    with RunningHost(folders, "--no-reload") as host:
        (first,) = wait_for_runs(folders, "Hourly", 1)
        assert first["past_due"] is True
        assert first["schedule_status"]["Next"] == due
        host.kill()  # within the run: it counts as not done
    (folders / "hold").unlink()
    with RunningHost(folders, "--no-reload") as host:
        second = wait_for_runs(folders, "Hourly", 2)[1]
        assert second == first
        host.wait_for_line("Executed 'Functions.Hourly' .Succeeded")
        host.stop()
    with RunningHost(folders, "--no-reload"):
        before = len(runs(folders, "EverySecond"))
        wait_for_runs(folders, "EverySecond", before + 1)
    assert len(runs(folders, "Hourly")) == 2


@pytest.mark.feature("Functions host", "Timer triggers: changed code starts them anew")
def test_changed_code_runs_at_its_next_occurrence(folders):
    with RunningHost(folders) as host:
        wait_for_runs(folders, "AtStart", 1)
        file = folders / "EverySecond" / "__init__.py"
        file.write_text(file.read_text().replace('"EverySecond"', '"Changed"'))
        host.wait_for_line(r"reloaded in \d+ ms")
        wait_for_runs(folders, "Changed", 2)
        wait_for_runs(folders, "AtStart", 2)


@pytest.mark.feature(
    "Functions host", "Timer triggers: `WEBSITE_TIME_ZONE`, `TZ`, the machine's zone"
)
def test_a_zone_of_windows(folders):
    env = {"WEBSITE_TIME_ZONE": "Tokyo Standard Time"}
    with RunningHost(folders, "--no-reload", env=env):
        (start,) = wait_for_runs(folders, "AtStart", 1)
    assert start["schedule_status"]["Next"].endswith("-01-01T00:00:00+09:00")
