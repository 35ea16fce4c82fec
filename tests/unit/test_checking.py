"""What is told of an app whose code cannot even be looked for."""

import pytest

from durahost.checking import examine
from durahost.config.load import load_app


@pytest.mark.feature("Functions host", "`durahost check`")
async def test_a_script_file_name_that_is_none(tmp_path):
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "proxies.json").write_text("{}")
    app = load_app(tmp_path, tmp_path, {"PYTHON_SCRIPT_FILE_NAME": "a/b.py"})

    def new_worker():
        raise AssertionError("no code is loaded")

    examined = await examine(app, (), new_worker)
    assert [one.rule for one in examined.findings] == ["script-setting", "proxies"]
    assert (examined.functions, examined.has_errors) == (0, True)
