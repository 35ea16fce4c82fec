"""A first load that begins before the host that waits for it is there."""

import asyncio
import os
import sys
from datetime import timedelta

import pytest

from durahost.config.load import load_app
from durahost.loading import AppLoader
from durahost.model.errors import AppLoadError
from durahost.worker.process import ProcessWorker

LIMIT_S = 60
ONE_FUNCTION = """
import azure.functions as func
app = func.FunctionApp()
@app.route(route="word")
def word(req: func.HttpRequest) -> str:
    return "word"
"""


class Loading:
    """An app of one file, a loader of it, and the workers that this made."""

    def __init__(self, root, code):
        (root / "host.json").write_text('{"version": "2.0"}')
        (root / "function_app.py").write_text(code)
        self.workers = []
        self.said = asyncio.Event()
        self.loader = AppLoader(load_app(root, root, os.environ), self._new_worker)

    def _new_worker(self):
        self.workers.append(ProcessWorker(sys.executable, os.environ, lambda _: self.said.set()))
        return self.workers[-1]


async def test_load_takes_what_was_begun_ahead_and_the_next_one_is_fresh(tmp_path, caplog):
    caplog.set_level("INFO", "durahost.loading")
    one = Loading(tmp_path, ONE_FUNCTION)
    async with one.loader.ahead():
        first = await one.loader.load()
        assert [function.name for function in first.registry.functions] == ["word"]
        assert (first.number, first.worker) == (1, one.workers[0])
        second = await one.loader.load()
        assert (second.number, second.worker) == (2, one.workers[1])
        await second.worker.drain(timedelta())
    assert len([text for text in caplog.messages if "[all] to 'word'" in text]) == 2
    assert [worker.is_standing for worker in one.workers] == [False, False]


async def test_what_was_begun_and_never_wanted_is_ended(tmp_path):
    one = Loading(tmp_path, f"print('imported'){ONE_FUNCTION}")
    async with one.loader.ahead():
        await asyncio.wait_for(one.said.wait(), LIMIT_S)
        assert one.workers[0].is_standing
    assert not one.workers[0].is_standing


async def test_a_failure_ahead_is_that_of_the_load(tmp_path):
    one = Loading(tmp_path, "1 / 0")
    async with one.loader.ahead():
        with pytest.raises(AppLoadError, match="ZeroDivisionError"):
            await one.loader.load()
        with pytest.raises(AppLoadError, match="ZeroDivisionError"):
            await one.loader.load()
    assert len(one.workers) == 2
