"""Apps of `tests/apps`, each served to a whole module from a copy."""

from pathlib import Path

import pytest
from app_files import copy_test_app
from running_host import RunningHost


def serving(name):
    """The fixture, of the app's last name."""

    @pytest.fixture(scope="module", name=Path(name).name)
    def serve(tmp_path_factory):
        root = copy_test_app(name, tmp_path_factory.mktemp("served"))
        with RunningHost(root, "--no-reload") as host:
            yield host

    return serve
