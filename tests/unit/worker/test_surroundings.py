"""Apps that are loaded into this process one beside the other, as a reload loads them."""

import json
import logging
import sys
from datetime import timedelta

import pytest

from durahost.model.errors import WorkerExited
from durahost.worker.base import TypedData
from durahost.worker.inprocess import InProcessWorker
from durahost.worker.surroundings import Surroundings

pytestmark = pytest.mark.feature("Functions host", "Reload on edit")

NOTHING = TypedData("string", "")
HELPER = "WORD = {word!r}\nclass Thing:\n    to_json = from_json = staticmethod(lambda one: 1)\n"
CODE = "import helper\nfrom . import near\n\ndef main(value): return [helper.WORD, near.WORD]\n"


@pytest.fixture
async def generations(logs):
    """Makes workers that share their surroundings, and drains them in the order of their making."""
    surroundings, made = Surroundings(), []

    def make():
        made.append(InProcessWorker(logs, surroundings))
        return made[-1]

    yield make
    for one in made:
        await one.drain(timedelta())


def write(app, word):
    app.write("helper.py", HELPER.format(word=word))
    app.write("f/near.py", f"WORD = {word!r}\n")
    return app


async def words(worker, app):
    result = await worker.invoke(app.call("f", value=NOTHING), deadline_s=20)
    return json.loads(result.value.value)


async def test_a_later_generation_has_the_code_on_disk(generations, app):
    before = list(sys.path), sys.dont_write_bytecode
    write(app, "old").add("f", CODE, app.activity)
    old, new = generations(), generations()
    await old.load(app.source)
    write(app, "new")  # within a second, and of the same size
    await new.load(app.source)
    assert await words(old, app) == ["old", "old"]
    assert await words(new, app) == ["new", "new"]
    await old.drain(timedelta(seconds=5))
    assert await words(new, app) == ["new", "new"]
    assert sys.modules["helper"].WORD == "new"
    await new.drain(timedelta(seconds=5))
    assert "helper" not in sys.modules
    assert "__app__.f" not in sys.modules
    assert (sys.path, sys.dont_write_bytecode) == before


async def test_code_that_does_not_load_leaves_the_older_modules(generations, app):
    write(app, "old").add("f", CODE, app.activity)
    old, new = generations(), generations()
    await old.load(app.source)
    loaded = sys.modules["helper"]
    app.write("helper.py", "raise SystemExit('no')\n")
    failed = await new.load(app.source)
    assert [one.name for one in failed.failures] == ["f"]
    await new.drain(timedelta())
    assert sys.modules["helper"] is loaded
    assert await words(old, app) == ["old", "old"]


async def test_records_go_to_the_generation_that_they_belong_to(generations, app, logs):
    code = "import logging\ndef main(value): logging.warning('said once')\n"
    app.add("f", code, app.activity)
    old, new = generations(), generations()
    await old.load(app.source)
    await new.load(app.source)
    await new.invoke(app.call("f", value=NOTHING), deadline_s=20)
    assert logs.messages.count("said once") == 1
    level = logging.getLogger().level
    await old.drain(timedelta(seconds=5))
    assert logging.getLogger().level == level
    with pytest.raises(WorkerExited):
        await old.invoke(app.call("f", value=NOTHING), deadline_s=1)
