"""The packed app, unzipped into an empty folder, is served the same."""

import zipfile

import pytest
from running_host import RunningHost, durahost

pytestmark = pytest.mark.feature("Functions host", "Packing for deployment (`durahost pack`)")


def test_a_packed_app_serves_the_same(default_app, tmp_path):
    target = tmp_path / "app.zip"
    packed = durahost(default_app, "pack", "--output", str(target))
    assert packed.returncode == 0, packed.stderr
    assert str(target) in packed.stdout
    with zipfile.ZipFile(target) as package:
        names = package.namelist()
        package.extractall(tmp_path / "deployed")
    assert "host.json" in names
    assert "HttpStart/function.json" in names
    assert "requirements.txt" in names
    assert "local.settings.json" not in names
    with RunningHost(tmp_path / "deployed") as host:
        payload = host.wait_for_status(host.start("HelloSequence"), "Completed")
        assert payload["output"] == ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]
