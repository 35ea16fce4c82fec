"""Real apps on disk."""

import json

import pytest

from durahost.config.load import load_app

HTTP = {"type": "httpTrigger", "name": "req", "direction": "in"}


class AppFolder:
    """A folder that becomes an app; `load` reads it."""

    def __init__(self, root):
        self.root = root
        self.host()

    def host(self, **options):
        self.write("host.json", json.dumps({"version": "2.0", **options}))

    def write(self, path, text=""):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def function(self, path, *bindings, script="__init__.py", **properties):
        document = {"bindings": list(bindings or [HTTP]), **properties}
        self.write(f"{path}/function.json", json.dumps(document))
        return self.write(f"{path}/{script}", "")

    def load(self, **environ):
        return load_app(self.root, self.root, environ)


@pytest.fixture
def folder(tmp_path):
    return AppFolder(tmp_path.resolve())
