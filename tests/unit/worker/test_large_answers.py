"""What is too large for a frame, or its header, is the failure of that call alone."""

import os
import sys
from datetime import timedelta

import pytest

from durahost.child import wire
from durahost.worker.base import Raised, Returned, TypedData
from durahost.worker.process import ProcessWorker

NOTHING = TypedData("string", "null")


@pytest.fixture
async def load(app, logs):
    """Loads an activity of this source into a child process."""
    worker = ProcessWorker(sys.executable, os.environ, logs)

    async def run(source):
        await worker.load(app.add("f", source, app.activity).source)
        return lambda value=NOTHING: worker.invoke(app.call("f", value=value), deadline_s=60)

    yield run
    await worker.drain(timedelta())


async def test_a_failure_larger_than_a_header_arrives(load):
    """Twice this text (message and traceback) is more than a header may hold."""
    invoke = await load("def main(value): raise ValueError('z' * 34_000_000)")
    result = await invoke()
    assert isinstance(result, Raised)
    assert len(result.message) == 34_000_000


async def test_a_call_larger_than_a_frame_fails_and_others_go_on(load, monkeypatch):
    invoke = await load("def main(value): return len(value)")
    monkeypatch.setattr(wire, "MAX_FRAME_BYTES", 10_000)
    result = await invoke(TypedData("string", "x" * 10_000))
    assert isinstance(result, Raised)
    assert "outside the limits (10000, 67108864)" in result.message
    assert "pass a reference to it" in result.message
    assert await invoke(TypedData("string", "x")) == Returned(TypedData("json", "1"))


async def test_an_answer_larger_than_a_frame_fails_and_others_go_on(load):
    invoke = await load(
        """
        import sys
        def main(value):
            sys.modules["_durahost_child.wire"].MAX_FRAME_BYTES = 10_000
            return "x" * int(value)
        """
    )
    result = await invoke(TypedData("string", "10000"))
    assert isinstance(result, Raised)
    assert result.error_type == "ProtocolError"
    assert await invoke(TypedData("string", "1")) == Returned(TypedData("json", '"x"'))


async def test_long_log_lines_are_cut(load, logs):
    invoke = await load(
        """
        import logging
        def main(value):
            print("p" * 70_000_000)
            logging.warning("w" * 70_000_000)
        """
    )
    assert isinstance(await invoke(), Returned)
    printed, logged = (log.message for log in logs if log.message[:1] in ("p", "w"))
    for message in (printed, logged):
        assert message.endswith("... (cut: the message has 70000000 characters)")
        assert len(message) < 1_100_000
