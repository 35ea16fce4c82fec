"""The packed app, unzipped into an empty folder, is served the same."""

import subprocess
import sys
import zipfile

import pytest
from running_host import RunningHost

pytestmark = pytest.mark.feature("Functions host", "Packing for deployment (`durahost pack`)")


def test_a_packed_app_serves_the_same(default_app, tmp_path):
    target = tmp_path / "app.zip"
    packed = subprocess.run(
        [sys.executable, "-m", "durahost", "pack", "--output", str(target)],
        cwd=default_app,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
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
