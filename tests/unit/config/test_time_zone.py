"""The zone of schedules: settings, Windows' names, files, the machine."""

from datetime import UTC, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
import tzlocal

from durahost import problems
from durahost.config.load import load_app
from durahost.config.time_zone import TimeZone, find_time_zone

pytestmark = pytest.mark.feature(
    "Functions host", "Timer triggers: `WEBSITE_TIME_ZONE`, `TZ`, the machine's zone"
)

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("values", "zone"),
    [
        ({"WEBSITE_TIME_ZONE": "Europe/Berlin"}, BERLIN),
        ({"website_time_zone": "W. Europe Standard Time", "TZ": "Asia/Tokyo"}, BERLIN),
        ({"WEBSITE_TIME_ZONE": "eastern standard time"}, ZoneInfo("America/New_York")),
        ({"TZ": "Asia/Tokyo"}, ZoneInfo("Asia/Tokyo")),
        ({"WEBSITE_TIME_ZONE": "", "TZ": ":Asia/Tokyo"}, ZoneInfo("Asia/Tokyo")),
        ({"TZ": ""}, UTC),
        ({"TZ": "Etc/UTC"}, UTC),
        ({"WEBSITE_TIME_ZONE": "UTC"}, UTC),
    ],
)
def test_zones_of_settings(values, zone):
    assert find_time_zone(values) == TimeZone(zone)


def test_a_file_is_a_zone(tmp_path):
    file = tmp_path / "zone"
    file.write_bytes(resources.files("tzdata").joinpath("zoneinfo/Asia/Tokyo").read_bytes())
    zone = find_time_zone({"TZ": str(file)}).zone
    assert zone.utcoffset(datetime(2026, 1, 1)) == timedelta(hours=9)  # noqa: DTZ001 - a wall time
    file.write_bytes(b"nothing of the kind")
    assert find_time_zone({"TZ": str(file)}).fault


@pytest.mark.parametrize("name", ["Middle/Earth", "../x", "America", "/nowhere/at/all", "a\0b"])
def test_a_name_that_is_none_is_utc_and_told(name):
    found = find_time_zone({"TZ": name})
    assert found.zone is UTC
    assert found.fault == f"TZ is '{name}', which is no time zone; schedules are read in UTC."


def test_the_machines_zone(monkeypatch):
    monkeypatch.setattr(tzlocal, "get_localzone", lambda: BERLIN)
    assert find_time_zone({}) == TimeZone(BERLIN)


def test_a_machine_that_does_not_say(monkeypatch):
    def fail():
        raise ZoneInfoNotFoundError("Multiple conflicting time zone configurations found")

    monkeypatch.setattr(tzlocal, "get_localzone", fail)
    found = find_time_zone({})
    assert found.zone is UTC
    assert "Multiple conflicting" in found.fault


def test_a_fault_is_told_at_the_start(tmp_path):
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    app = load_app(tmp_path, tmp_path, {"WEBSITE_TIME_ZONE": "Middle/Earth"})
    (finding,) = problems.of_settings(app)
    assert finding.rule == "setting-value"
    assert finding.message.startswith("WEBSITE_TIME_ZONE is 'Middle/Earth', which is no time zone")
