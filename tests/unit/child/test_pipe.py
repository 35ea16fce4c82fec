"""Frames that several threads write while the host does not read."""

import os
import threading
from collections.abc import Iterator

import pytest

from durahost.child.pipe import Pipe
from durahost.child.wire import Decoder, Frame

LIMIT_S = 20
LARGE = Frame("returned", {"id": 0}, [bytes(2**20)])
"""More than a pipe takes before it is read."""


class Host:
    """The other end."""

    def __init__(self) -> None:
        self._reading, writing = os.pipe()
        unused, self._unused = os.pipe()
        self.pipe = Pipe(unused, writing)
        self._decoder = Decoder()
        self._frames: list[Frame] = []
        threading.Thread(target=self.pipe.write_rest, daemon=True).start()

    def begin(self) -> threading.Thread:
        """Have a thread write until this end reads; return once it does."""
        thread = threading.Thread(target=self.pipe.answer, args=(LARGE,))
        thread.start()
        self._take(1)
        return thread

    def read(self, count: int) -> list[Frame]:
        """The next frames."""
        while len(self._frames) < count:
            self._take(2**16)
        taken, self._frames = self._frames[:count], self._frames[count:]
        return taken

    def close(self) -> None:
        self.pipe.close()
        os.close(self._reading)
        os.close(self._unused)

    def _take(self, size: int) -> None:
        self._frames += self._decoder.feed(os.read(self._reading, size))


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.close()


def test_an_answer_waits_for_nobody_who_writes(host):
    writing = host.begin()
    for number in (1, 2, 3):
        host.pipe.answer(Frame("returned", {"id": number}))
    assert writing.is_alive()
    assert [frame.fields["id"] for frame in host.read(4)] == [0, 1, 2, 3]
    writing.join(LIMIT_S)
    host.pipe.answer(Frame("returned", {"id": 4}))
    assert host.read(1) == [Frame("returned", {"id": 4}, [])]


def test_what_is_sent_is_written_when_that_returns(host):
    """The code that speaks may end the process the moment after."""
    writing = host.begin()
    host.pipe.answer(Frame("returned", {"id": 1}))
    sending = threading.Thread(target=host.pipe.send, args=(Frame("log", {"message": "last"}),))
    sending.start()
    sending.join(0.05)
    assert sending.is_alive()
    assert [frame.kind for frame in host.read(3)] == ["returned", "returned", "log"]
    for thread in (writing, sending):
        thread.join(LIMIT_S)
    host.pipe.send(Frame("log", {"message": "alone"}))
    assert host.read(1)[0].fields == {"message": "alone"}
