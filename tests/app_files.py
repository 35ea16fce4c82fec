"""Apps on disk: copies of the default app and of those in `tests/apps`, functions, settings."""

import json
import shutil
from pathlib import Path

ROOT = Path(__file__).parent.parent
APPS = ROOT / "tests" / "apps"
APP_FILES = ("function_app", "host.json", "local.settings.json", ".funcignore")
COMPILED = shutil.ignore_patterns("__pycache__")

ORCHESTRATION = [{"name": "context", "type": "orchestrationTrigger", "direction": "in"}]
ENTITY = [{"name": "context", "type": "entityTrigger", "direction": "in"}]


def copy_app(target):
    """The default app, in this folder."""
    target.mkdir(parents=True, exist_ok=True)
    for name in APP_FILES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=COMPILED)
        else:
            shutil.copy(source, target / name)
    return target


def copy_test_app(name, folder):
    """An app of `tests/apps`, as a folder of its last name in this one."""
    return Path(shutil.copytree(APPS / name, folder / Path(name).name, ignore=COMPILED))


def write_function(root, name, bindings, code, **more):
    """A function folder: bindings as dicts, code as text."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    config = {"scriptFile": "__init__.py", "bindings": bindings, **more}
    (folder / "function.json").write_text(json.dumps(config))
    (folder / "__init__.py").write_text(code)
    return folder


def set_durable_option(root, name, value):
    """A setting of the durable extension, in the app's host.json."""
    file = root / "host.json"
    settings = json.loads(file.read_text())
    settings.setdefault("extensions", {}).setdefault("durableTask", {})[name] = value
    file.write_text(json.dumps(settings))


def orchestrator(body):
    """The code of an orchestrator with this body."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    return (
        "import azure.durable_functions as df\n"
        f"def orchestrator(context):\n{lines}\n"
        "    yield  # a generator, as orchestrators are\n"
        "main = df.Orchestrator.create(orchestrator)\n"
    )
